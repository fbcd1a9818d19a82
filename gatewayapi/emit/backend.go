package emit

import (
	"fmt"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// backend settles where a rule forwards to. Without any backend the rule is
// closed, which is what the source does but for the status.
func (b *builder) backend() {
	status := b.a.NoBackendStatus
	if status == 0 {
		status = 500
	}
	total := 0
	for _, x := range b.a.Backends {
		total += x.Weight
	}
	for i := range b.a.Backends {
		x := b.a.Backends[i]
		switch {
		case x.Invalid != "" && (x.Name == "" || isService(&x) && (x.Port < 1 || x.Port > 65535 || !serviceName.MatchString(x.Name))):
			b.say(FeatureBackend, Lost, "the backend "+x.Key()+" does not resolve: "+x.Invalid, "create it, or remove the path")
			continue
		case x.Name == "" || isService(&x) && (x.Port < 1 || x.Port > 65535):
			b.say(FeatureBackend, Lost, "the backend "+x.Key()+" has no name or port", "name a port of the Service")
			continue
		case x.Invalid != "":
			b.say(FeatureBackend, Approximated, fmt.Sprintf("the backend %s does not resolve (%s): requests get 500 in place of %d until it does", x.Key(), x.Invalid, status), "create it, or remove the path")
		case !isService(&x):
			b.say(FeatureBackend, NeedsExtension, "not every implementation forwards to a "+x.Kind, "")
		}
		if len(b.out.backends) == gatewayapi.MaxBackendRefs {
			b.say(FeatureWeights, Lost, fmt.Sprintf("more than %d backends share the requests; %s gets none", gatewayapi.MaxBackendRefs, x.Key()), "send fewer backends a share each")
			continue
		}
		if x.Weight > gatewayapi.MaxWeight {
			b.say(FeatureWeights, Approximated, fmt.Sprintf("the weight of %s is cut to %d", x.Key(), gatewayapi.MaxWeight), "scale the weights down")
			x.Weight = gatewayapi.MaxWeight
		}
		b.protocol(&x)
		b.out.backends = append(b.out.backends, x)
		b.out.backendFilters = append(b.out.backendFilters, b.backendHeaders(&x))
	}
	if len(b.out.backends) == 0 || total == 0 {
		if len(b.a.Backends) == 0 && status != 500 {
			b.say(FeatureBackend, Approximated, fmt.Sprintf("there is nothing to forward to: answers 500 in place of %d", status), "")
		}
		b.out.closed = true
	}
}

// serviceName is what a Service can be called (RFC 1035 label,
// https://kubernetes.io/docs/concepts/services-networking/service/). A reference
// to another name can never resolve, and implementations may refuse its route.
var serviceName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)

func isService(b *routing.Backend) bool {
	return (b.Kind == "" || b.Kind == "Service") && b.Group == ""
}

// backendHeaders writes header changes for one backend alone
// (HTTPBackendRef.Filters; changes of requests are the extended feature
// HTTPRouteBackendRequestHeaderModification).
func (b *builder) backendHeaders(x *routing.Backend) []gwv1.HTTPRouteFilter {
	var out []gwv1.HTTPRouteFilter
	if x.Rewrite != nil {
		b.say(FeatureRewrite, Lost, "the rewrite for "+x.Key()+" alone is not written: implementations need not support it before Gateway API v1.7", "give the backend a rule of its own")
	}
	if f := b.headerFilter(FeatureRequestHeaders, x.RequestHeaders); f != nil {
		out = append(out, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: f})
	}
	if f := b.headerFilter(FeatureResponseHeaders, x.ResponseHeaders); f != nil {
		b.say(FeatureResponseHeaders, Approximated, "changes of the responses of "+x.Key()+" alone are written on its backendRef, where implementations need not support them", "give the backend a rule of its own if the implementation does not")
		out = append(out, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: f})
	}
	return out
}

// protocol notes what a Service port must say: Gateway API takes the protocol
// of a backend from its appProtocol (HTTPBackendRef) and TLS from a
// BackendTLSPolicy, which always verifies.
func (b *builder) protocol(x *routing.Backend) {
	switch strings.ToUpper(x.Protocol) {
	case "GRPC", "H2C", "GRPCS":
		b.say(FeatureBackendProtocol, Approximated, "the port of Service "+x.Key()+" must have appProtocol kubernetes.io/h2c", "set appProtocol: kubernetes.io/h2c on the Service port")
	case "WS", "WSS", "", "HTTP", "HTTPS":
	default:
		b.say(FeatureBackendProtocol, NeedsExtension, "Gateway API does not forward "+x.Protocol+"; the backend gets plain HTTP", "put a server that speaks HTTP in front of "+x.Key())
	}
	p := strings.ToUpper(x.Protocol)
	if p != "HTTPS" && p != "GRPCS" && p != "WSS" && x.TLS == nil {
		return
	}
	remedy := "write a BackendTLSPolicy with the CA that signed the backend's certificate; to skip verification use the implementation's own resource, such as Envoy Gateway Backend tls.insecureSkipVerify or Traefik ServersTransport insecureSkipVerify"
	t := x.TLS
	switch {
	case t == nil || !t.Verify:
		b.say(FeatureBackendTLS, NeedsExtension, "TLS towards "+x.Key()+" without verification has no form: BackendTLSPolicy always verifies", remedy)
		return
	case t.Hostname == "" || !validObjectName(strings.ToLower(t.Hostname)):
		b.say(FeatureBackendTLS, NeedsExtension, "TLS towards "+x.Key()+" is verified without a name to verify, which BackendTLSPolicy demands", remedy)
		return
	case !isService(x):
		b.say(FeatureBackendTLS, NeedsExtension, "BackendTLSPolicy applies to Services, not to "+x.Kind, remedy)
		return
	}
	b.policy(x, t, remedy)
}

// policy is a BackendTLSPolicy of one Service.
type policy struct {
	namespace, name string
	hostname        string
	ca, caKind      string
}

func (b *builder) policy(x *routing.Backend, t *routing.BackendTLS, remedy string) {
	p := &policy{namespace: x.Namespace, name: x.Name, hostname: strings.ToLower(t.Hostname)}
	if t.CA != "" {
		ns, name, ok := strings.Cut(t.CA, "/")
		if !ok || ns != x.Namespace {
			b.say(FeatureBackendTLS, NeedsExtension, "the CA "+t.CA+" is not in the namespace of Service "+x.Key()+", where BackendTLSPolicy looks for it", remedy)
			return
		}
		p.ca, p.caKind = name, t.CAKind
		if p.caKind == "" {
			p.caKind = "Secret"
		}
		if p.caKind != "ConfigMap" {
			b.say(FeatureBackendTLS, Approximated, "the CA is a "+p.caKind+", which not every implementation of BackendTLSPolicy reads", "put ca.crt into a ConfigMap and refer to that")
		}
	}
	if t.ClientCertificate != "" {
		b.say(FeatureBackendTLS, NeedsExtension, "the client certificate "+t.ClientCertificate+" is not presented: Gateway API has one for the whole Gateway (spec.tls.backend)", "set spec.tls.backend.clientCertificateRef of a Gateway of its own")
	}
	k := x.Namespace + "/" + x.Name
	if old := b.e.policies[k]; old != nil && *old != *p {
		b.say(FeatureBackendTLS, Approximated, "Service "+x.Key()+" is verified differently elsewhere; a Service has one BackendTLSPolicy", "use one name and CA for the Service")
		return
	}
	b.e.policies[k] = p
}

// writePolicies writes BackendTLSPolicy objects (GEP-1897).
func (e *emitter) writePolicies() {
	for _, k := range sortedKeys(e.policies) {
		p := e.policies[k]
		o := &gwv1.BackendTLSPolicy{
			TypeMeta:   metav1.TypeMeta{APIVersion: gwv1.GroupName + "/v1", Kind: "BackendTLSPolicy"},
			ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: e.names.take("BackendTLSPolicy", p.namespace, fit(p.name, k, maxRouteName), k)},
			Spec: gwv1.BackendTLSPolicySpec{
				TargetRefs: []gwv1.LocalPolicyTargetReferenceWithSectionName{{LocalPolicyTargetReference: gwv1.LocalPolicyTargetReference{Kind: "Service", Name: gwv1.ObjectName(p.name)}}},
				Validation: gwv1.BackendTLSPolicyValidation{Hostname: gwv1.PreciseHostname(p.hostname)},
			},
		}
		if p.ca == "" {
			system := gwv1.WellKnownCACertificatesSystem
			o.Spec.Validation.WellKnownCACertificates = &system
		} else {
			o.Spec.Validation.CACertificateRefs = []gwv1.LocalObjectReference{{Kind: gwv1.Kind(p.caKind), Name: gwv1.ObjectName(p.ca)}}
		}
		e.objects = append(e.objects, o)
	}
}

// objectRef writes a reference from a route, with the grant it needs.
func (e *emitter) objectRef(kind, namespace string, b *routing.Backend) gwv1.BackendObjectReference {
	ref := gwv1.BackendObjectReference{Name: gwv1.ObjectName(b.Name)}
	toKind := "Service"
	if !isService(b) {
		g, k := gwv1.Group(b.Group), gwv1.Kind(b.Kind)
		ref.Group, ref.Kind, toKind = &g, &k, b.Kind
	} else {
		e.services[b.Namespace+"/"+b.Name] = true
	}
	if b.Port > 0 {
		p := gwv1.PortNumber(b.Port)
		ref.Port = &p
	}
	if b.Namespace != "" && b.Namespace != namespace {
		ns := gwv1.Namespace(b.Namespace)
		ref.Namespace = &ns
		e.needGrant(kind, namespace, b.Group, toKind, b.Namespace, b.Name)
	}
	return ref
}

// backendRefs writes the destinations of a rule; a single one needs no weight.
func (e *emitter) backendRefs(kind, namespace string, bs []routing.Backend) []gwv1.BackendRef {
	var out []gwv1.BackendRef
	for i := range bs {
		ref := gwv1.BackendRef{BackendObjectReference: e.objectRef(kind, namespace, &bs[i])}
		if len(bs) > 1 {
			w := int32(max(bs[i].Weight, 0))
			ref.Weight = &w
		}
		out = append(out, ref)
	}
	return out
}

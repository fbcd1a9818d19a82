package compile

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

func (b *actionBuilder) backends(refs []gwv1.BackendRef) []routing.Backend {
	var out []routing.Backend
	for i, r := range refs {
		out = append(out, b.backend(r, fmt.Sprintf("%s.backendRefs[%d]", b.path, i)))
	}
	return out
}

// backend resolves a reference. One that does not resolve keeps its weight and
// answers 500 (HTTPRouteRule.BackendRefs).
func (b *actionBuilder) backend(r gwv1.BackendRef, path string) routing.Backend {
	x := routing.Backend{
		Namespace: string(value(r.Namespace, gwv1.Namespace(b.route.Namespace))), Name: string(r.Name),
		Kind: string(value(r.Kind, "Service")), Group: string(value(r.Group, "")),
		Port: int(value(r.Port, 0)), Weight: int(value(r.Weight, 1)),
	}
	fail := func(reason, message string) {
		x.Invalid = message
		b.c.problem(b.route, path, "ResolvedRefs", reason, message)
	}
	if !b.c.grants.allow(b.route.Kind, b.route.Namespace, x.Group, x.Kind, x.Namespace, x.Name) {
		fail("RefNotPermitted", fmt.Sprintf("no ReferenceGrant in %s allows %s %s", x.Namespace, x.Kind, x.Name))
		return x
	}
	if x.Group != "" || x.Kind != "Service" {
		return x // an implementation's own kind: taken at its word
	}
	if x.Port == 0 {
		fail("UnsupportedValue", "a Service must be referred to with a port (BackendObjectReference.Port)")
		return x
	}
	if b.c.in.services != nil {
		svc := b.c.in.services[x.Namespace+"/"+x.Name]
		port := portOf(svc, x.Port)
		switch {
		case svc == nil:
			fail("BackendNotFound", fmt.Sprintf("there is no Service %s/%s", x.Namespace, x.Name))
			return x
		case port == nil:
			fail("BackendNotFound", fmt.Sprintf("the Service %s/%s has no port %d", x.Namespace, x.Name, x.Port))
			return x
		}
		x.Protocol = appProtocols[value(port.AppProtocol, "")]
	}
	x.TLS = b.c.backendTLS(x)
	if x.TLS != nil {
		x.Protocol = "HTTPS"
	}
	return x
}

// appProtocols of Services (KEP-3726, GEP-1911).
var appProtocols = map[string]string{"kubernetes.io/h2c": "H2C", "kubernetes.io/ws": "WS", "https": "HTTPS"}

func portOf(s *corev1.Service, n int) *corev1.ServicePort {
	if s == nil {
		return nil
	}
	for i := range s.Spec.Ports {
		if int(s.Spec.Ports[i].Port) == n {
			return &s.Spec.Ports[i]
		}
	}
	return nil
}

// tlsPolicy is a BackendTLSPolicy for one Service, or one port of it.
type tlsPolicy struct {
	section string
	tls     *routing.BackendTLS
}

// backendPolicies reads BackendTLSPolicies by the Service they target. The
// oldest wins; one for a port wins over one for the Service (GEP-1897).
func (c *compiler) backendPolicies() map[string][]tlsPolicy {
	out := map[string][]tlsPolicy{}
	for _, p := range c.in.policies {
		ref := refOf("BackendTLSPolicy", p)
		t := &routing.BackendTLS{Verify: true, Hostname: string(p.Spec.Validation.Hostname)}
		if refs := p.Spec.Validation.CACertificateRefs; len(refs) > 0 {
			t.CA, t.CAKind = ref.Namespace+"/"+string(refs[0].Name), string(refs[0].Kind)
		}
		for _, target := range p.Spec.TargetRefs {
			if target.Kind != "Service" || target.Group != "" {
				continue
			}
			key := ref.Namespace + "/" + string(target.Name)
			out[key] = append(out[key], tlsPolicy{string(value(target.SectionName, "")), t})
		}
	}
	return out
}

func (c *compiler) backendTLS(x routing.Backend) *routing.BackendTLS {
	var whole *routing.BackendTLS
	for _, p := range c.tls[x.Namespace+"/"+x.Name] {
		if p.section == "" {
			if whole == nil {
				whole = p.tls
			}
			continue
		}
		port := portOf(c.in.services[x.Namespace+"/"+x.Name], x.Port)
		if c.in.services == nil || port != nil && port.Name == p.section {
			return p.tls
		}
	}
	return whole
}

package emit

import (
	"fmt"
	"hash/fnv"
	"sort"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// maxListeners is the limit of spec.listeners (apis/v1/gateway_types.go).
const maxListeners = 64

type listener struct {
	host        string
	port        int32
	protocol    gatewayv1.ProtocolType
	certificate string // "namespace/name"
	passthrough bool
	origin      routing.Origin
}

// name is unique among the listeners of a table: protocol and host.
func (l listener) name() string {
	p := map[gatewayv1.ProtocolType]string{gatewayv1.HTTPProtocolType: "http", gatewayv1.HTTPSProtocolType: "https", gatewayv1.TLSProtocolType: "tls"}[l.protocol]
	if l.host == "" {
		return p
	}
	return dnsName(p+"-"+strings.Replace(l.host, "*.", "wildcard.", 1), 253)
}

// dnsName makes a valid object name; what does not fit is hashed.
func dnsName(s string, limit int) string {
	out := []byte(strings.ToLower(s))
	same := true
	for i, c := range out {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			out[i], same = '-', false
		}
	}
	clean := strings.Trim(string(out), "-.")
	if same && clean == s && len(s) <= limit && s != "" {
		return s
	}
	h := fnv.New32a()
	h.Write([]byte(s))
	if len(clean) > limit-9 {
		clean = strings.TrimRight(clean[:limit-9], "-.")
	}
	return strings.TrimLeft(fmt.Sprintf("%s-%08x", clean, h.Sum32()), "-")
}

// secure adds the HTTPS listeners of a host and reports whether there are any.
// A host without a certificate of its own was served with the controller's
// default certificate, which has to be named.
func (e *emitter) secure(h *routing.Host, names []string) bool {
	certs := h.Certificates
	if len(certs) == 0 && e.DefaultCertificate != "" {
		certs = []string{e.DefaultCertificate}
	}
	if len(certs) == 0 {
		if h.Origin.Object.Name != "" {
			e.note(Note{Origin: h.Origin, Feature: "listener", Fate: Approximated,
				Message: "HTTPS for this host was answered with the controller's default certificate and is not carried over",
				Remedy:  "name a certificate with --default-certificate if clients use it"})
		}
		return false
	}
	for _, n := range names {
		e.secured[n] = true
		e.listeners = append(e.listeners, listener{host: n, port: 443, protocol: gatewayv1.HTTPSProtocolType, certificate: certs[0], origin: h.Origin})
	}
	ns, name, _ := strings.Cut(certs[0], "/")
	if ns != e.Gateway.Namespace {
		e.grants[grant{ns, "Gateway", e.Gateway.Namespace, "Secret", name}] = true
		e.grants[grant{ns, "ListenerSet", e.Gateway.Namespace, "Secret", name}] = true
	}
	return true
}

func (l listener) entry() gatewayv1.Listener {
	out := gatewayv1.Listener{
		Name: gatewayv1.SectionName(l.name()), Port: l.port, Protocol: l.protocol,
		AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: ptr(gatewayv1.NamespacesFromAll)}},
	}
	if l.host != "" {
		out.Hostname = ptr(gatewayv1.Hostname(l.host))
	}
	switch {
	case l.passthrough:
		out.TLS = &gatewayv1.ListenerTLSConfig{Mode: ptr(gatewayv1.TLSModePassthrough)}
	case l.certificate != "":
		ns, name, _ := strings.Cut(l.certificate, "/")
		out.TLS = &gatewayv1.ListenerTLSConfig{Mode: ptr(gatewayv1.TLSModeTerminate),
			CertificateRefs: []gatewayv1.SecretObjectReference{{Name: gatewayv1.ObjectName(name), Namespace: ptr(gatewayv1.Namespace(ns))}}}
	}
	return out
}

// gateways writes the Gateway and, past its limit, ListenerSets (Gateway API
// v1.5) or further Gateways.
func (e *emitter) gateways() []client.Object {
	ls := e.listeners
	if !e.isolated {
		ls = append([]listener{{port: 80, protocol: gatewayv1.HTTPProtocolType}}, ls...)
	}
	sort.SliceStable(ls, func(i, j int) bool { return ls[i].name() < ls[j].name() })
	uniq := ls[:0]
	for i, l := range ls {
		if i == 0 || l.name() != ls[i-1].name() {
			uniq = append(uniq, l)
		}
	}
	ls = uniq
	var out []client.Object
	if e.Gateway.Mode != Existing {
		n := min(len(ls), maxListeners)
		g := e.gateway(e.Gateway.Name, ls[:n])
		if len(ls) > n && e.Version.AtLeast("v1.5") {
			g.Spec.AllowedListeners = &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: ptr(gatewayv1.NamespacesFromSame)}}
		}
		out = append(out, g)
		e.locate(ls[:n], "Gateway", e.Gateway.Name)
		ls = ls[n:]
	}
	for i := 1; len(ls) > 0; i++ {
		n := min(len(ls), maxListeners)
		name := e.Gateway.Name + "-" + strconv.Itoa(i)
		if e.Version.AtLeast("v1.5") {
			out = append(out, e.listenerSet(name, ls[:n]))
			e.locate(ls[:n], "ListenerSet", name)
		} else {
			out = append(out, e.gateway(name, ls[:n]))
			e.locate(ls[:n], "Gateway", name)
		}
		ls = ls[n:]
	}
	return out
}

func (e *emitter) gateway(name string, ls []listener) *gatewayv1.Gateway {
	g := &gatewayv1.Gateway{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "Gateway"},
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Gateway.Namespace, Name: name},
		Spec:       gatewayv1.GatewaySpec{GatewayClassName: gatewayv1.ObjectName(e.GatewayClass)},
	}
	for _, l := range ls {
		g.Spec.Listeners = append(g.Spec.Listeners, l.entry())
	}
	return g
}

func (e *emitter) listenerSet(name string, ls []listener) *gatewayv1.ListenerSet {
	s := &gatewayv1.ListenerSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "ListenerSet"},
		ObjectMeta: metav1.ObjectMeta{Namespace: e.Gateway.Namespace, Name: name},
		Spec:       gatewayv1.ListenerSetSpec{ParentRef: gatewayv1.ParentGatewayReference{Name: gatewayv1.ObjectName(e.Gateway.Name)}},
	}
	for _, l := range ls {
		x := l.entry()
		s.Spec.Listeners = append(s.Spec.Listeners, gatewayv1.ListenerEntry{Name: x.Name, Hostname: x.Hostname, Port: x.Port, Protocol: x.Protocol, TLS: x.TLS, AllowedRoutes: x.AllowedRoutes})
	}
	return s
}

// locate fills in the parents of the routes that attach to these listeners.
func (e *emitter) locate(ls []listener, kind, name string) {
	if e.attached == nil {
		e.attached = map[string][]*route{}
		for _, k := range e.order {
			r := e.routes[k]
			for _, section := range r.sections {
				e.attached[section] = append(e.attached[section], r)
			}
		}
	}
	for _, l := range ls {
		section := l.name()
		for _, r := range e.attached[section] {
			p := gatewayv1.ParentReference{Name: gatewayv1.ObjectName(name), SectionName: ptr(gatewayv1.SectionName(section))}
			if kind != "Gateway" {
				p.Kind = ptr(gatewayv1.Kind(kind))
				p.Group = ptr(gatewayv1.Group(gatewayv1.GroupName))
			}
			if r.namespace != e.Gateway.Namespace {
				p.Namespace = ptr(gatewayv1.Namespace(e.Gateway.Namespace))
			}
			r.parents = append(r.parents, p)
		}
	}
}

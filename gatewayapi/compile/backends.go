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
// answers 500 (HTTPRouteRule.BackendRefs). Routes whose parent is a Service "can
// send traffic to backendRefs in any namespace. Unlike Gateway bound routes,
// this is allowed without a ReferenceGrant" (GEP-1294, Namespace boundaries).
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
	if !b.mesh && !b.c.grants.allow(b.route.Kind, b.route.Namespace, x.Group, x.Kind, x.Namespace, x.Name) {
		fail("RefNotPermitted", fmt.Sprintf("no ReferenceGrant in %s allows %s %s", x.Namespace, x.Kind, x.Name))
		return x
	}
	if x.Group != "" || x.Kind != "Service" {
		if b.c.o.Complete {
			fail("InvalidKind", fmt.Sprintf("a %s of group %q is no Service", x.Kind, x.Group))
		}
		return x // otherwise an implementation's own kind: taken at its word
	}
	if x.Port == 0 {
		fail("UnsupportedValue", "a Service must be referred to with a port (BackendObjectReference.Port)")
		return x
	}
	if b.c.in.services != nil {
		svc, udp := b.c.in.services[x.Namespace+"/"+x.Name], b.route.Kind == "UDPRoute"
		port := portOf(svc, x.Port, udp)
		switch {
		case svc == nil:
			fail("BackendNotFound", fmt.Sprintf("there is no Service %s/%s", x.Namespace, x.Name))
			return x
		case port == nil && portOf(svc, x.Port, !udp) != nil:
			// "If a Route is not able to send traffic to the backend using the
			// specified protocol then the backend is considered invalid"
			// (BackendRef; GEP-1911).
			fail("UnsupportedProtocol", fmt.Sprintf("the port %d of the Service %s/%s has another protocol", x.Port, x.Namespace, x.Name))
			return x
		case port == nil:
			fail("BackendNotFound", fmt.Sprintf("the Service %s/%s has no port %d", x.Namespace, x.Name, x.Port))
			return x
		}
		x.Protocol = appProtocols[value(port.AppProtocol, "")]
	}
	if p := b.c.backendTLS(x); p != nil {
		x.TLS, x.Protocol = p.tls, "HTTPS"
		if p.invalid != "" {
			// "Connections using an invalid CACertificateRef MUST fail, and the
			// client MUST receive an HTTP 5xx error response"
			// (BackendTLSPolicyValidation.CACertificateRefs).
			x.Invalid = p.invalid
		}
	} else if x.Protocol == "WSS" {
		x.Protocol = "HTTPS"
		if b.route.Kind == "HTTPRoute" || b.route.Kind == "GRPCRoute" {
			// "Only if there is a corresponding BackendTLSPolicy" (GEP-1911,
			// Supporting Protocols).
			fail("UnsupportedProtocol", fmt.Sprintf("WebSockets over TLS of the Service %s/%s need a BackendTLSPolicy", x.Namespace, x.Name))
		}
	}
	return x
}

// appProtocols of Services (KEP-3726, GEP-1911).
var appProtocols = map[string]string{"kubernetes.io/h2c": "H2C", "kubernetes.io/ws": "WS", "kubernetes.io/wss": "WSS", "https": "HTTPS"}

// portOf is a Service's port of a number; one number may stand for a port of UDP
// and one of TCP.
func portOf(s *corev1.Service, n int, udp bool) *corev1.ServicePort {
	if s == nil {
		return nil
	}
	for i := range s.Spec.Ports {
		if p := &s.Spec.Ports[i]; int(p.Port) == n && udp == (p.Protocol == corev1.ProtocolUDP) {
			return p
		}
	}
	return nil
}

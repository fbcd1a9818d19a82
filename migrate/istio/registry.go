package istio

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/causeway-gateway/causeway/migrate/source"
)

// registry finds what a host name of a destination stands for.
type registry struct {
	domain   string
	services map[string]*source.Service // by full name
	// entries are found by their hosts as they are written: a destination below a
	// wildcard host is none of the registry's, and has no cluster
	// (GetDestinationCluster in pilot/pkg/networking/core/route/route.go names
	// the cluster after the destination).
	entries  map[string]*serviceEntry
	complete bool
}

func newRegistry(set *source.Set, in *objects, domain string) *registry {
	r := &registry{domain: domain, services: map[string]*source.Service{}, entries: map[string]*serviceEntry{}, complete: set.Complete}
	for _, s := range set.Services {
		r.services[s.Name+"."+s.Namespace+".svc."+domain] = s
	}
	for _, e := range in.serviceEntries {
		for _, h := range e.Spec.Hosts {
			if h = strings.ToLower(h); r.entries[h] == nil {
				r.entries[h] = e
			}
		}
	}
	return r
}

// service splits the full name of a Service of the cluster.
func (r *registry) service(host string) (namespace, name string, ok bool) {
	rest, ok := strings.CutSuffix(host, ".svc."+r.domain)
	if !ok {
		return "", "", false
	}
	name, namespace, ok = strings.Cut(rest, ".")
	return namespace, name, ok && name != "" && namespace != "" && !strings.Contains(namespace, ".")
}

// port is a port of a Service or ServiceEntry.
type port struct {
	number   int
	protocol string
}

func servicePorts(s *source.Service) []port {
	out := make([]port, 0, len(s.Spec.Ports))
	for _, p := range s.Spec.Ports {
		out = append(out, port{int(p.Port), protocolOf(&p)})
	}
	return out
}

// protocolOf is the protocol of a Service port: from its appProtocol, else from
// the beginning of its name; "" is found out by looking at the connection
// (pkg/config/kube/conversion.go, ConvertProtocol).
func protocolOf(p *corev1.ServicePort) string {
	if p.Protocol == corev1.ProtocolUDP {
		return "UDP"
	}
	name := p.Name
	if p.AppProtocol != nil && *p.AppProtocol != "" {
		name = strings.ToLower(*p.AppProtocol)
		switch name {
		case "kubernetes.io/h2c":
			return "HTTP2"
		case "kubernetes.io/ws":
			return "HTTP"
		case "kubernetes.io/wss":
			return "HTTPS"
		}
	}
	switch lower := strings.ToLower(name); {
	case lower == "grpc-web" || strings.HasPrefix(lower, "grpc-web-"):
		return "GRPC-WEB"
	default:
		head, _, _ := strings.Cut(lower, "-")
		switch head {
		case "http", "http2", "grpc", "https", "tls", "tcp", "mongo", "redis", "mysql", "udp":
			return strings.ToUpper(head)
		}
	}
	if wellKnownTCP[p.Port] {
		return "TCP"
	}
	return ""
}

// wellKnownTCP are ports that are never looked at (pkg/config/kube/conversion.go,
// wellKnownPorts).
var wellKnownTCP = map[int32]bool{25: true, 53: true, 3306: true, 27017: true}

// speaksHTTP reports whether HTTP rules apply to a port: its protocol is HTTP or
// may turn out to be (pkg/config/protocol, IsHTTPOrSniffed).
func speaksHTTP(protocol string) bool {
	switch strings.ToUpper(protocol) {
	case "", "HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY":
		return true
	}
	return false
}

// isHTTP reports whether a protocol of a gateway's server is plain HTTP
// (pkg/config/protocol, IsHTTP).
func isHTTP(protocol string) bool { return protocol != "" && speaksHTTP(protocol) }

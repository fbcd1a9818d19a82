package istio

import (
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

func (w *workload) httpListener(p *plainPort) *routing.Listener {
	l := &routing.Listener{Name: "http-" + strconv.Itoa(p.port), Port: p.port, Protocol: routing.HTTP, Origin: w.c.origin(p.servers[0].gw.Object, p.servers[0].at)}
	for _, x := range w.virtualHosts(p.servers) {
		l.Hosts = append(l.Hosts, w.c.host(x))
	}
	return l
}

// httpsListeners writes one listener for each name of an HTTPS server, whose
// certificate and virtual hosts are its own. All names of a server share its
// virtual hosts: one that is broader than a name takes what that name leaves.
func (w *workload) httpsListeners(s *server) []*routing.Listener {
	vhosts := w.virtualHosts([]*server{s})
	hosts := make([]*routing.Host, len(vhosts))
	for i, x := range vhosts {
		hosts[i] = w.c.host(x)
	}
	tls := w.serverTLS(s)
	var out []*routing.Listener
	for _, name := range bareHosts(s.Hosts) {
		l := &routing.Listener{Name: "https-" + strconv.Itoa(s.port), Port: s.port, Protocol: routing.HTTPS, Hostname: pattern(name), TLS: tls, Origin: w.c.origin(s.gw.Object, s.at)}
		broader := -1
		for i, x := range vhosts {
			switch {
			case hostWithin(x.domain, name):
				l.Hosts = append(l.Hosts, hosts[i])
			case hostWithin(name, x.domain) && (broader < 0 || len(x.domain) > len(vhosts[broader].domain)):
				broader = i
			}
		}
		if broader >= 0 && !slices.ContainsFunc(vhosts, func(x *vhost) bool { return x.domain == name }) {
			h := *hosts[broader]
			h.Names = []routing.HostPattern{pattern(name)}
			l.Hosts = append(l.Hosts, &h)
		}
		out = append(out, l)
	}
	return out
}

// serverTLS is the TLS of a server. Certificates are Secrets of the workload's
// namespace (https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings).
func (w *workload) serverTLS(s *server) *routing.ListenerTLS {
	in, out := s.Tls, &routing.ListenerTLS{}
	for _, n := range append([]string{in.CredentialName}, in.CredentialNames...) {
		if n != "" {
			out.Certificates = append(out.Certificates, w.namespace+"/"+strings.TrimPrefix(n, "kubernetes://"))
		}
	}
	switch in.Mode {
	case networking.ServerTLSSettings_MUTUAL, networking.ServerTLSSettings_OPTIONAL_MUTUAL:
		out.ClientOptional = in.Mode == networking.ServerTLSSettings_OPTIONAL_MUTUAL
		out.ClientCAKind = "Secret"
		switch {
		case in.CaCertCredentialName != "":
			out.ClientCA = w.namespace + "/" + in.CaCertCredentialName
		case len(out.Certificates) > 0:
			out.ClientCA = out.Certificates[0]
			for _, x := range w.c.set.Secrets {
				if x.Namespace+"/"+x.Name == out.Certificates[0]+"-cacert" {
					out.ClientCA += "-cacert"
				}
			}
		default:
			out.ClientCA = "file:" + in.CaCertificates
		}
	}
	return out
}

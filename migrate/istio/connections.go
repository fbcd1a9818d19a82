package istio

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

// passthrough sends TLS connections on by name. A match of which another match of
// the port has a name already is left out with all its names
// (pilot/pkg/networking/core/gateway.go, buildGatewayNetworkFiltersFromTLSRoutes).
func (w *workload) passthrough(s *server) []*routing.Listener {
	if s.Tls.Mode == networking.ServerTLSSettings_AUTO_PASSTHROUGH {
		w.c.find(Finding{Object: s.gw.Object, Kind: Manual, Path: s.at + ".tls.mode", Message: "AUTO_PASSTHROUGH leads connections of other clusters by the name of Istio's own clusters; Gateway API has no form for it", Remedy: "keep the east-west gateway, or create it as a Gateway of class istio-east-west"})
		return nil
	}
	var out []*routing.Listener
	for _, v := range w.bound(s.gw.id()) {
		spec := w.c.plans[v].spec
		if !w.meets(s, v) {
			continue
		}
		for i, t := range spec.Tls {
			for j, m := range t.Match {
				if m.Port != 0 && m.Port != s.Server.Port.Number || len(m.Gateways) > 0 && !slices.Contains(m.Gateways, s.gw.id()) || len(t.Route) == 0 {
					continue
				}
				at := w.c.origin(v.Object, fmt.Sprintf("spec.tls[%d].match[%d]", i, j))
				if twice := w.repeated(s, m.SniHosts); twice != "" {
					w.c.find(Finding{Object: v.Object, Kind: Inert, Path: at.Path, Message: "Istio leaves this match out with all its names: another match of port " + strconv.Itoa(s.port) + " has " + twice + " already"})
					continue
				}
				a := w.c.streamAction(v, t.Route, w.place(s))
				for _, name := range m.SniHosts {
					w.serves(v, strings.ToLower(name))
					p := pattern(strings.ToLower(name))
					out = append(out, &routing.Listener{Name: "tls-" + strconv.Itoa(s.port), Port: s.port, Protocol: routing.TLS, Hostname: p, TLS: &routing.ListenerTLS{Passthrough: true}, Origin: w.c.origin(s.gw.Object, s.at),
						Hosts: []*routing.Host{{Names: []routing.HostPattern{p}, Origin: at, Rules: []*routing.Rule{{Action: a, Origin: at}}}}})
				}
			}
		}
	}
	return w.unrepeated(out)
}

// repeated is a name that a match of the port and address has already; without
// one the names are taken.
func (w *workload) repeated(s *server, names []string) string {
	listens, _ := w.resolve(int(s.Server.Port.Number))
	key := func(name string) string { return strconv.Itoa(listens) + "|" + s.Bind + "|" + name }
	for _, name := range names {
		if w.sni[key(name)] {
			return name
		}
	}
	for _, name := range names {
		w.sni[key(name)] = true
	}
	return ""
}

// unrepeated keeps the first listener of each name.
func (w *workload) unrepeated(ls []*routing.Listener) []*routing.Listener {
	seen := map[string]bool{}
	return slices.DeleteFunc(ls, func(l *routing.Listener) bool {
		k := l.Name + "|" + l.Hostname.String()
		twice := seen[k]
		seen[k] = true
		return twice
	})
}

func (w *workload) place(s *server) *place {
	return &place{gateway: s.gw.id(), port: int(s.Server.Port.Number), tls: s.Tls != nil, labels: w.labels, namespace: w.namespace}
}

func (w *workload) meets(s *server, v *virtualService) bool {
	for _, h := range serverHosts(s.Hosts, s.gw.Namespace, v.Namespace) {
		for _, x := range w.c.plans[v].spec.Hosts {
			if hostMatches(strings.ToLower(h), x) {
				return true
			}
		}
	}
	return false
}

// streams sends the connections of a TCP server on, or those of a server that
// terminates TLS: the first VirtualService with a fitting tcp route counts
// (buildGatewayNetworkFiltersFromTCPRoutes).
func (w *workload) streams(s *server, protocol routing.Protocol) []*routing.Listener {
	for _, v := range w.bound(s.gw.id()) {
		if !w.meets(s, v) {
			continue
		}
		for i, t := range w.c.plans[v].spec.Tcp {
			fits, at := len(t.Match) == 0, fmt.Sprintf("spec.tcp[%d]", i)
			for j, m := range t.Match {
				if (m.Port == 0 || m.Port == s.Server.Port.Number) && (len(m.Gateways) == 0 || slices.Contains(m.Gateways, s.gw.id())) {
					fits, at = true, fmt.Sprintf("spec.tcp[%d].match[%d]", i, j)
					break
				}
			}
			if !fits || len(t.Route) == 0 {
				continue
			}
			for _, h := range w.c.plans[v].spec.Hosts {
				w.c.serve(v, h)
			}
			origin := w.c.origin(v.Object, at)
			rule := &routing.Rule{Action: w.c.streamAction(v, t.Route, w.place(s)), Origin: origin}
			if protocol == routing.TCP {
				return []*routing.Listener{{Name: "tcp-" + strconv.Itoa(s.port), Port: s.port, Protocol: routing.TCP, Origin: w.c.origin(s.gw.Object, s.at), Hosts: []*routing.Host{{Origin: origin, Rules: []*routing.Rule{rule}}}}}
			}
			tls := w.serverTLS(s)
			var out []*routing.Listener
			for _, name := range bareHosts(s.Hosts) {
				p := pattern(name)
				out = append(out, &routing.Listener{Name: "tls-" + strconv.Itoa(s.port), Port: s.port, Protocol: routing.TLS, Hostname: p, TLS: tls, Origin: w.c.origin(s.gw.Object, s.at), Hosts: []*routing.Host{{Names: []routing.HostPattern{p}, Origin: origin, Rules: []*routing.Rule{rule}}}})
			}
			return out
		}
	}
	return nil
}

func (c *compiler) streamAction(v *virtualService, routes []*networking.RouteDestination, p *place) *routing.Action {
	a := &routing.Action{NoBackendStatus: 503}
	for _, d := range routes {
		if d.Weight == 0 && len(routes) > 1 {
			continue
		}
		b := c.backend(v, d.Destination, p)
		b.Protocol, b.TLS = "", nil
		if b.Weight = int(d.Weight); len(routes) == 1 {
			b.Weight = 1
		}
		a.Backends = append(a.Backends, b)
	}
	return a
}

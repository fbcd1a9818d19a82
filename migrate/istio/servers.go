package istio

import (
	"fmt"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

// table merges the servers and writes their listeners.
func (w *workload) table() *routing.Table {
	t := &routing.Table{}
	w.merge()
	for _, p := range w.ports {
		if x := w.plain[p]; x.http {
			t.Listeners = append(t.Listeners, w.httpListener(x))
		}
	}
	for _, s := range w.tls {
		switch {
		case passthrough(s.Server):
			t.Listeners = append(t.Listeners, w.passthrough(s)...)
		case s.Port.Protocol != "" && strings.EqualFold(s.Port.Protocol, "HTTPS"):
			t.Listeners = append(t.Listeners, w.httpsListeners(s)...)
		default:
			t.Listeners = append(t.Listeners, w.streams(s, routing.TLS)...)
		}
	}
	for _, s := range w.tcp {
		t.Listeners = append(t.Listeners, w.streams(s, routing.TCP)...)
	}
	if len(w.gateways) == 0 {
		// Envoy asks for the routes of a port and is told that there are none
		// (buildGatewayHTTPRouteConfig, "Gateway missing for route").
		t.Listeners = append(t.Listeners, &routing.Listener{Name: "http-80", Port: 80, Protocol: routing.HTTP})
	}
	t.Freeze()
	return t
}

func passthrough(s *networking.Server) bool {
	m := s.GetTls().GetMode()
	return s.Tls != nil && (m == networking.ServerTLSSettings_PASSTHROUGH || m == networking.ServerTLSSettings_AUTO_PASSTHROUGH)
}

// merge sorts the servers of all Gateways of the workload by what they do at
// which port. A server that meets another of the same names under TLS, or
// another protocol on a plain port, is left out
// (pilot/pkg/model/gateway.go, mergeGateways).
func (w *workload) merge() {
	names := map[int]map[string]string{} // TLS hosts by port, with their address
	https := map[string]bool{}
	for _, g := range w.gateways {
		for i, s := range g.Spec.Servers {
			at := fmt.Sprintf("spec.servers[%d]", i)
			skip := func(why string) {
				w.c.find(Finding{Object: g.Object, Kind: Inert, Path: at, Message: "Istio leaves this server out: " + why})
			}
			if s.Port == nil {
				skip("it has no port")
				continue
			}
			listens, clients := w.resolve(int(s.Port.Number))
			if w.svc == nil && clients != int(s.Port.Number) {
				w.c.find(Finding{Object: g.Object, Kind: Assumed, Path: at + ".port.number", Message: fmt.Sprintf("the Service of the gateway is not in the input; as in the default installation, its port %d is taken to lead to %d", clients, s.Port.Number), Remedy: "give the Service along"})
			}
			x := &server{Server: s, gw: g, at: at, port: clients}
			if s.Tls != nil {
				if names[listens] == nil {
					names[listens] = map[string]string{}
				}
				twice := ""
				for _, h := range s.Hosts {
					if bind, ok := names[listens][h]; ok && bind == s.Bind {
						twice = h
					}
				}
				if twice != "" {
					skip("another server of port " + strconv.Itoa(int(s.Port.Number)) + " has the host " + twice + " already")
					continue
				}
				for _, h := range s.Hosts {
					names[listens][h] = s.Bind
				}
			}
			isPlain := isHTTP(s.Port.Protocol) || s.Tls == nil && !strings.EqualFold(s.Port.Protocol, "HTTPS")
			if !isPlain {
				if s.Tls == nil {
					skip("its protocol is " + s.Port.Protocol + ", and it has no TLS settings")
					continue
				}
				if k := strconv.Itoa(listens) + s.Port.Name + "|" + g.id(); strings.EqualFold(s.Port.Protocol, "HTTPS") && !passthrough(s) {
					if https[k] {
						skip("another HTTPS server has the port name " + s.Port.Name)
						continue
					}
					https[k] = true
				}
				w.tls = append(w.tls, x)
				continue
			}
			p := w.plain[listens]
			if p == nil {
				w.plain[listens] = &plainPort{port: clients, http: isHTTP(s.Port.Protocol), servers: []*server{x}}
				w.ports = append(w.ports, listens)
				if !isHTTP(s.Port.Protocol) {
					w.tcp = append(w.tcp, x)
				}
				continue
			}
			if !p.http || !isHTTP(s.Port.Protocol) {
				skip("port " + strconv.Itoa(int(s.Port.Number)) + " has a server of another protocol")
				continue
			}
			p.servers = append(p.servers, x)
		}
	}
}

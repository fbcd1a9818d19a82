package control

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/causeway-gateway/causeway/conformance/reference/serve"
	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// gatewayConfig is what the data plane serves for Gateways: a socket for each
// port that a listener of an accepted Gateway serves at. open are the same
// sockets by Gateway, as its Services lead to them.
func (r *reconciler) gatewayConfig(s *snapshot, res *compile.Result, refused map[routing.ObjectRef]*refusal) (c *serve.Config, open map[routing.ObjectRef][]opening, err error) {
	c = &serve.Config{Certificates: res.Certificates, CAs: res.Authorities, Endpoints: endpoints(s.services, s.slices)}
	open = map[routing.ObjectRef][]opening{}
	wanted := map[slot]bool{}
	for _, g := range res.Gateways {
		if refused[g.Gateway] != nil {
			continue
		}
		g.Table.Freeze()
		for _, l := range g.Table.Listeners {
			where := slot{g.Gateway, network(l.Protocol), l.Port}
			if wanted[where] {
				continue
			}
			port, full := r.ports.bind(where)
			if full != nil {
				err = errors.Join(err, fmt.Errorf("port %d of %s: %w", l.Port, g.Gateway, full))
				continue
			}
			wanted[where] = true
			open[g.Gateway] = append(open[g.Gateway], opening{where.network, l.Port, port})
			c.Sockets = append(c.Sockets, serve.Socket{
				Network: where.network, Bind: netip.AddrPortFrom(r.options.Address, uint16(port)), Port: l.Port, Table: g.Table,
				ClientCertificate: res.Certificates[g.ClientCertificate],
			})
		}
	}
	r.ports.keep(wanted)
	return c, open, err
}

func network(p routing.Protocol) string {
	if p == routing.UDP {
		return "udp"
	}
	return "tcp"
}

// meshConfig is what the data plane serves for Services, and the addresses that
// it must be sent: those of Services that a route has for a parent.
func (r *reconciler) meshConfig(s *snapshot, res *compile.Result) (*serve.Config, []netip.AddrPort) {
	res.Table.Freeze()
	ports := map[string]map[int]bool{} // of routes, by Service; 0 is every port
	for _, l := range res.Table.Listeners {
		if ports[l.Mesh] == nil {
			ports[l.Mesh] = map[int]bool{}
		}
		ports[l.Mesh][l.Port] = true
	}
	var targets []netip.AddrPort
	byAddr := map[netip.Addr]string{}
	for _, svc := range s.services {
		addr, err := netip.ParseAddr(svc.Spec.ClusterIP)
		if err != nil {
			continue // headless Services have no address of their own
		}
		byAddr[addr] = nameOf(svc)
		want := ports[nameOf(svc)]
		for _, p := range svc.Spec.Ports {
			if (want[0] || want[int(p.Port)]) && p.Protocol != corev1.ProtocolUDP {
				targets = append(targets, netip.AddrPortFrom(addr, uint16(p.Port)))
			}
		}
	}
	slices.SortFunc(targets, netip.AddrPort.Compare)
	clients := map[netip.Addr]*routing.Client{}
	for _, p := range s.pods {
		if addr, err := netip.ParseAddr(p.Status.PodIP); err == nil && !p.Spec.HostNetwork {
			clients[addr] = &routing.Client{Namespace: p.Namespace, Labels: p.Labels}
		}
	}
	return &serve.Config{
		Endpoints: endpoints(s.services, s.slices),
		Mesh: &serve.Mesh{
			Bind: r.options.Mesh.Bind, Table: res.Table,
			Service: func(to netip.AddrPort) (string, bool) { svc, ok := byAddr[to.Addr().Unmap()]; return svc, ok },
			Client:  func(from netip.Addr) *routing.Client { return clients[from.Unmap()] },
		},
	}, targets
}

package control

import (
	"crypto/tls"
	"crypto/x509"
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
// port that a listener of an accepted Gateway serves at.
func (r *reconciler) gatewayConfig(s *snapshot, res *compile.Result, refused map[routing.ObjectRef]bool) (*serve.Config, error) {
	c := &serve.Config{
		Certificates: map[string]*tls.Certificate{}, CAs: map[string]*x509.CertPool{},
		Endpoints: endpoints(s.services, s.slices),
	}
	var errs []error
	wanted := map[slot]bool{}
	for _, g := range res.Gateways {
		if refused[g.Gateway] {
			continue
		}
		g.Table.Freeze()
		for _, l := range g.Table.Listeners {
			if l.TLS != nil {
				for _, name := range l.TLS.Certificates {
					errs = append(errs, s.certificate(c, name))
				}
				if l.TLS.ClientCA != "" {
					s.authority(c, l.TLS.ClientCAKind, l.TLS.ClientCA)
				}
			}
			for _, h := range l.Hosts {
				for _, rule := range h.Rules {
					s.backendAuthorities(c, rule.Action)
				}
			}
			where := slot{g.Gateway, network(l.Protocol), l.Port}
			if wanted[where] {
				continue
			}
			port, err := r.ports.bind(where)
			if err != nil {
				errs = append(errs, fmt.Errorf("port %d of %s: %w", l.Port, g.Gateway, err))
				continue
			}
			wanted[where] = true
			socket := serve.Socket{
				Network: where.network, Bind: netip.AddrPortFrom(r.options.Address, uint16(port)), Port: l.Port, Table: g.Table,
			}
			if g.ClientCertificate != "" {
				errs = append(errs, s.certificate(c, g.ClientCertificate))
				socket.ClientCertificate = c.Certificates[g.ClientCertificate]
			}
			c.Sockets = append(c.Sockets, socket)
		}
	}
	r.ports.keep(wanted)
	return c, errors.Join(errs...)
}

func network(p routing.Protocol) string {
	if p == routing.UDP {
		return "udp"
	}
	return "tcp"
}

// certificate puts a Secret's certificate into the configuration. The compiler
// has seen that it holds one.
func (s *snapshot) certificate(c *serve.Config, name string) error {
	if c.Certificates[name] != nil {
		return nil
	}
	secret := s.secrets[name]
	if secret == nil {
		return fmt.Errorf("there is no Secret %s", name)
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return fmt.Errorf("the Secret %s holds no certificate with its key", name)
	}
	c.Certificates[name] = &pair
	return nil
}

// authority puts the certificates at ca.crt into the configuration.
func (s *snapshot) authority(c *serve.Config, kind, name string) {
	key := kind + " " + name
	if c.CAs[key] != nil {
		return
	}
	var pem []byte
	if m := s.configs[name]; kind == "ConfigMap" && m != nil {
		pem = []byte(m.Data["ca.crt"])
	}
	if x := s.secrets[name]; kind == "Secret" && x != nil {
		pem = x.Data["ca.crt"]
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c.CAs[key] = pool
}

func (s *snapshot) backendAuthorities(c *serve.Config, a *routing.Action) {
	for i := range a.Backends {
		if t := a.Backends[i].TLS; t != nil && t.CA != "" {
			s.authority(c, t.CAKind, t.CA)
		}
	}
	for i := range a.Mirrors {
		if t := a.Mirrors[i].Backend.TLS; t != nil && t.CA != "" {
			s.authority(c, t.CAKind, t.CA)
		}
	}
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

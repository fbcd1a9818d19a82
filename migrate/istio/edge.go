package istio

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// edges compiles every gateway workload. Gateways select pods by label; which
// pods there are is known from the Services of the input, and from what the
// default installation has.
func (c *compiler) edges() []*Edge {
	var out []*Edge
	for _, labels := range c.workloads() {
		w := c.workload(labels)
		for _, g := range c.in.gateways {
			if subset(g.Spec.Selector, labels) {
				w.gateways = append(w.gateways, g)
			}
		}
		e := &Edge{Labels: labels, Namespace: w.namespace, Name: w.name, Table: w.table()}
		for _, g := range w.gateways {
			e.Gateways = append(e.Gateways, g.Ref)
		}
		if len(e.Gateways) > 0 || len(out) == 0 && c.asked() {
			out = append(out, e)
		}
	}
	return out
}

// asked reports whether a workload is known to exist though no Gateway may
// select it.
func (c *compiler) asked() bool { return len(c.o.Workload) > 0 || c.service(c.first()) != nil }

func (c *compiler) first() map[string]string {
	if len(c.o.Workload) > 0 {
		return c.o.Workload
	}
	return defaultWorkload
}

// workloads are the labels of the gateway workloads: the first, then one for
// each selector that it does not satisfy.
func (c *compiler) workloads() []map[string]string {
	out := []map[string]string{c.first()}
	for _, g := range c.in.gateways {
		known := false
		for _, w := range out {
			known = known || subset(g.Spec.Selector, w)
		}
		if known {
			continue
		}
		labels := maps.Clone(g.Spec.Selector)
		if s := c.service(labels); s != nil {
			for k, v := range s.Spec.Selector {
				labels[k] = v
			}
		}
		out = append(out, labels)
	}
	return out
}

// service is the Service of the pods with these labels.
func (c *compiler) service(labels map[string]string) *source.Service {
	for _, s := range c.set.Services {
		if len(s.Spec.Selector) == 0 {
			continue
		}
		if subset(s.Spec.Selector, labels) || subset(labels, s.Spec.Selector) {
			return s
		}
	}
	return nil
}

// workload is a gateway's pods while their table is built.
type workload struct {
	c               *compiler
	labels          map[string]string
	namespace, name string
	svc             *source.Service
	gateways        []*gateway
	virtual         map[string][]*virtualService // by gateway

	plain map[int]*plainPort
	ports []int // of plain, in order
	tls   []*server
	tcp   []*server
}

// plainPort is one port of plain HTTP: its servers share their virtual hosts.
type plainPort struct {
	port    int // that clients use
	http    bool
	servers []*server
}

// server is a server of a Gateway.
type server struct {
	*networking.Server
	gw   *gateway
	at   string
	port int // that clients use
}

func (c *compiler) workload(labels map[string]string) *workload {
	w := &workload{c: c, labels: labels, namespace: c.o.Root, plain: map[int]*plainPort{}, virtual: map[string][]*virtualService{}}
	for _, k := range []string{"istio", "app", "gateway"} {
		w.name = cmp.Or(w.name, labels[k])
	}
	w.name = cmp.Or(w.name, "gateway")
	if s := c.service(labels); s != nil {
		w.svc, w.namespace = s, s.Namespace
	}
	return w
}

// resolve returns the port that pods listen on for a server's port, and the one
// that clients use: a port of the workload's Service is translated to its target
// (pilot/pkg/model/gateway.go, resolvePorts).
func (w *workload) resolve(number int) (listens, clients int) {
	if w.svc == nil {
		// The default installation's Service sends 80 to 8080 and 443 to 8443.
		switch number {
		case 8080:
			return 8080, 80
		case 8443:
			return 8443, 443
		case 80:
			return 8080, 80
		case 443:
			return 8443, 443
		}
		return number, number
	}
	target := func(i int) int {
		p := &w.svc.Spec.Ports[i]
		if t := p.TargetPort.IntValue(); t != 0 {
			return t
		}
		return int(p.Port)
	}
	listens = number
	for i := range w.svc.Spec.Ports {
		if int(w.svc.Spec.Ports[i].Port) == number {
			return target(i), number
		}
	}
	for i := range w.svc.Spec.Ports {
		if target(i) == listens {
			return listens, int(w.svc.Spec.Ports[i].Port)
		}
	}
	return listens, number
}

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

// vhost is a virtual host of Envoy while rules are collected.
type vhost struct {
	domain   string
	rules    []*routing.Rule
	redirect *routing.Rule // to HTTPS, in place of all rules
	origin   routing.Origin
}

// virtualHosts joins servers with the VirtualServices that bind to them: for
// each host that both name, the routes of one after the other, those that take
// everything last (pilot/pkg/networking/core/gateway.go,
// buildGatewayHTTPRouteConfig).
func (w *workload) virtualHosts(servers []*server) []*vhost {
	var out []*vhost
	byDomain := map[string]*vhost{}
	get := func(domain string, at routing.Origin) *vhost {
		if byDomain[domain] == nil {
			byDomain[domain] = &vhost{domain: domain, origin: at}
			out = append(out, byDomain[domain])
		}
		return byDomain[domain]
	}
	type cached struct {
		gateway string
		v       *virtualService
	}
	rules := map[cached][]*routing.Rule{}
	for _, s := range servers {
		gw := s.gw.id()
		p := &place{gateway: gw, port: int(s.Server.Port.Number), tls: s.Tls != nil, labels: w.labels, namespace: w.namespace}
		var redirect *routing.Rule
		if s.Tls.GetHttpsRedirect() {
			redirect = &routing.Rule{Action: &routing.Action{Redirect: &routing.Redirect{Code: 301, Scheme: "https", KeepHostPort: true}}, Origin: w.c.origin(s.gw.Object, s.at+".tls.httpsRedirect")}
		}
		for _, v := range w.bound(gw) {
			spec := w.c.plans[v].spec
			hosts := intersection(serverHosts(s.Hosts, s.gw.Namespace, v.Namespace), spec.Hosts)
			if len(hosts) == 0 {
				continue
			}
			k := cached{gw, v}
			rs, ok := rules[k]
			if !ok {
				rs = w.c.rules(v, p)
				rules[k] = rs
			}
			if len(rs) == 0 {
				continue
			}
			for _, h := range hosts {
				w.serves(v, h)
				x := get(h, w.c.origin(v.Object, "spec.hosts"))
				for _, r := range rs {
					if !slices.Contains(x.rules, r) {
						x.rules = append(x.rules, r)
					}
				}
				if redirect != nil {
					x.redirect = redirect
				}
			}
		}
		if redirect != nil {
			for _, h := range s.Hosts {
				if !strings.Contains(h, "/") {
					get(strings.ToLower(h), w.c.origin(s.gw.Object, s.at+".hosts")).redirect = redirect
				}
			}
		}
	}
	return out
}

// serves notes which hosts of a VirtualService a served domain stands for.
func (w *workload) serves(v *virtualService, domain string) {
	for _, h := range w.c.plans[v].spec.Hosts {
		if hostMatches(h, domain) {
			w.c.serve(v, h)
		}
	}
}

func (w *workload) bound(gateway string) []*virtualService {
	if _, ok := w.virtual[gateway]; !ok {
		w.virtual[gateway] = w.c.visible(gateway, w.namespace)
	}
	return w.virtual[gateway]
}

func (x *vhost) host() *routing.Host {
	h := &routing.Host{Names: []routing.HostPattern{pattern(x.domain)}, Origin: x.origin}
	if x.domain == "*" {
		h.Names = nil
	}
	if x.redirect != nil {
		h.Rules = []*routing.Rule{x.redirect}
		return h
	}
	var last []*routing.Rule
	for _, r := range x.rules {
		if catchAll(&r.Match) {
			last = append(last, r)
		} else {
			h.Rules = append(h.Rules, r)
		}
	}
	if len(last) > 0 {
		h.Rules = append(h.Rules, last[0]) // the others are never reached
	}
	return h
}

func (w *workload) httpListener(p *plainPort) *routing.Listener {
	l := &routing.Listener{Name: "http-" + strconv.Itoa(p.port), Port: p.port, Protocol: routing.HTTP, Origin: w.c.origin(p.servers[0].gw.Object, p.servers[0].at)}
	for _, x := range w.virtualHosts(p.servers) {
		l.Hosts = append(l.Hosts, x.host())
	}
	return l
}

// httpsListeners writes one listener for each name of an HTTPS server, whose
// certificate and virtual hosts are its own.
func (w *workload) httpsListeners(s *server) []*routing.Listener {
	vhosts := w.virtualHosts([]*server{s})
	hosts := make([]*routing.Host, len(vhosts))
	for i, x := range vhosts {
		hosts[i] = x.host()
	}
	tls := w.serverTLS(s)
	var out []*routing.Listener
	for _, name := range bareHosts(s.Hosts) {
		l := &routing.Listener{Name: "https-" + strconv.Itoa(s.port), Port: s.port, Protocol: routing.HTTPS, Hostname: pattern(name), TLS: tls, Origin: w.c.origin(s.gw.Object, s.at)}
		for i, x := range vhosts {
			if hostWithin(x.domain, name) {
				l.Hosts = append(l.Hosts, hosts[i])
			}
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

// passthrough sends TLS connections on by name. A name that another rule of the
// port has already is left out (buildGatewayNetworkFiltersFromTLSRoutes).
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

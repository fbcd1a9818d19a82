package istio

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

// mesh compiles what sidecars do with the requests of workloads: one listener
// for each Service, or other host, that a VirtualService of the mesh names.
func (c *compiler) mesh() *routing.Table {
	t := &routing.Table{}
	var vs []*virtualService
	clients := map[string]bool{} // namespaces that see other VirtualServices than the rest
	for _, v := range c.roots {
		spec := c.plans[v].spec
		if len(spec.Gateways) > 0 && !slices.Contains(spec.Gateways, mesh) {
			continue
		}
		vs = append(vs, v)
		if vis := visibilityOf(spec.ExportTo, v.Namespace); !vis.public {
			maps.Copy(clients, vis.namespaces)
		}
		for _, s := range c.plans[v].steps {
			if s.match != nil && s.match.SourceNamespace != "" && len(s.match.Gateways) == 0 {
				clients[s.match.SourceNamespace] = true
			}
		}
	}
	if len(vs) == 0 {
		return nil
	}
	m := &meshCompiler{compiler: c, clients: slices.Sorted(maps.Keys(clients)), visible: map[string][]*virtualService{}, index: map[string]*hostIndex{}}
	for _, ns := range append([]string{""}, m.clients...) {
		m.visible[ns] = c.visible(mesh, ns)
	}
	for _, host := range m.hostsOf(vs) {
		t.Listeners = append(t.Listeners, m.listeners(host)...)
	}
	t.Freeze()
	return t
}

type meshCompiler struct {
	*compiler
	clients []string
	visible map[string][]*virtualService // by namespace of the client; "" is any other
	index   map[string]*hostIndex        // of visible
}

// hostsOf are the hosts that have a virtual host of their own: Services of the
// input that a name or wildcard meets, and every name that meets none, which
// sidecars serve at port 80 (separateVSHostsAndServices in route.go).
func (m *meshCompiler) hostsOf(vs []*virtualService) []string {
	var out []string
	seen := map[string]bool{}
	add := func(h string) {
		if !seen[h] {
			seen[h] = true
			out = append(out, h)
		}
	}
	for _, v := range vs {
		for _, h := range m.plans[v].spec.Hosts {
			if !wildcard(h) {
				add(h)
				continue
			}
			met := false
			for _, s := range m.set.Services {
				if fqdn := s.Name + "." + s.Namespace + ".svc." + m.registry.domain; hostMatches(h, fqdn) {
					met = true
					add(fqdn)
				}
			}
			for _, e := range m.in.serviceEntries {
				for _, x := range e.Spec.Hosts {
					if x = strings.ToLower(x); hostMatches(h, x) {
						met = true
						add(x)
					}
				}
			}
			if !met {
				add(h)
			}
		}
	}
	return out
}

// candidates are the VirtualServices that a client's namespace sees for a host,
// the one that counts first: those that name it in their order, then those with
// the longest wildcard (pilot/pkg/config/host, MostSpecificHostMatch). The next
// one counts for clients for whom none of its routes is.
func (m *meshCompiler) candidates(host, client string) []*virtualService {
	x := m.index[client]
	if x == nil {
		x = newHostIndex(m.visible[client], func(v *virtualService) []string { return m.plans[v].spec.Hosts })
		m.index[client] = x
	}
	exact := x.exact[host]
	var wild []*virtualService
	longest := ""
	for _, w := range x.wild {
		switch {
		case len(w.host) < len(longest) || !hostMatches(w.host, host):
		case len(w.host) > len(longest):
			wild, longest = []*virtualService{w.v}, w.host
		default:
			wild = append(wild, w.v)
		}
	}
	return append(exact[:len(exact):len(exact)], wild...)
}

// hostIndex finds the VirtualServices of a host.
type hostIndex struct {
	exact map[string][]*virtualService
	wild  []wildHost
}

type wildHost struct {
	host string
	v    *virtualService
}

func newHostIndex(vs []*virtualService, hosts func(*virtualService) []string) *hostIndex {
	x := &hostIndex{exact: map[string][]*virtualService{}}
	for _, v := range vs {
		for _, h := range hosts(v) {
			if wildcard(h) {
				x.wild = append(x.wild, wildHost{h, v})
			} else {
				x.exact[h] = append(x.exact[h], v)
			}
		}
	}
	return x
}

// listeners writes the listeners of a host: one for every port where they all do
// the same, else one for each.
func (m *meshCompiler) listeners(host string) []*routing.Listener {
	name := "/" + host
	var ports []port
	whole := true // every port of the Service speaks HTTP
	if ns, svc, ok := m.registry.service(host); ok {
		name = ns + "/" + svc
		if s := m.registry.services[host]; s != nil {
			for _, p := range servicePorts(s) {
				if speaksHTTP(p.protocol) {
					ports = append(ports, p)
				} else {
					whole = false
				}
			}
		}
	} else if e := m.registry.entries[host]; e != nil {
		for _, p := range e.Spec.Ports {
			if speaksHTTP(p.Protocol) {
				ports = append(ports, port{int(p.Number), p.Protocol})
			} else {
				whole = false
			}
		}
	}
	var out []*routing.Listener
	listener := func(number int, rules []*routing.Rule) {
		if len(rules) > 0 {
			out = append(out, &routing.Listener{Name: "mesh", Port: number, Protocol: routing.HTTP, Mesh: name, Origin: rules[0].Origin, Hosts: []*routing.Host{{Rules: rules, Origin: rules[0].Origin}}})
		}
	}
	if len(ports) == 0 && whole {
		number := 0
		if strings.HasPrefix(name, "/") {
			number = 80
		}
		listener(number, m.hostRules(host, number))
	}
	var all [][]*routing.Rule
	for _, p := range ports {
		all = append(all, m.hostRules(host, p.number))
	}
	if len(all) > 0 && whole && same(all) {
		listener(0, all[0])
	} else {
		for i, p := range ports {
			listener(p.number, all[i])
		}
	}
	return append(out, m.streams(host, name)...)
}

// same reports whether the rules of all ports are the same.
func same(all [][]*routing.Rule) bool {
	text := func(rs []*routing.Rule) string {
		var b strings.Builder
		for _, r := range rs {
			fmt.Fprintf(&b, "%+v|%+v|%s;", r.Match, dump(r.Action), r.Origin.Path+r.Origin.Object.String())
		}
		return b.String()
	}
	for _, rs := range all[1:] {
		if text(rs) != text(all[0]) {
			return false
		}
	}
	return true
}

func dump(a *routing.Action) string {
	d := fmt.Sprintf("%+v %+v %+v", a.Backends, a.Mirrors, a.Timeouts)
	if a.Redirect != nil {
		d += fmt.Sprintf("%+v", *a.Redirect)
	}
	return d
}

// hostRules are the rules of a host at a port: for clients of the namespaces
// that see other VirtualServices theirs, then those for everyone else.
func (m *meshCompiler) hostRules(host string, number int) []*routing.Rule {
	general := m.candidates(host, "")
	everyone := m.clientRules(general, host, number, "")
	var out []*routing.Rule
	for _, ns := range m.clients {
		own := m.candidates(host, ns)
		if len(own) == 0 || slices.Equal(own, general) && !m.namesSource(own, ns) {
			continue
		}
		rules := m.clientRules(own, host, number, ns)
		out = append(out, rules...)
		if namespace, name, ok := m.registry.service(host); ok && number != 0 && len(everyone) > 0 && !answersAll(rules) {
			// What follows is for others; these requests go where they went.
			out = append(out, &routing.Rule{Match: routing.Match{Client: routing.ClientMatch{Namespace: ns}}, Action: &routing.Action{Backends: []routing.Backend{{Namespace: namespace, Name: name, Port: number, Weight: 1}}}, Origin: m.origin(own[0].Object, "spec.http")})
		}
	}
	return append(out, everyone...)
}

// clientRules are the rules of the clients of a namespace, "" for those that no
// rule names. Requests that no rule takes are answered 404 where some rule is
// for the client, as its virtual host does; a VirtualService without any has no
// virtual host, and the next one counts
// (pilot/pkg/networking/core/route/route.go, buildSidecarVirtualHostsForVirtualService).
func (m *meshCompiler) clientRules(candidates []*virtualService, host string, number int, ns string) []*routing.Rule {
	var out []*routing.Rule
	for _, v := range candidates {
		rules := m.at(v, host, number, ns)
		out = append(out, rules...)
		m.serveMatching(v, host)
		known := map[string]bool{}
		for _, r := range rules {
			r.Match.Client.Namespace = ns
		}
		if answersAll(rules) {
			return out
		}
		all := slices.ContainsFunc(rules, func(r *routing.Rule) bool { return len(r.Match.Client.Labels) == 0 })
		notFound := func(labels map[string]string) {
			out = append(out, &routing.Rule{Match: routing.Match{Client: routing.ClientMatch{Namespace: ns, Labels: labels}}, Action: &routing.Action{Respond: &routing.Response{Status: 404}}, Origin: m.origin(v.Object, "spec.http")})
		}
		if all && ns == "" {
			return out // nothing follows
		}
		if all {
			notFound(nil)
			return out
		}
		for _, r := range rules {
			if k := labelText(r.Match.Client.Labels); !known[k] {
				known[k] = true
				notFound(r.Match.Client.Labels)
			}
		}
	}
	return out
}

// answersAll reports whether the last of some rules leaves no request.
func answersAll(rules []*routing.Rule) bool {
	if len(rules) == 0 {
		return false
	}
	last := &rules[len(rules)-1].Match
	return catchAll(last) && len(last.Client.Labels) == 0
}

func (m *meshCompiler) namesSource(vs []*virtualService, ns string) bool {
	for _, v := range vs {
		for _, s := range m.plans[v].steps {
			if s.match != nil && s.match.SourceNamespace == ns && len(s.match.Gateways) == 0 {
				return true
			}
		}
	}
	return false
}

// at builds the rules that clients of a namespace get; "" is any that no rule
// names.
func (m *meshCompiler) at(v *virtualService, host string, number int, client string) []*routing.Rule {
	p := &place{gateway: mesh, port: number, namespace: client}
	var out []*routing.Rule
	for _, r := range m.rules(v, p) {
		if ns := r.Match.Client.Namespace; ns != "" && ns != client {
			continue
		}
		r.Match.Client.Namespace = ""
		out = append(out, r)
		if catchAll(&r.Match) && len(r.Match.Client.Labels) == 0 {
			break
		}
	}
	if len(out) > 0 {
		m.serveMatching(v, host)
	}
	return out
}

// serveMatching remembers which hosts of a VirtualService stand for a host.
func (m *meshCompiler) serveMatching(v *virtualService, host string) {
	for _, h := range m.plans[v].spec.Hosts {
		if hostMatches(h, host) {
			m.serve(v, h)
		}
	}
}

// streams writes the listeners of the TCP ports of a Service.
func (m *meshCompiler) streams(host, name string) []*routing.Listener {
	s, vs := m.registry.services[host], m.candidates(host, "")
	if s == nil || len(vs) == 0 {
		return nil
	}
	v := vs[0]
	var out []*routing.Listener
	for _, sp := range servicePorts(s) {
		if speaksHTTP(sp.protocol) || sp.protocol == "UDP" {
			continue
		}
		if rule := m.tcpRule(v, sp.number); rule != nil {
			m.serve(v, host)
			out = append(out, &routing.Listener{Name: "mesh", Port: sp.number, Protocol: routing.TCP, Mesh: name, Origin: rule.Origin, Hosts: []*routing.Host{{Rules: []*routing.Rule{rule}, Origin: rule.Origin}}})
		}
	}
	return out
}

func (m *meshCompiler) tcpRule(v *virtualService, number int) *routing.Rule {
	p := &place{gateway: mesh, port: number, namespace: v.Namespace}
	for i, t := range m.plans[v].spec.Tcp {
		if len(t.Match) == 0 {
			return &routing.Rule{Action: m.streamAction(v, t.Route, p), Origin: m.origin(v.Object, fmt.Sprintf("spec.tcp[%d]", i))}
		}
		for j, x := range t.Match {
			if (x.Port == 0 || int(x.Port) == number) && (len(x.Gateways) == 0 || slices.Contains(x.Gateways, mesh)) && proto.Equal(x, &networking.L4MatchAttributes{Port: x.Port, Gateways: x.Gateways}) {
				return &routing.Rule{Action: m.streamAction(v, t.Route, p), Origin: m.origin(v.Object, fmt.Sprintf("spec.tcp[%d].match[%d]", i, j))}
			}
		}
	}
	return nil
}

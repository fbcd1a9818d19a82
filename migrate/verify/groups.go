package verify

import (
	"cmp"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// entrance is a way in: scheme and port of a listener, and for mesh listeners
// the client.
type entrance struct {
	scheme string
	port   int
	client string // namespace of a mesh client
	mesh   bool
}

// usualPorts are left out of URLs.
var usualPorts = map[string]int{"http": 80, "https": 443, "tls": 443}

// request begins a witness at this entrance.
func (e entrance) request(host string) routing.Request {
	r := routing.Request{Scheme: e.scheme, Host: host, Port: e.port, Method: "GET", Path: "/"}
	if e.mesh {
		r.Client = &routing.Client{Namespace: e.client}
	}
	return r
}

// group is a set of names that both tables send to the same virtual hosts at
// every entrance. Its first name gets every witness, the others as many as tell
// whether they belong to the group.
type group struct {
	entrances []entrance
	hosts     []*routing.Host // of both tables, each once
	names     []string
}

// maxNames bounds the further names of a group that are asked.
const maxNames = 256

// groups sorts all names at which the tables can differ into groups, in the
// order of the tables' hosts.
func (c *comparison) groups() []*group {
	var out []*group
	byHosts := map[string]*group{}
	entrances := c.entrances()
	add := func(name string, es []entrance) {
		var hosts []*routing.Host
		var key strings.Builder
		for i, e := range es {
			r := e.request(name)
			for side := range c.tables {
				for _, h := range c.tables[side].Candidates(&r) {
					hosts = append(hosts, h)
					writeKey(&key, c, h)
				}
				key.WriteByte('|')
			}
			if i == 0 {
				key.WriteString(e.client)
			}
		}
		k := key.String()
		g := byHosts[k]
		if g == nil {
			g = &group{entrances: es}
			seen := map[*routing.Host]bool{}
			for _, h := range hosts {
				if !seen[h] {
					seen[h] = true
					g.hosts = append(g.hosts, h)
				}
			}
			byHosts[k] = g
			out = append(out, g)
		}
		if len(g.names) <= maxNames {
			g.names = append(g.names, name)
		}
	}
	for _, n := range c.names() {
		add(n, entrances.gateway)
	}
	for _, e := range entrances.streams {
		add("stream.invalid", []entrance{e})
	}
	for _, m := range entrances.mesh {
		for _, name := range meshNames(m.service) {
			add(name, m.entrances)
		}
	}
	return out
}

// meshNames are the names to ask of a listener of the mesh (see
// [routing.Listener.Mesh]): that of the Service, or of the host that is none, or
// names one and two labels below a wildcard.
func meshNames(mesh string) []string {
	ns, name, _ := strings.Cut(mesh, "/")
	switch {
	case ns != "":
		return []string{name + "." + ns + ".svc.cluster.local"}
	case name == "*":
		return []string{"unknown.invalid"}
	case strings.HasPrefix(name, "*."):
		return []string{"w." + name[2:], "v.w." + name[2:]}
	}
	return []string{name}
}

// writeKey writes what identifies a host in a key.
func writeKey(b *strings.Builder, c *comparison, h *routing.Host) {
	if rules := h.Ordered(); len(rules) > 0 {
		i := c.rules[rules[0]]
		b.Write([]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)})
	}
}

type meshService struct {
	service   string
	entrances []entrance
}

type entrances struct {
	gateway []entrance
	streams []entrance
	mesh    []meshService
}

// entrances lists the ways into either table.
func (c *comparison) entrances() entrances {
	var out entrances
	schemes := [...]string{routing.HTTP: "http", routing.HTTPS: "https", routing.TLS: "tls", routing.TCP: "tcp", routing.UDP: "udp"}
	clients := map[string]map[string]bool{}
	ports := map[string]map[int]bool{}
	seen := map[entrance]bool{}
	for _, t := range c.tables {
		for _, l := range t.Listeners {
			if l.Mesh != "" {
				if clients[l.Mesh] == nil {
					clients[l.Mesh], ports[l.Mesh] = map[string]bool{"elsewhere": true}, map[int]bool{}
					if ns, _, _ := strings.Cut(l.Mesh, "/"); ns != "" {
						clients[l.Mesh][ns] = true
					}
				}
				ports[l.Mesh][l.Port] = true
				for _, h := range l.Hosts {
					for _, r := range h.Rules {
						if ns := r.Match.Client.Namespace; ns != "" {
							clients[l.Mesh][ns] = true
						}
					}
				}
				continue
			}
			e := entrance{scheme: schemes[l.Protocol], port: l.Port}
			if seen[e] {
				continue
			}
			seen[e] = true
			if l.Protocol == routing.TCP || l.Protocol == routing.UDP {
				out.streams = append(out.streams, e)
				continue
			}
			out.gateway = append(out.gateway, e)
			if l.Protocol == routing.TLS && !seen[entrance{scheme: "https", port: l.Port}] {
				seen[entrance{scheme: "https", port: l.Port}] = true
				out.gateway = append(out.gateway, entrance{scheme: "https", port: l.Port})
			}
		}
	}
	order := func(a, b entrance) int {
		return cmp.Or(cmp.Compare(a.scheme, b.scheme), cmp.Compare(a.port, b.port), cmp.Compare(a.client, b.client))
	}
	slices.SortFunc(out.gateway, order)
	slices.SortFunc(out.streams, order)
	for service, namespaces := range clients {
		m := meshService{service: service}
		for ns := range namespaces {
			for port := range ports[service] {
				m.entrances = append(m.entrances, entrance{scheme: "http", port: port, client: ns, mesh: true})
			}
		}
		slices.SortFunc(m.entrances, order)
		out.mesh = append(out.mesh, m)
	}
	slices.SortFunc(out.mesh, func(a, b meshService) int { return cmp.Compare(a.service, b.service) })
	return out
}

// names lists the host names to ask: each exact name, one and two labels below
// each wildcard and its apex, a name of each regular expression, and one that
// nobody knows. Listener hostnames count like those of hosts.
func (c *comparison) names() []string {
	var out []string
	seen := map[string]bool{}
	add := func(n string) {
		if n != "" && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	pattern := func(p routing.HostPattern) {
		switch p.Kind {
		case routing.ExactHost:
			add(p.Value)
		case routing.SuffixHost, routing.OneLabelHost:
			add("w." + p.Value)
			add("v.w." + p.Value)
			add(p.Value)
		case routing.RegexHost:
			for _, s := range samples(p.Value) {
				add(strings.ToLower(s))
			}
		}
	}
	for _, t := range c.tables {
		for _, l := range t.Listeners {
			if l.Mesh != "" {
				continue
			}
			pattern(l.Hostname)
			for _, h := range l.Hosts {
				for _, p := range h.Names {
					pattern(p)
				}
				for _, r := range h.Rules {
					for i := range r.Match.Headers {
						if m := &r.Match.Headers[i]; m.Name == routing.AuthorityHeader {
							add(strings.ToLower(positive(m)))
						}
					}
				}
			}
		}
	}
	add("unknown.invalid")
	return out
}

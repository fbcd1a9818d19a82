package nginx

import (
	"sort"
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// catchAll is the controller's name of the server for unknown hosts.
const catchAll = "_"

// server is one nginx server block: a host across all namespaces.
type server struct {
	host      string
	aliases   []string
	aliasFrom *source.Ingress
	locations []*location
	byPath    map[string]*location // first location of a path
	hasCert   bool
	cert      string // Secret "namespace/name"; empty is the default certificate
	passThru  bool
	www       bool
	client    *routing.Guard
	snippet   string
	snippetOf *source.Ingress
}

// location is one path of a server before nginx sees it.
type location struct {
	path     string
	exact    bool
	implicit bool // made by the controller, not by a path
	upstream *upstream
	ing      *source.Ingress // whose annotations apply; nil in the catch-all
	set      *settings
	at       string // JSON path in ing
}

func pathPointer(rule, path int) string {
	if rule < len(pathPointers) && path < len(pathPointers[0]) {
		return pathPointers[rule][path].path
	}
	return newPathPointer(rule, path)
}

func newPathPointer(rule, path int) string {
	return "spec.rules[" + strconv.Itoa(rule) + "].http.paths[" + strconv.Itoa(path) + "]"
}

// createServers makes a server for each host with its implicit "/": the oldest
// Ingress of a host decides its annotations and its default backend
// (internal/ingress/controller/controller.go, createServers).
func (c *compiler) createServers(ings []*source.Ingress) {
	c.servers[catchAll] = newServer(catchAll, &location{path: "/", implicit: true, set: &settings{}})
	for _, ing := range ings {
		s := c.settings[ing]
		if s.canary {
			continue
		}
		var fallback *upstream
		if b := ing.Spec.DefaultBackend; b != nil && b.Service != nil {
			fallback = c.upstreams[upstreamName(ing.Namespace, b.Service)]
			c.adoptCatchAll(ing, fallback)
		}
		for i := range ing.Spec.Rules {
			host := hostOf(&ing.Spec.Rules[i])
			if c.servers[host] != nil {
				continue
			}
			srv := newServer(host, &location{path: "/", implicit: true, ing: ing, set: s, upstream: fallback,
				at: "spec.rules[" + strconv.Itoa(i) + "].host"})
			srv.passThru = s.passthrough && c.opts.SSLPassthrough
			c.servers[host] = srv
		}
	}
	for _, ing := range ings {
		if s := c.settings[ing]; !s.canary {
			for i := range ing.Spec.Rules {
				c.configure(c.servers[hostOf(&ing.Spec.Rules[i])], ing, s)
			}
		}
	}
	for _, host := range sortedKeys(c.servers) {
		c.servers[host].aliases = c.usableAliases(c.servers[host])
	}
}

func newServer(host string, root *location) *server {
	return &server{host: host, locations: []*location{root}, byPath: map[string]*location{"/": root}}
}

// adoptCatchAll lets the oldest rule-less Ingress with a default backend serve
// unknown hosts; its redirects and rewrites do not apply there.
func (c *compiler) adoptCatchAll(ing *source.Ingress, fallback *upstream) {
	root := c.servers[catchAll].locations[0]
	if len(ing.Spec.Rules) > 0 || !root.implicit {
		return
	}
	s := *c.settings[ing]
	s.redirectURL, s.fromToWWW, s.rewriteTarget, s.appRoot = "", false, "", ""
	s.useRegex, s.sslRedirect, s.forceSSL = false, false, false
	root.implicit, root.upstream, root.ing, root.set, root.at = false, fallback, ing, &s, "spec.defaultBackend"
}

// configure sets what belongs to the server: the first Ingress that brings
// aliases, a certificate or a server snippet wins.
func (c *compiler) configure(srv *server, ing *source.Ingress, s *settings) {
	if len(srv.aliases) == 0 && len(s.aliases) > 0 {
		srv.aliases, srv.aliasFrom = s.aliases, ing
	}
	if srv.snippet == "" {
		srv.snippet, srv.snippetOf = s.serverSnippet, ing
	}
	if srv.hasCert || len(ing.Spec.TLS) == 0 || srv.host == catchAll {
		return
	}
	srv.hasCert = true
	if name := tlsSecret(ing, srv.host); name != "" {
		srv.cert = ing.Namespace + "/" + name
	}
}

// tlsSecret names the Secret for a host: the one listed for it, else one
// listed for a wildcard that covers it; the controller looks into the
// certificates instead (extractTLSSecretName), which are never read here.
func tlsSecret(ing *source.Ingress, host string) string {
	for _, t := range ing.Spec.TLS {
		for _, h := range t.Hosts {
			if strings.EqualFold(h, host) {
				return t.SecretName
			}
		}
	}
	for _, t := range ing.Spec.TLS {
		for _, h := range t.Hosts {
			p := routing.ParseHost(h, routing.OneLabelHost)
			if p.Kind == routing.OneLabelHost && p.Matches(host) {
				return t.SecretName
			}
		}
	}
	return ""
}

// usableAliases drops aliases that name an existing server.
func (c *compiler) usableAliases(srv *server) []string {
	seen := map[string]bool{}
	var out []string
	for _, a := range srv.aliases {
		if c.servers[a] == nil && !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	sort.Strings(out)
	return out
}

// addLocations gives each path its location. The first Ingress wins a path and
// type; the controller looks only at the first location of the same path
// string, whatever its type (getBackendServers).
func (c *compiler) addLocations(ings []*source.Ingress) {
	for _, ing := range ings {
		s := c.settings[ing]
		for i := range ing.Spec.Rules {
			rule := &ing.Spec.Rules[i]
			srv := c.servers[hostOf(rule)]
			if srv == nil {
				srv = c.servers[catchAll]
			}
			if srv.client == nil {
				srv.client = s.clientCert
			}
			if rule.HTTP == nil {
				continue
			}
			for j := range rule.HTTP.Paths {
				c.addLocation(srv, ing, s, &rule.HTTP.Paths[j], pathPointer(i, j))
			}
		}
	}
}

func (c *compiler) addLocation(srv *server, ing *source.Ingress, s *settings, p *networkingv1.HTTPIngressPath, at string) {
	if p.Backend.Service == nil {
		c.find(Unresolved, ing, at+".backend", "a resource backend is not served by ingress-nginx", "remove the path")
		return
	}
	u := c.upstreams[upstreamName(ing.Namespace, p.Backend.Service)]
	if u.noServer {
		if !s.canary {
			c.find(Shadowed, ing, at, "the Service and port of this path belong to a canary that is older; the controller skips the path", "give the canary another Service")
		}
		return
	}
	exact := pathTypeOf(p) == networkingv1.PathTypeExact
	path := pathOf(p)
	first := srv.byPath[path]
	switch {
	case first == nil || first.exact != exact:
		loc := &location{path: path, exact: exact, upstream: u, ing: ing, set: s, at: at}
		if first == nil {
			srv.byPath[path] = loc
		}
		srv.locations = append(srv.locations, loc)
	case first.implicit:
		first.implicit, first.upstream, first.ing, first.set, first.at = false, u, ing, s, at
	default:
		winner := "another path of the same Ingress"
		if first.ing != nil && first.ing != ing {
			winner = "Ingress " + first.ing.Namespace + "/" + first.ing.Name
		}
		c.find(Shadowed, ing, at, winner+" already has "+srv.host+path+"; this path gets no traffic", "delete one of the two")
		return
	}
	srv.www = srv.www || s.fromToWWW
	if u.affinity == nil {
		u.affinity = s.affinity
	}
}

// mergeCanaries attaches canaries to the primaries with the same host, path
// and type (mergeAlternativeBackends); the others are dropped.
func (c *compiler) mergeCanaries(ings []*source.Ingress) {
	for _, ing := range ings {
		if !c.settings[ing].canary {
			continue
		}
		for i := range ing.Spec.Rules {
			rule := &ing.Spec.Rules[i]
			if rule.HTTP == nil {
				continue
			}
			srv := c.servers[hostOf(rule)]
			for j := range rule.HTTP.Paths {
				if b := rule.HTTP.Paths[j].Backend.Service; b != nil {
					c.mergeCanary(ing, srv, &rule.HTTP.Paths[j], upstreamName(ing.Namespace, b), pathPointer(i, j))
				}
			}
		}
	}
}

func (c *compiler) mergeCanary(ing *source.Ingress, srv *server, p *networkingv1.HTTPIngressPath, name, at string) {
	alt := c.upstreams[name]
	if alt == nil {
		return
	}
	if srv == nil {
		c.find(Unmatched, ing, at, "no other Ingress serves this host: the canary gets no traffic", "give it the host of its primary")
		return
	}
	exact := pathTypeOf(p) == networkingv1.PathTypeExact
	merged := false
	for _, loc := range srv.locations {
		u := loc.upstream
		if u == alt {
			c.find(Unmatched, ing, at, "the canary names the Service and port of its primary and has no effect", "give it a Service of its own")
			return
		}
		if u == nil || u.noServer || loc.path != pathOf(p) || loc.exact != exact {
			continue
		}
		if merged = true; !contains(u.alternatives, name) {
			u.alternatives = append(u.alternatives, name)
			if u.alternatives[0] != name {
				c.find(Unmatched, ing, at, "another canary of this Service is older; only one counts", "merge the canaries")
			}
		}
	}
	if !merged {
		c.find(Unmatched, ing, at, "no primary has the same host, path and path type: the canary gets no traffic", "repeat the primary's path and pathType")
		delete(c.upstreams, name)
	}
}

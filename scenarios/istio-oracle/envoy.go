package oracle

import (
	"regexp"
	"strconv"
	"strings"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/causeway-gateway/causeway/routing"
)

// decide evaluates a request against the configuration of an Envoy, in the terms
// of the kernel, so that decisions and not spellings are compared.
func (p *proxy) decide(r *routing.Request) routing.Decision {
	name := strings.ToLower(r.Host)
	port := r.Port
	secure := r.Scheme == "https" || r.Scheme == "tls"
	if port == 0 {
		port = map[bool]int{false: 80, true: 443}[secure]
	}
	if r.Client != nil {
		rc := p.routes[strconv.Itoa(port)]
		if rc == nil { // a port whose protocol is found out has routes of its own
			rc = p.routes[name+":"+strconv.Itoa(port)]
		}
		if rc == nil {
			return routing.Decision{Reason: "no routes for the port"}
		}
		return p.http(rc, r, name)
	}
	var best *chain
	rank := -1
	chains := p.chains()
	for i := range chains {
		c := &chains[i]
		if c.port != port || secure != (c.tls || len(c.names) > 0) {
			continue
		}
		if n := specificity(c.names, name); n > rank {
			best, rank = c, n
		}
	}
	switch {
	case best == nil:
		return routing.Decision{}
	case best.proxy != nil:
		return p.tcp(best, r)
	}
	rc := p.routes[best.rds]
	if rc == nil {
		return routing.Decision{}
	}
	return p.http(rc, r, name)
}

// decided stands for the route of Envoy that took a request.
var decided = &routing.Rule{Action: &routing.Action{}}

// specificity ranks the names of a filter chain: -1 when none fits.
func specificity(names []string, name string) int {
	best := -1
	if len(names) == 0 {
		best = 0
	}
	for _, n := range names {
		switch suffix, wild := strings.CutPrefix(n, "*"); {
		case n == name:
			best = 1 << 20
		case wild && strings.HasSuffix(name, suffix) && len(name) > len(suffix):
			best = max(best, len(n))
		}
	}
	return best
}

// tcp hands a connection on; the kernel says of it what it says of a request.
func (p *proxy) tcp(c *chain, r *routing.Request) routing.Decision {
	d := routing.Decision{Why: decided, Status: 200, Backends: map[string]float64{}, URI: r.Path, UpstreamHost: r.Host}
	if x := c.proxy.GetCluster(); x != "" {
		d.Backends[backend(x)] = 1
	}
	total := 0.0
	for _, w := range c.proxy.GetWeightedClusters().GetClusters() {
		total += float64(w.Weight)
	}
	for _, w := range c.proxy.GetWeightedClusters().GetClusters() {
		d.Backends[backend(w.Name)] += float64(w.Weight) / total
	}
	return d
}

// http finds the virtual host and route (Envoy's documentation of
// config.route.v3.VirtualHost.domains: exact, longest suffix, "*").
func (p *proxy) http(rc *route.RouteConfiguration, r *routing.Request, name string) routing.Decision {
	var best *route.VirtualHost
	rank := -1
	for _, vh := range rc.VirtualHosts {
		if n := specificity(vh.Domains, name); n > rank {
			best, rank = vh, n
		}
	}
	if best == nil {
		return routing.Decision{Status: 404}
	}
	if best.RequireTls == route.VirtualHost_ALL && r.Scheme != "https" {
		return routing.Decision{Why: decided, Status: 301, Location: "https://" + sentHost(r) + orRoot(r.Path)}
	}
	path, query, hasQuery := strings.Cut(orRoot(r.Path), "?")
	for _, x := range best.Routes {
		if matches(x.Match, r, path, query) {
			return p.action(x, r, path, query, hasQuery)
		}
	}
	return routing.Decision{Status: 404}
}

func orRoot(p string) string {
	if p == "" {
		return "/"
	}
	return p
}

func full(re, s string) bool {
	x, err := regexp.Compile(`\A(?:` + re + `)\z`)
	return err == nil && x.MatchString(s)
}

func matches(m *route.RouteMatch, r *routing.Request, path, query string) bool {
	sensitive := m.CaseSensitive == nil || m.CaseSensitive.Value
	fold := func(s string) string {
		if sensitive {
			return s
		}
		return strings.ToLower(s)
	}
	switch x := m.PathSpecifier.(type) {
	case *route.RouteMatch_Prefix:
		if !strings.HasPrefix(fold(path), fold(x.Prefix)) {
			return false
		}
	case *route.RouteMatch_Path:
		if fold(path) != fold(x.Path) {
			return false
		}
	case *route.RouteMatch_PathSeparatedPrefix:
		rest, ok := strings.CutPrefix(fold(path), fold(x.PathSeparatedPrefix))
		if !ok || rest != "" && rest[0] != '/' {
			return false
		}
	case *route.RouteMatch_SafeRegex:
		if !full(x.SafeRegex.Regex, path) {
			return false
		}
	}
	for _, h := range m.Headers {
		value, ok := headerOf(r, h.Name)
		if !ok && h.TreatMissingHeaderAsEmpty {
			value, ok = "", true
		}
		holds := ok
		if s := h.GetStringMatch(); s != nil {
			holds = ok && text(s, value)
		}
		if holds == h.InvertMatch {
			return false
		}
	}
	for _, q := range m.QueryParameters {
		value, ok := parameter(query, q.Name)
		if s := q.GetStringMatch(); s != nil {
			ok = ok && text(s, value)
		}
		if !ok {
			return false
		}
	}
	return true
}

func headerOf(r *routing.Request, name string) (string, bool) {
	switch strings.ToLower(name) {
	case ":method":
		if r.Method == "" {
			return "GET", true
		}
		return r.Method, true
	case ":authority", "host": // Envoy keeps both in one place (source/common/http/header_map_impl.cc, HostLegacy)
		return r.Host, true
	case ":scheme":
		return map[bool]string{true: "https", false: "http"}[r.Scheme == "https"], true
	}
	return r.Header(name)
}

// parameter is the first value of a query parameter, decoded as the kernel does.
func parameter(query, name string) (string, bool) {
	unescape := strings.NewReplacer("%20", " ", "%3A", ":", "%2F", "/", "%2C", ",", "%40", "@")
	for _, part := range strings.Split(query, "&") {
		k, v, _ := strings.Cut(part, "=")
		if unescape.Replace(k) == name && part != "" {
			return unescape.Replace(v), true
		}
	}
	return "", false
}

func text(m *matcher.StringMatcher, s string) bool {
	switch x := m.MatchPattern.(type) {
	case *matcher.StringMatcher_Exact:
		return s == x.Exact
	case *matcher.StringMatcher_Prefix:
		return strings.HasPrefix(s, x.Prefix)
	case *matcher.StringMatcher_Suffix:
		return strings.HasSuffix(s, x.Suffix)
	case *matcher.StringMatcher_SafeRegex:
		return full(x.SafeRegex.Regex, s)
	}
	return false
}

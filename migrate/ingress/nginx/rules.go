package nginx

import (
	"sort"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// nginxLocation is a location block as nginx gets it.
type nginxLocation struct {
	*location
	path    string
	exact   bool
	segment bool // the prefix block and its exact twin in one
}

// nginxLocations orders the locations of a server (longest path string first,
// ties by path string descending) and expands prefixes: "/foo" becomes the
// blocks "/foo/" and "= /foo" unless it is rewritten, a regex, or an Exact
// path has the name (internal/ingress/controller/location.go). regex reports
// whether the server is in regex mode: one location with use-regex, or with a
// rewrite-target other than its own path, turns every path of the host into a
// case-insensitive regex without an end anchor (template.go, buildLocation).
func (c *compiler) nginxLocations(srv *server) (out []nginxLocation, regex bool) {
	locs := append([]*location(nil), srv.locations...)
	sort.SliceStable(locs, func(i, j int) bool {
		a, b := locs[i].path, locs[j].path
		if len(a) != len(b) {
			return len(a) > len(b)
		}
		return a > b
	})
	exact := map[string]bool{}
	for _, l := range locs {
		if l.exact {
			exact[l.path] = true
		}
	}
	needsRegex := func(path string, l *location) bool {
		return l.set.useRegex || l.set.rewriteTarget != "" && l.set.rewriteTarget != path
	}
	blocks := make([]nginxLocation, 0, 2*len(locs))
	for _, l := range locs {
		switch {
		case l.exact || l.path == "/" || needsRegex(l.path, l):
			blocks = append(blocks, nginxLocation{l, l.path, l.exact, false})
		case exact[l.path]:
			blocks = append(blocks, nginxLocation{l, slashed(l.path), false, false})
		default:
			blocks = append(blocks, nginxLocation{l, slashed(l.path), false, false}, nginxLocation{l, l.path, true, false})
		}
	}
	for _, b := range blocks {
		if needsRegex(b.path, b.location) {
			regex = true
		}
	}
	if regex {
		return c.checkRegexes(blocks), true
	}
	return c.foldSegments(srv, blocks), false
}

func slashed(p string) string {
	if strings.HasSuffix(p, "/") {
		return p
	}
	return p + "/"
}

// checkRegexes leaves out patterns that do not compile: nginx refuses its whole
// configuration for one.
func (c *compiler) checkRegexes(blocks []nginxLocation) []nginxLocation {
	out := blocks[:0]
	for _, b := range blocks {
		if err := routing.CheckRegex(unquote(b.path)); err != nil && b.ing != nil {
			c.findOnce(Broken, b.location, "the path is a regular expression here and does not compile ("+err.Error()+"): nginx refuses its whole configuration", "correct or delete the path")
			continue
		}
		out = append(out, b)
	}
	return out
}

// foldSegments joins "/foo/" and "= /foo" of one path back into one segment
// prefix, and reports blocks that nginx calls duplicates: Prefix /foo beside
// Prefix /foo/ makes the controller apply nothing for anybody.
func (c *compiler) foldSegments(srv *server, blocks []nginxLocation) []nginxLocation {
	seen := map[string]*location{}
	out := make([]nginxLocation, 0, len(blocks))
	for i, b := range blocks {
		key := b.path
		if b.exact {
			key = "= " + key
		}
		if prev := seen[key]; prev != nil && prev != b.location {
			c.findOnce(Broken, b.location, "nginx sees the location "+key+" of host "+srv.host+" twice: the controller applies no change for any Ingress", "keep one of the two paths")
			continue
		}
		seen[key] = b.location
		if b.exact && i > 0 && len(out) > 0 && out[len(out)-1].location == b.location && out[len(out)-1].path == slashed(b.path) && b.path != slashed(b.path) {
			out[len(out)-1] = nginxLocation{b.location, b.path, false, true}
			continue
		}
		out = append(out, b)
	}
	return out
}

func (c *compiler) findOnce(k FindingKind, l *location, message, remedy string) {
	for i := range c.findings {
		if c.findings[i].Kind == k && c.findings[i].Ingress == l.ing && c.findings[i].Path == l.at {
			return
		}
	}
	c.find(k, l.ing, l.at, message, remedy)
}

// unquote undoes the escapes of an nginx quoted string.
func unquote(p string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(p)
}

// rules writes the rules of a server for one scheme.
func (c *compiler) rules(srv *server, blocks []nginxLocation, regex, https bool) []*routing.Rule {
	var out []*routing.Rule
	out = append(out, c.appRoot(blocks)...)
	out = append(out, c.snippetRules(srv)...)
	exact := map[string]bool{}
	for _, b := range blocks {
		if b.exact || b.segment {
			exact[b.path] = true
		}
	}
	before := len(out)
	for _, b := range blocks {
		m := pathMatch(b, regex)
		out = append(out, c.locationRules(srv, b, m, https)...)
		if p := strings.TrimSuffix(b.path, "/"); !regex && !b.segment && p != b.path && p != "" && !exact[p] && b.set.denied == "" {
			out = append(out, c.addSlash(b, p))
			exact[p] = true
		}
	}
	if https && c.sendsHSTS(srv) {
		c.transportSecurity(out[before:])
	}
	if srv.host == catchAll {
		// The controller's own health endpoint.
		out = append(out, &routing.Rule{Match: routing.Match{Path: routing.PathMatch{Kind: routing.StringPrefix, Value: "/healthz"}},
			Action: &routing.Action{Respond: &routing.Response{Status: 200}}, Origin: routing.Origin{Object: routing.ObjectRef{Kind: "Controller", Name: "ingress-nginx"}, Path: "healthz"}})
	}
	return out
}

func pathMatch(b nginxLocation, regex bool) routing.PathMatch {
	switch {
	case regex:
		return routing.PathMatch{Kind: routing.RegexPath, Value: "^" + unquote(b.path), IgnoreCase: true}
	case b.exact:
		return routing.PathMatch{Kind: routing.ExactPath, Value: b.path}
	case b.segment:
		return routing.PathMatch{Kind: routing.SegmentPrefix, Value: b.path}
	case b.path == "/":
		return routing.PathMatch{Kind: routing.SegmentPrefix, Value: "/"}
	}
	return routing.PathMatch{Kind: routing.StringPrefix, Value: b.path}
}

// addSlash is nginx's own 301 from /foo to /foo/ where a location ends in a
// slash and /foo has none (https://nginx.org/en/docs/http/ngx_http_core_module.html#location).
func (c *compiler) addSlash(b nginxLocation, path string) *routing.Rule {
	return &routing.Rule{
		Match: routing.Match{Path: routing.PathMatch{Kind: routing.ExactPath, Value: path}},
		Action: &routing.Action{Redirect: &routing.Redirect{Code: 301, Relative: b.set.relative,
			Path: &routing.PathRewrite{Kind: routing.ReplaceFull, Value: b.path}}},
		Origin: c.originOf(b.ing, b.at),
	}
}

// appRoot answers "/" of the whole server before any location is looked at;
// the first location that sets it wins.
func (c *compiler) appRoot(blocks []nginxLocation) []*routing.Rule {
	for _, b := range blocks {
		if b.set.appRoot != "" {
			return []*routing.Rule{{
				Match: routing.Match{Path: routing.PathMatch{Kind: routing.ExactPath, Value: "/"}},
				Action: &routing.Action{Redirect: &routing.Redirect{Code: 302, KeepHostPort: true, StripQuery: true,
					Path: &routing.PathRewrite{Kind: routing.ReplaceFull, Value: b.set.appRoot}}},
				Origin: c.originOf(b.ing, "metadata.annotations['"+c.prefix+"app-root']"),
			}}
		}
	}
	return nil
}

// locationRules writes the rules of one location: the redirect to HTTPS where
// the scheme is plain, then what it does, with its canary.
func (c *compiler) locationRules(srv *server, b nginxLocation, m routing.PathMatch, https bool) []*routing.Rule {
	origin := routing.Origin{Object: routing.ObjectRef{Kind: "Controller", Name: "ingress-nginx"}, Path: "default backend"}
	if b.ing != nil {
		origin = c.originOf(b.ing, b.at)
	}
	rule := func(match routing.Match, a *routing.Action) *routing.Rule {
		match.Path = m
		return &routing.Rule{Match: match, Action: a, Origin: origin}
	}
	var out []*routing.Rule
	if b.set.redirectURL == "" && b.set.denied == "" && !b.redirectsAway() && c.toHTTPS(srv, b.location) {
		a := c.httpsRedirect(b.set)
		switch {
		case c.rewritesScheme(): // X-Forwarded-Proto decides, on either port
			out = append(out, rule(routing.Match{Scheme: "http"}, a))
		case !https:
			return append(out, rule(routing.Match{}, a))
		}
	}
	base := c.action(srv, b)
	alt := c.canary(b.upstream)
	if alt == nil || len(base.Backends) == 0 {
		return append(out, rule(routing.Match{}, base))
	}
	for _, v := range canaryRules(alt, base) {
		out = append(out, rule(v.match, v.action))
	}
	return out
}

// httpsRedirect is the redirect to HTTPS; the locations of an Ingress share it.
func (c *compiler) httpsRedirect(s *settings) *routing.Action {
	if s.toHTTPS == nil {
		s.toHTTPS = &routing.Action{CORS: s.cors, Redirect: &routing.Redirect{Code: c.cfg.number("http-redirect-code", 308), Scheme: "https", TrimSlash: !s.keepSlash}}
	}
	return s.toHTTPS
}

// canary returns the upstream that shares the requests of u, if it is there.
func (c *compiler) canary(u *upstream) *upstream {
	if u == nil || len(u.alternatives) == 0 {
		return nil
	}
	return c.upstreams[u.alternatives[0]]
}

type variant struct {
	match  routing.Match
	action *routing.Action
}

// canaryRules is the order of route_to_alternative_balancer: header, cookie,
// weight. always and never count only without a value or pattern; any other
// value falls through.
func canaryRules(alt *upstream, base *routing.Action) []variant {
	p := alt.policy
	canary, primary := *base, *base
	canary.Backends = []routing.Backend{alt.backend}
	canary.Backends[0].Protocol, canary.Backends[0].TLS = base.Backends[0].Protocol, base.Backends[0].TLS
	var out []variant
	add := func(h routing.ValueMatch, a *routing.Action) {
		out = append(out, variant{routing.Match{Headers: []routing.ValueMatch{h}}, a})
	}
	switch {
	case p.header == "":
	case p.value != "":
		add(routing.ValueMatch{Name: p.header, Value: p.value}, &canary)
	case p.pattern != "":
		add(routing.ValueMatch{Name: p.header, Kind: routing.RegexValue, Value: p.pattern, Search: true}, &canary)
	default:
		add(routing.ValueMatch{Name: p.header, Value: "always"}, &canary)
		add(routing.ValueMatch{Name: p.header, Value: "never"}, &primary)
	}
	if p.cookie != "" {
		add(cookieMatch(p.cookie, "always"), &canary)
		add(cookieMatch(p.cookie, "never"), &primary)
	}
	rest := &primary
	if p.weight > 0 {
		split := *base
		split.Backends = []routing.Backend{base.Backends[0], canary.Backends[0]}
		split.Backends[0].Weight, split.Backends[1].Weight = p.total-p.weight, p.weight
		rest = &split
	}
	return append(out, variant{routing.Match{}, rest})
}

// cookieMatch finds a cookie in the Cookie header: nginx compares its name
// without case, its value exactly.
func cookieMatch(name, value string) routing.ValueMatch {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' {
			b.WriteString("[" + string(r) + strings.ToUpper(string(r)) + "]")
		} else {
			b.WriteString(quoteMeta(r))
		}
	}
	return routing.ValueMatch{Name: "Cookie", Kind: routing.RegexValue, Value: `(?:.*;\s*)?` + b.String() + "=" + value + `(?:\s*;.*)?`}
}

func quoteMeta(r rune) string {
	if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
		return `\` + string(r)
	}
	return string(r)
}

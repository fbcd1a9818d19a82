package istio

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

func quoteMeta(s string) string { return regexp.QuoteMeta(s) }

// matchOf translates the conditions of a match that are about the request
// (pilot/pkg/networking/core/route/route.go, TranslateRouteMatch). ok is false
// when no request fits.
func matchOf(in *networking.HTTPMatchRequest) (m routing.Match, ok bool) {
	if in == nil {
		return m, true
	}
	m.Path = pathOf(in.Uri, in.IgnoreUriCase)
	for _, name := range slices.Sorted(maps.Keys(in.Headers)) {
		m.Headers = append(m.Headers, valueOf(headerName(name), in.Headers[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(in.WithoutHeaders)) {
		m.Headers = append(m.Headers, withoutHeader(headerName(name), in.WithoutHeaders[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(in.QueryParams)) {
		m.Query = append(m.Query, valueOf(name, in.QueryParams[name]))
	}
	if e, exact := in.Method.GetMatchType().(*networking.StringMatch_Exact); exact && e.Exact != "" {
		m.Method = e.Exact
	} else if in.Method != nil && !present(in.Method) {
		m.Headers = append(m.Headers, valueOf(routing.MethodHeader, in.Method))
	}
	if in.Authority != nil && !present(in.Authority) {
		m.Headers = append(m.Headers, valueOf(routing.AuthorityHeader, in.Authority))
	}
	m.Scheme, ok = schemeOf(in.Scheme)
	return m, ok
}

// headerName: Envoy keeps the Host header and the authority in one place, so that
// a condition on host is one on the authority (envoy source/common/http/
// header_map_impl.cc, "we map a legacy host header to :authority").
func headerName(name string) string {
	if strings.EqualFold(name, "host") {
		return routing.AuthorityHeader
	}
	return name
}

// claim reports whether the name of a header stands for a claim of a token that
// RequestAuthentication has checked, and for no header: no client can send one,
// for @ is no character of names (translateMetadataMatch in route.go;
// pkg/jwt/routing.go, ToRoutingClaim).
func claim(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), "@request.auth.claims")
}

// pathOf: prefixes are compared byte by byte, so that /a takes /ab; regular
// expressions match the whole path, and ignoreUriCase does not reach them.
func pathOf(uri *networking.StringMatch, ignoreCase bool) routing.PathMatch {
	switch u := uri.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return routing.PathMatch{Kind: routing.ExactPath, Value: u.Exact, IgnoreCase: ignoreCase}
	case *networking.StringMatch_Prefix:
		if u.Prefix == "" || u.Prefix == "/" {
			return routing.PathMatch{}
		}
		return routing.PathMatch{Kind: routing.StringPrefix, Value: u.Prefix, IgnoreCase: ignoreCase}
	case *networking.StringMatch_Regex:
		if u.Regex == ".*" {
			return routing.PathMatch{}
		}
		return routing.PathMatch{Kind: routing.RegexPath, Value: u.Regex, Full: true}
	}
	return routing.PathMatch{}
}

// present reports whether a condition asks only that the value is there: one
// without a kind, or the regular expression "*", which is none
// (canBeConvertedToPresentMatch in route.go).
func present(m *networking.StringMatch) bool {
	return m.GetMatchType() == nil || m.GetRegex() == "*"
}

func valueOf(name string, m *networking.StringMatch) routing.ValueMatch {
	v := routing.ValueMatch{Name: name}
	switch x := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		v.Kind, v.Value = routing.ExactValue, x.Exact
	case *networking.StringMatch_Prefix:
		v.Kind, v.Value = routing.PrefixValue, x.Prefix
	case *networking.StringMatch_Regex:
		v.Kind, v.Value = routing.RegexValue, x.Regex
	}
	if present(m) {
		v.Kind, v.Value = routing.PresentValue, ""
	}
	return v
}

// withoutHeader turns a condition round. A header that is missing counts as an
// empty one (treat_missing_header_as_empty), so that a pattern which an empty
// value fits refuses requests without the header, too.
func withoutHeader(name string, m *networking.StringMatch) []routing.ValueMatch {
	v := valueOf(name, m)
	if claim(name) { // inverted as it is (MetadataMatcher.invert)
		v.Negate = true
		return []routing.ValueMatch{v}
	}
	emptyFits := v.Kind != routing.PresentValue && v.Holds("", true)
	v.Negate = true
	if emptyFits {
		return []routing.ValueMatch{{Name: name, Kind: routing.PresentValue}, v}
	}
	return []routing.ValueMatch{v}
}

// schemeOf tries a condition on both schemes; ok is false when it fits neither.
func schemeOf(m *networking.StringMatch) (scheme string, ok bool) {
	if m == nil || present(m) {
		return "", true
	}
	v := valueOf("", m)
	plain, secure := v.Holds("http", true), v.Holds("https", true)
	switch {
	case plain && secure:
		return "", true
	case plain:
		return "http", true
	case secure:
		return "https", true
	}
	return "", false
}

// catchAll reports whether a rule takes every request: routes of several
// VirtualServices on one host keep their order, but for these, which go last
// (IsCatchAllRoute and SortVHostRoutes in route.go).
func catchAll(m *routing.Match) bool {
	return m.Path.Kind == routing.AnyPath && m.Method == "" && m.Scheme == "" && len(m.Headers)+len(m.Query) == 0
}

// place is where routes are built for: a gateway or the mesh, and the port.
type place struct {
	gateway string // "namespace/name", or mesh
	port    int
	tls     bool
	// labels and namespace of the gateway's workload; sources of the mesh become
	// conditions on the client.
	labels    map[string]string
	namespace string
}

// takes reports whether a match applies at a place, and to which clients of the
// mesh. A list of gateways replaces the conditions on the source
// (sourceMatchHTTP in route.go).
func (p *place) takes(m *networking.HTTPMatchRequest) (client routing.ClientMatch, ok bool) {
	if m == nil {
		return client, true
	}
	if m.Port != 0 && int(m.Port) != p.port {
		return client, false
	}
	if len(m.Gateways) > 0 {
		return client, slices.Contains(m.Gateways, p.gateway)
	}
	if p.gateway == mesh {
		return routing.ClientMatch{Namespace: m.SourceNamespace, Labels: m.SourceLabels}, true
	}
	return client, subset(m.SourceLabels, p.labels) && (m.SourceNamespace == "" || m.SourceNamespace == p.namespace)
}

// rules builds the rules of a VirtualService at a place: what stands after a
// rule that takes everything is never reached
// (BuildHTTPRoutesForVirtualService in route.go).
func (c *compiler) rules(v *virtualService, p *place) []*routing.Rule {
	var out []*routing.Rule
	for _, s := range c.plans[v].steps {
		client, ok := p.takes(s.match)
		if !ok {
			continue
		}
		m, ok := matchOf(s.match)
		if !ok {
			continue
		}
		m.Client = client
		c.reads = nil
		a := c.action(v, &s, &m, p)
		r := &routing.Rule{Match: m, Action: a, Origin: s.origin, Also: slices.Concat(s.also, c.reads)}
		if s.match.GetScheme() != nil && m.Scheme == "" && !present(s.match.Scheme) {
			c.conditional[r] = true
		}
		out = append(out, r)
		if s.match == nil || catchAll(&m) && client.Namespace == "" && len(client.Labels) == 0 {
			break
		}
	}
	return out
}

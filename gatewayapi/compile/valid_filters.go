package compile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// ofBackends are the filters that are carried out for one backend
// (HTTPBackendRef.Filters, GRPCBackendRef.Filters; implementation-specific).
var ofBackends = map[gwv1.HTTPRouteFilterType]bool{
	gwv1.HTTPRouteFilterRequestHeaderModifier: true, gwv1.HTTPRouteFilterResponseHeaderModifier: true, gwv1.HTTPRouteFilterURLRewrite: true,
}

// repeatable filters are those of which "this filter can be used multiple times
// within the same rule" is said.
var repeatable = map[gwv1.HTTPRouteFilterType]bool{gwv1.HTTPRouteFilterRequestMirror: true, gwv1.HTTPRouteFilterExtensionRef: true}

// asHTTP returns the filters of a GRPCRoute as those of an HTTPRoute, of which
// they are a part.
func asHTTP(filters []gwv1.GRPCRouteFilter) []gwv1.HTTPRouteFilter {
	out := make([]gwv1.HTTPRouteFilter, len(filters))
	for i, x := range filters {
		out[i] = gwv1.HTTPRouteFilter{
			Type: gwv1.HTTPRouteFilterType(x.Type), RequestHeaderModifier: x.RequestHeaderModifier,
			ResponseHeaderModifier: x.ResponseHeaderModifier, RequestMirror: x.RequestMirror, ExtensionRef: x.ExtensionRef,
		}
	}
	return out
}

// payloads are the members of a filter that are set, by the type of filter that
// they belong to.
func payloads(x *gwv1.HTTPRouteFilter) map[gwv1.HTTPRouteFilterType]bool {
	out := map[gwv1.HTTPRouteFilterType]bool{
		gwv1.HTTPRouteFilterRequestHeaderModifier: x.RequestHeaderModifier != nil, gwv1.HTTPRouteFilterResponseHeaderModifier: x.ResponseHeaderModifier != nil,
		gwv1.HTTPRouteFilterRequestMirror: x.RequestMirror != nil, gwv1.HTTPRouteFilterRequestRedirect: x.RequestRedirect != nil,
		gwv1.HTTPRouteFilterURLRewrite: x.URLRewrite != nil, gwv1.HTTPRouteFilterCORS: x.CORS != nil,
		gwv1.HTTPRouteFilterExternalAuth: x.ExternalAuth != nil, gwv1.HTTPRouteFilterExtensionRef: x.ExtensionRef != nil,
	}
	maps.DeleteFunc(out, func(_ gwv1.HTTPRouteFilterType, set bool) bool { return !set })
	return out
}

// asHTTPRefs likewise returns the backends of a GRPCRoute.
func asHTTPRefs(refs []gwv1.GRPCBackendRef) []gwv1.HTTPBackendRef {
	out := make([]gwv1.HTTPBackendRef, len(refs))
	for i, ref := range refs {
		out[i] = gwv1.HTTPBackendRef{BackendRef: ref.BackendRef, Filters: asHTTP(ref.Filters)}
	}
	return out
}

// httpFilters looks at the filters of a rule or of one backend, only at those of
// some types unless that is nil. prefixes says whether all matches of the rule
// are by prefixes of the path.
func (f *flaws) httpFilters(filters []gwv1.HTTPRouteFilter, only map[gwv1.HTTPRouteFilterType]bool, path string, prefixes bool) {
	seen := map[gwv1.HTTPRouteFilterType]bool{}
	for i := range filters {
		x, at := &filters[i], fmt.Sprintf("%s[%d]", path, i)
		if only != nil && !only[x.Type] {
			continue
		}
		f.httpFilter(x, at, prefixes)
		if seen[x.Type] && !repeatable[x.Type] {
			// "Specifying the same filter multiple times is not supported unless
			// explicitly indicated in the filter" (HTTPRouteRule.Filters).
			f.incompatible(at, "there are two filters %s", x.Type)
		}
		seen[x.Type] = true
	}
	if seen[gwv1.HTTPRouteFilterURLRewrite] && seen[gwv1.HTTPRouteFilterRequestRedirect] {
		// "… except for the URLRewrite and RequestRedirect filters, which may not
		// be combined" (HTTPRouteRule.Filters).
		f.incompatible(path, "a request is either redirected or rewritten")
	}
}

func (f *flaws) httpFilter(x *gwv1.HTTPRouteFilter, at string, prefixes bool) {
	set := payloads(x)
	switch {
	case !known[x.Type]:
		f.action(at, "the filter %s is not understood: its requests are answered with an error", x.Type)
		return
	case !set[x.Type] || len(set) > 1:
		f.action(at, "a filter %s has what belongs to this type, and nothing else", x.Type)
		return
	}
	switch x.Type {
	case gwv1.HTTPRouteFilterRequestHeaderModifier:
		f.headers(x.RequestHeaderModifier, at+".requestHeaderModifier")
	case gwv1.HTTPRouteFilterResponseHeaderModifier:
		f.headers(x.ResponseHeaderModifier, at+".responseHeaderModifier")
	case gwv1.HTTPRouteFilterRequestMirror:
		f.mirror(x.RequestMirror, at+".requestMirror")
	case gwv1.HTTPRouteFilterURLRewrite:
		f.precise(x.URLRewrite.Hostname, at+".urlRewrite.hostname")
		f.modifier(x.URLRewrite.Path, at+".urlRewrite.path", prefixes)
	case gwv1.HTTPRouteFilterRequestRedirect:
		r := x.RequestRedirect
		f.precise(r.Hostname, at+".requestRedirect.hostname")
		if s := value(r.Scheme, "http"); s != "http" && s != "https" {
			f.action(at+".requestRedirect.scheme", "requests are not redirected to %q", s)
		}
		if code := value(r.StatusCode, 302); !slices.Contains([]int{301, 302, 303, 307, 308}, code) {
			f.action(at+".requestRedirect.statusCode", "%d is no status of a redirect", code)
		}
		if p := value(r.Port, 1); p < 1 || p > 65535 {
			f.action(at+".requestRedirect.port", "%d is no port", p)
		}
		f.modifier(r.Path, at+".requestRedirect.path", prefixes)
	case gwv1.HTTPRouteFilterExternalAuth:
		if p := x.ExternalAuth.ExternalAuthProtocol; p != gwv1.HTTPRouteExternalAuthHTTPProtocol && p != gwv1.HTTPRouteExternalAuthGRPCProtocol {
			f.action(at+".externalAuth.protocol", "nobody is authorized by the protocol %q", p)
		}
	}
}

// precise: a host to go to is a name without a wildcard (PreciseHostname).
func (f *flaws) precise(h *gwv1.PreciseHostname, at string) {
	if h != nil && (!validHostname(string(*h)) || strings.HasPrefix(string(*h), "*")) {
		f.action(at, "%q is no host name", *h)
	}
}

// known are the types of filters that are carried out; ExtensionRef is none of
// them, for there are no extensions.
var known = map[gwv1.HTTPRouteFilterType]bool{
	gwv1.HTTPRouteFilterRequestHeaderModifier: true, gwv1.HTTPRouteFilterResponseHeaderModifier: true,
	gwv1.HTTPRouteFilterRequestMirror: true, gwv1.HTTPRouteFilterRequestRedirect: true,
	gwv1.HTTPRouteFilterURLRewrite: true, gwv1.HTTPRouteFilterCORS: true, gwv1.HTTPRouteFilterExternalAuth: true,
}

// headers: "Filters specifying multiple actions of the same or different type
// for any one header name are invalid" (HTTPHeaderFilter). Of several entries of
// one list the first is taken ([firstOf]).
func (f *flaws) headers(h *gwv1.HTTPHeaderFilter, at string) {
	actions := map[string]string{}
	check := func(list, name string) {
		k := canonical(name)
		switch other, taken := actions[k]; {
		case !token.MatchString(name):
			f.action(at+"."+list, "%q is no name of a header", name)
		case taken && other != list:
			f.action(at+"."+list, "the header %s is in %s, too", name, other)
		}
		actions[k] = list
	}
	for _, x := range h.Set {
		check("set", string(x.Name))
	}
	for _, x := range h.Add {
		check("add", string(x.Name))
	}
	for _, name := range h.Remove {
		check("remove", name)
	}
}

// mirror: "Only one of Fraction or Percent may be specified"; both are shares of
// the requests (HTTPRequestMirrorFilter).
func (f *flaws) mirror(m *gwv1.HTTPRequestMirrorFilter, at string) {
	if m.Percent != nil && m.Fraction != nil {
		f.action(at, "a mirror has a percentage or a fraction, not both")
	}
	if p := value(m.Percent, 0); p < 0 || p > 100 {
		f.action(at+".percent", "%d is no percentage", p)
	}
	if x := m.Fraction; x != nil {
		if d := value(x.Denominator, 100); x.Numerator < 0 || d < 1 || x.Numerator > d {
			f.action(at+".fraction", "%d/%d is no share of the requests", x.Numerator, d)
		}
	}
}

// modifier: "ReplacePrefixMatch is only compatible with a `PathPrefix`
// HTTPRouteMatch. Using any other HTTPRouteMatch type on the same HTTPRouteRule
// will result in the implementation setting the Accepted Condition for the Route
// to `status: False`" (HTTPPathModifier.ReplacePrefixMatch).
func (f *flaws) modifier(m *gwv1.HTTPPathModifier, at string, prefixes bool) {
	switch {
	case m == nil:
	case m.Type == gwv1.FullPathHTTPPathModifier:
		if m.ReplaceFullPath == nil || m.ReplacePrefixMatch != nil {
			f.action(at, "%s needs replaceFullPath alone", m.Type)
		}
	case m.Type == gwv1.PrefixMatchHTTPPathModifier:
		if m.ReplacePrefixMatch == nil || m.ReplaceFullPath != nil {
			f.action(at, "%s needs replacePrefixMatch alone", m.Type)
		}
		if !prefixes {
			f.action(at, "no prefix can be replaced, for not all matches of the rule are by a prefix")
		}
	default:
		f.action(at+".type", "paths are not changed by %s", m.Type)
	}
}

// gatewayDuration is a subset of what Go parses (GEP-2257).
var gatewayDuration = regexp.MustCompile(`^([0-9]{1,5}(h|m|s|ms)){1,4}$`)

func (f *flaws) duration(d *gwv1.Duration, at string) time.Duration {
	if d != nil && !gatewayDuration.MatchString(string(*d)) {
		f.action(at, "%q is no duration", *d)
	}
	return duration(d)
}

func (f *flaws) session(s *gwv1.SessionPersistence, at string) {
	if s == nil {
		return
	}
	if t := value(s.Type, gwv1.CookieBasedSessionPersistence); t != gwv1.CookieBasedSessionPersistence && t != gwv1.HeaderBasedSessionPersistence {
		f.action(at+".type", "no sessions are kept by %s", t)
	}
	f.duration(s.AbsoluteTimeout, at+".absoluteTimeout")
	if permanent(s) && s.AbsoluteTimeout == nil {
		// "When set to "Permanent", AbsoluteTimeout indicates the cookie's
		// lifetime via the Expires or Max-Age cookie attributes and is required"
		// (CookieConfig.LifetimeType).
		f.action(at+".absoluteTimeout", "a permanent cookie has a lifetime")
	}
}

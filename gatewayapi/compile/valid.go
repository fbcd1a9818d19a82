package compile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// flaws are what makes a rule of a route invalid, whatever its parents. Values
// that a later release may bring, or that only a file can hold, are among them:
// "Unknown values here must result in the implementation setting the Accepted
// Condition for the Route to `status: False`, with a Reason of
// `UnsupportedValue`" (PathMatchType, HeaderMatchType, QueryParamMatchType,
// HTTPMethod, HTTPRouteFilter.Type, HTTPPathModifier.Type,
// HTTPRequestRedirectFilter.Scheme and StatusCode, GRPCHeaderMatchType).
type flaws struct {
	c     *compiler
	route routing.ObjectRef
	// unmatched says that it is unknown which requests the rule is for: it is
	// dropped (RouteConditionPartiallyInvalid, "Drop Rule(s)").
	unmatched bool
	// refused says that it is unknown what to do with them: they are answered
	// with an error. "The filter MUST NOT be skipped. Instead, requests that
	// would have been processed by that filter MUST receive a HTTP error
	// response" (HTTPRouteFilter.Type).
	refused bool
}

// check looks at every rule of a route. valid is false when there are rules and
// none is valid: "If all Route Rules in a Route are invalid, the entire Route
// would be considered invalid" (HTTPRouteRule.Filters).
func check[R any](rules []R, look func(rule *R, path string) flaws) (out []flaws, valid bool) {
	valid = len(rules) == 0
	for i := range rules {
		f := look(&rules[i], fmt.Sprintf("spec.rules[%d]", i))
		out = append(out, f)
		valid = valid || !f.any()
	}
	return out, valid
}

// settle returns what a rule does: an answer of 500 where that is unknown.
func (f *flaws) settle(a *routing.Action) *routing.Action {
	if !f.refused {
		return a
	}
	return &routing.Action{Respond: &routing.Response{Status: 500}}
}

func (f *flaws) any() bool { return f.unmatched || f.refused }

func (f *flaws) match(path, format string, args ...any) {
	f.unmatched = true
	f.c.problem(f.route, path, "Accepted", "UnsupportedValue", fmt.Sprintf(format, args...))
}

func (f *flaws) action(path, format string, args ...any) {
	f.refused = true
	f.c.problem(f.route, path, "Accepted", "UnsupportedValue", fmt.Sprintf(format, args...))
}

// incompatible is for filters that exclude each other
// (RouteReasonIncompatibleFilters).
func (f *flaws) incompatible(path, format string, args ...any) {
	f.refused = true
	f.c.problem(f.route, path, "Accepted", "IncompatibleFilters", fmt.Sprintf(format, args...))
}

// httpFlaws looks at a rule of an HTTPRoute.
func (c *compiler) httpFlaws(ref routing.ObjectRef, r *gwv1.HTTPRouteRule, path string) flaws {
	f := flaws{c: c, route: ref}
	prefixes := true // every match is by a prefix
	for i := range r.Matches {
		m, at := &r.Matches[i], fmt.Sprintf("%s.matches[%d]", path, i)
		f.httpMatch(m, at)
		if m.Path != nil && value(m.Path.Type, gwv1.PathMatchPathPrefix) != gwv1.PathMatchPathPrefix {
			prefixes = false
		}
	}
	f.httpFilters(r.Filters, nil, path+".filters", prefixes)
	f.backendRefs(r.BackendRefs, path, prefixes)
	if t := r.Timeouts; t != nil {
		whole, one := f.duration(t.Request, path+".timeouts.request"), f.duration(t.BackendRequest, path+".timeouts.backendRequest")
		if whole > 0 && one > whole {
			f.action(path+".timeouts.backendRequest", "the timeout %s of one request to a backend is longer than the %s of the whole", one, whole)
		}
	}
	if t := r.Retry; t != nil {
		f.duration(t.Backoff, path+".retry.backoff")
		if value(t.Attempts, 0) < 0 {
			f.action(path+".retry.attempts", "%d is no number of attempts", *t.Attempts)
		}
		for i, code := range t.Codes {
			if code < 400 || code > 599 {
				f.action(fmt.Sprintf("%s.retry.codes[%d]", path, i), "%d is no status of an error", code)
			}
		}
	}
	f.session(r.SessionPersistence, path+".sessionPersistence")
	return f
}

// grpcFlaws looks at a rule of a GRPCRoute.
func (c *compiler) grpcFlaws(ref routing.ObjectRef, r *gwv1.GRPCRouteRule, path string) flaws {
	f := flaws{c: c, route: ref}
	for i := range r.Matches {
		f.grpcMatch(&r.Matches[i], fmt.Sprintf("%s.matches[%d]", path, i))
	}
	f.httpFilters(asHTTP(r.Filters), nil, path+".filters", false)
	f.backendRefs(asHTTPRefs(r.BackendRefs), path, false)
	f.session(r.SessionPersistence, path+".sessionPersistence")
	return f
}

// backendRefs looks at the backends of a rule. Filters that are not carried out
// for one backend make that backend invalid, not the rule.
func (f *flaws) backendRefs(refs []gwv1.HTTPBackendRef, path string, prefixes bool) {
	for i := range refs {
		at := fmt.Sprintf("%s.backendRefs[%d]", path, i)
		f.weight(refs[i].Weight, at)
		f.httpFilters(refs[i].Filters, ofBackends, at+".filters", prefixes)
	}
}

// methods of HTTPMethod; "the value is expected in upper case".
var methods = []gwv1.HTTPMethod{
	gwv1.HTTPMethodGet, gwv1.HTTPMethodHead, gwv1.HTTPMethodPost, gwv1.HTTPMethodPut, gwv1.HTTPMethodDelete,
	gwv1.HTTPMethodConnect, gwv1.HTTPMethodOptions, gwv1.HTTPMethodTrace, gwv1.HTTPMethodPatch,
}

func (f *flaws) httpMatch(m *gwv1.HTTPRouteMatch, at string) {
	if p := m.Path; p != nil {
		switch v := value(p.Value, "/"); value(p.Type, gwv1.PathMatchPathPrefix) {
		case gwv1.PathMatchExact, gwv1.PathMatchPathPrefix:
			// "Must begin with the `/` character. Must not contain consecutive
			// `/` characters" (PathMatchType).
			if !strings.HasPrefix(v, "/") || strings.Contains(v, "//") {
				f.match(at+".path.value", "%q is no path: it begins with one / and has no two in a row", v)
			}
		case gwv1.PathMatchRegularExpression:
			f.regex(v, at+".path.value")
		default:
			f.match(at+".path.type", "paths are not matched by %s", *p.Type)
		}
	}
	if m.Method != nil && !slices.Contains(methods, *m.Method) {
		f.match(at+".method", "%q is none of the methods of HTTP", *m.Method)
	}
	for i, h := range m.Headers {
		f.valueMatch("headers", string(h.Name), string(value(h.Type, gwv1.HeaderMatchExact)), h.Value, fmt.Sprintf("%s.headers[%d]", at, i))
	}
	for i, q := range m.QueryParams {
		f.valueMatch("query parameters", string(q.Name), string(value(q.Type, gwv1.QueryParamMatchExact)), q.Value, fmt.Sprintf("%s.queryParams[%d]", at, i))
	}
}

func (f *flaws) grpcMatch(m *gwv1.GRPCRouteMatch, at string) {
	if x := m.Method; x != nil {
		service, method := value(x.Service, ""), value(x.Method, "")
		switch kind := value(x.Type, gwv1.GRPCMethodMatchExact); {
		case service == "" && method == "":
			// "At least one of Service and Method MUST be a non-empty string."
			f.match(at+".method", "the match names neither a service nor a method")
		case kind == gwv1.GRPCMethodMatchExact:
			if strings.Contains(service+method, "/") { // "Must not contain `/` character" (GRPCMethodMatchType)
				f.match(at+".method", "%q and %q are no names of a service and a method", service, method)
			}
		case kind == gwv1.GRPCMethodMatchRegularExpression:
			f.regex(service, at+".method.service")
			f.regex(method, at+".method.method")
		default:
			f.match(at+".method.type", "methods are not matched by %s", kind)
		}
	}
	for i, h := range m.Headers {
		f.valueMatch("headers", string(h.Name), string(value(h.Type, gwv1.GRPCHeaderMatchExact)), h.Value, fmt.Sprintf("%s.headers[%d]", at, i))
	}
}

// token is the name of a header or of a query parameter (HTTPHeaderName):
// `":method" - ":" is an invalid character. This means that HTTP/2 pseudo
// headers are not currently supported by this type`.
var token = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$")

func (f *flaws) valueMatch(what, name, kind, value, at string) {
	if !token.MatchString(name) {
		f.match(at+".name", "%q is not allowed among the names of %s", name, what)
	}
	switch kind {
	case string(gwv1.HeaderMatchExact):
	case string(gwv1.HeaderMatchRegularExpression):
		f.regex(value, at+".value")
	default:
		f.match(at+".type", "%s are not matched by %s", what, kind)
	}
}

func (f *flaws) regex(pattern, at string) {
	if err := routing.CheckRegex(pattern); err != nil {
		f.match(at, "this is no regular expression: %v", err)
	}
}

func (f *flaws) weight(w *int32, at string) {
	if value(w, 1) < 0 {
		f.action(at+".weight", "a weight is not negative, as %d is", *w)
	}
}

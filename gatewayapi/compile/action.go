package compile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// actionBuilder reads what a rule does.
type actionBuilder struct {
	c     *compiler
	route routing.ObjectRef
	path  string // of the rule
	mesh  bool   // for places of Services, or for a route of none without any place
}

// action is one for some of a route's places.
type action struct {
	*routing.Action
	places []attached
}

// actions builds the action of a rule: one for places of Gateways and one for
// those of Services, as the two differ in which references are allowed. What
// keeps both from working is told once. A route without any place has references
// all the same: "In all cases, the implementation MUST ensure the `ResolvedRefs`
// Condition on the Route is set to `status: False`" (HTTPBackendRef.BackendRef).
func (b actionBuilder) actions(places []attached, build func(*actionBuilder) *routing.Action) []action {
	var out []action
	c, first := b.c, len(b.c.result.Problems)
	if len(places) == 0 {
		build(&b)
		return nil
	}
	for _, b.mesh = range []bool{false, true} {
		here := slices.DeleteFunc(slices.Clone(places), func(a attached) bool { return a.place.mesh() != b.mesh })
		if len(here) == 0 {
			continue
		}
		from := len(c.result.Problems)
		a := action{build(&b), here}
		told, again := c.result.Problems[first:from], c.result.Problems[from:]
		again = slices.DeleteFunc(again, func(p Problem) bool { return slices.Contains(told, p) })
		c.result.Problems = append(c.result.Problems[:from], again...)
		c.uses(here, a.Action)
		out = append(out, a)
	}
	return out
}

func (b *actionBuilder) http(r *gwv1.HTTPRouteRule) *routing.Action {
	a := &routing.Action{}
	for i, f := range r.Filters {
		b.filter(a, f, fmt.Sprintf("%s.filters[%d]", b.path, i))
	}
	b.backendRefs(a, r.BackendRefs)
	if t := r.Timeouts; t != nil {
		a.Timeouts.Request, a.Timeouts.BackendRequest = duration(t.Request), duration(t.BackendRequest)
	}
	if r.Retry != nil {
		a.Retry = &routing.Retry{Attempts: value(r.Retry.Attempts, defaultAttempts), Backoff: duration(r.Retry.Backoff)}
		for _, code := range r.Retry.Codes {
			a.Retry.On = append(a.Retry.On, strconv.Itoa(int(code)))
		}
	}
	a.Affinity = b.affinity(r.SessionPersistence)
	return a
}

func (b *actionBuilder) grpc(r *gwv1.GRPCRouteRule) *routing.Action {
	a := &routing.Action{}
	for i, f := range asHTTP(r.Filters) {
		b.filter(a, f, fmt.Sprintf("%s.filters[%d]", b.path, i))
	}
	b.backendRefs(a, asHTTPRefs(r.BackendRefs))
	a.Affinity = b.affinity(r.SessionPersistence)
	return a
}

func (b *actionBuilder) backendRefs(a *routing.Action, refs []gwv1.HTTPBackendRef) {
	for i, ref := range refs {
		path := fmt.Sprintf("%s.backendRefs[%d]", b.path, i)
		x := b.backend(ref.BackendRef, path)
		b.ofBackend(&x, ref.Filters, path)
		a.Backends = append(a.Backends, x)
	}
}

// ofBackend reads the filters of one backend, which "MUST be executed if and only
// if the request is being forwarded to the backend defined here"
// (GRPCBackendRef.Filters, HTTPBackendRef.Filters). A backend with one that is
// not understood gets nothing.
func (b *actionBuilder) ofBackend(x *routing.Backend, filters []gwv1.HTTPRouteFilter, path string) {
	for i, f := range filters {
		switch {
		case !ofBackends[f.Type]:
			x.Invalid = fmt.Sprintf("the filter %s of a backend is not understood", f.Type)
			b.c.problem(b.route, fmt.Sprintf("%s.filters[%d]", path, i), "Accepted", "UnsupportedValue", x.Invalid)
		case f.RequestHeaderModifier != nil:
			change(&x.RequestHeaders, f.RequestHeaderModifier)
		case f.ResponseHeaderModifier != nil:
			change(&x.ResponseHeaders, f.ResponseHeaderModifier)
		case f.URLRewrite != nil:
			x.Rewrite = rewrite(f.URLRewrite)
		}
	}
}

// filter reads a filter of a rule; [flaws] has those that are not understood.
func (b *actionBuilder) filter(a *routing.Action, f gwv1.HTTPRouteFilter, path string) {
	switch {
	case f.RequestHeaderModifier != nil:
		change(&a.RequestHeaders, f.RequestHeaderModifier)
	case f.ResponseHeaderModifier != nil:
		change(&a.ResponseHeaders, f.ResponseHeaderModifier)
	case f.RequestRedirect != nil:
		r := f.RequestRedirect
		a.Redirect = &routing.Redirect{Code: value(r.StatusCode, 302), Scheme: value(r.Scheme, ""), Host: string(value(r.Hostname, "")), Port: int(value(r.Port, 0)), Path: modifier(r.Path)}
	case f.URLRewrite != nil:
		a.Rewrite = rewrite(f.URLRewrite)
	case f.RequestMirror != nil:
		b.mirror(a, f.RequestMirror, path)
	case f.CORS != nil:
		a.CORS = cors(f.CORS)
	case f.ExternalAuth != nil:
		b.externalAuth(a, f.ExternalAuth, path)
	}
}

func (b *actionBuilder) externalAuth(a *routing.Action, f *gwv1.HTTPExternalAuthFilter, path string) {
	x := b.backend(gwv1.BackendRef{BackendObjectReference: f.BackendRef}, path+".externalAuth.backendRef")
	if x.Invalid != "" {
		a.Respond = &routing.Response{Status: 500}
		return
	}
	d := map[string]string{"backend": x.Key(), "protocol": string(f.ExternalAuthProtocol)}
	list := func(key string, names []string) {
		if len(names) > 0 {
			d[key] = strings.Join(names, ",")
		}
	}
	if h := f.HTTPAuthConfig; h != nil {
		d["path"], d["responseHeaders"] = h.Path, strings.Join(h.AllowedResponseHeaders, ",")
		list("requestHeaders", h.AllowedRequestHeaders)
	}
	if g := f.GRPCAuthConfig; g != nil {
		list("requestHeaders", g.AllowedRequestHeaders)
	}
	if x := f.ForwardBody; x != nil && x.MaxSize > 0 {
		d["bodySize"] = strconv.Itoa(int(x.MaxSize))
	}
	a.Guards = append(a.Guards, routing.Guard{Kind: routing.GuardAuthURL, Detail: d, Origin: b.c.origin(b.route, path)})
}

func (b *actionBuilder) mirror(a *routing.Action, f *gwv1.HTTPRequestMirrorFilter, path string) {
	m := routing.Mirror{Backend: b.backend(gwv1.BackendRef{BackendObjectReference: f.BackendRef}, path+".requestMirror.backendRef"), Percent: 100}
	switch {
	case f.Percent != nil:
		m.Percent = float64(*f.Percent)
	case f.Fraction != nil:
		m.Percent = 100 * float64(f.Fraction.Numerator) / float64(max(value(f.Fraction.Denominator, 100), 1))
	}
	if m.Backend.Invalid == "" { // an unresolved mirror is left out (HTTPRequestMirrorFilter.BackendRef)
		a.Mirrors = append(a.Mirrors, m)
	}
}

func rewrite(f *gwv1.HTTPURLRewriteFilter) *routing.Rewrite {
	return &routing.Rewrite{Host: string(value(f.Hostname, "")), Path: modifier(f.Path)}
}

func modifier(m *gwv1.HTTPPathModifier) *routing.PathRewrite {
	switch {
	case m == nil:
		return nil
	case m.Type == gwv1.PrefixMatchHTTPPathModifier:
		return &routing.PathRewrite{Kind: routing.ReplacePrefix, Value: value(m.ReplacePrefixMatch, "")}
	}
	return &routing.PathRewrite{Kind: routing.ReplaceFull, Value: value(m.ReplaceFullPath, "")}
}

// change adds a header modifier to what earlier filters do.
func change(h *routing.HeaderChange, f *gwv1.HTTPHeaderFilter) {
	h.Set = append(h.Set, firstOf(f.Set)...)
	h.Add = append(h.Add, firstOf(f.Add)...)
	h.Remove = append(h.Remove, f.Remove...)
}

// firstOf returns the headers of a list, each name once: "If multiple entries
// specify equivalent header names, the first entry with an equivalent name MUST
// be considered for a match. Subsequent entries with an equivalent header name
// MUST be ignored" (HTTPHeader.Name).
func firstOf(list []gwv1.HTTPHeader) []routing.Header {
	var out []routing.Header
	seen := map[string]bool{}
	for _, x := range list {
		if k := canonical(string(x.Name)); !seen[k] {
			seen[k] = true
			out = append(out, routing.Header{Name: string(x.Name), Value: x.Value})
		}
	}
	return out
}

// defaultAttempts is the API's default since v1.7, and what implementations choose
// before (HTTPRouteRetry.Attempts).
const defaultAttempts = 1

// defaultMaxAge: "When the `MaxAge` field is unspecified, the gateway sets the
// response header "Access-Control-Max-Age: 5" by default" (HTTPCORSFilter.MaxAge).
const defaultMaxAge = 5

func cors(f *gwv1.HTTPCORSFilter) *routing.CORS {
	age := f.MaxAge
	if age == 0 {
		age = defaultMaxAge
	}
	out := &routing.CORS{AllowCredentials: value(f.AllowCredentials, false), MaxAge: time.Duration(age) * time.Second, AnyLabels: true, AnswerAll: true}
	for _, x := range f.AllowOrigins {
		out.AllowOrigins = append(out.AllowOrigins, string(x))
	}
	for _, x := range f.AllowMethods {
		out.AllowMethods = append(out.AllowMethods, string(x))
	}
	for _, x := range f.AllowHeaders {
		out.AllowHeaders = append(out.AllowHeaders, string(x))
	}
	for _, x := range f.ExposeHeaders {
		out.ExposeHeaders = append(out.ExposeHeaders, string(x))
	}
	return out
}

// affinity: "If `LifetimeType` is `Session`, `AbsoluteTimeout` MUST regulate the
// cookie's lifespan through a different mechanism" than its attributes (GEP-1619,
// Cookie Attributes); there is none here.
func (b *actionBuilder) affinity(s *gwv1.SessionPersistence) *routing.Affinity {
	if s == nil {
		return nil
	}
	a := &routing.Affinity{Kind: "cookie", Name: value(s.SessionName, ""), Path: b.c.in.cookiePaths[s]}
	if value(s.Type, gwv1.CookieBasedSessionPersistence) == gwv1.HeaderBasedSessionPersistence {
		a.Kind = "header"
	}
	if permanent(s) {
		a.MaxAge = duration(s.AbsoluteTimeout)
	}
	return a
}

func permanent(s *gwv1.SessionPersistence) bool {
	return s.CookieConfig != nil && value(s.CookieConfig.LifetimeType, gwv1.SessionCookieLifetimeType) == gwv1.PermanentCookieLifetimeType
}

func duration(d *gwv1.Duration) time.Duration {
	if d == nil {
		return 0
	}
	x, err := time.ParseDuration(string(*d))
	if err != nil {
		return 0
	}
	return x
}

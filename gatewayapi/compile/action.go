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
	mesh  bool   // for places of Services
}

// action is one for some of a route's places.
type action struct {
	*routing.Action
	places []attached
}

// actions builds the action of a rule: one for places of Gateways and one for
// those of Services, as the two differ in which references are allowed. What
// keeps both from working is told once.
func (b actionBuilder) actions(places []attached, build func(*actionBuilder) *routing.Action) []action {
	var out []action
	c, first := b.c, len(b.c.result.Problems)
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
	for i, ref := range r.BackendRefs {
		path := fmt.Sprintf("%s.backendRefs[%d]", b.path, i)
		x := b.backend(ref.BackendRef, path)
		for j, f := range ref.Filters {
			switch {
			case f.RequestHeaderModifier != nil:
				change(&x.RequestHeaders, f.RequestHeaderModifier)
			case f.ResponseHeaderModifier != nil:
				change(&x.ResponseHeaders, f.ResponseHeaderModifier)
			case f.URLRewrite != nil:
				x.Rewrite = rewrite(f.URLRewrite)
			default:
				x.Invalid = fmt.Sprintf("the filter %s of a backend is not understood", f.Type)
				b.c.problem(b.route, fmt.Sprintf("%s.filters[%d]", path, j), "Accepted", "UnsupportedValue", x.Invalid)
			}
		}
		a.Backends = append(a.Backends, x)
	}
	if t := r.Timeouts; t != nil {
		a.Timeouts.Request, a.Timeouts.BackendRequest = duration(t.Request), duration(t.BackendRequest)
	}
	if r.Retry != nil {
		a.Retry = &routing.Retry{Attempts: value(r.Retry.Attempts, 0), Backoff: duration(r.Retry.Backoff)}
		for _, code := range r.Retry.Codes {
			a.Retry.On = append(a.Retry.On, strconv.Itoa(int(code)))
		}
	}
	a.Affinity = affinity(r.SessionPersistence)
	return a
}

func (b *actionBuilder) grpc(r *gwv1.GRPCRouteRule) *routing.Action {
	a := &routing.Action{}
	for i, f := range r.Filters {
		path := fmt.Sprintf("%s.filters[%d]", b.path, i)
		switch {
		case f.RequestHeaderModifier != nil:
			change(&a.RequestHeaders, f.RequestHeaderModifier)
		case f.ResponseHeaderModifier != nil:
			change(&a.ResponseHeaders, f.ResponseHeaderModifier)
		case f.RequestMirror != nil:
			b.mirror(a, f.RequestMirror, path)
		default:
			b.unknownFilter(a, string(f.Type), path)
		}
	}
	for i, ref := range r.BackendRefs {
		a.Backends = append(a.Backends, b.backend(ref.BackendRef, fmt.Sprintf("%s.backendRefs[%d]", b.path, i)))
	}
	a.Affinity = affinity(r.SessionPersistence)
	return a
}

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
	default:
		b.unknownFilter(a, string(f.Type), path)
	}
}

// unknownFilter: "If a reference to a custom filter type cannot be resolved, the
// filter MUST NOT be skipped. Instead, requests that would have been processed
// by that filter MUST receive a HTTP error response" (HTTPRouteRule.Filters).
func (b *actionBuilder) unknownFilter(a *routing.Action, kind, path string) {
	a.Respond = &routing.Response{Status: 500}
	b.c.problem(b.route, path, "Accepted", "UnsupportedValue", "the filter "+kind+" is not understood: its requests are answered with an error")
}

func (b *actionBuilder) externalAuth(a *routing.Action, f *gwv1.HTTPExternalAuthFilter, path string) {
	x := b.backend(gwv1.BackendRef{BackendObjectReference: f.BackendRef}, path+".externalAuth.backendRef")
	if x.Invalid != "" {
		a.Respond = &routing.Response{Status: 500}
		return
	}
	d := map[string]string{"backend": x.Key(), "protocol": string(f.ExternalAuthProtocol)}
	if h := f.HTTPAuthConfig; h != nil {
		d["path"], d["responseHeaders"] = h.Path, strings.Join(h.AllowedResponseHeaders, ",")
	}
	a.Guards = append(a.Guards, routing.Guard{Kind: routing.GuardAuthURL, Detail: d, Origin: b.c.origin(b.route, path)})
}

func (b *actionBuilder) mirror(a *routing.Action, f *gwv1.HTTPRequestMirrorFilter, path string) {
	m := routing.Mirror{Backend: b.backend(gwv1.BackendRef{BackendObjectReference: f.BackendRef}, path+".requestMirror.backendRef"), Percent: 100}
	switch {
	case f.Percent != nil:
		m.Percent = float64(*f.Percent)
	case f.Fraction != nil:
		m.Percent = 100 * float64(f.Fraction.Numerator) / float64(value(f.Fraction.Denominator, 100))
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
	for _, x := range f.Set {
		h.Set = append(h.Set, routing.Header{Name: string(x.Name), Value: x.Value})
	}
	for _, x := range f.Add {
		h.Add = append(h.Add, routing.Header{Name: string(x.Name), Value: x.Value})
	}
	h.Remove = append(h.Remove, f.Remove...)
}

func cors(f *gwv1.HTTPCORSFilter) *routing.CORS {
	out := &routing.CORS{AllowCredentials: value(f.AllowCredentials, false), MaxAge: time.Duration(f.MaxAge) * time.Second, AnyLabels: true, AnswerAll: true}
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

func affinity(s *gwv1.SessionPersistence) *routing.Affinity {
	if s == nil {
		return nil
	}
	a := &routing.Affinity{Kind: "cookie", Name: value(s.SessionName, "")}
	if value(s.Type, gwv1.CookieBasedSessionPersistence) == gwv1.HeaderBasedSessionPersistence {
		a.Kind = "header"
	}
	a.MaxAge = duration(s.AbsoluteTimeout)
	return a
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

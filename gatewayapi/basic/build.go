package emit

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// build writes one rule. What cannot be written closes the rule: it keeps its
// matches and has no backend, which the API answers with 500 for all its
// traffic (HTTPRouteRule.backendRefs), so that no broader rule takes requests
// that were guarded or changed here.
func (e *emitter) build(r *routing.Rule, regex bool) (built, bool) {
	b := built{from: r}
	m := gatewayv1.HTTPRouteMatch{}
	path, ok := pathMatch(&r.Match.Path, regex)
	if !ok {
		e.note(Note{Rule: r, Feature: "path", Fate: Lost, Closed: true, Message: "the path cannot be written as a Gateway API match: " + clip(r.Match.Path.Value),
			Remedy: "rewrite the pattern within RE2 and 1024 characters"})
		return b, false
	}
	m.Path = path
	b.path = string(*path.Type) + *path.Value
	headers, ok := headerMatches(r.Match.Headers)
	if !ok || len(r.Match.Query) > 0 || r.Match.Client.Namespace != "" || len(r.Match.Client.Labels) > 0 {
		e.note(Note{Rule: r, Feature: "headers", Fate: Lost, Closed: true, Message: "a condition of this rule cannot be written as a Gateway API match", Remedy: "split the rule by hand"})
		return b, false
	}
	m.Headers = headers
	if r.Match.Method != "" {
		m.Method = ptr(gatewayv1.HTTPMethod(r.Match.Method))
	}
	b.rule.Matches = []gatewayv1.HTTPRouteMatch{m}
	a := r.Action
	if a.Redirect == nil && !e.AllowUnguarded {
		if g := blocking(a.Guards); g != nil {
			for i := range a.Guards {
				e.guardNote(r, &a.Guards[i], a.Guards[i].Access())
			}
			return b, true
		}
	}
	for i := range a.Guards {
		e.guardNote(r, &a.Guards[i], false)
	}
	if a.Respond != nil {
		if a.Respond.Status != 404 {
			e.note(Note{Rule: r, Feature: "respond", Fate: Approximated, Closed: a.Respond.Status == 503, Remedy: "correct the source if these paths should be served",
				Message: fmt.Sprintf("the source answers %d here; the rule has no backend, which answers 500", a.Respond.Status)})
		}
		return b, true
	}
	if !e.filters(&b, r, &m) {
		return b, true
	}
	if a.Redirect == nil {
		e.backends(&b, r)
		e.policies(&b, r)
	}
	return b, true
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

func blocking(gs []routing.Guard) *routing.Guard {
	for i := range gs {
		if gs[i].Access() {
			return &gs[i]
		}
	}
	return nil
}

func (e *emitter) guardNote(r *routing.Rule, g *routing.Guard, closed bool) {
	n := Note{Rule: r, Origin: r.Origin, Feature: Feature("guard:" + g.Kind), Fate: NeedsExtension, Closed: closed}
	switch {
	case closed:
		n.Message = "the standard has no " + g.Kind + " policy; the route is closed so that it does not open"
		n.Remedy = "set the implementation's own policy for it on the route, then add the backend; or give --allow-unguarded"
	case g.Access():
		n.Message, n.Remedy = "the route is OPEN: "+g.Kind+" is not carried over (--allow-unguarded)", "set the implementation's own policy before traffic arrives"
	default:
		n.Message, n.Remedy = "the standard has no "+g.Kind+" policy; the route works without the limit", "set the implementation's own policy"
	}
	e.note(n)
}

// filters writes redirect, rewrite, headers, CORS and mirrors; false closes
// the rule.
func (e *emitter) filters(b *built, r *routing.Rule, m *gatewayv1.HTTPRouteMatch) bool {
	a := r.Action
	var fs []gatewayv1.HTTPRouteFilter
	if a.CORS != nil {
		if e.Version.AtLeast("v1.5") || e.Channel == gatewayapi.Experimental {
			fs = append(fs, gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterCORS, CORS: e.cors(r)})
		} else {
			e.note(Note{Rule: r, Feature: "cors", Fate: Lost, Message: "the CORS filter is not in the standard channel of this release", Remedy: "write for Gateway API v1.5 or later"})
		}
	}
	if a.Redirect != nil {
		f, ok := e.redirect(r)
		if !ok {
			return false
		}
		b.rule.Filters = append(fs, f)
		return true
	}
	if a.Rewrite != nil {
		f, ok := e.rewrite(r, m)
		if !ok {
			return false
		}
		b.rule.Matches[0] = *m
		if m.Path != nil {
			b.path = string(*m.Path.Type) + *m.Path.Value
		}
		fs = append(fs, f)
	}
	if !a.RequestHeaders.Empty() {
		fs = append(fs, gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: modifier(a.RequestHeaders)})
	}
	if !a.ResponseHeaders.Empty() {
		fs = append(fs, gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: modifier(a.ResponseHeaders)})
	}
	for i := range a.Mirrors {
		mi := &a.Mirrors[i]
		if mi.Backend.Name == "" || mi.Host != "" {
			e.note(Note{Rule: r, Feature: "mirror", Fate: Lost, Message: "the mirror's target or host header cannot be expressed", Remedy: "mirror to a Service of the cluster"})
			continue
		}
		e.note(Note{Rule: r, Feature: "mirror", Fate: Approximated, Message: "the copy carries the host header of the request and the rewritten path"})
		fs = append(fs, gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterRequestMirror, RequestMirror: &gatewayv1.HTTPRequestMirrorFilter{BackendRef: e.backendRef(r, &mi.Backend).BackendObjectReference}})
	}
	b.rule.Filters = fs
	return true
}

func modifier(h routing.HeaderChange) *gatewayv1.HTTPHeaderFilter {
	f := &gatewayv1.HTTPHeaderFilter{Remove: h.Remove}
	for _, x := range h.Set {
		f.Set = append(f.Set, gatewayv1.HTTPHeader{Name: gatewayv1.HTTPHeaderName(x.Name), Value: x.Value})
	}
	for _, x := range h.Add {
		f.Add = append(f.Add, gatewayv1.HTTPHeader{Name: gatewayv1.HTTPHeaderName(x.Name), Value: x.Value})
	}
	return f
}

func (e *emitter) cors(r *routing.Rule) *gatewayv1.HTTPCORSFilter {
	c := r.Action.CORS
	f := &gatewayv1.HTTPCORSFilter{MaxAge: int32(c.MaxAge / time.Second)}
	for _, o := range c.AllowOrigins {
		f.AllowOrigins = append(f.AllowOrigins, gatewayv1.CORSOrigin(o))
	}
	for _, x := range c.AllowMethods {
		f.AllowMethods = append(f.AllowMethods, gatewayv1.HTTPMethodWithWildcard(x))
	}
	for _, x := range c.AllowHeaders {
		f.AllowHeaders = append(f.AllowHeaders, gatewayv1.HTTPHeaderName(x))
	}
	for _, x := range c.ExposeHeaders {
		f.ExposeHeaders = append(f.ExposeHeaders, gatewayv1.HTTPHeaderName(x))
	}
	if c.AllowCredentials {
		f.AllowCredentials = ptr(true)
	}
	if c.AnyOptions {
		e.note(Note{Rule: r, Feature: "cors", Fate: Approximated, Message: "the source answers every OPTIONS request of an allowed origin itself; a Gateway answers preflights only"})
	}
	return f
}

var redirectCodes = map[int]bool{301: true, 302: true, 303: true, 307: true, 308: true}

// olderCodes are what Gateway API v1.4 can write: 303, 307 and 308 came with
// v1.5 (config/crd of both releases). The nearest code of the same permanence
// may change the method of the request.
var olderCodes = map[int]int{301: 301, 302: 302, 303: 302, 307: 302, 308: 301}

// redirect writes a RequestRedirect filter.
func (e *emitter) redirect(r *routing.Rule) (gatewayv1.HTTPRouteFilter, bool) {
	d := r.Action.Redirect
	f := &gatewayv1.HTTPRequestRedirectFilter{StatusCode: ptr(d.Code)}
	approximate := func(s string) { e.note(Note{Rule: r, Feature: "redirect", Fate: Approximated, Message: s}) }
	fail := func(s string) (gatewayv1.HTTPRouteFilter, bool) {
		e.note(Note{Rule: r, Feature: "redirect", Fate: Lost, Closed: true, Message: s, Remedy: "answer these paths from a small service of your own"})
		return gatewayv1.HTTPRouteFilter{}, false
	}
	if !redirectCodes[d.Code] {
		return fail(fmt.Sprintf("a redirect with status %d cannot be written", d.Code))
	}
	if code := olderCodes[d.Code]; !e.Version.AtLeast("v1.5") && code != d.Code {
		f.StatusCode = &code
		approximate(fmt.Sprintf("status %d is written as %d, which lets clients turn POST into GET; Gateway API v1.5 can write %d", d.Code, code, d.Code))
	}
	if d.Location != "" {
		u, err := url.Parse(d.Location)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(d.Location, "$") || u.Scheme != "http" && u.Scheme != "https" {
			return fail("the redirect target cannot be written: " + clip(d.Location))
		}
		path := u.EscapedPath()
		if path == "" {
			path = "/"
		}
		f.Scheme, f.Hostname = ptr(u.Scheme), ptr(gatewayv1.PreciseHostname(u.Hostname()))
		if p := portOf(u); p != 0 {
			f.Port = ptr(p)
		}
		f.Path = &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: &path}
		approximate("the source drops the query string of the request; a Gateway keeps it")
		return gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: f}, true
	}
	if d.Scheme != "" {
		f.Scheme = ptr(d.Scheme)
	}
	if d.Host != "" {
		f.Hostname = ptr(gatewayv1.PreciseHostname(d.Host))
	}
	if d.Path != nil {
		path, _, _ := strings.Cut(d.Path.Value, "?")
		f.Path = &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: &path}
	}
	if d.TrimSlash {
		approximate("the source cuts one trailing slash off the redirected URL; a Gateway keeps it")
	}
	if d.StripQuery {
		approximate("the source drops the query string of the request; a Gateway keeps it")
	}
	if d.Relative {
		approximate("the source writes a relative Location; a Gateway writes an absolute one")
	}
	return gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: f}, true
}

func portOf(u *url.URL) int32 {
	var p int32
	if _, err := fmt.Sscanf(u.Port(), "%d", &p); err != nil || p < 1 || p > 65535 {
		return 0
	}
	return p
}

// backends writes the references.
func (e *emitter) backends(b *built, r *routing.Rule) {
	for i := range r.Action.Backends {
		x := &r.Action.Backends[i]
		if x.Invalid != "" && x.Port == 0 {
			e.note(Note{Rule: r, Feature: "backend", Fate: Lost, Closed: true, Message: x.Invalid, Remedy: "add the Service to the input: Gateway API needs port numbers"})
			continue
		}
		if x.Invalid != "" {
			e.note(Note{Rule: r, Feature: "backend", Fate: Approximated, Message: x.Invalid + "; the reference is kept and answers 500"})
		}
		ref := gatewayv1.HTTPBackendRef{BackendRef: e.backendRef(r, x)}
		if len(r.Action.Backends) > 1 {
			ref.Weight = ptr(int32(min(x.Weight, 1000000)))
		}
		b.rule.BackendRefs = append(b.rule.BackendRefs, ref)
	}
}

func (e *emitter) backendRef(r *routing.Rule, x *routing.Backend) gatewayv1.BackendRef {
	ref := gatewayv1.BackendRef{}
	ref.Name = gatewayv1.ObjectName(x.Name)
	if x.Port != 0 {
		ref.Port = ptr(gatewayv1.PortNumber(x.Port))
	}
	if ns := r.Origin.Object.Namespace; x.Namespace != ns {
		ref.Namespace = ptr(gatewayv1.Namespace(x.Namespace))
		e.grants[grant{x.Namespace, "HTTPRoute", ns, "Service", x.Name}] = true
	}
	switch x.Protocol {
	case "", "HTTP":
	case "GRPC", "H2C":
		e.note(Note{Rule: r, Feature: "backend-protocol", Fate: Approximated, Message: "the backend speaks gRPC without TLS, which a Gateway learns from the Service",
			Remedy: "set appProtocol: kubernetes.io/h2c on the port of Service " + x.Namespace + "/" + x.Name})
	default:
		e.note(Note{Rule: r, Feature: "backend-protocol", Fate: NeedsExtension, Message: "the backend speaks " + x.Protocol + "; the source does not verify its certificate, which the standard requires",
			Remedy: "write a BackendTLSPolicy with the CA and host name of Service " + x.Namespace + "/" + x.Name})
	}
	if x.TLS != nil {
		e.note(Note{Rule: r, Feature: "backend-tls", Fate: NeedsExtension, Message: "TLS settings towards the backend are not carried over", Remedy: "write a BackendTLSPolicy, and name the client certificate on the Gateway"})
	}
	return ref
}

// policies writes timeouts, retries and affinity.
func (e *emitter) policies(b *built, r *routing.Rule) {
	a := r.Action
	if t := max(a.Timeouts.Read, a.Timeouts.Send); t > 0 {
		d := gatewayv1.Duration(duration(t))
		b.rule.Timeouts = &gatewayv1.HTTPRouteTimeouts{BackendRequest: &d}
		e.note(Note{Rule: r, Feature: "timeouts", Fate: Approximated, Message: "the source limits the time between two reads or writes; a Gateway limits the whole backend request",
			Remedy: "raise it for long downloads, event streams and WebSockets"})
	} else if a.Timeouts.Connect > 0 {
		e.note(Note{Rule: r, Feature: "timeouts", Fate: NeedsExtension, Message: "the standard has no connect timeout", Remedy: "set the implementation's own policy"})
	}
	if a.Retry != nil {
		e.note(Note{Rule: r, Feature: "retry", Fate: NeedsExtension, Message: "retries are not carried over", Remedy: "set retry of Gateway API v1.7, or the implementation's own policy"})
	}
	if f := a.Affinity; f != nil {
		if e.Channel != gatewayapi.Experimental {
			e.note(Note{Rule: r, Feature: "affinity", Fate: NeedsExtension, Message: "session affinity is experimental in the Gateway API", Remedy: "use --channel experimental, or the implementation's own policy"})
			return
		}
		if e.Version.AtLeast("v1.7") {
			e.note(Note{Rule: r, Feature: "affinity", Fate: NeedsExtension, Message: "session persistence changed its form in Gateway API v1.7 and is not written", Remedy: "add sessionPersistence to the route by hand"})
			return
		}
		b.rule.SessionPersistence = &gatewayv1.SessionPersistence{SessionName: &f.Name, Type: ptr(gatewayv1.CookieBasedSessionPersistence)}
		e.note(Note{Rule: r, Feature: "affinity", Fate: Approximated, Message: "only the cookie's name is carried over; path, domain and other attributes are the implementation's"})
	}
}

func duration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}

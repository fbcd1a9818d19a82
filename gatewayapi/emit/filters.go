package emit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// outcome is what a rule does in Gateway API's terms.
type outcome struct {
	filters  []gwv1.HTTPRouteFilter
	backends []routing.Backend
	// backendFilters are those of each backend alone.
	backendFilters [][]gwv1.HTTPRouteFilter
	mirrors        []routing.Mirror
	auth           *externalAuth
	timeouts       *gwv1.HTTPRouteTimeouts
	retry          *gwv1.HTTPRouteRetry
	session        *gwv1.SessionPersistence
	closed         bool
	silent         bool
	prefix         *routing.PathMatch
	variant        string // tells outcomes of one action apart
	remarks        []remark
}

type outcomeKey struct {
	action *routing.Action
	kind   routing.PathKind
	path   string
	fold   bool
	ports  ports
}

// outcomeOf works out an action for a match, once per action unless the path
// or the ports of a redirect matter.
func (e *emitter) outcomeOf(r *routing.Rule, m *routing.Match, at ports) *outcome {
	a := r.Action
	k := outcomeKey{action: a}
	if a.Redirect != nil {
		k.ports = at
	}
	if a.Rewrite != nil && a.Rewrite.Path != nil || a.Redirect != nil && a.Redirect.Path != nil {
		k.kind, k.path, k.fold = m.Path.Kind, m.Path.Value, m.Path.IgnoreCase
	}
	if o := e.outcomes[k]; o != nil {
		return o
	}
	b := builder{e: e, a: a, path: &m.Path, ports: k.ports, out: &outcome{}}
	b.build()
	e.outcomes[k] = b.out
	return b.out
}

// builder works out one action.
type builder struct {
	e     *emitter
	a     *routing.Action
	path  *routing.PathMatch
	ports ports
	out   *outcome
}

func (b *builder) say(f Feature, fate Fate, message, remedy string) {
	b.out.remarks = append(b.out.remarks, remark{feature: f, fate: fate, message: message, remedy: remedy})
}

// shut closes the rule: no backend and no filter, so that it answers 500
// (HTTPRouteRule.BackendRefs) and no broader rule takes its requests.
func (b *builder) shut(f Feature, fate Fate, message, remedy string) {
	b.out.remarks = append(b.out.remarks, remark{feature: f, fate: fate, message: message, remedy: remedy, closed: true})
	b.out.closed = true
}

func (b *builder) build() {
	a := b.a
	if a.Fault != nil {
		b.say(FeatureFault, Lost, "fault injection is not part of Gateway API; requests go through", "use the implementation's own fault policy")
	}
	switch {
	case a.Redirect != nil:
		b.cors()
		b.redirect(a.Redirect)
	case a.Respond != nil:
		b.respond()
	default:
		b.cors()
		b.guards()
		b.rewrite()
		b.headers(gwv1.HTTPRouteFilterRequestHeaderModifier, a.RequestHeaders)
		b.headers(gwv1.HTTPRouteFilterResponseHeaderModifier, a.ResponseHeaders)
		b.mirror()
		b.backend()
		b.timeouts()
		b.retry()
		b.affinity()
	}
	if b.out.closed {
		b.out.filters, b.out.backends, b.out.backendFilters, b.out.mirrors, b.out.auth, b.out.prefix = nil, nil, nil, nil, nil, nil
		b.out.timeouts, b.out.retry, b.out.session, b.out.variant = nil, nil, nil, ""
	}
}

// respond: a 404 is what a request without a rule gets; other answers have no
// form in Gateway API.
func (b *builder) respond() {
	if b.a.Respond.Status == 404 {
		if b.a.CORS != nil {
			b.say(FeatureCORS, Approximated, "preflights were answered although nothing is served; now they get 404, too", "")
		}
		b.out.closed, b.out.silent = true, true
		return
	}
	b.shut(FeatureRespond, Lost, fmt.Sprintf("the direct answer %d is not part of Gateway API: these requests get an error", b.a.Respond.Status), "use the implementation's own direct response, such as Envoy Gateway HTTPRouteFilter directResponse")
}

func (b *builder) rewrite() {
	rw := b.a.Rewrite
	if rw == nil {
		return
	}
	f := &gwv1.HTTPURLRewriteFilter{}
	if rw.Host != "" {
		if validObjectName(strings.ToLower(rw.Host)) {
			h := gwv1.PreciseHostname(strings.ToLower(rw.Host))
			f.Hostname = &h
		} else {
			b.say(FeatureHostRewrite, Lost, "the host "+clip(rw.Host)+" is no plain host name; the backend gets the request's host", "name the host without port and variables")
		}
	}
	if rw.Path != nil {
		p, why := replacement(rw.Path, b.path)
		if why != "" {
			b.shut(FeatureRewrite, NeedsExtension, why+", which Gateway API cannot", rewriteRemedy)
			return
		}
		if !p.same {
			f.Path, b.out.prefix, b.out.variant = p.modifier(), p.prefix, p.variant()
		}
		b.out.remarks = append(b.out.remarks, p.notes...)
	}
	if f.Hostname != nil || f.Path != nil {
		b.out.filters = append(b.out.filters, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterURLRewrite, URLRewrite: f})
	}
}

// headers writes a header modifier: one action per name, since filters with
// several for one name are invalid (HTTPHeaderFilter).
func (b *builder) headers(t gwv1.HTTPRouteFilterType, c routing.HeaderChange) {
	f := FeatureRequestHeaders
	if t == gwv1.HTTPRouteFilterResponseHeaderModifier {
		f = FeatureResponseHeaders
	}
	h := b.headerFilter(f, c)
	if h == nil {
		return
	}
	x := gwv1.HTTPRouteFilter{Type: t}
	if t == gwv1.HTTPRouteFilterResponseHeaderModifier {
		x.ResponseHeaderModifier = h
	} else {
		x.RequestHeaderModifier = h
	}
	b.out.filters = append(b.out.filters, x)
}

func (b *builder) headerFilter(f Feature, c routing.HeaderChange) *gwv1.HTTPHeaderFilter {
	if c.Empty() {
		return nil
	}
	var order []string
	type change struct {
		name, value string
		op          byte // s, a or r
	}
	changes := map[string]*change{}
	put := func(name, value string, op byte) {
		if !headerName.MatchString(name) || len(name) > gatewayapi.MaxHeaderNameLength || len(value) > gatewayapi.MaxHeaderValue || strings.ContainsAny(value, "\r\n\x00") {
			b.say(f, Lost, "the header "+clip(name)+" cannot be written: its name or value is invalid", "")
			return
		}
		k := strings.ToLower(name)
		if k == "host" {
			b.say(f, Lost, "a header filter does not change the Host header, which stays as it is for this backend", "give the backend a rule of its own with a URLRewrite of the hostname")
			return
		}
		old := changes[k]
		switch {
		case old == nil:
			if value == "" && op != 'r' {
				op = 'r'
				b.say(f, Approximated, "the header "+name+" was set to nothing; it is removed", "")
			}
			changes[k] = &change{name, value, op}
			order = append(order, k)
		case op == 'r':
			old.op = 'r'
		case op == 'a' && old.op != 'r':
			old.value += "," + value
			b.say(f, Approximated, "the header "+name+" gets its values in one line, "+clip(old.value)+", which means the same (RFC 9110 section 5.3)", "")
		default:
			old.value, old.op = value, 's'
		}
	}
	for _, h := range c.Set {
		put(h.Name, h.Value, 's')
	}
	for _, h := range c.Add {
		put(h.Name, h.Value, 'a')
	}
	for _, n := range c.Remove {
		put(n, "", 'r')
	}
	out := &gwv1.HTTPHeaderFilter{}
	for _, k := range order {
		x := changes[k]
		h := gwv1.HTTPHeader{Name: gwv1.HTTPHeaderName(x.name), Value: x.value}
		switch {
		case x.op == 's' && len(out.Set) < gatewayapi.MaxHeaderChanges:
			out.Set = append(out.Set, h)
		case x.op == 'a' && len(out.Add) < gatewayapi.MaxHeaderChanges:
			out.Add = append(out.Add, h)
		case x.op == 'r' && len(out.Remove) < gatewayapi.MaxHeaderChanges:
			out.Remove = append(out.Remove, x.name)
		default:
			b.say(f, Lost, fmt.Sprintf("the header %s is over the limit of %d changes of a kind", x.name, gatewayapi.MaxHeaderChanges), "change it in the backend")
		}
	}
	if len(out.Set)+len(out.Add)+len(out.Remove) == 0 {
		return nil
	}
	return out
}

func (b *builder) mirror() {
	for _, m := range b.a.Mirrors {
		switch {
		case m.Backend.Name == "" || m.Backend.Port == 0 && (m.Backend.Kind == "" || m.Backend.Kind == "Service"):
			b.say(FeatureMirror, NeedsExtension, "requests are mirrored to "+clip(m.URL)+", which is no Service of the cluster", "put a Service in front of it, or use the implementation's own mirror policy")
			continue
		case m.Percent <= 0:
			continue
		}
		if m.Host != "" {
			b.say(FeatureMirror, Approximated, "the mirrored copy keeps the request's host instead of "+clip(m.Host), "")
		}
		b.out.mirrors = append(b.out.mirrors, m)
	}
}

// mirrorShare gives the percentage, or a fraction where it is not whole.
func mirrorShare(percent float64) (*int32, *gwv1.Fraction) {
	if percent >= 100 {
		return nil, nil
	}
	if p := math.Trunc(percent); p == percent {
		n := int32(p)
		return &n, nil
	}
	d := int32(10000)
	return nil, &gwv1.Fraction{Numerator: int32(math.Round(percent * 100)), Denominator: &d}
}

func (b *builder) timeouts() {
	t := b.a.Timeouts
	if t.Connect != 0 {
		b.say(FeatureConnectTimeout, NeedsExtension, "the connect timeout "+t.Connect.String()+" has no field in Gateway API", "use the implementation's own backend policy, such as Envoy Gateway BackendTrafficPolicy timeout.tcp.connectTimeout")
	}
	out := &gwv1.HTTPRouteTimeouts{}
	attempt := t.BackendRequest
	if idle := max(t.Read, t.Send); attempt == 0 && idle > 0 {
		attempt = idle
		b.say(FeatureTimeouts, Approximated, "the time between two reads or writes ("+idle.String()+") becomes the limit on the whole exchange with the backend", "raise it where answers stream for longer")
	}
	if t.Request > 0 {
		out.Request = duration(t.Request)
		attempt = min(attempt, t.Request)
	}
	if attempt > 0 {
		out.BackendRequest = duration(attempt)
	}
	if out.Request != nil || out.BackendRequest != nil {
		b.out.timeouts = out
	}
}

// duration writes a GEP-2257 duration: up to four numbers of five digits.
func duration(d time.Duration) *gwv1.Duration {
	if d > 99999*time.Hour {
		d = 99999 * time.Hour
	}
	if d < time.Millisecond {
		d = time.Millisecond
	}
	var s string
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / u.unit; n > 0 {
			s += strconv.FormatInt(int64(n), 10) + u.name
			d %= u.unit
		}
	}
	out := gwv1.Duration(s)
	return &out
}

func (b *builder) retry() {
	r := b.a.Retry
	if r == nil {
		return
	}
	if !b.e.has(gatewayapi.FeatureRetry) {
		b.say(FeatureRetry, NeedsExtension, "retries are experimental in Gateway API "+string(b.e.o.Version), "write for the experimental channel, or use the implementation's own retry policy")
		return
	}
	if r.Attempts < 0 {
		b.say(FeatureRetry, NeedsExtension, "retries are switched off; Gateway API leaves it to the implementation whether it retries by itself", "use the implementation's own retry policy")
		return
	}
	out := &gwv1.HTTPRouteRetry{}
	if r.Attempts > 0 {
		n := r.Attempts
		out.Attempts = &n
	}
	if r.Backoff > 0 {
		out.Backoff = duration(r.Backoff)
	}
	seen := map[int]bool{}
	var rest []string
	for _, on := range r.On {
		code, err := strconv.Atoi(strings.TrimPrefix(on, "http_"))
		switch {
		case err == nil && code >= 400 && code <= 599 && !seen[code]:
			seen[code] = true
			out.Codes = append(out.Codes, gwv1.HTTPRouteRetryStatusCode(code))
		case err != nil:
			rest = append(rest, on)
		}
	}
	m := "retries follow Gateway API: connection errors are always retried"
	if len(rest) > 0 {
		m += "; the conditions " + strings.Join(rest, ", ") + " have no form of their own"
	}
	b.say(FeatureRetry, Approximated, m, "")
	if r.PerTry > 0 && b.out.timeouts == nil {
		b.out.timeouts = &gwv1.HTTPRouteTimeouts{BackendRequest: duration(r.PerTry)}
	}
	b.out.retry = out
}

func (b *builder) affinity() {
	a := b.a.Affinity
	if a == nil {
		return
	}
	// v1.7 gave sessionPersistence another form than the types here have.
	if !b.e.has(gatewayapi.FeatureSessionPersistence) || b.e.o.Version.AtLeast("v1.7") || a.Kind == "source-ip" {
		b.say(FeatureAffinity, NeedsExtension, "session affinity by "+a.Kind+" is not in the standard channel of Gateway API", "write for the experimental channel, or use the implementation's own policy, such as Envoy Gateway BackendTrafficPolicy loadBalancer.consistentHash")
		return
	}
	t := gwv1.CookieBasedSessionPersistence
	s := &gwv1.SessionPersistence{Type: &t}
	if a.Kind == "header" {
		t = gwv1.HeaderBasedSessionPersistence
	}
	if a.Name != "" && len(a.Name) <= gatewayapi.MaxSessionName {
		n := a.Name
		s.SessionName = &n
	}
	if a.MaxAge > 0 && a.Kind != "header" {
		life := gwv1.PermanentCookieLifetimeType
		s.AbsoluteTimeout = duration(a.MaxAge)
		s.CookieConfig = &gwv1.CookieConfig{LifetimeType: &life}
	}
	b.say(FeatureAffinity, Approximated, "sessions already open move once; the implementation chooses the path, domain and flags of the cookie", "")
	b.out.session = s
}

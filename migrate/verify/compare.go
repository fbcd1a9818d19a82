package verify

import (
	"math"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// Aspect is a part of a decision; a set of them is their union.
type Aspect uint32

// Aspects of decisions.
const (
	Status Aspect = 1 << iota
	Backends
	Location
	URI
	UpstreamHost
	RequestHeaders
	ResponseHeaders
	Mirrors
	Timeouts
	Retries
	CORS
	Affinity
	Guards
	Fault
	BackendTLS // verification towards the backends, and header changes for one of them
	aspectEnd
)

var aspectNames = [...]string{"status", "backends", "location", "uri", "upstreamHost", "requestHeaders", "responseHeaders",
	"mirrors", "timeouts", "retry", "cors", "affinity", "guards", "fault", "backendTLS"}

// Names lists the aspects by their names in the public JSON form.
func (a Aspect) Names() []string {
	var out []string
	for i, name := range aspectNames {
		if a&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

func (a Aspect) String() string { return strings.Join(a.Names(), ", ") }

// Differ returns what two decisions on one request differ in; 0 when a client
// and a backend could not tell them apart. A request that no rule takes is not
// served, whether it is answered 404 or finds no listener.
func Differ(a, b *routing.Decision) Aspect {
	if notServed(a) && notServed(b) {
		return 0
	}
	var out Aspect
	add := func(differs bool, x Aspect) {
		if differs {
			out |= x
		}
	}
	add(a.Status != b.Status, Status)
	add(!sameShares(a.Backends, b.Backends), Backends)
	add(a.Location != b.Location, Location)
	if out&Backends == 0 && len(a.Backends) > 0 {
		uri, host := sameUpstreams(a, b)
		add(!uri, URI)
		add(!host, UpstreamHost)
		add(!sameChange(&a.RequestHeaders, &b.RequestHeaders), RequestHeaders)
		add(!sameMirrors(a.Mirrors, b.Mirrors), Mirrors)
		add(a.Timeouts != b.Timeouts, Timeouts)
		add(!sameRetry(a.Retry, b.Retry), Retries)
		add(!samePart(a.Affinity, b.Affinity), Affinity)
		add(!sameDestinations(destinations(a), destinations(b)), BackendTLS)
	}
	if a.Status == b.Status {
		add(!sameChange(&a.ResponseHeaders, &b.ResponseHeaders), ResponseHeaders)
		add(!sameCORS(a.CORS, b.CORS), CORS)
		add(!samePart(a.Fault, b.Fault), Fault)
	}
	add(!sameGuards(a.Guards, b.Guards), Guards)
	return out
}

// notServed is a request that reaches nobody because nothing is configured for
// it. Within the mesh such requests go where their names lead.
func notServed(d *routing.Decision) bool {
	return len(d.Backends) == 0 && (d.Why == nil || d.Status == 404)
}

// destinations are the backends that a rule names; nil where none decided.
func destinations(d *routing.Decision) []routing.Backend {
	if d.Why == nil {
		return nil
	}
	return d.Why.Action.Backends
}

// sameUpstreams compares the URIs and the hosts that the backends get.
func sameUpstreams(a, b *routing.Decision) (uri, host bool) {
	if a.Upstreams == nil && b.Upstreams == nil {
		return a.URI == b.URI, strings.EqualFold(a.UpstreamHost, b.UpstreamHost)
	}
	uris := func(u routing.Upstream) string { return u.URI }
	hosts := func(u routing.Upstream) string { return strings.ToLower(u.Host) }
	return sameShares(upstreamShares(a, uris), upstreamShares(b, uris)), sameShares(upstreamShares(a, hosts), upstreamShares(b, hosts))
}

// upstreamShares are the shares of requests by backend and a part of what it gets.
func upstreamShares(d *routing.Decision, part func(routing.Upstream) string) map[string]float64 {
	if d.Why != nil {
		return d.Why.Action.SharesBy(func(b *routing.Backend) string { return b.Key() + " " + part(d.Upstream(b)) })
	}
	out := map[string]float64{} // in the mesh, where a name leads without a rule
	for key, share := range d.Backends {
		out[key+" "+part(routing.Upstream{URI: d.URI, Host: d.UpstreamHost})] = share
	}
	return out
}

// sameShares compares weights up to the rounding of Gateway API's integers.
func sameShares(a, b map[string]float64) bool {
	if len(a) != len(b) {
		return false
	}
	for k, x := range a {
		if y, ok := b[k]; !ok || math.Abs(x-y) > 1e-6 {
			return false
		}
	}
	return true
}

// sameChange compares header changes: the order of different headers and the
// case of names do not matter, the order of values of one name does.
func sameChange(a, b *routing.HeaderChange) bool {
	if a.Empty() && b.Empty() {
		return true
	}
	if len(a.Set) != len(b.Set) || len(a.Add) != len(b.Add) || len(a.Remove) != len(b.Remove) {
		return false
	}
	byName := func(a, b routing.Header) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	}
	same := func(x, y []routing.Header) bool {
		x, y = slices.Clone(x), slices.Clone(y)
		slices.SortStableFunc(x, byName)
		slices.SortStableFunc(y, byName)
		return slices.EqualFunc(x, y, func(a, b routing.Header) bool { return strings.EqualFold(a.Name, b.Name) && a.Value == b.Value })
	}
	return same(a.Set, b.Set) && same(a.Add, b.Add) && sameNames(a.Remove, b.Remove, true)
}

// sameNames compares sets.
func sameNames(a, b []string, ignoreCase bool) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	norm := func(in []string) []string {
		out := slices.Clone(in)
		for i := range out {
			if ignoreCase {
				out[i] = strings.ToLower(out[i])
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(norm(a), norm(b))
}

func sameMirrors(a, b []routing.Mirror) bool {
	if len(a) != len(b) {
		return false
	}
	type key struct {
		to, host string
		percent  float64
	}
	left := map[key]int{}
	of := func(m *routing.Mirror) key {
		to := m.URL
		if to == "" {
			to = m.Backend.Key()
		}
		return key{to, m.Host, m.Percent}
	}
	for i := range a {
		left[of(&a[i])]++
	}
	for i := range b {
		if left[of(&b[i])]--; left[of(&b[i])] < 0 {
			return false
		}
	}
	return true
}

func sameRetry(a, b *routing.Retry) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Attempts == b.Attempts && a.Backoff == b.Backoff && a.PerTry == b.PerTry && sameNames(a.On, b.On, false)
}

// sameCORS compares policies. How origins are compared, and what becomes of
// others, does not matter where every origin is allowed; what a * in an origin
// stands for does not where none has one.
func sameCORS(a, b *routing.CORS) bool {
	if a == nil || b == nil {
		return a == b
	}
	every := slices.Contains(a.AllowOrigins, "*") && slices.Contains(b.AllowOrigins, "*")
	starred := slices.ContainsFunc(slices.Concat(a.AllowOrigins, b.AllowOrigins), func(o string) bool { return strings.Contains(o, "*") })
	return a.MaxAge == b.MaxAge && a.AllowCredentials == b.AllowCredentials && a.AnyOptions == b.AnyOptions && a.Always == b.Always &&
		(every || a.SuffixMatch == b.SuffixMatch && (!starred || a.AnyLabels == b.AnyLabels) && a.AnswerAll == b.AnswerAll) &&
		sameNames(a.AllowOrigins, b.AllowOrigins, true) && sameNames(a.AllowMethods, b.AllowMethods, false) &&
		sameNames(a.AllowHeaders, b.AllowHeaders, true) && sameNames(a.ExposeHeaders, b.ExposeHeaders, true)
}

// sameGuards compares policies as they are written: they are opaque. Their
// order does not matter, for all of them must let a request pass.
func sameGuards(a, b []routing.Guard) bool {
	if len(a) != len(b) {
		return false
	}
	used := make([]bool, len(b))
next:
	for i := range a {
		for j := range b {
			if !used[j] && sameGuard(&a[i], &b[j]) {
				used[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func sameGuard(a, b *routing.Guard) bool {
	if a.Kind != b.Kind || len(a.Detail) != len(b.Detail) || !slices.Equal(a.Sources, b.Sources) || !sameGuards(a.AnyOf, b.AnyOf) {
		return false
	}
	for k, v := range a.Detail {
		if w, ok := b.Detail[k]; !ok || w != v {
			return false
		}
	}
	return true
}

// sameDestinations compares what is special about the way to each backend that
// both name; one that is named several times is compared in order.
func sameDestinations(a, b []routing.Backend) bool {
	used := make([]bool, len(b))
next:
	for i := range a {
		x := &a[i]
		for j := range b {
			y := &b[j]
			if used[j] || x.Namespace != y.Namespace || x.Name != y.Name || x.Port != y.Port || x.Kind != y.Kind && !(service(x) && service(y)) {
				continue
			}
			if !sameTLS(x.TLS, y.TLS) || !sameChange(&x.RequestHeaders, &y.RequestHeaders) || !sameChange(&x.ResponseHeaders, &y.ResponseHeaders) {
				return false
			}
			used[j] = true
			continue next
		}
	}
	return true
}

func service(b *routing.Backend) bool { return b.Kind == "" || b.Kind == "Service" }

// sameTLS compares the TLS towards a backend.
func sameTLS(a, b *routing.BackendTLS) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Verify == b.Verify && a.Hostname == b.Hostname && a.CA == b.CA && a.CAKind == b.CAKind &&
		a.ClientCertificate == b.ClientCertificate && sameNames(a.SubjectAltNames, b.SubjectAltNames, false)
}

// samePart compares optional parts of a decision by value.
func samePart[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

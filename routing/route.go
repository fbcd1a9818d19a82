package routing

import (
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Route answers what happens to a request. It is pure: the same table and
// request always give the same decision. Weighted choices are not rolled; the
// shares are part of the decision.
func (t *Table) Route(r *Request) Decision {
	if !t.frozen {
		t.Freeze()
	}
	v := t.view(r)
	if r.Client != nil {
		return t.routeMesh(&v)
	}
	listeners := t.listenersFor(&v)
	if len(listeners) == 0 {
		return Decision{Reason: "no listener takes " + v.scheme + " for this host and port"}
	}
	if v.bad != 0 {
		return Decision{Status: v.bad, Reason: "the request target cannot be normalised"}
	}
	if t.misdirected(&v, listeners) {
		return Decision{Status: 421, Reason: "another listener than that of the connection takes this host"}
	}
	for _, l := range listeners {
		for _, h := range l.hostsFor(v.host, t.Reading.HostFallthrough) {
			for _, rule := range h.index.rules {
				if rule.Match.matches(&v) {
					return rule.decide(&v)
				}
			}
		}
	}
	return t.unmatched()
}

func (t *Table) unmatched() Decision {
	status := t.Reading.NoMatchStatus
	if status == 0 {
		status = 404
	}
	return Decision{Status: status, Reason: "no rule matches"}
}

// hostsFor returns the hosts that answer to name: the most specific, or with
// through all of them, most specific first.
func (l *Listener) hostsFor(name string, through bool) []*Host {
	x := l.index
	if hosts := x.exact[name]; len(hosts) > 0 && !through {
		return hosts
	}
	var out []*Host
	add := func(hosts []*Host) bool {
		out = append(out, hosts...)
		return len(out) > 0 && !through
	}
	if add(x.exact[name]) {
		return out
	}
	for i := 0; i < len(name); i++ { // longest suffix first
		if name[i] == '.' && i > 0 && add(x.suffix[name[i+1:]]) {
			return out
		}
	}
	if i := strings.IndexByte(name, '.'); i > 0 && add(x.oneLabel[name[i+1:]]) {
		return out
	}
	for _, r := range x.regex {
		if r.pattern.Matches(name) && add([]*Host{r.host}) {
			return out
		}
	}
	add(x.any)
	return out
}

// decide applies the action in the order its documentation gives.
func (r *Rule) decide(v *view) Decision {
	a := r.Action
	d := Decision{Why: r, CORS: a.CORS}
	if a.CORS != nil && a.CORS.preflight(v) {
		d.Status = 204
		return d
	}
	if a.Redirect != nil {
		d.Status, d.Location = a.Redirect.Code, a.Redirect.location(r, v)
		d.ResponseHeaders = a.ResponseHeaders
		return d
	}
	if a.Respond != nil && !a.Respond.Guarded {
		d.Status, d.ResponseHeaders = a.Respond.Status, a.ResponseHeaders
		return d
	}
	d.Guards = a.Guards
	for i := range a.Guards {
		if a.Guards[i].refuses(v.source) {
			d.Status, d.Reason = 403, "the source address is refused"
			return d
		}
	}
	d.Fault = a.Fault
	if a.Respond != nil {
		d.Status, d.ResponseHeaders = a.Respond.Status, a.ResponseHeaders
		return d
	}
	return r.forward(v, d)
}

func (r *Rule) forward(v *view, d Decision) Decision {
	a := r.Action
	d.Status = 200
	if d.Backends = r.shares; d.Backends == nil {
		d.Backends = a.Shares()
	}
	if len(d.Backends) == 0 {
		d.Backends = nil
		if d.Status = a.NoBackendStatus; d.Status == 0 {
			d.Status = 500
		}
		d.Reason = a.invalid()
		return d
	}
	to := Upstream{v.rawPath, v.rawHost}
	if v.hasQuery {
		to.URI += "?" + v.query
	}
	ok := a.Rewrite.apply(&r.Match.Path, v, &to)
	d.URI, d.UpstreamHost = to.URI, to.Host
	for i := range a.Backends {
		w := a.Backends[i].Rewrite
		if w == nil {
			continue
		}
		if d.Upstreams == nil {
			d.Upstreams = slices.Repeat([]Upstream{to}, len(a.Backends))
		}
		ok = w.apply(&r.Match.Path, v, &d.Upstreams[i]) && ok
	}
	if !ok {
		return Decision{Why: r, Status: 500, Guards: a.Guards, Reason: "the rewritten path is empty"}
	}
	d.RequestHeaders, d.ResponseHeaders = a.RequestHeaders, a.ResponseHeaders
	d.Mirrors, d.Timeouts, d.Retry, d.Affinity = a.Mirrors, a.Timeouts, a.Retry, a.Affinity
	return d
}

// Key returns "namespace/name:port"; a kind other than Service is put in front
// as "kind:".
func (b *Backend) Key() string {
	k := b.Namespace + "/" + b.Name
	if b.Port != 0 {
		k += ":" + strconv.Itoa(b.Port)
	}
	if b.Kind != "" && b.Kind != "Service" {
		k = b.Kind + ":" + k
	}
	return k
}

// Shares returns the share of each valid backend by key; the shares of invalid
// ones are missing from the sum.
func (a *Action) Shares() map[string]float64 { return a.SharesBy((*Backend).Key) }

// SharesBy is Shares by another key; backends with the same one are added up.
func (a *Action) SharesBy(key func(b *Backend) string) map[string]float64 {
	total := 0
	for i := range a.Backends {
		total += a.Backends[i].Weight
	}
	if total == 0 {
		return nil
	}
	out := make(map[string]float64, len(a.Backends))
	for i := range a.Backends {
		if b := &a.Backends[i]; b.Invalid == "" && b.Weight > 0 {
			out[key(b)] += float64(b.Weight) / float64(total)
		}
	}
	return out
}

func (a *Action) invalid() string {
	var why []string
	for i := range a.Backends {
		if s := a.Backends[i].Invalid; s != "" {
			why = append(why, s)
		}
	}
	if len(why) == 0 {
		return "no backend"
	}
	sort.Strings(why)
	return strings.Join(why, "; ")
}

// refuses reports whether a guard is known to refuse the source address. An
// unknown address is never refused here: the guard stands in the decision.
func (g *Guard) refuses(source netip.Addr) bool {
	if !source.IsValid() {
		return false
	}
	switch g.Kind {
	case GuardAllow:
		return !contains(g.Sources, source)
	case GuardDeny:
		return contains(g.Sources, source)
	case GuardAnyOf:
		for i := range g.AnyOf {
			if !g.AnyOf[i].refuses(source) {
				return false
			}
		}
		return len(g.AnyOf) > 0
	}
	return false
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

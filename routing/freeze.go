package routing

import "sort"

// hostIndex holds the rules of a host in the order they are tried.
type hostIndex struct {
	rules []*Rule
}

// listenerIndex finds the host that a name belongs to. Lookup is O(labels of
// the name) plus the number of regex hosts.
type listenerIndex struct {
	exact    map[string][]*Host
	suffix   map[string][]*Host
	oneLabel map[string][]*Host
	regex    []regexHost
	any      []*Host
}

type regexHost struct {
	pattern *HostPattern
	host    *Host
}

// Freeze sorts rules into the order they are tried and builds the host index;
// O(n log n) in the rules. It may be called again after a change. Route calls
// it when it was not called; call it once before concurrent use.
func (t *Table) Freeze() {
	t.listeners = newListenerTable(t.Listeners)
	for _, l := range t.Listeners {
		l.Hostname.prepare()
		l.index = newListenerIndex(l.Hosts)
		for _, h := range l.Hosts {
			h.order(t.Reading)
			for _, r := range h.Rules {
				r.Match.prepare()
				r.Action.prepare()
			}
		}
	}
	t.frozen = true
}

// Frozen reports whether the table can be used concurrently: Freeze was called.
func (t *Table) Frozen() bool { return t.frozen }

// Warm works out what Route would do anew for every request, at the price of
// some memory for each rule. It freezes the table first.
func (t *Table) Warm() {
	t.Freeze()
	for _, l := range t.Listeners {
		for _, h := range l.Hosts {
			for _, r := range h.Rules {
				r.shares = r.Action.Shares()
			}
		}
	}
}

// With returns the table under another reading; it shares everything but the
// order of the rules.
func (t *Table) With(r Reading) *Table {
	if !t.frozen {
		t.Freeze()
	}
	out := &Table{Reading: r, Listeners: make([]*Listener, len(t.Listeners))}
	for i, l := range t.Listeners {
		c := *l
		c.Hosts = make([]*Host, len(l.Hosts))
		for j, h := range l.Hosts {
			hc := *h
			hc.order(r)
			c.Hosts[j] = &hc
		}
		c.index = newListenerIndex(c.Hosts)
		out.Listeners[i] = &c
	}
	out.listeners, out.frozen = newListenerTable(out.Listeners), true
	return out
}

func newListenerIndex(hosts []*Host) *listenerIndex {
	x := &listenerIndex{exact: map[string][]*Host{}, suffix: map[string][]*Host{}, oneLabel: map[string][]*Host{}}
	for _, h := range hosts {
		if len(h.Names) == 0 {
			x.any = append(x.any, h)
		}
		for i := range h.Names {
			p := &h.Names[i]
			p.prepare()
			switch p.Kind {
			case ExactHost:
				x.exact[p.Value] = append(x.exact[p.Value], h)
			case SuffixHost:
				x.suffix[p.Value] = append(x.suffix[p.Value], h)
			case OneLabelHost:
				x.oneLabel[p.Value] = append(x.oneLabel[p.Value], h)
			case RegexHost:
				x.regex = append(x.regex, regexHost{p, h})
			default:
				x.any = append(x.any, h)
			}
		}
	}
	return x
}

func (h *HostPattern) prepare() {
	if h.Kind == RegexHost && h.re == nil {
		h.re = NewRegex(h.Value, true, false)
	}
}

// order sorts a copy of the rules into the order they are tried.
func (h *Host) order(rd Reading) {
	rules := make([]*Rule, len(h.Rules))
	copy(rules, h.Rules)
	switch h.Order {
	case LongestPath:
		sort.SliceStable(rules, func(i, j int) bool { return longerPath(&rules[i].Match.Path, &rules[j].Match.Path) })
	case MostSpecific:
		sort.SliceStable(rules, func(i, j int) bool { return rd.moreSpecific(rules[i], rules[j]) })
	}
	h.index = &hostIndex{rules: rules}
}

func (m *Match) prepare() {
	if m.Path.Kind == RegexPath && m.Path.re == nil {
		m.Path.re = NewRegex(m.Path.Value, m.Path.IgnoreCase, m.Path.Full)
	}
	for _, vs := range [][]ValueMatch{m.Headers, m.Query} {
		for i := range vs {
			if vs[i].Kind == RegexValue && vs[i].re == nil {
				vs[i].re = NewRegex(vs[i].Value, vs[i].IgnoreCase, !vs[i].Search)
			}
		}
	}
}

func (a *Action) prepare() {
	if a.Rewrite != nil {
		a.Rewrite.Path.prepare()
	}
	for i := range a.Backends {
		if w := a.Backends[i].Rewrite; w != nil {
			w.Path.prepare()
		}
	}
	if a.Redirect != nil {
		a.Redirect.Path.prepare()
	}
}

func (p *PathRewrite) prepare() {
	if p != nil && p.Kind == ReplaceRegex && p.re == nil {
		p.re = NewRegex(p.Pattern, p.IgnoreCase, false)
	}
}

// longerPath orders paths as nginx searches locations without regexes: exact
// first, then the longest prefix.
func longerPath(a, b *PathMatch) bool {
	ra, rb := pathRank(a), pathRank(b)
	if ra != rb {
		return ra > rb
	}
	return pathLength(a) > pathLength(b)
}

// pathRank puts exact paths first and takes regular expressions before
// prefixes; the latter is one reading of what the Gateway API specification
// leaves to implementations.
func pathRank(p *PathMatch) int {
	switch p.Kind {
	case ExactPath:
		return 2
	case RegexPath:
		return 1
	}
	return 0
}

// pathLength counts the characters of a path; /foo and /foo/ are one segment
// prefix and count alike.
func pathLength(p *PathMatch) int {
	n := len(p.Value)
	if p.Kind == SegmentPrefix && n > 1 && p.Value[n-1] == '/' {
		n--
	}
	if p.Kind == AnyPath || n == 0 {
		return 1
	}
	return n
}

// MoreSpecific is the precedence of Gateway API between two rules that both
// match: "Exact" path, longest prefix, method, most header matches, most query
// parameter matches; then the oldest route, its name, and the position in it
// (HTTPRouteRule.matches in apis/v1/httproute_types.go).
func MoreSpecific(a, b *Rule) bool { return Reading{}.moreSpecific(a, b) }

func (rd Reading) moreSpecific(a, b *Rule) bool {
	if a.Precedence != b.Precedence {
		return a.Precedence > b.Precedence
	}
	if ra, rb := pathRank(&a.Match.Path), pathRank(&b.Match.Path); ra != rb {
		if rd.RegexLast && (ra == 1 || rb == 1) {
			return rb == 1
		}
		return ra > rb
	}
	if la, lb := pathLength(&a.Match.Path), pathLength(&b.Match.Path); la != lb {
		return la > lb
	}
	if ma, mb := a.Match.Method != "", b.Match.Method != ""; ma != mb {
		return ma
	}
	if na, nb := len(a.Match.Headers), len(b.Match.Headers); na != nb {
		return na > nb
	}
	if na, nb := len(a.Match.Query), len(b.Match.Query); na != nb {
		return na > nb
	}
	if a.Age != b.Age {
		return a.Age < b.Age
	}
	if a.Route != b.Route {
		return a.Route < b.Route
	}
	return a.Index < b.Index
}

// Ordered returns the rules in the order they are tried; valid after Freeze.
func (h *Host) Ordered() []*Rule {
	if h.index == nil {
		h.order(Reading{})
	}
	return h.index.rules
}

package emit

import (
	"fmt"

	"github.com/causeway-gateway/causeway/routing"
)

// maxPairwise is the number of entries of one virtual host up to which their
// order is compared pair by pair (about two million comparisons).
const maxPairwise = 2000

// maxCopies bounds the matches added to keep the order of one virtual host.
const maxCopies = 512

// entry is one match with what happens to the requests it takes.
type entry struct {
	rule *routing.Rule
	m    routing.Match // path in plain form, Scheme settled
	form form
	out  *outcome
	// closed entries take their requests and answer 500.
	closed bool
	wider  bool // closed entries whose match lost a condition
	whole  bool // stands for a virtual host that has no other
	silent bool // closed with a status that the source gives too: nothing to note where left out
	// prefixOnly entries replace the matched prefix and can be nothing but a
	// PathPrefix (CEL on HTTPRouteRule in apis/v1/httproute_types.go).
	prefixOnly bool
	// apart are prefixes whose paths the regular expression leaves out.
	apart []leftOut
	tie   int // entries of equal number must stay in one route, in order
}

// order compares the precedence of two entries: positive when a is taken
// first, zero when only the position decides. Exact path, prefix length,
// method, header matches, query matches (HTTPRouteRule.Matches in
// apis/v1/httproute_types.go). Where the specification leaves it to
// implementations, regular expressions come before prefixes and longer ones
// before shorter ones.
func (a *entry) order(b *entry) int {
	if a.form.kind != b.form.kind {
		return int(a.form.kind) - int(b.form.kind)
	}
	if a.form.kind != formExact && len(a.form.value) != len(b.form.value) {
		return len(a.form.value) - len(b.form.value)
	}
	if am, bm := a.m.Method != "", b.m.Method != ""; am != bm {
		if am {
			return 1
		}
		return -1
	}
	if n := len(a.m.Headers) - len(b.m.Headers); n != 0 {
		return n
	}
	return len(a.m.Query) - len(b.m.Query)
}

// overlaps reports whether a request may satisfy both; true when unsure.
func (a *entry) overlaps(b *entry) bool {
	if a.m.Method != "" && b.m.Method != "" && a.m.Method != b.m.Method {
		return false
	}
	return pathsOverlap(&a.m.Path, &b.m.Path) && !a.leavesOut(b) && !b.leavesOut(a) && !exclusive(a.m.Headers, b.m.Headers, true) && !exclusive(a.m.Query, b.m.Query, false)
}

// leavesOut reports whether a was written without the paths of b.
func (a *entry) leavesOut(b *entry) bool {
	for _, p := range a.apart {
		if out := p.match(); pathCovers(&out, &b.m.Path) {
			return true
		}
	}
	return false
}

// covers reports whether every request of b surely satisfies a.
func (a *entry) covers(b *entry) bool {
	if a.m.Method != "" && a.m.Method != b.m.Method {
		return false
	}
	for _, p := range a.apart {
		if out := p.match(); pathsOverlap(&out, &b.m.Path) {
			return false
		}
	}
	return within(a.m.Headers, b.m.Headers, true) && within(a.m.Query, b.m.Query, false) && pathCovers(&a.m.Path, &b.m.Path)
}

// sameEffect reports whether it does not matter which of the two wins.
func (e *emitter) sameEffect(a, b *entry) bool {
	return a.closed == b.closed && (a.closed || a.out == b.out || a.out.variant == b.out.variant && e.sameAction(a.rule.Action, b.rule.Action))
}

// keepOrder makes Gateway API pick the entry that the source would pick, for
// every request: dead entries go, a more specific match is added where a later
// but more specific entry would take requests of an earlier one, and entries
// whose order only their position decides are tied together.
func (e *emitter) keepOrder(v *vhost) {
	for i, en := range v.entries {
		en.tie = i
	}
	if sorted(v.entries) {
		v.dropRepeated()
		e.tieEquals(v)
		return
	}
	if len(v.entries) > maxPairwise {
		e.note(v.entries[0].rule, remark{feature: FeatureOrder, fate: Approximated,
			message: fmt.Sprintf("the host has %d rules, more than the %d whose order is compared: Gateway API's own precedence applies", len(v.entries), maxPairwise),
			remedy:  "verify the host with witness requests"})
		e.tieEquals(v)
		return
	}
	e.complete(v)
	ties := newTies(len(v.entries))
	for j := range v.entries {
		for i := 0; i < j; i++ {
			e.settlePair(v, i, j, ties)
		}
	}
	for i, en := range v.entries {
		en.tie = ties.find(i)
	}
}

// sorted reports whether the source's order is Gateway API's already.
func sorted(es []*entry) bool {
	for i := 1; i < len(es); i++ {
		if es[i-1].form.kind == formRegex || es[i].form.kind == formRegex || es[i-1].order(es[i]) < 0 {
			return false
		}
	}
	return true
}

// dropRepeated leaves out entries whose condition an earlier one has already;
// linear, for entries in the order of Gateway API.
func (v *vhost) dropRepeated() {
	type condition struct {
		form   form
		method string
	}
	taken := map[condition]bool{}
	out := v.entries[:0:0]
	for _, en := range v.entries {
		c := condition{en.form, en.m.Method}
		if taken[c] {
			continue
		}
		taken[c] = len(en.m.Headers)+len(en.m.Query) == 0
		out = append(out, en)
	}
	v.entries = out
}

// tieEquals ties neighbours of equal precedence that overlap.
func (e *emitter) tieEquals(v *vhost) {
	ties := newTies(len(v.entries))
	for start := 0; start < len(v.entries); {
		end := start + 1
		for end < len(v.entries) && v.entries[start].order(v.entries[end]) == 0 {
			end++
		}
		if end-start <= 64 {
			for j := start; j < end; j++ {
				for i := start; i < j; i++ {
					if v.entries[i].overlaps(v.entries[j]) {
						ties.join(i, j)
					}
				}
			}
		} else { // many equals: paths of one length mostly differ
			byPath := map[string]int{}
			for i := start; i < end; i++ {
				k := v.entries[i].form.value
				if first, ok := byPath[k]; ok {
					ties.join(first, i)
				} else {
					byPath[k] = i
				}
			}
		}
		start = end
	}
	for i, en := range v.entries {
		en.tie = ties.find(i)
	}
}

// complete drops entries that an earlier one shadows and adds the more
// specific copies of earlier entries that later ones would shadow.
func (e *emitter) complete(v *vhost) {
	copies := 0
	for j := 0; j < len(v.entries); j++ {
		b := v.entries[j]
		dead := false
		for i := 0; i < j && !dead; i++ {
			if a := v.entries[i]; a.covers(b) {
				dead = true
				switch {
				case a.wider && a.rule != b.rule:
					e.note(b.rule, remark{feature: FeatureOrder, fate: Lost, closed: true, message: "a rule before it is closed because a condition cannot be said in Gateway API, and takes these requests along", remedy: "see what the ledger says of " + a.rule.Origin.Object.String()})
				case a.rule != b.rule && !b.closed && !v.scheme:
					e.note(b.rule, remark{feature: FeatureOrder, fate: Kept, message: "never reached: " + describe(a) + " takes its requests first"})
				}
			}
		}
		if dead {
			v.entries = append(v.entries[:j:j], v.entries[j+1:]...)
			j--
			continue
		}
		for i := 0; i < j && copies < maxCopies; i++ {
			a := v.entries[i]
			if a.order(b) >= 0 || e.sameEffect(a, b) || !a.overlaps(b) {
				continue
			}
			c, ok := a.narrowed(b)
			if !ok || c.order(b) < 0 || coveredBefore(v.entries[:i+1], c, a) {
				continue
			}
			v.entries = append(v.entries[:i:i], append([]*entry{c}, v.entries[i:]...)...)
			copies++
			i++
			j++
			// The copy stands directly before its original; an earlier entry
			// may now lose to the copy, so it is checked as a newcomer.
			for k := 0; k < i-1 && copies < maxCopies; k++ {
				if p := v.entries[k]; p.order(c) < 0 && p.overlaps(c) && !e.sameEffect(p, c) {
					if d, ok := p.narrowed(c); ok && d.order(c) >= 0 && !coveredBefore(v.entries[:k+1], d, p) {
						v.entries = append(v.entries[:k:k], append([]*entry{d}, v.entries[k:]...)...)
						copies++
						k, i, j = k+1, i+1, j+1
					}
				}
			}
		}
	}
}

// coveredBefore reports whether an earlier entry takes all that a copy would:
// then the source never gets to the copy.
func coveredBefore(es []*entry, c, original *entry) bool {
	for _, x := range es {
		if x != original && x.covers(c) {
			return true
		}
	}
	return false
}

// narrowed returns a with b's conditions added; ok is false when Gateway API
// cannot say that.
func (a *entry) narrowed(b *entry) (*entry, bool) {
	c := *a
	switch {
	case pathCovers(&b.m.Path, &a.m.Path):
	case pathCovers(&a.m.Path, &b.m.Path):
		if a.prefixOnly {
			return nil, false // its rewrite depends on the prefix
		}
		c.m.Path, c.form = b.m.Path, b.form
	default:
		return nil, false
	}
	if c.m.Method == "" {
		c.m.Method = b.m.Method
	}
	var ok bool
	if c.m.Headers, ok = both(a.m.Headers, b.m.Headers, true); !ok {
		return nil, false
	}
	if c.m.Query, ok = both(a.m.Query, b.m.Query, false); !ok {
		return nil, false
	}
	return &c, true
}

// settlePair ties or notes what is left of a pair whose first should win.
func (e *emitter) settlePair(v *vhost, i, j int, ties ties) {
	a, b := v.entries[i], v.entries[j]
	order := a.order(b)
	regexes := a.form.kind == formRegex && b.form.kind == formRegex
	mixed := a.form.kind == formRegex && b.form.kind == formPrefix || a.form.kind == formPrefix && b.form.kind == formRegex
	if order > 0 && !regexes && !mixed {
		return
	}
	if !a.overlaps(b) || e.sameEffect(a, b) {
		return
	}
	if order == 0 || regexes {
		ties.join(i, j)
	}
	if order >= 0 && !mixed || e.decidedBefore(v, i, j) {
		return
	}
	message := describe(a) + " came before " + describe(b) + " for requests that both match; Gateway API takes the latter first"
	if regexes {
		message = describe(a) + " came before " + describe(b) + " for paths that both match; which of two regular expressions is taken first depends on the implementation (most try longer ones first, or the order of the route)"
	}
	if mixed {
		message = describe(a) + " came before " + describe(b) + " for paths that both match; whether a prefix or a regular expression is taken first depends on the implementation (Istio takes the prefix, Envoy Gateway the expression)"
	}
	e.note(a.rule, remark{feature: FeatureOrder, fate: Approximated, message: message, remedy: "make the paths exclude each other"})
}

// decidedBefore reports whether something else takes what a and b share: an
// entry before both, or an added match.
func (e *emitter) decidedBefore(v *vhost, i, j int) bool {
	a, b := v.entries[i], v.entries[j]
	c, ok := a.narrowed(b)
	if !ok {
		return false
	}
	for k, x := range v.entries[:j] {
		if x != a && x.covers(c) && (k < i || x.order(b) >= 0) {
			return true
		}
	}
	return false
}

func describe(en *entry) string {
	s := en.form.value
	if en.m.Method != "" {
		s = en.m.Method + " " + s
	}
	for _, h := range en.m.Headers {
		s += " with header " + h.Name
	}
	for _, q := range en.m.Query {
		s += " with query parameter " + q.Name
	}
	return s
}

// ties is a union-find over entries; the root is the first of a set.
type ties []int

func newTies(n int) ties {
	t := make(ties, n)
	for i := range t {
		t[i] = i
	}
	return t
}

func (t ties) find(i int) int {
	for t[i] != i {
		t[i] = t[t[i]]
		i = t[i]
	}
	return i
}

func (t ties) join(i, j int) {
	a, b := t.find(i), t.find(j)
	if a > b {
		a, b = b, a
	}
	t[b] = a
}

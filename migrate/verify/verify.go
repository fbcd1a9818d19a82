package verify

import (
	"context"
	"sync/atomic"

	"github.com/causeway-gateway/causeway/internal/parallel"
	"github.com/causeway-gateway/causeway/routing"
)

// Options of Compare. The zero value compares everything.
type Options struct {
	// Announced returns what foretold a difference, in the caller's own
	// numbers (ledger entries); empty for a surprise. It is called from several
	// goroutines at once. May be nil.
	Announced func(d *Difference) []int
	// Asked is told of every witness and both decisions, from several goroutines
	// at once; what it gets is valid during the call. May be nil.
	Asked func(r *routing.Request, before, after *routing.Decision)
	// Readings are asked too: a request that is the same under the tables' own
	// readings and differs under one of these depends on the implementation.
	Readings []Reading
}

// Reading is another way to read one or both tables.
type Reading struct {
	Name          string // as a sentence about the implementation
	Before, After *routing.Table
	// Concerns limits the reading to requests that it can change; nil asks all.
	Concerns func(r *routing.Request, before, after *routing.Decision) bool
}

// Difference is a cause for which requests are treated differently.
type Difference struct {
	Request       routing.Request // the simplest witness
	Before, After routing.Decision
	Aspects       Aspect
	Alike         int   // witnesses for the same cause, this one included
	Announced     []int // see Options.Announced
}

// Dependence is a reading on which the result depends.
type Dependence struct {
	Reading string
	Difference
}

// Result of Compare.
type Result struct {
	// Witnesses is the number of requests that were asked of both tables.
	Witnesses int
	// Differences by cause: the pair of rules that decided and what differs, in
	// the order of the rules.
	Differences []Difference
	// Dependences are requests on which the tables agree only under their own
	// readings, the simplest of each reading.
	Dependences []Dependence
	Dead        []Dead
	Uncovered   []Uncovered
}

// Equal reports whether no witness differs.
func (r *Result) Equal() bool { return len(r.Differences) == 0 }

// Add adds the result of another comparison.
func (r *Result) Add(o *Result) {
	r.Witnesses += o.Witnesses
	r.Differences = append(r.Differences, o.Differences...)
	r.Dependences = append(r.Dependences, o.Dependences...)
	r.Dead = append(r.Dead, o.Dead...)
	r.Uncovered = append(r.Uncovered, o.Uncovered...)
}

// Surprises returns the differences that nothing announced.
func (r *Result) Surprises() []Difference {
	var out []Difference
	for _, d := range r.Differences {
		if len(d.Announced) == 0 {
			out = append(out, d)
		}
	}
	return out
}

// Side is one of the two tables.
type Side uint8

// Sides.
const (
	Before Side = iota
	After
)

func (s Side) String() string { return [...]string{"before", "after"}[s] }

// Compare asks both tables every witness. Work is linear in the number of
// virtual hosts and, within one, in the product of its path literals and its
// rules, up to the bounds in paths.go and conditions.go. It uses all cores; the
// result does not depend on their number.
func Compare(ctx context.Context, before, after *routing.Table, o Options) (*Result, error) {
	before.Warm()
	after.Warm()
	c := &comparison{o: o, tables: [2]*routing.Table{before, after}, rules: map[*routing.Rule]int32{}}
	owners := map[owner]int32{}
	for side, t := range c.tables {
		for _, l := range t.Listeners {
			for _, h := range l.Hosts {
				for _, r := range h.Ordered() {
					o := owner{Side(side), r.Origin.Object, r.Origin.Path}
					first, ok := owners[o]
					if !ok {
						first = int32(len(c.list))
						owners[o] = first
					}
					c.rules[r] = int32(len(c.list))
					c.list = append(c.list, known{rule: r, side: Side(side), host: h, first: first})
				}
			}
		}
	}
	c.hit = make([]atomic.Bool, len(c.list))
	groups := c.groups()
	workers := make([]*worker, parallel.Workers(len(groups), batch))
	for i := range workers {
		workers[i] = &worker{comparison: c, found: map[cause]*Difference{}, depends: map[int]*Difference{}}
	}
	parallel.Chunks(ctx, len(groups), batch, func(at, from, to int) {
		for _, g := range groups[from:to] {
			workers[at].group(g)
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.result(ctx, workers), ctx.Err()
}

// batch is the number of groups, and of differences, that a worker takes at once.
const batch = 16

// known is a rule with where it stands.
type known struct {
	rule  *routing.Rule
	side  Side
	host  *routing.Host
	first int32 // index of the first rule that the same part of an object made
}

// owner is the part of an object that rules come from.
type owner struct {
	side   Side
	object routing.ObjectRef
	path   string
}

// comparison holds what all workers read; only hit is written meanwhile.
type comparison struct {
	o      Options
	tables [2]*routing.Table
	rules  map[*routing.Rule]int32 // index in list
	list   []known
	hit    []atomic.Bool
}

// cause is why requests differ: what made the rules that decide, and what is
// different.
type cause struct {
	before, after int32 // known.first of the rule, -1 for none
	aspects       Aspect
	served        bool // after, so that closed and open rules are told apart
}

func (c *comparison) causeOf(b, a int32, aspects Aspect, after *routing.Decision) cause {
	k := cause{b, a, aspects, len(after.Backends) > 0 || after.Location != ""}
	if b >= 0 {
		k.before = c.list[b].first
	}
	if a >= 0 {
		k.after = c.list[a].first
	}
	return k
}

func (c *comparison) index(r *routing.Rule) int32 {
	if i, ok := c.rules[r]; ok {
		return i
	}
	return -1
}

// worker compares groups and collects what it finds.
type worker struct {
	*comparison
	witnesses int
	found     map[cause]*Difference
	depends   map[int]*Difference // by reading
	uncovered []Uncovered

	before, after, otherBefore, otherAfter routing.Decision // of the request being asked
}

// ask routes one request through both tables.
func (w *worker) ask(r *routing.Request) {
	w.witnesses++
	before, after := &w.before, &w.after
	*before, *after = w.tables[Before].Route(r), w.tables[After].Route(r)
	b, a := w.index(before.Why), w.index(after.Why)
	w.reach(b)
	w.reach(a)
	if w.o.Asked != nil {
		w.o.Asked(r, before, after)
	}
	if aspects := Differ(before, after); aspects != 0 {
		keepSimplest(w.found, w.causeOf(b, a, aspects, after), r, before, after, aspects)
		return
	}
	for i := range w.o.Readings {
		rd := &w.o.Readings[i]
		if rd.Concerns != nil && !rd.Concerns(r, before, after) {
			continue
		}
		x, y := &w.otherBefore, &w.otherAfter
		*x, *y = rd.Before.Route(r), rd.After.Route(r)
		if aspects := Differ(x, y); aspects != 0 {
			keepSimplest(w.depends, i, r, x, y, aspects)
		}
	}
}

func (w *worker) reach(rule int32) {
	if rule >= 0 && !w.hit[rule].Load() {
		w.hit[rule].Store(true)
	}
}

// keepSimplest counts a difference and keeps the simpler request.
func keepSimplest[K comparable](m map[K]*Difference, k K, r *routing.Request, before, after *routing.Decision, aspects Aspect) {
	d := m[k]
	if d == nil {
		d = &Difference{}
		m[k] = d
	} else if !simpler(r, &d.Request) {
		d.Alike++
		return
	}
	*d = Difference{Request: clone(r), Before: *before, After: *after, Aspects: aspects, Alike: d.Alike + 1}
}

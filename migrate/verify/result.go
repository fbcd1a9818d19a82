package verify

import (
	"cmp"
	"context"
	"slices"

	"github.com/causeway-gateway/causeway/internal/parallel"
)

// result merges what the workers found, in the order of the tables.
func (c *comparison) result(ctx context.Context, workers []*worker) *Result {
	res := &Result{}
	found, depends := map[cause]*Difference{}, map[int]*Difference{}
	for _, w := range workers {
		res.Witnesses += w.witnesses
		res.Uncovered = append(res.Uncovered, w.uncovered...)
		merge(found, w.found)
		merge(depends, w.depends)
	}
	slices.SortFunc(res.Uncovered, func(a, b Uncovered) int { return cmp.Compare(a.Reason, b.Reason) })
	causes := make([]cause, 0, len(found))
	for k := range found {
		causes = append(causes, k)
	}
	slices.SortFunc(causes, func(a, b cause) int {
		return cmp.Or(cmp.Compare(uint32(a.before), uint32(b.before)), cmp.Compare(uint32(a.after), uint32(b.after)), cmp.Compare(a.aspects, b.aspects), cmp.Compare(order(a.served), order(b.served)))
	})
	res.Differences = make([]Difference, len(causes))
	parallel.Chunks(ctx, len(causes), batch, func(_, from, to int) {
		for i := from; i < to; i++ {
			d := &res.Differences[i]
			*d = *found[causes[i]]
			c.minimise(d)
			if c.o.Announced != nil {
				d.Announced = c.o.Announced(d)
			}
		}
	})
	for i := range c.o.Readings {
		if d := depends[i]; d != nil {
			res.Dependences = append(res.Dependences, Dependence{c.o.Readings[i].Name, *d})
		}
	}
	c.coverage(res)
	return res
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

func merge[K comparable](into, from map[K]*Difference) {
	for k, d := range from {
		old := into[k]
		if old == nil {
			into[k] = d
			continue
		}
		alike := old.Alike + d.Alike
		if simpler(&d.Request, &old.Request) {
			*old = *d
		}
		old.Alike = alike
	}
}

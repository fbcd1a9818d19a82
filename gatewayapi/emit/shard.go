package emit

import (
	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// packed is one route to be written: rules of entries that do the same.
type packed struct {
	rules   [][]*entry
	matches int
}

// bucket holds the entries of one virtual host that belong into routes of one
// object.
type bucket struct {
	owner     routing.ObjectRef
	namespace string
	entries   []*entry
}

// buckets sorts the entries of a virtual host by the object that wrote them.
// Entries whose order only their position decides go where the first of them
// goes; between namespaces that cannot be.
func (e *emitter) buckets(v *vhost) []*bucket {
	var out []*bucket
	byOwner := map[routing.ObjectRef]*bucket{}
	home := map[int]*routing.Rule{}
	for _, en := range v.entries {
		owner := en.rule.Origin.Object
		first, ok := home[en.tie]
		switch {
		case !ok:
			home[en.tie] = en.rule
		case first.Origin.Object == owner:
		case e.namespaceFor(v, first) == e.namespaceFor(v, en.rule):
			owner = first.Origin.Object
		default:
			e.note(en.rule, remark{feature: FeatureOrder, fate: Approximated, message: describe(en) + " competes with a rule of " + first.Origin.Object.String() + ": between routes of two namespaces the older one wins, then the first by name", remedy: "make the paths exclude each other, or move the rules into one namespace"})
		}
		b := byOwner[owner]
		if b == nil {
			b = &bucket{owner: owner, namespace: e.namespaceFor(v, en.rule)}
			byOwner[owner] = b
			out = append(out, b)
		}
		b.entries = append(b.entries, en)
	}
	return out
}

// pack spreads entries over routes within the limits. Entries that are tied
// stay in one route, in order; where there are too many, the names of the
// routes keep the order as long as the routes are of one age.
func (e *emitter) pack(b *bucket) []*packed {
	var order []int
	groups := map[int][]*entry{}
	for _, en := range b.entries {
		if groups[en.tie] == nil {
			order = append(order, en.tie)
		}
		groups[en.tie] = append(groups[en.tie], en)
	}
	var out []*packed
	cur := &packed{}
	for _, tie := range order {
		g := groups[tie]
		if !e.fits(cur, g) && cur.matches > 0 {
			out, cur = append(out, cur), &packed{}
			if !e.fits(cur, g) {
				e.note(g[0].rule, remark{feature: FeatureOrder, fate: Approximated, message: "more rules compete than one route may hold; between the routes the older one wins, then the first by name", remedy: "apply the routes together, or make the paths exclude each other"})
			}
		}
		for _, en := range g {
			if !e.fits(cur, []*entry{en}) {
				out, cur = append(out, cur), &packed{}
			}
			e.add(cur, en)
		}
	}
	if cur.matches > 0 {
		out = append(out, cur)
	}
	return out
}

// merges reports whether an entry becomes one more match of the last rule. A
// prefix replacement allows one match only (CEL on HTTPRouteRule).
func (e *emitter) merges(last []*entry, en *entry) bool {
	return len(last) > 0 && len(last) < gatewayapi.MaxMatches && !en.prefixOnly && !last[0].prefixOnly && e.sameEffect(last[0], en)
}

func (e *emitter) fits(p *packed, es []*entry) bool {
	rules, matches := len(p.rules), p.matches+len(es)
	var last []*entry
	if rules > 0 {
		last = p.rules[rules-1]
	}
	for _, en := range es {
		if e.merges(last, en) {
			last = append(last[:len(last):len(last)], en)
			continue
		}
		rules++
		last = []*entry{en}
		if rules > gatewayapi.MaxRules {
			return false
		}
	}
	return rules <= gatewayapi.MaxRules && matches <= gatewayapi.MaxMatchesPerRoute
}

func (e *emitter) add(p *packed, en *entry) {
	p.matches++
	if n := len(p.rules); n > 0 && e.merges(p.rules[n-1], en) {
		p.rules[n-1] = append(p.rules[n-1], en)
		return
	}
	p.rules = append(p.rules, []*entry{en})
}

package emit

import (
	"encoding/json"
	"strconv"

	"github.com/causeway-gateway/causeway/routing"
)

// sameAction reports whether two actions do the same, wherever they were
// written.
func (e *emitter) sameAction(a, b *routing.Action) bool {
	if a == b {
		return true
	}
	if (a.Redirect == nil) != (b.Redirect == nil) || (a.Respond == nil) != (b.Respond == nil) || (a.Rewrite == nil) != (b.Rewrite == nil) ||
		(a.CORS == nil) != (b.CORS == nil) || len(a.Backends) != len(b.Backends) || len(a.Guards) != len(b.Guards) || a.Timeouts != b.Timeouts {
		return false
	}
	for i := range a.Backends {
		if x, y := &a.Backends[i], &b.Backends[i]; x.Name != y.Name || x.Namespace != y.Namespace || x.Port != y.Port || x.Weight != y.Weight {
			return false
		}
	}
	return e.fingerprint(a) == e.fingerprint(b)
}

// fingerprint is the content of an action, without where its guards were
// written and what Freeze adds.
func (e *emitter) fingerprint(a *routing.Action) string {
	if k, ok := e.keys[a]; ok {
		return k
	}
	c := *a
	c.Guards = withoutOrigins(a.Guards)
	b, err := json.Marshal(c)
	k := string(b)
	if err != nil { // a value that JSON cannot hold (NaN) is equal to nothing
		k = "unequal " + strconv.Itoa(len(e.keys))
	}
	e.keys[a] = k
	return k
}

func withoutOrigins(gs []routing.Guard) []routing.Guard {
	var out []routing.Guard
	for _, g := range gs {
		g.Origin = routing.Origin{}
		g.AnyOf = withoutOrigins(g.AnyOf)
		out = append(out, g)
	}
	return out
}

// alias makes what is said and placed of a rule hold for its twin too.
func (e *emitter) alias(r, twin *routing.Rule) {
	if r != twin {
		e.twins[r] = append(append(e.twins[r], twin), e.twins[twin]...)
	}
}

package compile

import (
	"iter"
	"strings"
)

// nameSet is a set of hostnames that answers whether another one has names in
// common with it; O(labels) each.
type nameSet struct {
	any   bool
	exact map[string]bool
	wild  map[string]bool // by the domain after "*."
	above map[string]bool // domains above an exact name or a wildcard
}

func newNameSet() *nameSet {
	return &nameSet{exact: map[string]bool{}, wild: map[string]bool{}, above: map[string]bool{}}
}

func (s *nameSet) add(name string) {
	domain, wild := strings.CutPrefix(name, "*.")
	switch {
	case name == "":
		s.any = true
		return
	case wild:
		s.wild[domain] = true
		s.above[domain] = true
	default:
		s.exact[name] = true
	}
	for parent := range parents(domain) {
		s.above[parent] = true
	}
}

// parents yields the domains above a domain, the nearest first.
func parents(domain string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, rest, ok := strings.Cut(domain, "."); ok && yield(rest); {
			_, rest, ok = strings.Cut(rest, ".")
		}
	}
}

// meets reports whether a name intersects with one of the set.
func (s *nameSet) meets(name string) bool {
	domain, wild := strings.CutPrefix(name, "*.")
	switch {
	case s.any:
		return true
	case name == "":
		return len(s.exact)+len(s.wild) > 0
	case wild && (s.above[domain] || s.wild[domain]), !wild && s.exact[name]:
		return true
	}
	for parent := range parents(domain) {
		if s.wild[parent] {
			return true
		}
	}
	return false
}

// claim takes hostnames of a listener for a kind of route. HTTPRoutes and
// GRPCRoutes share none: "if … the intersection of the hostnames of A and B is
// non-empty, then the implementation MUST accept exactly one of these two
// routes", the older (GRPCRouteSpec.Hostnames). It returns the kind that has a
// name already, "" when the claim holds. A route that is not valid claims
// nothing, for it is not accepted.
func (p *place) claim(kind string, names []effective, valid bool) string {
	other := map[string]string{"HTTPRoute": "GRPCRoute", "GRPCRoute": "HTTPRoute"}[kind]
	if other == "" {
		return ""
	}
	if taken := p.claims[other]; taken != nil {
		for _, n := range names {
			if taken.meets(n.name) {
				return other
			}
		}
	}
	if !valid {
		return ""
	}
	if p.claims == nil {
		p.claims = map[string]*nameSet{}
	}
	own := p.claims[kind]
	if own == nil {
		own = newNameSet()
		p.claims[kind] = own
	}
	for _, n := range names {
		own.add(n.name)
	}
	return ""
}

// webRoutes adds HTTPRoutes and GRPCRoutes, the oldest first.
func (c *compiler) webRoutes() {
	http, grpc := c.in.http, c.in.grpc
	for len(http) > 0 || len(grpc) > 0 {
		if len(grpc) == 0 || len(http) > 0 && older(http[0], grpc[0]) {
			c.httpRoute(http[0])
			http = http[1:]
		} else {
			c.grpcRoute(grpc[0])
			grpc = grpc[1:]
		}
	}
}

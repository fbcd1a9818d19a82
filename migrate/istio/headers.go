package istio

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

// headerStep is one change of a header.
type headerStep struct {
	op          byte // 's'et, 'a'dd or 'r'emove
	name, value string
}

// headerSteps are changes in the order they are written. Envoy removes first,
// wherever it is written (source/common/router/header_parser.cc,
// evaluateHeaders), then sets and adds in order.
type headerSteps []headerStep

// headersOf takes the changes apart. The authority is not a header that can be
// changed: it is rewritten; other pseudo-headers are left alone
// (TranslateHeadersOperations in route.go).
func headersOf(h *networking.Headers) (request, response headerSteps, authority string) {
	request, authority = stepsOf(h.GetRequest())
	response, _ = stepsOf(h.GetResponse())
	return request, response, authority
}

func stepsOf(h *networking.Headers_HeaderOperations) (out headerSteps, authority string) {
	internal := func(name string) bool { return strings.HasPrefix(name, ":") || strings.EqualFold(name, "host") }
	take := func(op byte, m map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if strings.EqualFold(name, ":authority") || strings.EqualFold(name, "host") {
				if op == 's' || authority == "" {
					authority = m[name]
				}
			}
			if !internal(name) {
				out = append(out, headerStep{op, name, m[name]})
			}
		}
	}
	take('s', h.GetSet())
	take('a', h.GetAdd())
	for _, name := range h.GetRemove() {
		if !internal(name) {
			out = append(out, headerStep{op: 'r', name: name})
		}
	}
	return out, authority
}

// change says the same in the kernel's order: set, add, remove. What is removed
// and then added is set.
func (s headerSteps) change() routing.HeaderChange {
	type state struct {
		name    string
		removed bool
		set     *string
		adds    []string
	}
	var order []*state
	byName := map[string]*state{}
	get := func(name string) *state {
		k := strings.ToLower(name)
		if byName[k] == nil {
			byName[k] = &state{name: name}
			order = append(order, byName[k])
		}
		return byName[k]
	}
	for _, x := range s {
		if x.op == 'r' {
			get(x.name).removed = true
		}
	}
	for _, x := range s {
		switch st := get(x.name); x.op {
		case 's':
			v := x.value
			st.set, st.adds = &v, nil
		case 'a':
			if st.removed && st.set == nil {
				v := x.value
				st.set = &v
				continue
			}
			st.adds = append(st.adds, x.value)
		}
	}
	var out routing.HeaderChange
	for _, st := range order {
		if st.set != nil {
			out.Set = append(out.Set, routing.Header{Name: st.name, Value: *st.set})
		} else if st.removed {
			out.Remove = append(out.Remove, st.name)
		}
		for _, v := range st.adds {
			out.Add = append(out.Add, routing.Header{Name: st.name, Value: v})
		}
	}
	return out
}

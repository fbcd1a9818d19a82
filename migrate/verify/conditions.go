package verify

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// Bounds on the conditions tried at one path.
const (
	maxAsked = 16  // rules whose conditions are satisfied at every path they match
	maxPairs = 512 // pairs of rules whose conditions are satisfied together
)

// setting is what a request carries beside its path.
type setting struct {
	method  string
	headers map[string]string
	query   string // without "?"
}

func (s setting) id() string {
	var b strings.Builder
	b.WriteString(s.method + "\x00" + s.query)
	for _, k := range slices.Sorted(maps.Keys(s.headers)) {
		b.WriteString("\x00" + k + "\x01" + s.headers[k])
	}
	return b.String()
}

// param is a value of a header or query parameter; absent ones are left out.
type param struct {
	name, value string
	present     bool
}

// plan is a setting under construction.
type plan struct {
	method  string
	headers []param
	query   []param
}

func (p plan) setting() setting {
	s := setting{method: p.method}
	if s.method == "" {
		s.method = "GET"
	}
	for _, h := range p.headers {
		switch {
		case h.name == routing.MethodHeader:
			if h.present && isToken(h.value) {
				s.method = h.value
			}
		case h.name == routing.AuthorityHeader: // the host that is asked, see names
		case h.present:
			if s.headers == nil {
				s.headers = map[string]string{}
			}
			s.headers[h.name] = h.value
		}
	}
	var q []string
	for _, x := range p.query {
		if x.present {
			q = append(q, queryEscape(x.name)+"="+queryEscape(x.value))
		}
	}
	s.query = strings.Join(q, "&")
	return s
}

// isToken reports whether a text can be a method (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	}) < 0
}

// satisfying is a plan that fulfils every condition of a match.
func satisfying(m *routing.Match) plan {
	p := plan{method: m.Method}
	for i := range m.Headers {
		p.headers = append(p.headers, satisfied(&m.Headers[i]))
	}
	for i := range m.Query {
		p.query = append(p.query, satisfied(&m.Query[i]))
	}
	return p
}

// satisfied is a value that fulfils a condition.
func satisfied(m *routing.ValueMatch) param {
	if m.Negate {
		return param{name: m.Name}
	}
	return param{m.Name, positive(m), true}
}

func positive(m *routing.ValueMatch) string {
	switch m.Kind {
	case routing.RegexValue:
		for _, s := range samples(m.Value) {
			probe := *m
			probe.Negate = false
			if probe.Holds(s, true) {
				return s
			}
		}
		return literalHead(m.Value)
	case routing.PresentValue:
		return "x"
	}
	return m.Value
}

// variants are values around a condition: violated, absent, repeated, and for
// prefixes and expressions one character more.
func variants(m *routing.ValueMatch) []param {
	v := positive(m)
	out := []param{{name: m.Name}, {m.Name, v, true}, {m.Name, v + "z", true}, {m.Name, flip(v), true}, {m.Name, "", true}, {m.Name, v + ", zz", true}, {m.Name, "zz, " + v, true}}
	if m.Kind == routing.RegexValue {
		for _, s := range samples(m.Value) {
			out = append(out, param{m.Name, s, true}, param{m.Name, "z" + s, true})
		}
	}
	return out
}

// simple are the settings for every path: none, and the conditions of each rule
// that takes the path.
func simple(rules []*routing.Rule) []setting {
	out := []setting{{method: "GET"}}
	for _, r := range rules {
		if m := &r.Match; m.Method != "" || len(m.Headers)+len(m.Query) > 0 {
			out = append(out, satisfying(m).setting())
		}
		if len(out) > maxAsked {
			break
		}
	}
	if len(out) > 2 {
		out = distinct(out)
	}
	return out
}

// thorough are the settings for one path of each set of competing rules: every
// condition of each rule around its boundary, all methods, the conditions of
// each pair together, and the preflights of CORS. dropped counts pairs beyond
// the bound.
func thorough(rules []*routing.Rule) (out []setting, dropped int) {
	out = simple(rules)
	methods := map[string]bool{}
	cors := map[*routing.CORS]bool{}
	conditioned := rules[:0:0]
	for _, r := range rules {
		m := &r.Match
		if m.Method != "" {
			methods[m.Method] = true
		}
		if len(m.Headers)+len(m.Query) > 0 || m.Method != "" {
			conditioned = append(conditioned, r)
		}
		if c := r.Action.CORS; c != nil && !cors[c] {
			cors[c] = true
			out = append(out, preflights(c)...)
		}
		base := satisfying(m)
		for i := range m.Headers {
			for _, v := range variants(&m.Headers[i]) {
				out = append(out, plan{m.Method, instead(base.headers, i, v), base.query}.setting())
			}
		}
		for i := range m.Query {
			for _, v := range variants(&m.Query[i]) {
				out = append(out, plan{m.Method, base.headers, instead(base.query, i, v)}.setting())
			}
			again := param{m.Query[i].Name, "zz", true}
			out = append(out, plan{m.Method, base.headers, append(slices.Clone(base.query), again)}.setting(),
				plan{m.Method, base.headers, append([]param{again}, base.query...)}.setting())
		}
	}
	for _, m := range slices.Sorted(maps.Keys(methods)) {
		out = append(out, setting{method: m})
	}
	if len(methods) > 0 {
		for _, m := range []string{"GET", "POST", "PATCH"} {
			out = append(out, setting{method: m})
		}
	}
	pairs := 0
	for i, r := range conditioned {
		for j, s := range conditioned {
			if i == j {
				continue
			}
			if pairs++; pairs > maxPairs {
				dropped++
				continue
			}
			base := satisfying(&r.Match)
			if p, ok := together(base, satisfying(&s.Match)); ok && i < j {
				out = append(out, p.setting())
			}
			for _, v := range violations(&s.Match) {
				if p, ok := together(base, v); ok {
					out = append(out, p.setting())
				}
			}
		}
	}
	return distinct(out), dropped
}

// instead returns a copy of the list with another value at i.
func instead(list []param, i int, v param) []param {
	out := slices.Clone(list)
	out[i] = v
	return out
}

// violations are plans that break one condition of a match each and say nothing
// of the others.
func violations(m *routing.Match) []plan {
	var out []plan
	if m.Method != "" {
		other := "POST"
		if m.Method == other {
			other = "PATCH"
		}
		out = append(out, plan{method: other})
	}
	broken := func(v *routing.ValueMatch) param {
		if v.Negate {
			return param{v.Name, positive(v), true}
		}
		return param{v.Name, positive(v) + "zz", true}
	}
	for i := range m.Headers {
		out = append(out, plan{headers: []param{broken(&m.Headers[i])}})
	}
	for i := range m.Query {
		out = append(out, plan{query: []param{broken(&m.Query[i])}})
	}
	return out
}

// together merges two plans; ok is false when they contradict each other.
func together(a, b plan) (plan, bool) {
	if a.method != "" && b.method != "" && a.method != b.method {
		return a, false
	}
	if a.method == "" {
		a.method = b.method
	}
	merge := func(x, y []param, fold bool) ([]param, bool) {
		out := slices.Clone(x)
		for _, p := range y {
			at := slices.IndexFunc(out, func(q param) bool {
				return q.name == p.name || fold && strings.EqualFold(q.name, p.name)
			})
			if at < 0 {
				out = append(out, p)
			} else if out[at].value != p.value || out[at].present != p.present {
				return out, false
			}
		}
		return out, true
	}
	var okHeaders, okQuery bool
	a.headers, okHeaders = merge(a.headers, b.headers, true)
	a.query, okQuery = merge(a.query, b.query, false)
	return a, okHeaders && okQuery
}

// preflights are OPTIONS requests of an allowed and of another origin, with and
// without the header that makes them preflights.
func preflights(c *routing.CORS) []setting {
	origins := []string{"https://elsewhere.invalid"}
	for _, o := range c.AllowOrigins[:min(len(c.AllowOrigins), 8)] {
		origins = append(origins, strings.ReplaceAll(o, "*", "w"))
	}
	var out []setting
	for _, o := range origins {
		out = append(out, setting{method: "OPTIONS", headers: map[string]string{"Origin": o, "Access-Control-Request-Method": "GET"}},
			setting{method: "OPTIONS", headers: map[string]string{"Origin": o}}, setting{method: "GET", headers: map[string]string{"Origin": o}})
	}
	return append(out, setting{method: "OPTIONS"})
}

func distinct(in []setting) []setting {
	seen := make(map[string]bool, len(in))
	out := in[:0]
	for _, s := range in {
		if id := s.id(); !seen[id] {
			seen[id] = true
			out = append(out, s)
		}
	}
	return out
}

// queryEscape encodes every byte that is not unreserved; a space as %20, which
// every reader of queries knows.
func queryEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

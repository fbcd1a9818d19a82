package emit

import (
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// splitAuthorities settles conditions on the host that rules have beside their
// virtual host's names: each exact name gets the rules whose conditions it
// fulfils, and a name below a wildcard that some rule asks for becomes a
// hostname of its own. What is left are patterns under a wildcard, which
// hostnames cannot say.
func (e *emitter) splitAuthorities() {
	var out []*vhost
	for _, v := range e.vhosts {
		if !slices.ContainsFunc(v.rules, hasAuthority) {
			out = append(out, v)
			continue
		}
		names := orAny(v.names)
		for _, n := range names {
			if !strings.HasPrefix(n, "*") && n != "" {
				out = append(out, v.only(n, n))
				continue
			}
			out = append(out, e.authoritiesBelow(v, n)...)
			rest := v.only(n, n)
			rest.rules = slices.DeleteFunc(slices.Clone(v.rules), func(r *routing.Rule) bool {
				return slices.ContainsFunc(r.Match.Headers, func(h routing.ValueMatch) bool {
					return h.Name == routing.AuthorityHeader && h.Kind == routing.ExactValue && !h.Negate && validObjectName(strings.ToLower(h.Value))
				})
			})
			out = append(out, rest)
		}
	}
	e.vhosts = out
}

func hasAuthority(r *routing.Rule) bool {
	return slices.ContainsFunc(r.Match.Headers, func(h routing.ValueMatch) bool { return h.Name == routing.AuthorityHeader })
}

// authoritiesBelow are the names below a wildcard that conditions name, each as
// a virtual host at the sites that have none of that name.
func (e *emitter) authoritiesBelow(v *vhost, wildcard string) []*vhost {
	type served struct {
		protocol routing.Protocol
		port     int
		name     string
	}
	at := func(s site, name string) served { return served{s.listener.Protocol, s.listener.Port, name} }
	taken := map[served]bool{}
	for _, w := range e.vhosts {
		for _, s := range w.sites {
			taken[at(s, s.name)] = true
		}
	}
	var out []*vhost
	suffix := strings.TrimPrefix(wildcard, "*")
	for _, r := range v.rules {
		for _, h := range r.Match.Headers {
			name := strings.ToLower(h.Value)
			if h.Name != routing.AuthorityHeader || h.Kind != routing.ExactValue || !strings.HasSuffix(name, suffix) || !validObjectName(name) {
				continue
			}
			x := v.only(name, wildcard)
			x.sites = slices.DeleteFunc(x.sites, func(s site) bool {
				if taken[at(s, name)] {
					return true
				}
				// A longer wildcard takes the name before this one.
				for i := 0; i < len(name); i++ {
					if longer := "*" + name[i:]; name[i] == '.' && len(longer) > len(wildcard) && taken[at(s, longer)] {
						return true
					}
				}
				return false
			})
			for _, s := range x.sites {
				taken[at(s, name)] = true
			}
			if len(x.sites) > 0 {
				out = append(out, x)
			}
		}
	}
	return out
}

// only is the virtual host for one name, which stands at the sites of another;
// conditions on the host are settled where the name is exact.
func (v *vhost) only(name, at string) *vhost {
	c := *v
	c.refs = map[string][]attachment{}
	if c.names = []string{name}; name == "" {
		c.names = nil
	}
	c.sites = nil
	for _, s := range v.sites {
		if s.name == at {
			s.name = name
			c.sites = append(c.sites, s)
		}
	}
	if strings.HasPrefix(name, "*") || name == "" {
		return &c
	}
	c.rules = nil
	for _, r := range v.rules {
		if !hasAuthority(r) {
			c.rules = append(c.rules, r)
			continue
		}
		holds := true
		kept := *r
		kept.Match.Headers = nil
		for _, h := range r.Match.Headers {
			if h.Name != routing.AuthorityHeader {
				kept.Match.Headers = append(kept.Match.Headers, h)
			} else if !h.Holds(name, true) {
				holds = false
			}
		}
		if holds {
			c.rules = append(c.rules, &kept)
			c.settled = append(c.settled, [2]*routing.Rule{&kept, r})
		}
	}
	return &c
}

// byMethods writes conditions on the method that are no single method as one
// match for each method of Gateway API that fulfils them.
func (e *emitter) byMethods(items []conditioned) []conditioned {
	var out []conditioned
	for _, it := range items {
		i := slices.IndexFunc(it.match.Headers, func(h routing.ValueMatch) bool { return h.Name == routing.MethodHeader })
		if i < 0 || it.match.Method != "" {
			out = append(out, it)
			continue
		}
		cond := it.match.Headers[i]
		m := it.match
		m.Headers = slices.Delete(slices.Clone(it.match.Headers), i, i+1)
		for _, name := range sortedKeys(methods) {
			if cond.Holds(name, true) {
				m.Method = name
				out = append(out, conditioned{it.rule, m})
			}
		}
		if takesMore(&cond) {
			e.note(it.rule, remark{feature: FeatureMethod, fate: Approximated, message: "the condition on the method takes methods that Gateway API does not name, such as PROPFIND; their requests are no longer taken"})
		}
	}
	return out
}

// takesMore reports whether a condition on the method may take methods that
// Gateway API does not name.
func takesMore(cond *routing.ValueMatch) bool {
	if cond.Negate || cond.Kind != routing.RegexValue {
		return true
	}
	re, err := syntax.Parse(cond.Value, syntax.Perl)
	if err != nil {
		return true
	}
	words, ok := wordsOf(re.Simplify())
	return !ok || slices.ContainsFunc(words, func(w string) bool { return !methods[w] })
}

// wordsOf lists what an expression that is nothing but a choice of words
// matches.
func wordsOf(re *syntax.Regexp) ([]string, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, re.Flags&syntax.FoldCase == 0
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpCapture:
		return wordsOf(re.Sub[0])
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			words, ok := wordsOf(sub)
			if !ok {
				return nil, false
			}
			out = append(out, words...)
		}
		return out, true
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			words, ok := wordsOf(sub)
			if !ok || len(out)*len(words) > maxWords {
				return nil, false
			}
			var next []string
			for _, head := range out {
				for _, w := range words {
					next = append(next, head+w)
				}
			}
			out = next
		}
		return out, true
	case syntax.OpQuest:
		words, ok := wordsOf(re.Sub[0])
		return append(words, ""), ok
	case syntax.OpCharClass:
		var out []string
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if out = append(out, string(r)); len(out) > maxWords {
					return nil, false
				}
			}
		}
		return out, true
	}
	return nil, false
}

// maxWords bounds the choices that are listed of one expression.
const maxWords = 64

// withoutNegation says "not" by order: a rule that wants a header not to be so
// comes after copies of the rules behind it, for the requests in which the
// header is so. Gateway API has no negation, but more header matches come
// first. The rules behind have to be such that their conditions can be joined
// with the rule's own; otherwise the negation stays, and the rule is closed.
func (e *emitter) withoutNegation(items []conditioned) []conditioned {
	if !slices.ContainsFunc(items, func(it conditioned) bool { return negated(&it.match) >= 0 }) {
		return items
	}
	for i := len(items) - 1; i >= 0; i-- {
		it := items[i]
		var before []conditioned
		ok := true
		for n := negated(&it.match); n >= 0 && ok; n = negated(&it.match) {
			not := it.match.Headers[n]
			it.match.Headers = slices.Delete(slices.Clone(it.match.Headers), n, n+1)
			positive := it.match
			positive.Headers = slices.DeleteFunc(slices.Clone(positive.Headers), func(h routing.ValueMatch) bool { return h.Negate })
			var copies []conditioned
			copies, ok = e.fallThrough(positive, not, items[i+1:], it.rule)
			before = append(before, copies...)
			ok = ok && len(items)+len(before) < maxPairwise
		}
		if !ok {
			continue
		}
		items[i] = it
		items = slices.Concat(items[:i:i], before, items[i:])
	}
	return items
}

func negated(m *routing.Match) int {
	return slices.IndexFunc(m.Headers, func(h routing.ValueMatch) bool { return h.Negate })
}

// fallThrough are the rules that take the requests of a match in which a
// condition holds, in order, with nobody's 404 at the end.
func (e *emitter) fallThrough(m routing.Match, not routing.ValueMatch, later []conditioned, r *routing.Rule) ([]conditioned, bool) {
	not.Negate = false
	hit, possible, ok := join(m.Headers, not)
	if !possible || !ok {
		return nil, ok
	}
	m.Headers = hit
	m.Path = plain(m.Path)
	var out []conditioned
	for _, b := range later {
		c := m
		bp := plain(b.match.Path)
		switch {
		case !pathsOverlap(&m.Path, &bp) || m.Method != "" && b.match.Method != "" && m.Method != b.match.Method || m.Scheme != "" && b.match.Scheme != "" && m.Scheme != b.match.Scheme:
			continue
		case pathCovers(&bp, &m.Path):
		case pathCovers(&m.Path, &bp):
			c.Path = bp
		default:
			return nil, false
		}
		if b.rule.Action.Rewrite != nil && b.rule.Action.Rewrite.Path != nil && b.rule.Action.Rewrite.Path.Kind == routing.ReplacePrefix && !samePath(&c.Path, &bp) {
			return nil, false
		}
		if len(b.match.Client.Labels) > 0 {
			c.Client = b.match.Client
		}
		if c.Method == "" {
			c.Method = b.match.Method
		}
		if c.Scheme == "" {
			c.Scheme = b.match.Scheme
		}
		for _, h := range b.match.Headers {
			if h.Negate {
				return nil, false
			}
			if c.Headers, possible, ok = join(c.Headers, h); !ok {
				return nil, false
			} else if !possible {
				break
			}
		}
		if !possible {
			possible = true
			continue
		}
		var fits bool
		if c.Query, fits = both(c.Query, b.match.Query, false); !fits {
			return nil, false
		}
		out = append(out, conditioned{b.rule, c})
		if len(b.match.Headers)+len(b.match.Query)+len(b.match.Client.Labels) == 0 && b.match.Method == "" && pathCovers(&bp, &m.Path) {
			return out, true
		}
	}
	return append(out, conditioned{&routing.Rule{Action: &routing.Action{Respond: &routing.Response{Status: 404}}, Origin: r.Origin}, m}), true
}

// join adds a condition to a list in which a name may have one condition only;
// possible is false when no value fulfils both, ok when that cannot be told.
func join(list []routing.ValueMatch, add routing.ValueMatch) (out []routing.ValueMatch, possible, ok bool) {
	out = slices.Clone(list)
	for i, h := range out {
		if !sameName(h.Name, add.Name, true) || h.Negate {
			continue
		}
		switch {
		case sameValue(&h, &add, true), add.Kind == routing.PresentValue:
			return out, true, true
		case h.Kind == routing.PresentValue:
			out[i] = add
			return out, true, true
		case h.Kind == routing.ExactValue && !h.IgnoreCase:
			return out, add.Holds(h.Value, true), true
		case add.Kind == routing.ExactValue && !add.IgnoreCase:
			out[i] = add
			return out, h.Holds(add.Value, true), true
		}
		return out, true, false
	}
	return append(out, add), true, true
}

package verify

import (
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// Dead is a rule that can never decide because an earlier one takes everything
// it matches.
type Dead struct {
	Side Side
	Rule *routing.Rule
	By   *routing.Rule
}

// Uncovered is what the witnesses did not reach.
type Uncovered struct {
	Side   Side
	Rule   *routing.Rule // nil for a bound that was met
	Reason string
}

// coverage sorts the rules that no witness reached into those that are proven
// dead and those that are not.
func (c *comparison) coverage(res *Result) {
	served := make([]bool, len(c.list)) // a rule of several hosts counts once
	for i := range c.list {
		if c.hit[i].Load() {
			served[c.list[i].first] = true
		}
	}
	for i := range c.list {
		k := &c.list[i]
		if served[k.first] || k.first != int32(i) {
			continue
		}
		if by := shadow(k.host.Ordered(), k.rule); by != nil {
			res.Dead = append(res.Dead, Dead{k.side, k.rule, by})
			continue
		}
		res.Uncovered = append(res.Uncovered, Uncovered{k.side, k.rule, "no request was found that this rule decides"})
	}
}

// shadow returns an earlier rule that takes every request of r, nil when none
// does by itself.
func shadow(ordered []*routing.Rule, r *routing.Rule) *routing.Rule {
	for _, earlier := range ordered {
		if earlier == r {
			return nil
		}
		if covers(&earlier.Match, &r.Match) {
			return earlier
		}
	}
	return nil
}

// covers reports whether a takes every request that b takes. It may say no
// where the truth is yes, never the reverse.
func covers(a, b *routing.Match) bool {
	if a.Method != "" && a.Method != b.Method || a.Scheme != "" && a.Scheme != b.Scheme {
		return false
	}
	if a.Client.Namespace != "" && a.Client.Namespace != b.Client.Namespace {
		return false
	}
	for k, v := range a.Client.Labels {
		if b.Client.Labels[k] != v {
			return false
		}
	}
	return coversPath(&a.Path, &b.Path) && coversValues(a.Headers, b.Headers, true) && coversValues(a.Query, b.Query, false)
}

func coversPath(a, b *routing.PathMatch) bool {
	if a.Kind == routing.AnyPath || a.Kind == routing.SegmentPrefix && strings.Trim(a.Value, "/") == "" || a.Kind == routing.StringPrefix && a.Value == "/" {
		return true
	}
	if a.Kind == b.Kind && a.Value == b.Value && a.Full == b.Full && (a.IgnoreCase || !b.IgnoreCase) {
		return true
	}
	if a.IgnoreCase || b.IgnoreCase {
		return false
	}
	switch b.Kind {
	case routing.ExactPath:
		return a.Matches(b.Value)
	case routing.SegmentPrefix:
		bare := strings.TrimSuffix(b.Value, "/")
		return a.Kind == routing.SegmentPrefix && a.Matches(bare) || a.Kind == routing.StringPrefix && strings.HasPrefix(bare, a.Value)
	case routing.StringPrefix:
		return a.Kind == routing.StringPrefix && strings.HasPrefix(b.Value, a.Value) ||
			a.Kind == routing.SegmentPrefix && strings.HasPrefix(b.Value, strings.TrimSuffix(a.Value, "/")+"/")
	}
	return false
}

// coversValues reports whether every condition of a is one of b.
func coversValues(a, b []routing.ValueMatch, fold bool) bool {
	for i := range a {
		if !slices.ContainsFunc(b, func(m routing.ValueMatch) bool {
			x := a[i]
			return (x.Name == m.Name || fold && strings.EqualFold(x.Name, m.Name)) && x.Kind == m.Kind && x.Value == m.Value &&
				x.IgnoreCase == m.IgnoreCase && x.Search == m.Search && x.Negate == m.Negate
		}) {
			return false
		}
	}
	return true
}

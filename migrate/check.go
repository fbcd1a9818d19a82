package migrate

import (
	"context"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

// Usual is how most implementations read Gateway API objects where the
// specification leaves it to them.
var Usual = routing.Reading{NormalizePath: true}

// Check verifies a migration: the output, compiled with the specification's
// semantics, against the table of the input. Differences that the ledger tells
// of are marked as announced. Problems say what of the output has no effect;
// there should be none.
func Check(ctx context.Context, res *Result) (*verify.Result, []compile.Problem, error) {
	out := &verify.Result{}
	var problems []compile.Problem
	for _, p := range res.Parts {
		reading := Usual
		reading.NormalizePath = p.Table.Reading.NormalizePath
		after := compile.Compile(slices.Concat(p.objects(res.Objects), p.Assumed), compile.Options{Reading: reading})
		p.After = after.Table
		v, err := verify.Compare(ctx, p.Table, after.Table, verify.Options{
			Announced: Announced(res.Ledger, res.From), Readings: Readings(p.Table, after.Table, false, true),
		})
		if err != nil {
			return nil, problems, err
		}
		out.Add(v)
		problems = append(problems, after.Problems...)
	}
	return out, problems, nil
}

// Readings are the other ways in which an implementation may read Gateway API
// objects. beforeOpen and afterOpen say which of the tables were compiled from
// such objects; a table of another dialect has but one reading.
func Readings(before, after *routing.Table, beforeOpen, afterOpen bool) []verify.Reading {
	var out []verify.Reading
	add := func(name string, change func(*routing.Reading), concerns func(*routing.Request, *routing.Decision, *routing.Decision) bool) {
		under := func(t *routing.Table, open bool) *routing.Table {
			if !open {
				return t
			}
			r := t.Reading
			change(&r)
			return t.With(r)
		}
		out = append(out, verify.Reading{Name: name, Before: under(before, beforeOpen), After: under(after, afterOpen), Concerns: concerns})
	}
	name := "paths are matched as they are sent, without decoding or resolving them"
	if !before.Reading.NormalizePath {
		name = "paths are decoded and resolved before they are matched"
	}
	add(name, func(r *routing.Reading) { r.NormalizePath = !before.Reading.NormalizePath },
		func(r *routing.Request, _, _ *routing.Decision) bool {
			path, _, _ := strings.Cut(r.Path, "?")
			return strings.Contains(path, "%") || strings.Contains(path, "//") || strings.Contains(path, "/.")
		})
	add("a request that no rule of its host takes is tried with a broader host", func(r *routing.Reading) { r.HostFallthrough = true },
		func(_ *routing.Request, b, a *routing.Decision) bool { return b.Why == nil || a.Why == nil })
	if mixed := besideRegexes(before, beforeOpen, after, afterOpen); len(mixed) > 0 {
		add("regular expressions are tried after prefixes", func(r *routing.Reading) { r.RegexLast = true },
			func(_ *routing.Request, b, a *routing.Decision) bool { return mixed[b.Why] || mixed[a.Why] })
	}
	return out
}

// besideRegexes are the rules of hosts that mix regular expressions with other
// paths.
func besideRegexes(before *routing.Table, beforeOpen bool, after *routing.Table, afterOpen bool) map[*routing.Rule]bool {
	out := map[*routing.Rule]bool{}
	for _, side := range []struct {
		t    *routing.Table
		open bool
	}{{before, beforeOpen}, {after, afterOpen}} {
		if !side.open {
			continue
		}
		for _, l := range side.t.Listeners {
			for _, h := range l.Hosts {
				regexes := 0
				for _, r := range h.Rules {
					if r.Match.Path.Kind == routing.RegexPath {
						regexes++
					}
				}
				if regexes == 0 || regexes == len(h.Rules) {
					continue
				}
				for _, r := range h.Rules {
					out[r] = true
				}
			}
		}
	}
	return out
}

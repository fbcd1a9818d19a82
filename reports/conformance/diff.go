package conformance

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Change is one way in which a newer report differs from an older one.
type Change struct {
	// Kind is "result", "test", "feature" or "profile".
	Kind string `json:"kind"`
	// Worse says that the newer report claims less or fails more.
	Worse   bool   `json:"worse"`
	Profile string `json:"profile"`
	Level   string `json:"level,omitempty"`
	// Name of the test or feature.
	Name   string `json:"name,omitempty"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Diff lists what changed from one report to another: profiles by their names
// today, results, tests that fail or are skipped, features. What passes in both
// is not in a report by name and so not here.
func Diff(before, after *Report) []Change {
	a, b := byProfile(before), byProfile(after)
	var out []Change
	for _, name := range union(before, after) {
		p, q := a[name], b[name]
		switch {
		case p == nil:
			out = append(out, Change{Kind: "profile", Profile: name, Before: "absent", After: string(worst(q))})
			continue
		case q == nil:
			out = append(out, Change{Kind: "profile", Worse: true, Profile: name, Before: string(worst(p)), After: "absent"})
			continue
		}
		out = append(out, diffLevel(name, "core", &p.Core, &q.Core)...)
		none := Level{}
		x, y := p.Extended, q.Extended
		if x == nil {
			x = &none
		}
		if y == nil {
			y = &none
		}
		out = append(out, diffLevel(name, "extended", x, y)...)
	}
	// The worse first, otherwise in the order of the reports.
	slices.SortStableFunc(out, func(a, b Change) int {
		switch {
		case a.Worse == b.Worse:
			return 0
		case a.Worse:
			return -1
		}
		return 1
	})
	return out
}

func byProfile(r *Report) map[string]*Profile {
	out := map[string]*Profile{}
	for i := range r.Profiles {
		out[r.Profiles[i].Canonical()] = &r.Profiles[i]
	}
	return out
}

// union lists the profiles of both, those of the newer first.
func union(before, after *Report) []string {
	var out []string
	for _, r := range []*Report{after, before} {
		for i := range r.Profiles {
			if name := r.Profiles[i].Canonical(); !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func worst(p *Profile) Result { return (&Report{Profiles: []Profile{*p}}).Result() }

var rank = map[string]int{string(Success): 0, "passed": 0, "not run": 1, "": 1, string(Partial): 1, "skipped": 2, string(Failure): 3, "failed": 3}

func diffLevel(profile, level string, a, b *Level) []Change {
	var out []Change
	change := func(kind, name, before, after string) {
		if before != after {
			out = append(out, Change{Kind: kind, Worse: rank[after] > rank[before], Profile: profile, Level: level, Name: name, Before: before, After: after})
		}
	}
	change("result", "", string(a.Result), string(b.Result))
	was, is := outcomesOf(a), outcomesOf(b)
	for _, name := range keys(was, is) {
		change("test", name, cmp.Or(was[name], "passed or not run"), cmp.Or(is[name], "passed or not run"))
	}
	supports := func(l *Level) map[string]string {
		m := map[string]string{}
		for _, f := range l.Unsupported {
			m[f] = string(unsupported)
		}
		for _, f := range l.Supported {
			m[f] = string(supported)
		}
		return m
	}
	had, has := supports(a), supports(b)
	for _, name := range keys(had, has) {
		before, after := cmp.Or(had[name], string(unnamed)), cmp.Or(has[name], string(unnamed))
		if before != after && (before == string(supported) || after == string(supported)) {
			out = append(out, Change{Kind: "feature", Worse: before == string(supported), Profile: profile, Level: level, Name: name, Before: before, After: after})
		}
	}
	return out
}

func outcomesOf(l *Level) map[string]string {
	m := map[string]string{}
	for _, t := range l.SkippedTests {
		m[t] = "skipped"
	}
	for _, t := range l.FailedTests {
		m[t] = "failed"
	}
	return m
}

func keys(maps ...map[string]string) []string {
	var out []string
	for _, m := range maps {
		for k := range m {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Regressions counts the changes to the worse.
func Regressions(changes []Change) int {
	n := 0
	for _, c := range changes {
		if c.Worse {
			n++
		}
	}
	return n
}

// WriteDiff writes changes for a terminal, the worse first and marked by "-".
func WriteDiff(w io.Writer, before, after *Report, changes []Change) error {
	t := &text{b: bufio.NewWriter(w)}
	t.wrapped("", "from "+before.Implementation.Name()+" "+before.Implementation.Version+" ("+subject(before)+")")
	t.wrapped("", "to   "+after.Implementation.Name()+" "+after.Implementation.Version+" ("+subject(after)+")")
	if len(changes) == 0 {
		t.line("no difference in results, tests and features")
	}
	for _, group := range alike(changes) {
		c := group[0]
		sign := "+"
		if c.Worse {
			sign = "-"
		}
		what := fmt.Sprintf("%s %s %s: %s → %s", sign, c.Kind, c.Name, cmp.Or(c.Before, "none"), cmp.Or(c.After, "none"))
		var where []string
		for _, g := range group {
			where = append(where, strings.TrimSpace(g.Profile+" "+g.Level))
		}
		t.wrapped("  ", strings.Replace(what, "  ", " ", 1))
		t.wrapped("      ", "in "+strings.Join(where, ", "))
	}
	return t.b.Flush()
}

// alike groups changes that differ in nothing but their profile, in the order
// of the first of each.
func alike(changes []Change) [][]Change {
	var out [][]Change
	at := map[Change]int{}
	for _, c := range changes {
		key := c
		key.Profile, key.Level = "", ""
		if n, ok := at[key]; ok && c.Name != "" {
			out[n] = append(out[n], c)
			continue
		}
		at[key] = len(out)
		out = append(out, []Change{c})
	}
	return out
}

// WriteDiffJSON writes changes for programs.
func WriteDiffJSON(w io.Writer, changes []Change) error {
	if changes == nil {
		changes = []Change{}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(changes)
}

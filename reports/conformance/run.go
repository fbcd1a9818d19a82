package conformance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Run is what a run of Causeway knows beyond the official report: how long each
// test took, which one is flaky, why one failed. It is read from results.json,
// whose form is public.
type Run struct {
	File           string      `json:"-"`
	Version        int         `json:"version"`
	Status         string      `json:"status"`
	Verdict        string      `json:"verdict"`
	Suite          string      `json:"suite"`
	Implementation RunIdentity `json:"implementation"`
	Cluster        string      `json:"cluster"`
	Profiles       []string    `json:"profiles"`
	Started        time.Time   `json:"started"`
	Seconds        float64     `json:"seconds"`
	Report         RunReport   `json:"report"`
	Tests          []Test      `json:"tests"`
	Warnings       []string    `json:"warnings,omitempty"`
}

// RunIdentity says what was tested.
type RunIdentity struct {
	Name         string `json:"name"`
	Version      string `json:"version,omitempty"`
	GatewayClass string `json:"gatewayClass,omitempty"`
}

// RunReport says where the official report of a run is, or why there is none.
type RunReport struct {
	Path   string `json:"path,omitempty"`
	Absent string `json:"absent,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Outcome is how a test of a run ended.
type Outcome string

// Outcomes of results.json.
const (
	Passed       Outcome = "pass"
	Failed       Outcome = "fail"
	Flaky        Outcome = "flaky"      // failed, then passed alone
	KnownFailure Outcome = "known-fail" // failed, as its descriptor says it does
	SkippedTest  Outcome = "skip"
	NeverStarted Outcome = "not-run"
)

// quiet outcomes are told about in groups: there may be a hundred of each.
var quiet = []Outcome{NeverStarted, SkippedTest, Passed}

// urgency orders the others; an outcome that is not known comes first.
var urgency = map[Outcome]int{Failed: 1, Flaky: 2, KnownFailure: 3}

// Test is one test of a run.
type Test struct {
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
	// Seconds that the last attempt took.
	Seconds  float64      `json:"seconds"`
	Profiles []Membership `json:"profiles,omitempty"`
	Attempts []struct {
		Log       string `json:"log,omitempty"`
		Artifacts string `json:"artifacts,omitempty"`
	} `json:"attempts,omitempty"`
}

// Membership is a profile that counts a test, and at which level.
type Membership struct {
	Profile string `json:"profile"`
	Level   string `json:"level"`
}

// runVersion is the version of the form that is read.
const runVersion = 1

// ReadRun reads a results.json.
func ReadRun(file string, data []byte) (*Run, error) {
	r := &Run{File: file}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if r.Version != runVersion {
		return nil, fmt.Errorf("%s: results of version %d are not known, only those of %d", file, r.Version, runVersion)
	}
	for i, t := range r.Tests {
		if t.Name == "" || t.Outcome == "" {
			return nil, fmt.Errorf("%s: tests[%d]: %q with outcome %q is no test", file, i, t.Name, t.Outcome)
		}
	}
	return r, nil
}

// looksLikeRun tells results.json from a report that is written in JSON.
func looksLikeRun(data []byte) bool {
	var probe struct {
		Version json.Number     `json:"version"`
		Kind    string          `json:"kind"`
		Tests   json.RawMessage `json:"tests"`
	}
	return json.Unmarshal(data, &probe) == nil && probe.Kind == "" && probe.Tests != nil
}

// Count counts tests by outcome.
func (r *Run) Count(o Outcome) int {
	n := 0
	for i := range r.Tests {
		if r.Tests[i].Outcome == o {
			n++
		}
	}
	return n
}

// Tally is how many tests ended how, in a line.
func (r *Run) Tally() string {
	var parts []string
	for _, c := range []struct {
		o    Outcome
		word string
	}{{Passed, "passed"}, {Failed, "failed"}, {Flaky, "flaky"}, {KnownFailure, "failed as known"}, {SkippedTest, "skipped"}, {NeverStarted, "not run"}} {
		if n := r.Count(c.o); n > 0 || c.o == Passed || c.o == Failed {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.word))
		}
	}
	return strings.Join(parts, ", ")
}

// Notable are the tests that ran and did not simply pass, the worst first.
func (r *Run) Notable() []Test {
	out := slices.DeleteFunc(slices.Clone(r.Tests), func(t Test) bool { return slices.Contains(quiet, t.Outcome) })
	slices.SortStableFunc(out, func(a, b Test) int { return urgency[a.Outcome] - urgency[b.Outcome] })
	return out
}

// Group is tests that did not run for the same reason.
type Group struct {
	Outcome Outcome
	Reason  string
	Tests   []string
}

// Title says how many did not run, and why.
func (g Group) Title() string {
	verb := map[Outcome]string{SkippedTest: "skipped", NeverStarted: "not run"}[g.Outcome]
	s := plural(len(g.Tests), "test") + " " + verb
	if g.Reason != "" {
		s += ": " + g.Reason
	}
	return s
}

// unsupportedPrefix opens the reason of a test whose features are not
// supported. The features themselves are in the report.
const unsupportedPrefix = "not supported"

// Groups are the tests that did not run, those that never got their turn first.
func (r *Run) Groups() []Group {
	var out []Group
	for _, o := range []Outcome{NeverStarted, SkippedTest} {
		at := map[string]int{}
		for _, t := range r.Tests {
			if t.Outcome != o {
				continue
			}
			reason := t.Reason
			if o == SkippedTest && strings.HasPrefix(reason, unsupportedPrefix) {
				reason = "features that are not supported"
			}
			n, ok := at[reason]
			if !ok {
				n, at[reason] = len(out), len(out)
				out = append(out, Group{Outcome: o, Reason: reason})
			}
			out[n].Tests = append(out[n].Tests, t.Name)
		}
	}
	return out
}

// few bounds the groups whose tests are named where room is short.
const few = 12

// Slowest are the n tests that took longest.
func (r *Run) Slowest(n int) []Test {
	ran := slices.DeleteFunc(slices.Clone(r.Tests), func(t Test) bool { return t.Seconds <= 0 })
	slices.SortStableFunc(ran, func(a, b Test) int {
		switch {
		case a.Seconds > b.Seconds:
			return -1
		case a.Seconds < b.Seconds:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return ran[:min(n, len(ran))]
}

// test finds a test of the run by its name.
func (r *Run) test(name string) *Test {
	if r == nil {
		return nil
	}
	for i := range r.Tests {
		if r.Tests[i].Name == name {
			return &r.Tests[i]
		}
	}
	return nil
}

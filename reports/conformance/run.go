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
}

// Outcome is how a test of a run ended.
type Outcome string

// Outcomes of results.json.
const (
	Passed       Outcome = "pass"
	Failed       Outcome = "fail"
	Flaky        Outcome = "flaky" // failed, then passed alone
	SkippedTest  Outcome = "skip"
	NeverStarted Outcome = "not-run"
)

// outcomes in the order in which people want to see them.
var outcomes = []Outcome{Failed, Flaky, NeverStarted, SkippedTest, Passed}

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
		if t.Name == "" || !slices.Contains(outcomes, t.Outcome) {
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

// Notable are the tests that did not simply pass, the worst first.
func (r *Run) Notable() []Test {
	var out []Test
	for _, o := range outcomes[:len(outcomes)-1] {
		for i := range r.Tests {
			if r.Tests[i].Outcome == o {
				out = append(out, r.Tests[i])
			}
		}
	}
	return out
}

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

package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ResultsVersion is the version of the form of results.json. It changes when a
// field changes its meaning or goes away.
const ResultsVersion = 1

// Names in the folder of results.
const (
	ResultsFile = "results.json"
	JUnitFile   = "junit.xml"
	ReportFile  = "report.yaml" // the official report
)

// Status is how a run ended.
type Status string

// What a run can end in.
const (
	StatusRunning     Status = "running" // has not ended, or was killed
	StatusPassed      Status = "passed"
	StatusFailed      Status = "failed"
	StatusNotReady    Status = "not-ready"    // the implementation never became ready
	StatusSetupFailed Status = "setup-failed" // the suite could not set up its own objects
	StatusTimedOut    Status = "timed-out"
	StatusCrashed     Status = "crashed" // the suite ended before its tests did
	StatusInterrupted Status = "interrupted"
)

// Nonconformant reports whether the status speaks against the implementation,
// rather than of the run itself.
func (s Status) Nonconformant() bool {
	return slices.Contains([]Status{StatusFailed, StatusNotReady, StatusSetupFailed, StatusTimedOut}, s)
}

// complete reports whether the suite came to an end of its own, or was ended for
// a failed test.
func (s Status) complete() bool { return s == StatusPassed || s == StatusFailed }

// Outcome is how a test ended.
type Outcome string

// What a test can end in.
const (
	Passed Outcome = "pass"
	Failed Outcome = "fail"
	Flaky  Outcome = "flaky" // failed, and passed when it was run again alone
	// KnownFailure is a failure that the implementation announced. It is not run
	// again, and does not fail the run.
	KnownFailure Outcome = "known-fail"
	Skipped      Outcome = "skip"
	NotRun       Outcome = "not-run" // its turn never came
)

// Results is a run in our own form, results.json. The official report is a file
// of its own, and nothing here is ever written into it.
type Results struct {
	Version        int             `json:"version"`
	Status         Status          `json:"status"`
	Verdict        string          `json:"verdict"` // one sentence
	Suite          string          `json:"suite"`   // version of the Gateway API, "v1.6.3"
	Implementation ResultsIdentity `json:"implementation"`
	Cluster        string          `json:"cluster"`
	Tool           string          `json:"tool,omitempty"` // what ran the suite, "causeway v1.2.3"
	// Kubernetes is the version that the API server of the first attempt named,
	// "v1.37.2", and Images are what the implementation's pods ran then.
	Kubernetes string       `json:"kubernetesVersion,omitempty"`
	Images     []Image      `json:"images,omitempty"`
	Profiles   []string     `json:"profiles"`
	Features   []string     `json:"features,omitempty"` // supported, as this run took them
	Inferred   bool         `json:"inferred"`           // features came from GatewayClass and mesh
	Started    time.Time    `json:"started"`
	Ended      time.Time    `json:"ended,omitzero"`
	Seconds    float64      `json:"seconds"`
	Report     ReportState  `json:"report"`
	Summary    Summary      `json:"summary"`
	Tests      []TestResult `json:"tests"` // in the order they run
	Attempts   []Attempt    `json:"attempts"`
	Warnings   []string     `json:"warnings,omitempty"`
	// Request is what was asked for, to resume an interrupted run; its keys are
	// the caller's.
	Request map[string]string `json:"request,omitempty"`
}

// ResultsIdentity says what was tested.
type ResultsIdentity struct {
	Name         string `json:"name"`
	Version      string `json:"version,omitempty"`
	GatewayClass string `json:"gatewayClass,omitempty"`
}

// ReportState says where the official report is, or why there is none.
type ReportState struct {
	Path   string `json:"path,omitempty"` // relative to the folder of results
	Absent string `json:"absent,omitempty"`
	// SHA256 of the report as the suite wrote it, in hexadecimal.
	SHA256 string `json:"sha256,omitempty"`
	// Note says what makes the report less than complete.
	Note string `json:"note,omitempty"`
}

// Image is what a container was made of.
type Image struct {
	Name string `json:"name"` // as the pod asked for it
	// ID is what the kubelet says it got, with a digest; empty where the cluster
	// has programs instead of images.
	ID string `json:"id,omitempty"`
}

// Summary counts tests by outcome. Skipped are those the suite or we left out.
type Summary struct {
	Total   int `json:"total"`
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Flaky   int `json:"flaky"`
	Known   int `json:"knownFailed"`
	Skipped int `json:"skipped"`
	NotRun  int `json:"notRun"`
}

// TestResult is one test of a run.
type TestResult struct {
	Name     string       `json:"name"`
	Outcome  Outcome      `json:"outcome"`
	Reason   string       `json:"reason,omitempty"` // of a skip, or the first lines of a failure
	Profiles []Membership `json:"profiles,omitempty"`
	Features []string     `json:"features"`
	Seconds  float64      `json:"seconds"` // of the last attempt
	Attempts []TestRun    `json:"attempts,omitempty"`
}

// TestRun is one attempt at a test. Paths are relative to the folder of results.
type TestRun struct {
	Attempt   int       `json:"attempt"` // number of the attempt
	Outcome   Outcome   `json:"outcome"`
	Reason    string    `json:"reason,omitempty"`
	Started   time.Time `json:"started"`
	Seconds   float64   `json:"seconds"`
	Log       string    `json:"log,omitempty"`
	Artifacts string    `json:"artifacts,omitempty"`
}

// Kind says what an attempt is for.
type Kind string

// The kinds of attempts.
const (
	KindMain   Kind = "main"
	KindResume Kind = "resume" // the tests that an interrupted run did not reach
	KindRerun  Kind = "rerun"  // one failed test, alone
)

// Attempt is one run of the suite in a cluster of its own.
type Attempt struct {
	Number    int       `json:"number"`
	Kind      Kind      `json:"kind"`
	Tests     int       `json:"tests"` // that were to run
	Started   time.Time `json:"started"`
	Seconds   float64   `json:"seconds"`
	Ready     float64   `json:"readySeconds"` // until the implementation was ready
	Status    Status    `json:"status"`
	Detail    string    `json:"detail,omitempty"`
	Console   string    `json:"console,omitempty"`   // what the suite printed
	Artifacts string    `json:"artifacts,omitempty"` // of the attempt as a whole
}

// test returns the result of a test, added if it is new.
func (r *Results) test(name string) *TestResult {
	for i := range r.Tests {
		if r.Tests[i].Name == name {
			return &r.Tests[i]
		}
	}
	r.Tests = append(r.Tests, TestResult{Name: name, Outcome: NotRun})
	return &r.Tests[len(r.Tests)-1]
}

// record adds an attempt at a test. A test that failed and passes later is flaky;
// one that is run again after its own pass is not judged again.
func (r *Results) record(name string, run TestRun) {
	t := r.test(name)
	failed := slices.ContainsFunc(t.Attempts, func(a TestRun) bool { return a.Outcome == Failed })
	t.Attempts = append(t.Attempts, run)
	t.Seconds = run.Seconds
	t.Outcome = run.Outcome
	switch {
	case failed && run.Outcome == Passed:
		t.Outcome = Flaky
	case failed && run.Outcome != Failed:
		t.Outcome = Failed // a re-run that says nothing takes nothing back
	case run.Reason != "" || run.Outcome == Passed:
		t.Reason = run.Reason
	}
}

// failing are the tests that failed and did not pass since.
func (r *Results) failing() []string {
	var out []string
	for _, t := range r.Tests {
		if t.Outcome == Failed {
			out = append(out, t.Name)
		}
	}
	return out
}

// unfinished are the planned tests that have no outcome.
func (r *Results) unfinished() []string {
	var out []string
	for _, t := range r.Tests {
		if t.Outcome == NotRun {
			out = append(out, t.Name)
		}
	}
	return out
}

func (r *Results) count() {
	r.Summary = Summary{}
	for _, t := range r.Tests {
		r.Summary.add(t.Outcome)
	}
}

func (s *Summary) add(o Outcome) {
	s.Total++
	switch o {
	case Passed:
		s.Passed++
	case Failed:
		s.Failed++
	case Flaky:
		s.Flaky++
	case KnownFailure:
		s.Known++
	case Skipped:
		s.Skipped++
	default:
		s.NotRun++
	}
}

// save writes results.json and junit.xml, each at once, so that a run that is
// killed leaves whole files.
func (r *Results) save(dir string) error {
	r.count()
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	if err := ReplaceFile(filepath.Join(dir, ResultsFile), append(data, '\n')); err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	xml, err := r.junit()
	if err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	if err := ReplaceFile(filepath.Join(dir, JUnitFile), xml); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	return nil
}

// ReadResults reads the results of a run from its folder.
func ReadResults(dir string) (*Results, error) {
	path := filepath.Join(dir, ResultsFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading results: %w", err)
	}
	var r Results
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("reading results: %s: %w", path, err)
	}
	if r.Version != ResultsVersion {
		return nil, fmt.Errorf("reading results: %s has version %d of the form, this causeway reads %d", path, r.Version, ResultsVersion)
	}
	return &r, nil
}

// ReplaceFile writes a file beside its place and renames it there, so that a
// reader finds all of it or what was there before.
func ReplaceFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

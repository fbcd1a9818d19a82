package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// runner is a run under way.
type runner struct {
	o       Options
	listing *Listing

	mu      sync.Mutex
	results *Results
	saved   time.Time
}

// saveEvery is how often results are written while tests end.
const saveEvery = time.Second

// Run runs a suite against an implementation: all its tests in one cluster, then
// each failed one alone in a cluster of its own. It returns the results, which
// are in o.Out as well, written while it goes on. The error is of the machinery:
// wrong options ([ErrOptions]), a cluster that does not come up, a context that
// ended. What suite and implementation do is in the results' status; they may be
// there beside an error.
func Run(ctx context.Context, o Options, request map[string]string) (*Results, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	var err error
	if o.Out, err = filepath.Abs(o.Out); err != nil {
		return nil, fmt.Errorf("folder of results: %w", err)
	}
	defer o.View.Close()
	r := &runner{o: o}
	if r.listing, err = o.Suite.List(ctx); err != nil {
		return nil, err
	}
	plan, err := NewPlan(r.listing, &r.o, nil)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, fmt.Errorf("folder of results: %w", err)
	}
	lock := flock.New(filepath.Join(o.Out, ".lock"))
	if ok, err := lock.TryLock(); err != nil {
		return nil, fmt.Errorf("folder of results: %w", err)
	} else if !ok {
		return nil, fmt.Errorf("folder of results: another run writes to %s", o.Out)
	}
	defer func() { _ = lock.Close() }()
	if err := r.begin(plan, request); err != nil {
		return nil, err
	}
	for _, w := range plan.Warnings {
		fmt.Fprintf(o.View, "warning: %s\n", w)
	}
	err = r.all(ctx)
	r.conclude(ctx, err)
	return r.results, errors.Join(err, r.results.save(o.Out))
}

// begin makes the results, or reads those of the run that is resumed.
func (r *runner) begin(plan *Plan, request map[string]string) error {
	old, err := ReadResults(r.o.Out)
	switch {
	case r.o.Resume && err != nil:
		return fmt.Errorf("nothing to resume: %w", err)
	case r.o.Resume && (old.Suite != r.listing.Version || !slices.Equal(old.Profiles, plan.Profiles) || old.Implementation.Name != r.o.Implementation.Name):
		return fmt.Errorf("%w: %s holds a run of %s, suite %s, profiles %s: only the same can be resumed", ErrOptions, r.o.Out, old.Implementation.Name, old.Suite, strings.Join(old.Profiles, ","))
	case r.o.Resume:
		r.results = old
		r.results.Status, r.results.Ended = StatusRunning, time.Time{}
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %s holds the results of another run: name another folder, or --resume it", ErrOptions, r.o.Out)
	}
	r.results = &Results{
		Version: ResultsVersion, Status: StatusRunning, Suite: r.listing.Version, Cluster: r.o.ClusterName, Tool: r.o.Tool,
		Implementation: ResultsIdentity{r.o.Implementation.Name, r.o.Implementation.Version, r.o.Implementation.GatewayClass},
		Profiles:       plan.Profiles, Inferred: plan.Inferred, Started: time.Now().UTC(),
		Warnings: plan.Warnings, Request: request,
	}
	r.adopt(plan)
	return r.results.save(r.o.Out)
}

// adopt takes over what a plan says of each test, and returns those that are to
// run by it. The first plan may not know the features yet.
func (r *runner) adopt(plan *Plan) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results.Features = plan.Features
	var out []string
	for _, p := range plan.Tests {
		t := r.results.test(p.Name)
		t.Features, t.Profiles = p.Features, p.Profiles
		switch {
		case len(t.Attempts) > 0: // before an interrupt
		case p.Runs:
			t.Outcome, t.Reason = NotRun, ""
			out = append(out, p.Name)
		default:
			t.Outcome, t.Reason = Skipped, p.Reason
		}
	}
	return out
}

// all makes the attempts.
func (r *runner) all(ctx context.Context) error {
	if tests := r.results.unfinished(); len(tests) > 0 {
		kind := KindMain
		if r.reached() {
			kind = KindResume
		}
		a, err := r.attempt(ctx, kind, tests)
		if err != nil || !a.Status.complete() {
			return err
		}
	}
	if r.o.FailFast || r.o.KeepOnFailure {
		return nil
	}
	return r.rerun(ctx)
}

// reached reports whether any test has an outcome of its own, so that no report
// of one uninterrupted run can come any more.
func (r *runner) reached() bool {
	return slices.ContainsFunc(r.results.Tests, func(t TestResult) bool { return len(t.Attempts) > 0 })
}

// rerun runs each failed test again, alone.
func (r *runner) rerun(ctx context.Context) error {
	failed := r.results.failing()
	if r.o.RerunFailed > 0 && len(failed) > r.o.RerunLimit {
		r.warn(fmt.Sprintf("%d tests failed, too many for flakes: none was run again (--rerun-limit %d)", len(failed), r.o.RerunLimit))
		return nil
	}
	for _, name := range failed {
		for r.results.test(name).Outcome == Failed && len(r.results.test(name).Attempts) <= r.o.RerunFailed {
			a, err := r.attempt(ctx, KindRerun, []string{name})
			if err != nil {
				return fmt.Errorf("running %s again: %w", name, err)
			}
			if !a.Status.complete() {
				break // nothing was learnt
			}
		}
	}
	return nil
}

// attempt makes one attempt and adds it to the results.
func (r *runner) attempt(ctx context.Context, kind Kind, tests []string) (Attempt, error) {
	number := len(r.results.Attempts) + 1
	a := &attempt{
		runner:  r,
		Attempt: Attempt{Number: number, Kind: kind, Tests: len(tests), Started: time.Now().UTC(), Status: StatusRunning},
		dir:     filepath.Join(r.o.Out, "attempts", strconv.Itoa(number)),
		tests:   tests, stops: make(chan stop, 1),
	}
	// What a killed run left in place is in no results.
	if err := os.RemoveAll(a.dir); err != nil {
		return a.Attempt, fmt.Errorf("folder of results: %w", err)
	}
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return a.Attempt, fmt.Errorf("folder of results: %w", err)
	}
	r.mu.Lock()
	r.results.Attempts = append(r.results.Attempts, a.Attempt)
	r.mu.Unlock()
	err := a.run(ctx)
	if a.Status == StatusInterrupted {
		err = errors.Join(ctx.Err(), err)
	}
	switch {
	case a.Status != StatusRunning:
	case ctx.Err() != nil:
		a.Status, a.Detail = StatusInterrupted, "interrupted"
	default:
		a.Status, a.Detail = StatusCrashed, fmt.Sprint(err)
	}
	a.Seconds = time.Since(a.Started).Seconds()
	r.mu.Lock()
	r.results.Attempts[number-1] = a.Attempt
	r.mu.Unlock()
	if kind == KindMain {
		r.placeReport(a)
	}
	return a.Attempt, err
}

// placeReport copies the suite's report of an attempt that came to its end.
func (r *runner) placeReport(a *attempt) {
	state := &r.results.Report
	why := r.o.Implementation.reportable()
	switch {
	case why != "":
		state.Absent = why
		return
	case !a.Status.complete() || a.tracker == nil || a.tracker.ended == "":
		state.Absent = "the suite did not come to its end: " + string(a.Status)
		return
	}
	data, err := os.ReadFile(filepath.Join(a.dir, ReportFile))
	if err == nil {
		err = ReplaceFile(filepath.Join(r.o.Out, ReportFile), data)
	}
	if err != nil {
		state.Absent = fmt.Sprintf("the suite wrote none: %v", err)
		return
	}
	sum := sha256.Sum256(data)
	state.Path, state.Absent, state.SHA256 = ReportFile, "", hex.EncodeToString(sum[:])
	if r.o.Focus != "" || r.o.Skip != "" || r.o.FailFast {
		state.Note = "tests were left out of this run, which the report says"
	}
}

// conclude gives the run its status and verdict.
func (r *runner) conclude(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.results
	s.count()
	s.Ended = time.Now().UTC()
	s.Seconds = 0
	for _, a := range s.Attempts {
		s.Seconds += a.Seconds
	}
	var last Attempt
	for _, a := range s.Attempts {
		if a.Kind != KindRerun {
			last = a
		}
	}
	if s.Report.Path == "" && s.Report.Absent == "" || last.Kind == KindResume {
		s.Report = ReportState{Absent: "the run was interrupted: only one that runs through gives a report"}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		s.Status = StatusInterrupted
		s.Verdict = fmt.Sprintf("interrupted with %d of %d tests to go; --resume continues", s.Summary.NotRun, s.Summary.Total-s.Summary.Skipped)
	case !last.Status.complete():
		s.Status, s.Verdict = last.Status, last.Detail
		if n := s.Summary.NotRun; n > 0 && r.reached() {
			s.Verdict += fmt.Sprintf("; %d tests were not reached, --resume runs them", n)
		}
	case s.Summary.Failed > 0:
		s.Status, s.Verdict = StatusFailed, fmt.Sprintf("%d of %d tests failed: %s", s.Summary.Failed, s.Summary.Total-s.Summary.Skipped, strings.Join(s.failing(), ", "))
	case s.Summary.Flaky > 0:
		s.Status, s.Verdict = StatusPassed, fmt.Sprintf("passed, but %d of %d tests only when run again alone; the official report counts them as failed", s.Summary.Flaky, s.Summary.Total-s.Summary.Skipped)
	case s.Summary.Known > 0:
		s.Status, s.Verdict = StatusPassed, fmt.Sprintf("%d tests passed, %d are known to fail and did; the official report counts them as failed", s.Summary.Passed, s.Summary.Known)
	default:
		s.Status, s.Verdict = StatusPassed, fmt.Sprintf("all %d tests passed", s.Summary.Passed)
	}
}

// record adds an attempt at a test, and saves the results now and then.
func (r *runner) record(name string, run TestRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results.record(name, run)
	if why, known := r.o.Implementation.KnownToFail.reason(name, r.listing.Version); known {
		switch t := r.results.test(name); t.Outcome {
		case Failed:
			t.Outcome, t.Reason = KnownFailure, "known to fail: "+why+"\n"+t.Reason
		case Passed:
			r.results.Warnings = append(r.results.Warnings, "test "+name+" is known to fail, and passed")
		}
	}
	if now := time.Now(); now.Sub(r.saved) >= saveEvery {
		r.saved = now
		_ = r.results.save(r.o.Out) // the last save tells
	}
}

// failedIn counts the tests that failed in an attempt.
func (r *runner) failedIn(number int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, t := range r.results.Tests {
		for _, a := range t.Attempts {
			if a.Attempt == number && a.Outcome == Failed {
				n++
			}
		}
	}
	return n
}

func (r *runner) warn(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results.Warnings = append(r.results.Warnings, text)
	fmt.Fprintf(r.o.View, "warning: %s\n", text)
}

// relative is a path as results.json has it.
func (r *runner) relative(path string) string {
	rel, err := filepath.Rel(r.o.Out, path)
	if err != nil || path == "" {
		return ""
	}
	return filepath.ToSlash(rel)
}

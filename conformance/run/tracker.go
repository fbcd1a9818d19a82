package run

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Attributes by which a suite binary tells of failed tests; see
// conformance/suites/harness.
const (
	attrFailed    = "causeway.failed"
	attrExchanges = "causeway.exchanges"
	attrPrepare   = "causeway.prepare"
)

// tracker turns the events of a suite binary into the state of its tests. Only
// the reader of events writes to it; watchers may ask at any time.
type tracker struct {
	logs string // folder of the logs, made if need be
	// wanted are the tests of the attempt. The suite reports every other one as
	// skipped, which is no news.
	wanted map[string]bool
	// finished is told of each test that ended; failing of one that failed and
	// whose objects still stand, with the name to acknowledge.
	finished func(name string, run TestRun)
	failing  func(name, full string, exchanges []byte)
	// prepare is told that set-up is over and tests wait to be let go.
	prepare func()
	view    View

	mu    sync.Mutex
	tests map[string]*tracked
	suite tracked // the test that holds them all: set-up, and the report
	began bool    // some test began, so set-up succeeded
	ended Action  // how the binary said it ended; empty if it did not
}

// tracked is a test that began.
type tracked struct {
	name, full string
	log        *os.File
	started    time.Time // of this turn; zero while paused
	first      time.Time
	tail       []string // last lines of output, subtests' included
	reason     string   // the lines before it failed, once known
	// parts are the last lines of subtests that run, and failure those of the
	// first one that failed.
	parts     map[string][]string
	failure   string
	exchanges []byte
	done      bool
}

// tailLines is how much output explains a failure.
const tailLines = 12

func newTracker(logs string, wanted []string, view View) *tracker {
	t := &tracker{logs: logs, wanted: map[string]bool{}, view: view, tests: map[string]*tracked{}}
	for _, name := range wanted {
		t.wanted[name] = true
	}
	t.suite.first = time.Now()
	t.suite.started = t.suite.first
	return t
}

// handle takes one event.
func (t *tracker) handle(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	test, own := t.of(e.Test)
	switch e.Action {
	case ActionOutput:
		test.output(e.Test, e.Output)
	case ActionAttr:
		t.attribute(test, e)
	case ActionRun, ActionCont:
		if own && test.started.IsZero() {
			test.started = time.Now()
			if t.wanted[test.name] {
				t.view.Start(test.name)
			}
		}
	case ActionPause:
		if own {
			test.started = time.Time{}
			if t.wanted[test.name] {
				t.view.Pause(test.name)
			}
		}
	case ActionPass, ActionFail, ActionSkip:
		switch {
		case own:
			t.finish(test, e)
		case e.Test == "":
			t.ended = e.Action
		case test != &t.suite:
			test.endPart(e)
		}
	}
}

// of returns the conformance test that a test is or is part of, and whether it
// is that itself. Everything else belongs to the suite.
func (t *tracker) of(full string) (test *tracked, own bool) {
	parts := strings.SplitN(full, "/", 3)
	if len(parts) < 2 {
		if full != "" {
			t.suite.full = full
		}
		return &t.suite, false
	}
	name := parts[1]
	test, ok := t.tests[name]
	if !ok {
		test = &tracked{name: name, full: parts[0] + "/" + name, first: time.Now()}
		t.tests[name] = test
		t.began = true
		if t.wanted[name] && os.MkdirAll(t.logs, 0o755) == nil {
			test.log, _ = os.Create(filepath.Join(t.logs, fileName(name)+".log"))
		}
	}
	return test, len(parts) == 2
}

func (t *tracker) attribute(test *tracked, e Event) {
	switch e.Key {
	case attrPrepare:
		if t.prepare != nil && test == &t.suite {
			t.prepare()
		}
	case attrExchanges:
		test.exchanges = []byte(e.Value)
	case attrFailed:
		test.reason = test.why()
		t.failing(test.name, e.Test, test.exchanges)
	}
}

func (t *tracker) finish(test *tracked, e Event) {
	if test.done {
		return
	}
	test.done = true
	if e.Action == ActionSkip && !t.wanted[test.name] {
		return
	}
	took := e.Elapsed
	if !test.started.IsZero() {
		// The testing package leaves out the time that a test spends waiting for
		// its parallel subtests.
		took = max(took, time.Since(test.started).Round(10*time.Millisecond))
	}
	run := TestRun{Started: test.first.UTC(), Seconds: took.Seconds()}
	switch e.Action {
	case ActionPass:
		run.Outcome = Passed
	case ActionSkip:
		run.Outcome, run.Reason = Skipped, skipReason(test.tail)
	default:
		run.Outcome, run.Reason = Failed, test.reason
		if run.Reason == "" {
			run.Reason = test.why()
		}
	}
	if test.log != nil {
		run.Log = test.log.Name()
		test.log.Close()
		test.log = nil
	}
	t.view.Finish(test.name, run.Outcome, took, run.Reason)
	t.finished(test.name, run)
}

// abandon ends the tests that the binary left behind when it stopped. Those that
// were running are failed for the given reason if blame is set, and else have
// no outcome.
func (t *tracker) abandon(blame func(name string) string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for name, test := range t.tests {
		if !test.done {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		test := t.tests[name]
		if why := blame(name); why != "" {
			fmt.Fprintf(&lineWriter{test}, "%s\n", why)
			if test.reason == "" {
				test.reason = reasonOf(test.tail) // which ends in why
			}
			t.finish(test, Event{Action: ActionFail})
			continue
		}
		if test.log != nil {
			test.log.Close()
			test.log = nil
		}
		test.done = true
		t.view.Pause(name)
	}
}

// running are the tests whose turn it is, with the time their turn began; "" is
// the suite itself, as long as no test began.
func (t *tracker) running() map[string]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]time.Time{}
	if !t.began {
		out[""] = t.suite.started
	}
	for name, test := range t.tests {
		if !test.done && !test.started.IsZero() {
			out[name] = test.started
		}
	}
	return out
}

// setUp reports whether some test began, and the last words of the suite.
func (t *tracker) setUp() (began bool, words string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	words = t.suite.reason
	if words == "" {
		words = reasonOf(t.suite.tail)
	}
	return t.began, words
}

// why is what explains a failure: the words of the subtest that failed first, as
// later ones may have passed, or else the last ones.
func (t *tracked) why() string {
	if t.failure != "" {
		return t.failure
	}
	return reasonOf(t.tail)
}

// endPart is told that a subtest ended.
func (t *tracked) endPart(e Event) {
	if e.Action == ActionFail && t.failure == "" {
		t.failure = reasonOf(t.parts[e.Test])
	}
	delete(t.parts, e.Test)
}

func (t *tracked) output(full, line string) {
	if t.log != nil {
		_, _ = t.log.WriteString(line) // the console has it too
	}
	if strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
		return
	}
	keep(&t.tail, line)
	if full != t.full {
		if t.parts == nil {
			t.parts = map[string][]string{}
		}
		part := t.parts[full]
		keep(&part, line)
		t.parts[full] = part
	}
}

// keep adds a line to the last ones.
func keep(tail *[]string, line string) {
	*tail = append(*tail, line)
	*tail = (*tail)[max(0, len(*tail)-tailLines):]
}

type lineWriter struct{ t *tracked }

func (w *lineWriter) Write(p []byte) (int, error) {
	w.t.output(w.t.full, string(p))
	return len(p), nil
}

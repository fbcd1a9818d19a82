package harness

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// Keys of the attributes that the driver reads from the events of a test.
const (
	attrFailed    = "causeway.failed"    // the test failed, its objects still stand; value is a JSON string that says what is about to happen
	attrExchanges = "causeway.exchanges" // the last requests of a failed test, as JSON
)

// deleteWait bounds the wait inside a DELETE, which the suite gives 10 s.
const deleteWait = 4 * time.Second

// watch tells the driver of each failed test once, at the last moment at which
// the test's objects are sure to stand, and lets the test wait meanwhile. The
// suite's own Hook fires after they are gone.
type watch struct {
	exchanges *exchanges
	failFast  bool
	gate      *gate // nil when nobody wants in between set-up and tests

	mu      sync.Mutex
	running map[*testing.T]*watched
	looked  bool // some failure was told
}

type watched struct {
	once sync.Once
	ack  chan struct{}
	// whole is the suite itself, which fails as soon as any test does.
	whole bool
}

func newWatch() *watch { return &watch{running: map[*testing.T]*watched{}} }

// whole watches the suite itself. Its set-up may fail before there are tests.
func (w *watch) whole(t *testing.T) {
	end := w.begin(t)
	// Registered first, this cleanup runs last. A deferred call would run before
	// the suite deletes its objects.
	t.Cleanup(func() {
		for _, t := range w.failing() {
			w.look(t, ackWait, "the suite ended")
		}
		end()
	})
}

// begin watches a test until the returned function is called.
func (w *watch) begin(t *testing.T) (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[t] = &watched{ack: make(chan struct{}), whole: !strings.Contains(t.Name(), "/")}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.running, t)
	}
}

// wrap watches a test from the moment its manifests are applied.
func (w *watch) wrap(test suite.ConformanceTest) suite.ConformanceTest {
	run := test.Test
	test.Test = func(t *testing.T, s *suite.ConformanceTestSuite) {
		if w.failFast && w.anyFailed() {
			// The suite's own fail-fast overlooks parallel tests.
			t.Skip("another test failed, and the run stops at the first failure")
		}
		end := w.begin(t)
		// Cleanups run last first: this one after parallel subtests ended and
		// before the manifests, which were applied by now, are deleted.
		t.Cleanup(func() {
			w.look(t, ackWait, "the test ended")
			end()
			if w.exchanges != nil {
				w.exchanges.of(t) // nobody asks any more
			}
		})
		// A test that gives up ends here, before cleanups of its own run.
		defer w.look(t, ackWait, "the test ended")
		run(t, s)
	}
	return test
}

// anyFailed reports whether a test failed; they pass it on to the whole.
func (w *watch) anyFailed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t, s := range w.running {
		if s.whole && t.Failed() {
			return true
		}
	}
	return false
}

// look tells the driver that the test failed, if so and once, and waits for it.
func (w *watch) look(t *testing.T, wait time.Duration, why string) {
	if !t.Failed() {
		return
	}
	w.mu.Lock()
	s := w.running[t]
	w.looked = w.looked || s != nil
	w.mu.Unlock()
	if s == nil {
		return
	}
	s.once.Do(func() {
		if w.exchanges != nil {
			if last := w.exchanges.of(t); len(last) > 0 {
				attr(t, attrExchanges, last)
			}
		}
		attr(t, attrFailed, why)
		if !driven {
			return
		}
		select {
		case <-s.ack:
		case <-time.After(wait):
		}
	})
}

// attr emits an attribute; JSON escapes the newlines that would break its line.
func attr(t *testing.T, key string, value any) {
	if text, err := json.Marshal(value); err == nil {
		t.Attr(key, string(text))
	}
}

// beforeDelete looks at every failed test before any object is deleted. That
// catches what the end of a test does not: subtests that clean up after
// themselves, and the suite's own set-up.
func (w *watch) beforeDelete(next http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodDelete {
			for _, t := range w.failing() {
				w.look(t, deleteWait, "its objects are being deleted")
			}
		}
		return next.RoundTrip(r)
	})
}

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// failing are the running tests that failed. The whole, which fails with each of
// them, counts only when none of them explains it: set-up, or manifests that
// could not be applied.
func (w *watch) failing() []*testing.T {
	w.mu.Lock()
	defer w.mu.Unlock()
	var tests, whole []*testing.T
	for t, s := range w.running {
		switch {
		case !t.Failed():
		case s.whole:
			whole = append(whole, t)
		default:
			tests = append(tests, t)
		}
	}
	if len(tests) > 0 || w.looked {
		return tests
	}
	return whole
}

// obey reads the driver's orders: "ack NAME" when it has seen a failed test, "go"
// when tests may begin, and "dump" for the stacks of all goroutines. When input closes, the driver wants
// the run to end or is no more.
func (w *watch) obey(in io.Reader, out io.Writer, stop func()) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		switch order, name, _ := strings.Cut(lines.Text(), " "); order {
		case "ack":
			w.acknowledge(name)
		case "go":
			if w.gate != nil {
				w.gate.release()
			}
		case "dump":
			_ = pprof.Lookup("goroutine").WriteTo(out, 2)
		}
	}
	stop()
}

func (w *watch) acknowledge(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t, s := range w.running {
		if t.Name() == name {
			select {
			case <-s.ack:
			default:
				close(s.ack)
			}
		}
	}
}

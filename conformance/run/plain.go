package run

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// plainView prints a line for each thing that happens, and one when nothing did
// for a while. It shows nothing of parallel tests that wait for their turn.
type plainView struct {
	w   io.Writer
	now func() time.Time

	mu   sync.Mutex
	p    *progress
	stop chan struct{}
}

// heartbeat is how long a plain view is silent at most.
const heartbeat = 30 * time.Second

func (v *plainView) Write(b []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.w.Write(b)
}

// Step implements [View].
func (v *plainView) Step(text string) { fmt.Fprintf(v, "%s\n", text) }

// Begin implements [View].
func (v *plainView) Begin(title string, tests int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.p, v.stop = newProgress(title, tests, v.now()), make(chan struct{})
	fmt.Fprintf(v.w, "%s: %d tests\n", title, tests)
	go v.beat(v.stop)
}

// beat says that the run is alive while a slow test runs.
func (v *plainView) beat(stop <-chan struct{}) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	last := -1
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			v.mu.Lock()
			if v.p.done == last {
				fmt.Fprintf(v.w, "      still running: %s\n", v.p.now(v.now()))
			}
			last = v.p.done
			v.mu.Unlock()
		}
	}
}

// Start implements [View].
func (v *plainView) Start(test string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.p.running[test] = v.now()
}

// Pause implements [View].
func (v *plainView) Pause(test string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.p.running, test)
}

// Finish implements [View].
func (v *plainView) Finish(test string, outcome Outcome, took time.Duration, reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.p.finish(test, outcome)
	fmt.Fprintf(v.w, "%3d/%d %s\n", v.p.done, v.p.total, finishLine(test, outcome, took, reason))
}

// End implements [View].
func (v *plainView) End() {
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.stop)
	fmt.Fprintf(v.w, "%d of %d tests in %s, %d failed\n", v.p.done, v.p.total, clock(v.now().Sub(v.p.started)), len(v.p.failed))
}

// Close implements [View].
func (v *plainView) Close() {}

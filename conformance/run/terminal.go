package run

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// terminalView keeps a block of progress below the lines that stay.
type terminalView struct {
	w     io.Writer
	width func() int
	now   func() time.Time

	mu    sync.Mutex
	p     *progress // nil between attempts
	step  string
	since time.Time // of the step
	drawn int       // lines of the block on the screen
	part  []byte    // of a message without its newline yet
	stop  chan struct{}
}

// redraw is how often the block is drawn while nothing happens.
const redraw = 250 * time.Millisecond

func newTerminalView(w io.Writer, width func() int) *terminalView {
	return &terminalView{w: w, width: width, now: time.Now}
}

// Write keeps a message above the block.
func (v *terminalView) Write(b []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.part = append(v.part, b...)
	end := bytes.LastIndexByte(v.part, '\n')
	if end < 0 {
		return len(b), nil
	}
	v.draw(string(v.part[:end+1]))
	v.part = append(v.part[:0], v.part[end+1:]...)
	return len(b), nil
}

// Step implements [View].
func (v *terminalView) Step(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := ""
	if v.step != "" {
		kept = fmt.Sprintf("%s (%s)\n", v.step, clock(v.now().Sub(v.since)))
	}
	v.step, v.since = text, v.now()
	v.draw(kept)
	v.tick()
}

// Begin implements [View].
func (v *terminalView) Begin(title string, tests int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.step != "" {
		v.draw(fmt.Sprintf("%s (%s)\n", v.step, clock(v.now().Sub(v.since))))
		v.step = ""
	}
	v.p = newProgress(title, tests, v.now())
	v.draw("")
	v.tick()
}

// tick draws from time to time until the view has nothing to show. The caller
// holds the lock.
func (v *terminalView) tick() {
	if v.stop != nil {
		return
	}
	v.stop = make(chan struct{})
	go func(stop chan struct{}) {
		t := time.NewTicker(redraw)
		defer t.Stop()
		for {
			select {
			case <-stop:
				return
			case <-t.C:
				v.mu.Lock()
				if v.stop == stop {
					v.draw("")
				}
				v.mu.Unlock()
			}
		}
	}(v.stop)
}

// Start implements [View].
func (v *terminalView) Start(test string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.p != nil {
		v.p.running[test] = v.now()
	}
}

// Pause implements [View].
func (v *terminalView) Pause(test string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.p != nil {
		delete(v.p.running, test)
	}
}

// Finish implements [View].
func (v *terminalView) Finish(test string, outcome Outcome, took time.Duration, reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.p == nil {
		return
	}
	v.p.finish(test, outcome)
	if outcome == Failed {
		v.draw(finishLine(test, outcome, took, reason) + "\n")
		return
	}
	v.draw("")
}

// End implements [View].
func (v *terminalView) End() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.p == nil {
		return
	}
	kept := fmt.Sprintf("%s: %d of %d tests in %s, %d failed\n", v.p.title, v.p.done, v.p.total, clock(v.now().Sub(v.p.started)), len(v.p.failed))
	v.p, v.step = nil, ""
	close(v.stop)
	v.stop = nil
	v.draw(kept)
}

// Close leaves the last step on the screen as a line that stays.
func (v *terminalView) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stop != nil {
		close(v.stop)
		v.stop = nil
	}
	kept := ""
	if v.step != "" {
		kept = fmt.Sprintf("%s (%s)\n", v.step, clock(v.now().Sub(v.since)))
	}
	v.p, v.step = nil, ""
	v.draw(kept)
}

// draw puts lines that stay in the place of the block, and the block below them.
// The caller holds the lock.
func (v *terminalView) draw(kept string) {
	var out strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\r\x1b[J", v.drawn)
	}
	out.WriteString(kept)
	var block []string
	switch width := v.width(); {
	case v.p != nil:
		block = v.p.lines(width, v.now())
	case v.step != "":
		block = []string{fit(fmt.Sprintf("%s … %s", v.step, clock(v.now().Sub(v.since))), width)}
	}
	for _, line := range block {
		out.WriteString(line + "\n")
	}
	v.drawn = len(block)
	_, _ = io.WriteString(v.w, out.String())
}

package run

import (
	"io"
	"time"
)

// View shows a run while it happens. Its methods are called from several
// goroutines and return at once. Written text is a message of its own, a line at
// a time.
type View interface {
	io.Writer
	// Step says what happens outside of tests.
	Step(text string)
	// Begin opens an attempt of the given number of tests.
	Begin(title string, tests int)
	// Start, Pause and Finish follow a test; only tests that were to run count.
	Start(test string)
	Pause(test string)
	Finish(test string, outcome Outcome, took time.Duration, reason string)
	// End closes the attempt.
	End()
	// Close ends the view; nothing is shown after it.
	Close()
}

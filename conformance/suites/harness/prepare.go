package harness

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// attrPrepare tells the driver that set-up is over, and that the tests wait for
// its order "go".
const attrPrepare = "causeway.prepare"

// gate lets the driver in between the suite's set-up and its tests. The suite
// has no hook there, but its set-up ends before the first manifest of a test is
// read, and before the first test without manifests begins.
type gate struct {
	once   sync.Once
	open   chan struct{}
	opened sync.Once
	t      *testing.T
}

func newGate(t *testing.T) *gate { return &gate{open: make(chan struct{}), t: t} }

// pass returns once the driver lets the tests go.
func (g *gate) pass() {
	g.once.Do(func() { attr(g.t, attrPrepare, time.Now().UTC().Format(time.RFC3339)) })
	<-g.open // or the driver ends the process
}

// release is the driver's order.
func (g *gate) release() { g.opened.Do(func() { close(g.open) }) }

// before guards a test without manifests.
func (g *gate) before(test suite.ConformanceTest) suite.ConformanceTest {
	run := test.Test
	test.Test = func(t *testing.T, s *suite.ConformanceTestSuite) {
		g.pass()
		run(t, s)
	}
	return test
}

// gated are the suite's manifests, those of tests behind the gate.
type gated struct {
	fs.FS
	gate *gate
}

// Open implements [fs.FS].
func (f gated) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "tests/") {
		f.gate.pass()
	}
	return f.FS.Open(name)
}

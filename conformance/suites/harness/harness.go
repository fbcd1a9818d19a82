// Package harness is what the suite modules beside it share: it runs the
// official conformance suite as its authors do, and tells a driver what go
// test's output does not say. It owns the strict reading of the suite's options,
// the listing of tests, and the moment at which a failed test's objects are
// looked at. It changes neither tests nor report, and knows no cluster.
//
// It is a module of its own because each suite version selects its own versions
// of gateway-api and Kubernetes, which the root module must not inherit.
package harness

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/flags"
	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// Flags of the binary beside those of go test and of the suite. They are
// registered in [Main], so that importing the package has no effect.
var (
	listOnly bool
	driven   bool
	prepares bool
	ackWait  time.Duration
)

// exitStopped is the exit code of a run that its driver stopped.
const exitStopped = 3

// Main is a suite binary's TestMain. profiles are those of the suite's version,
// which it exports one by one only.
func Main(m *testing.M, profiles ...suite.ConformanceProfile) {
	flag.BoolVar(&listOnly, "causeway.list", false, "print tests, profiles and features as JSON, and end")
	flag.BoolVar(&driven, "causeway.driven", false, "take orders on standard input, and end when it closes")
	flag.BoolVar(&prepares, "causeway.prepare", false, "wait for the driver's order between set-up and tests")
	flag.DurationVar(&ackWait, "causeway.ack-wait", 20*time.Second, "how long a failed test waits for its driver before its objects are deleted")
	flag.Parse()
	if listOnly {
		if err := list(os.Stdout, profiles); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// Run is a suite binary's only test. The suite itself registers the report in
// t.Cleanup before anything runs, and writes it.
func Run(t *testing.T) {
	if path := *flags.ConformanceOptionsFile; path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("reading the suite's options: %v", err)
		}
		if err := checkOptions(data); err != nil {
			t.Fatalf("the suite's options in %s: %v", path, err)
		}
	}
	w := newWatch()
	if prepares {
		w.gate = newGate(t)
	}
	if driven {
		go w.obey(os.Stdin, os.Stdout, func() { os.Exit(exitStopped) })
	}
	opts := conformance.DefaultOptions(t)
	opts.RestConfig.Wrap(w.beforeDelete)
	var err error
	if opts.Client, err = client.New(opts.RestConfig, opts.ClientOptions); err != nil {
		t.Fatalf("making the client: %v", err)
	}
	config := opts.TimeoutConfig
	exchanges := newExchanges(&roundtripper.DefaultRoundTripper{Debug: opts.Debug, TimeoutConfig: config})
	opts.RoundTripper = exchanges
	w.exchanges = exchanges
	w.failFast = opts.FailFast

	if w.gate != nil {
		for i, manifests := range opts.ManifestFS {
			opts.ManifestFS[i] = gated{manifests, w.gate}
		}
	}
	w.whole(t)
	for i, test := range tests.ConformanceTests {
		if w.gate != nil {
			test = w.gate.before(test)
		}
		tests.ConformanceTests[i] = w.wrap(test)
	}
	conformance.RunConformanceWithOptions(t, opts)
}

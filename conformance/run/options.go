package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"time"
)

// Clusters brings up clusters, one for each attempt: the suite's namespaces have
// fixed names, so no two attempts share one.
type Clusters interface {
	Up(ctx context.Context) (Cluster, error)
}

// Cluster is a cluster that is up.
type Cluster interface {
	// Kubeconfig is the path of a kubeconfig that works from this process.
	Kubeconfig() string
	// Command makes a command that runs where addresses of pods and gateways can
	// be reached, with the standard streams of the caller's choice. If another
	// kubeconfig works there, KUBECONFIG in the command's Env names it.
	Command(ctx context.Context, name string, args ...string) *exec.Cmd
	// Down removes the cluster, or lets go of one that was there before.
	Down(ctx context.Context) error
}

// Implementation is what the suite runs against.
type Implementation struct {
	Name string // short, for messages and files

	// Organization, Project, URL, Version and Contact go into the official
	// report as they are, which needs all of them.
	Organization, Project, URL, Version string
	Contact                             []string
	// Mode is the operating mode of the implementation that is tested; empty for
	// "default".
	Mode string

	GatewayClass string // empty for a mesh without gateways
	Controller   string // its controllerName; empty to take the GatewayClass's word
	Mesh         string // name of the XMesh to infer mesh features from, if any

	Profiles []string // that it claims
	// Features are the supported features. Nil leaves it to the status of
	// GatewayClass and mesh at run time, unless AllFeatures is set or there is
	// neither.
	Features    []string
	AllFeatures bool // every feature that the suite knows
	// Exempt are features left out of those, inferred or not. Core features of a
	// profile cannot be.
	Exempt []string
	// SkipTests are tests left out, each with the reason.
	SkipTests Excuses
	// KnownToFail are tests that run and whose failure is no news, each with the
	// reason. The official report counts them as failed.
	KnownToFail Excuses

	// Timeouts override the suite's timeoutConfig: its keys, Go durations.
	Timeouts map[string]string
	// NamespaceLabels and NamespaceAnnotations go on the suite's namespaces, as
	// for the injection of sidecars.
	NamespaceLabels, NamespaceAnnotations map[string]string
	// UsableAddresses and UnusableAddresses are for tests of static addresses.
	UsableAddresses, UnusableAddresses []Address

	// Install puts the implementation into a cluster, with the CRDs of the given
	// release of the Gateway API ("v1.6.3"), and returns once it should work; nil
	// if all that is there. Progress goes to w, a line at a time.
	Install func(ctx context.Context, c Cluster, gatewayAPI string, w io.Writer) error
	// Prepare does what the implementation needs between the suite's set-up and
	// its tests; nil for nothing. Prepared says so in words, a step each.
	Prepare  func(ctx context.Context, c Cluster, w io.Writer) error
	Prepared []string
	// Logs are the pods whose logs are kept when a test fails.
	Logs []LogSource
}

// infers reports whether features come from the status of GatewayClass and mesh.
// Where there is neither, nobody can be asked and the core features of the
// profiles are all.
func (i *Implementation) infers() bool {
	return !i.lists() && (i.GatewayClass != "" || i.Mesh != "")
}

// lists reports whether features are listed.
func (i *Implementation) lists() bool { return i.Features != nil || i.AllFeatures }

// Address is a Gateway address that the suite may ask for.
type Address struct {
	Type  string `json:"type"` // "IPAddress" or "Hostname"
	Value string `json:"value"`
}

// LogSource names pods by namespace and label selector; an empty selector means
// all of them.
type LogSource struct {
	Namespace string `json:"namespace"`
	Selector  string `json:"selector,omitempty"`
	Container string `json:"container,omitempty"` // empty for all
}

// Limits bound everything that can hang.
type Limits struct {
	Up      time.Duration // a cluster comes up; on first use its components are built
	Install time.Duration // the implementation is installed
	Ready   time.Duration // its GatewayClass is accepted, its XMesh known
	Test    time.Duration // one test, and the suite's set-up
	Suite   time.Duration // all tests of an attempt together
	Collect time.Duration // the artifacts of one failed test
	Down    time.Duration // a cluster goes away
}

// DefaultLimits are generous where a slow machine needs it.
func DefaultLimits() Limits {
	return Limits{
		Up: 45 * time.Minute, Install: 10 * time.Minute, Ready: 3 * time.Minute,
		Test: 10 * time.Minute, Suite: 90 * time.Minute,
		Collect: 15 * time.Second, Down: 2 * time.Minute,
	}
}

// Options say what to run and how.
type Options struct {
	Suite          Suite
	Implementation Implementation
	Clusters       Clusters
	ClusterName    string // for the results: "embedded", "kind", "existing"
	Tool           string // for the results: who runs the suite, and its version
	// Shared says that the cluster outlives the run, so that what a suite leaves
	// behind when it is stopped must be removed.
	Shared bool

	Profiles []string // empty for those of the implementation
	Focus    string   // regular expression; only tests it matches run
	Skip     string   // regular expression; tests it matches do not run

	// Out is the folder of results, made if need be.
	Out string
	// Resume continues the run whose results are in Out.
	Resume bool

	// RerunFailed is how often a failed test is run again, alone and in a fresh
	// cluster. It does not happen when more than RerunLimit tests failed: that
	// is no flake.
	RerunFailed, RerunLimit int
	FailFast                bool
	// TestParallel is how many of the tests that the suite calls parallel go on
	// side by side, and of their subtests; 0 is the number of CPUs, as Go has
	// it. They mostly wait for what they ask to be the same three times in a
	// row, a second apart.
	TestParallel int
	// KeepOnFailure stops at the first failed test before its objects are
	// deleted, calls Keep, and brings the cluster down when that returns.
	KeepOnFailure bool
	Keep          func(ctx context.Context, c Cluster, test string)

	Limits Limits
	View   View // nil for none

	// connect is replaced in tests.
	connect func(kubeconfig string) (api, error)
}

// ErrOptions marks options that make no sense, rather than runs that fail.
var ErrOptions = errors.New("wrong options")

func (o *Options) complete() error {
	if o.View == nil {
		o.View = NewView(io.Discard)
	}
	if o.connect == nil {
		o.connect = connect
	}
	if len(o.Profiles) == 0 {
		o.Profiles = o.Implementation.Profiles
	}
	switch {
	case o.Out == "":
		return fmt.Errorf("%w: no folder for the results", ErrOptions)
	case len(o.Profiles) == 0 && !o.Implementation.lists():
		return fmt.Errorf("%w: neither profiles nor features: nothing would be tested", ErrOptions)
	case o.KeepOnFailure && o.Keep == nil:
		return fmt.Errorf("%w: KeepOnFailure without Keep", ErrOptions)
	case o.RerunFailed < 0:
		return fmt.Errorf("%w: --rerun-failed %d: a test is run again no less than 0 times", ErrOptions, o.RerunFailed)
	case o.TestParallel < 0:
		return fmt.Errorf("%w: --test-parallel %d: no less than 0 tests go on at a time", ErrOptions, o.TestParallel)
	case o.RerunLimit < 0:
		return fmt.Errorf("%w: --rerun-limit %d: no less than 0 tests can have failed", ErrOptions, o.RerunLimit)
	}
	for flag, limit := range map[string]time.Duration{
		"timeout": o.Limits.Suite, "test-timeout": o.Limits.Test, "install-timeout": o.Limits.Install, "ready-timeout": o.Limits.Ready,
	} {
		if limit <= 0 {
			return fmt.Errorf("%w: --%s %s is no time to wait", ErrOptions, flag, limit)
		}
	}
	return nil
}

// pattern compiles a regular expression over names of tests; nil if empty.
func pattern(flag, text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrOptions, flag, err)
	}
	return re, nil
}

// subset returns the elements of list that are in known, and the rest.
func subset(list []string, known func(string) bool) (in, out []string) {
	for _, x := range list {
		if known(x) {
			in = append(in, x)
		} else if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return in, out
}

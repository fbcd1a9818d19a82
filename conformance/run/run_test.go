package run

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

func outcomes(r *Results) map[string]Outcome {
	out := map[string]Outcome{}
	for _, t := range r.Tests {
		out[t.Name] = t.Outcome
	}
	return out
}

func TestPreparingComesBetweenSetUpAndTests(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		err    error
		status Status
		says   string
	}{
		"done":  {"the tests are let go", nil, StatusPassed, "all 3 tests passed"},
		"fails": {"tests would prove nothing", errors.New("waypoint was never programmed"), StatusNotReady, "waypoint was never programmed"},
	} {
		t.Run(name, func(t *testing.T) {
			o, _, _ := fakeOptions(t, nil)
			calls := 0
			o.Implementation.Prepare = func(_ context.Context, c Cluster, _ io.Writer) error {
				calls++
				console := read(t, o.Out, "attempts", "1", consoleFile)
				if !strings.Contains(console, "Test Setup") || c == nil {
					t.Errorf("it is not after set-up: %s", console)
				}
				return tc.err
			}
			r, err := Run(t.Context(), o, nil)
			if err != nil {
				t.Fatal(err)
			}
			if calls != 1 || r.Status != tc.status || !strings.Contains(r.Verdict, tc.says) {
				t.Errorf("%s: prepared %d times, %s: %s", tc.reason, calls, r.Status, r.Verdict)
			}
		})
	}
}

func TestRunEndsInAVerdict(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		does    map[string]string
		change  func(*Options, *fakeAPI)
		status  Status
		verdict string
		want    map[string]Outcome
		ups     int
		report  bool
		errText string
	}{
		"passes": {
			reason: "every test passed, the report is there",
			status: StatusPassed, verdict: "all 3 tests passed", ups: 1, report: true,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": Passed, "HTTPRoutePort": Passed, "HTTPRouteCORS": Skipped},
		},
		"fails": {
			reason: "a test that fails again alone has failed",
			does:   map[string]string{"HTTPRouteBasics": "fail"},
			status: StatusFailed, verdict: "1 of 3 tests failed: HTTPRouteBasics", ups: 2, report: true,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": Failed, "HTTPRoutePort": Passed},
		},
		"flaky": {
			reason: "a test that passes alone is flaky in our results only",
			does:   map[string]string{"HTTPRouteBasics": "flaky", "GatewayBasics": "flaky"},
			status: StatusPassed, verdict: "passed, but 2 of 3 tests only when run again alone; the official report counts them as failed", ups: 3, report: true,
			want: map[string]Outcome{"GatewayBasics": Flaky, "HTTPRouteBasics": Flaky, "HTTPRoutePort": Passed},
		},
		"known to fail": {
			reason: "an announced failure is neither run again nor fails the run",
			does:   map[string]string{"HTTPRouteBasics": "fail"},
			change: func(o *Options, _ *fakeAPI) {
				o.Implementation.KnownToFail = Excuses{{Name: "HTTPRouteBasics", Reason: "issue 7"}}
			},
			status: StatusPassed, verdict: "2 tests passed, 1 are known to fail and did; the official report counts them as failed", ups: 1, report: true,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": KnownFailure},
		},
		"too many failures": {
			reason: "that is no flake: fresh clusters would only cost time",
			does:   map[string]string{"HTTPRouteBasics": "fail", "GatewayBasics": "flaky"},
			change: func(o *Options, _ *fakeAPI) { o.RerunLimit = 1 },
			status: StatusFailed, verdict: "2 of 3 tests failed: GatewayBasics, HTTPRouteBasics", ups: 1, report: true,
			want: map[string]Outcome{"GatewayBasics": Failed, "HTTPRouteBasics": Failed},
		},
		"fail fast": {
			reason: "nothing after the first failure runs, nor does it run again",
			does:   map[string]string{"GatewayBasics": "fail"},
			change: func(o *Options, _ *fakeAPI) { o.FailFast = true },
			status: StatusFailed, verdict: "1 of 3 tests failed: GatewayBasics", ups: 1,
			want: map[string]Outcome{"GatewayBasics": Failed, "HTTPRouteBasics": NotRun},
		},
		"hangs": {
			reason: "a test that hangs is stopped in its time, and blamed",
			does:   map[string]string{"HTTPRouteBasics": "hang"},
			change: func(o *Options, _ *fakeAPI) { o.Limits.Test = 2 * time.Second },
			status: StatusTimedOut, verdict: "HTTPRouteBasics took longer than 2s; 1 tests were not reached, --resume runs them", ups: 1,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": Failed, "HTTPRoutePort": NotRun},
		},
		"hangs in set-up": {
			reason: "set-up has the time of a test",
			does:   map[string]string{"set-up": "hang"},
			change: func(o *Options, _ *fakeAPI) { o.Limits.Test = 2 * time.Second },
			status: StatusTimedOut, verdict: "set-up took longer than 2s", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"set-up fails": {
			reason: "the verdict quotes the suite",
			does:   map[string]string{"set-up": "timed out waiting for pods"},
			status: StatusSetupFailed, verdict: "the suite could not set up its own objects: timed out waiting for pods", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"panics": {
			reason: "a panic ends the suite; the test that panicked failed",
			does:   map[string]string{"HTTPRouteBasics": "panic"},
			status: StatusCrashed, verdict: "the suite ended before its tests did (exit status 2); see attempts/1/console.log; 1 tests were not reached, --resume runs them", ups: 1,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": Failed, "HTTPRoutePort": NotRun},
		},
		"is killed": {
			reason: "a suite that the system kills says nothing of the test that ran",
			does:   map[string]string{"HTTPRouteBasics": "killed"},
			status: StatusCrashed, verdict: "the suite ended before its tests did (signal: killed); see attempts/1/console.log; 2 tests were not reached, --resume runs them", ups: 1,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": NotRun},
		},
		"prints garbage": {
			reason: "what tests print forges no result and leaves no folder",
			does:   map[string]string{"GatewayBasics": "garbage"},
			status: StatusPassed, verdict: "all 3 tests passed", ups: 1, report: true,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": Passed, "HTTPRoutePort": Passed},
		},
		"never accepted": {
			reason: "an implementation that does not run ends in its time, with artifacts",
			change: func(_ *Options, a *fakeAPI) { a.state = claim{found: true, controller: "example.com/controller"} },
			status: StatusNotReady, verdict: "after 1s GatewayClass example was picked up by no controller: is example.com/controller running?", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"wrong class": {
			reason: "a controllerName never changes, so nobody waits",
			change: func(_ *Options, a *fakeAPI) { a.state.controller = "example.com/other" },
			status: StatusNotReady, verdict: "GatewayClass example names the controller example.com/other, and not the implementation's example.com/controller", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"a mesh alone": {
			reason: "it has no class to wait for, and features that nobody says are those of the profiles",
			change: func(o *Options, a *fakeAPI) {
				a.state = claim{}
				o.Implementation.GatewayClass, o.Implementation.Controller = "", ""
			},
			status: StatusPassed, verdict: "all 2 tests passed", ups: 1, report: true,
			want: map[string]Outcome{"GatewayBasics": Passed, "HTTPRouteBasics": Passed, "HTTPRoutePort": Skipped},
		},
		"a mesh that says its features": {
			reason: "they count like those of a class",
			change: func(o *Options, a *fakeAPI) {
				a.meshed = claim{found: true, features: []string{"GatewayPort8080"}}
				o.Implementation.GatewayClass, o.Implementation.Mesh = "", "example"
			},
			status: StatusPassed, verdict: "all 3 tests passed", ups: 1, report: true,
			want: map[string]Outcome{"HTTPRoutePort": Passed},
		},
		"a mesh that says nothing": {
			reason: "its controller may not have seen it yet, so its time is waited for",
			change: func(o *Options, a *fakeAPI) {
				a.meshed = claim{found: true, controller: "example.com/mesh"}
				o.Implementation.Mesh = "example"
			},
			status: StatusNotReady, verdict: "after 1s the status of XMesh example says no supportedFeatures: is example.com/mesh running? Else list the implementation's features", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"no mesh": {
			reason: "a mesh that is named must be there",
			change: func(o *Options, _ *fakeAPI) { o.Implementation.Mesh = "example" },
			status: StatusNotReady, verdict: "after 1s XMesh example does not exist", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"not installable": {
			reason: "an installation that fails is the implementation's failure",
			change: func(o *Options, _ *fakeAPI) {
				o.Implementation.Install = func(context.Context, Cluster, string, io.Writer) error { return errors.New("chart not found") }
			},
			status: StatusNotReady, verdict: "installing example: chart not found", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"installed, but of another controller": {
			reason: "an installation that times out may not know why; the class does",
			change: func(o *Options, a *fakeAPI) {
				a.state.controller = "example.com/other"
				o.Implementation.Install = func(context.Context, Cluster, string, io.Writer) error { return context.DeadlineExceeded }
			},
			status: StatusNotReady, verdict: "installing example: context deadline exceeded; GatewayClass example names the controller example.com/other, and not the implementation's example.com/controller", ups: 1,
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
		"no cluster": {
			reason: "that is an error of the machinery",
			does:   map[string]string{"cluster": "fail"},
			status: StatusCrashed, verdict: "starting cluster fake: no user namespaces here", errText: "no user namespaces here",
			want: map[string]Outcome{"GatewayBasics": NotRun},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, clusters, a := fakeOptions(t, tc.does)
			if tc.change != nil {
				tc.change(&o, a)
			}
			got, err := Run(t.Context(), o, nil)
			if tc.errText == "" && err != nil || tc.errText != "" && (err == nil || !strings.Contains(err.Error(), tc.errText)) {
				t.Fatalf("%s: error %v, want %q", tc.reason, err, tc.errText)
			}
			if got.Status != tc.status || got.Verdict != tc.verdict {
				t.Errorf("%s:\n got %s: %s\nwant %s: %s", tc.reason, got.Status, got.Verdict, tc.status, tc.verdict)
			}
			all := outcomes(got)
			for test, want := range tc.want {
				if all[test] != want {
					t.Errorf("%s: %s is %s, want %s", tc.reason, test, all[test], want)
				}
			}
			if clusters.up != tc.ups || clusters.down != clusters.up {
				t.Errorf("%s: %d clusters up, %d down; want %d", tc.reason, clusters.up, clusters.down, tc.ups)
			}
			if has := exists(filepath.Join(o.Out, ReportFile)); has != tc.report || has != (got.Report.Path != "") || !has && got.Report.Absent == "" {
				t.Errorf("%s: report there %v (%+v), want %v", tc.reason, has, got.Report, tc.report)
			}
			for _, test := range got.Tests {
				for _, run := range test.Attempts {
					if run.Outcome == Failed && name != "panics" && !exists(filepath.Join(o.Out, run.Artifacts, "objects", "gateways.yaml")) {
						t.Errorf("%s: %s failed without artifacts", tc.reason, test.Name)
					}
				}
			}
			if got.Status.Nonconformant() && got.Status != StatusFailed && got.Summary.Failed == 0 && !exists(filepath.Join(o.Out, got.Attempts[0].Artifacts, "objects")) {
				t.Errorf("%s: no artifacts of the attempt", tc.reason)
			}
			saved, err := ReadResults(o.Out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, saved); diff != "" {
				t.Errorf("results.json is not what was returned (-returned +saved):\n%s", diff)
			}
			escaped, _ := filepath.Glob(filepath.Join(o.Out, "attempts", "*", "logs", "*"))
			for _, f := range escaped {
				if !plainName.MatchString(filepath.Base(f)) {
					t.Errorf("file %s", f)
				}
			}
		})
	}
}

func TestReportIsLeftAsTheSuiteWroteIt(t *testing.T) {
	o, _, _ := fakeOptions(t, map[string]string{"HTTPRouteBasics": "flaky"})
	if _, err := Run(t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, o.Out, ReportFile), "kind: ConformanceReport # as the suite wrote it\n"; got != want {
		t.Errorf("report %q, want %q", got, want)
	}
	if exists(filepath.Join(o.Out, "attempts", "2", ReportFile)) {
		t.Error("a re-run wrote a report")
	}
}

var (
	times    = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*Z"`)
	measured = regexp.MustCompile(`("(?:seconds|readySeconds)": |time=")[\d.e-]+`)
)

// TestGoldenResults holds the public forms.
func TestGoldenResults(t *testing.T) {
	o, _, _ := fakeOptions(t, map[string]string{"HTTPRouteBasics": "flaky", "HTTPRoutePort": "fail"})
	if _, err := Run(t.Context(), o, map[string]string{"implementation": "example"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ResultsFile, JUnitFile} {
		got := times.ReplaceAllString(read(t, o.Out, name), `"2026-01-02T03:04:05Z"`)
		got = measured.ReplaceAllString(got, "${1}1.5")
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(read(t, golden), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for file, want := range map[string]string{
		"attempts/1/artifacts/HTTPRoutePort/request.sh":    `curl -v -X GET -H 'Host: example.com' -H 'X-Set: a' 'http://198.18.0.1/it'"'"'s'`,
		"attempts/1/artifacts/HTTPRoutePort/requests.json": `"status": 503`,
		"attempts/1/logs/HTTPRoutePort.log":                "expected status code 200, got 503",
		"attempts/1/console.log":                           "--- FAIL: TestConformance/HTTPRoutePort (0.25s)",
		"attempts/2/options.yaml":                          "- GatewayBasics",
	} {
		if got := read(t, o.Out, file); !strings.Contains(got, want) {
			t.Errorf("%s does not hold %q:\n%s", file, want, got)
		}
	}
}

func TestInterruptedRunIsResumed(t *testing.T) {
	o, clusters, _ := fakeOptions(t, map[string]string{"HTTPRouteBasics": "hang"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.View = &onStart{View: NewView(io.Discard), test: "HTTPRouteBasics", do: cancel}
	got, err := Run(ctx, o, nil)
	if !errors.Is(err, context.Canceled) || got.Status != StatusInterrupted {
		t.Fatalf("status %s, error %v", got.Status, err)
	}
	if clusters.down != clusters.up {
		t.Errorf("%d clusters up, %d down", clusters.up, clusters.down)
	}
	saved, err := ReadResults(o.Out)
	if err != nil || saved.Status != StatusInterrupted || outcomes(saved)["GatewayBasics"] != Passed || outcomes(saved)["HTTPRouteBasics"] != NotRun {
		t.Fatalf("left %v, %v", saved, err)
	}

	delete(clusters.does, "HTTPRouteBasics")
	o.View = nil
	if _, err := Run(t.Context(), o, nil); !errors.Is(err, ErrOptions) {
		t.Errorf("running into the same folder: error %v", err)
	}
	o.Resume = true
	got, err = Run(t.Context(), o, nil)
	if err != nil || got.Status != StatusPassed {
		t.Fatalf("resumed: %s, %v", got.Status, err)
	}
	if n := len(got.test("GatewayBasics").Attempts); n != 1 {
		t.Errorf("GatewayBasics ran %d times: it had passed before the interrupt", n)
	}
	if got.Attempts[1].Kind != KindResume || got.Report.Path != "" || !strings.Contains(got.Report.Absent, "interrupted") {
		t.Errorf("attempt %s, report %+v: a run in parts gives none", got.Attempts[1].Kind, got.Report)
	}
	if options := read(t, o.Out, "attempts", "2", optionsFile); !strings.Contains(options, "- GatewayBasics") || strings.Contains(options, "reportOutputPath") {
		t.Errorf("options of the resumed run:\n%s", options)
	}
}

// onStart does something once a test starts.
type onStart struct {
	View
	test string
	do   func()
}

func (v *onStart) Start(test string) {
	v.View.Start(test)
	if test == v.test {
		v.do()
	}
}

func TestKeepOnFailureStopsBeforeObjectsAreDeleted(t *testing.T) {
	o, clusters, a := fakeOptions(t, map[string]string{"GatewayBasics": "fail"})
	o.KeepOnFailure, o.Shared = true, true
	var kept string
	o.Keep = func(_ context.Context, c Cluster, test string) {
		kept = test
		if clusters.down != 0 {
			t.Error("the cluster went down before it was looked at")
		}
	}
	got, err := Run(t.Context(), o, nil)
	if err != nil || got.Status != StatusFailed || kept != "GatewayBasics" {
		t.Fatalf("status %s, kept %q, error %v", got.Status, kept, err)
	}
	if log := read(t, o.Out, "attempts", "1", consoleFile); strings.Contains(log, "Deleting") {
		t.Errorf("objects were deleted:\n%s", log)
	}
	if len(a.removed) != 0 {
		t.Errorf("removed %v", a.removed)
	}
}

func TestASharedClusterIsSweptAfterAStop(t *testing.T) {
	o, _, a := fakeOptions(t, map[string]string{"GatewayBasics": "hang"})
	o.Shared, o.Limits.Test = true, 2*time.Second
	if _, err := Run(t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fakeListing().Namespaces, a.removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
}

func TestASuiteEndsWithItsDriver(t *testing.T) {
	o, clusters, _ := fakeOptions(t, map[string]string{"GatewayBasics": "hang"})
	c := &fakeCluster{clusters}
	p, err := startProcess(t.Context(), c, t.TempDir(), o.Suite.Path, "-causeway.driven")
	if err != nil {
		t.Fatal(err)
	}
	p.in.Close() // as the kernel does for a driver that is killed
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.stop()
		t.Fatal("the suite outlives its driver")
	}
}

func TestTwoRunsDoNotShareAFolder(t *testing.T) {
	o, _, _ := fakeOptions(t, map[string]string{"GatewayBasics": "hang"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan struct{})
	first := o
	first.View = &onStart{View: NewView(io.Discard), test: "GatewayBasics", do: func() { close(started) }}
	done := make(chan struct{})
	go func() { defer close(done); _, _ = Run(ctx, first, nil) }()
	<-started
	if _, err := Run(t.Context(), o, nil); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("error %v", err)
	}
	cancel()
	<-done
}

func TestOptionsAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"profile":   {func(o *Options) { o.Profiles = []string{"GATEWAY-HTML"} }, `no profile "GATEWAY-HTML": it has GATEWAY-HTTP, MESH-HTTP`},
		"focus":     {func(o *Options) { o.Focus = "(" }, "--focus: error parsing regexp"},
		"nothing":   {func(o *Options) { o.Focus = "NoSuchTest" }, "no test would run"},
		"no folder": {func(o *Options) { o.Out = "" }, "no folder"},
	} {
		t.Run(name, func(t *testing.T) {
			o, clusters, _ := fakeOptions(t, nil)
			tc.change(&o)
			_, err := Run(t.Context(), o, nil)
			if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), tc.want) || clusters.up != 0 {
				t.Errorf("error %v, want %q before any cluster", err, tc.want)
			}
		})
	}
}

func TestPlan(t *testing.T) {
	base := func() *Options {
		return &Options{Profiles: []string{"GATEWAY-HTTP"}, Implementation: Implementation{GatewayClass: "x"}}
	}
	for name, tc := range map[string]struct {
		reason string
		change func(*Options)
		known  []string
		want   map[string]string // why not, or on what it depends
		runs   []string
	}{
		"inferred, not asked yet": {
			reason: "anything but a mesh's may turn out to be supported",
			runs:   []string{"GatewayBasics", "HTTPRouteBasics", "HTTPRouteCORS", "HTTPRouteNamed", "HTTPRoutePort"},
			want:   map[string]string{"HTTPRouteCORS": "if the GatewayClass says it supports HTTPRouteCORS", "MeshBasics": "not supported: Mesh"},
		},
		"inferred": {
			reason: "the GatewayClass decides, of features without a profile as well", known: []string{"HTTPRouteCORS", "HTTPRouteNamed"},
			runs: []string{"GatewayBasics", "HTTPRouteBasics", "HTTPRouteCORS", "HTTPRouteNamed"},
			want: map[string]string{"HTTPRoutePort": "not supported: GatewayPort8080"},
		},
		"inferred of a mesh": {
			reason: "it may support anything but what Gateways do",
			change: func(o *Options) { o.Profiles, o.Implementation = nil, Implementation{Mesh: "x"} },
			runs:   []string{"MeshBasics"},
			want:   map[string]string{"MeshBasics": "if the XMesh says it supports Mesh", "GatewayBasics": "not supported: Gateway"},
		},
		"listed": {
			reason: "a list decides, and core features are always in",
			change: func(o *Options) { o.Implementation.Features = []string{"HTTPRouteNamed"} }, known: []string{"HTTPRouteCORS"},
			runs: []string{"GatewayBasics", "HTTPRouteBasics", "HTTPRouteNamed"},
		},
		"all": {
			reason: "every feature that the suite knows, but those exempt",
			change: func(o *Options) {
				o.Implementation.AllFeatures, o.Implementation.Exempt = true, []string{"Mesh", "HTTPRouteNamed"}
			},
			runs: []string{"GatewayBasics", "HTTPRouteBasics", "HTTPRouteCORS", "HTTPRoutePort"},
		},
		"exempt": {
			reason: "exempt features do not turn inference off",
			change: func(o *Options) { o.Implementation.Exempt = []string{"HTTPRouteCORS"} }, known: []string{"HTTPRouteCORS", "GatewayPort8080"},
			runs: []string{"GatewayBasics", "HTTPRouteBasics", "HTTPRoutePort"},
		},
		"chosen": {
			reason: "focus and skip are regular expressions",
			change: func(o *Options) { o.Focus, o.Skip = "^HTTP", "Port$" }, known: []string{},
			runs: []string{"HTTPRouteBasics"},
			want: map[string]string{"GatewayBasics": "not in --focus", "HTTPRoutePort": "in --skip"},
		},
		"skipped by the implementation": {
			reason: "with its reason",
			change: func(o *Options) { o.Implementation.SkipTests = Excuses{{Name: "GatewayBasics", Reason: "issue 7"}} }, known: []string{},
			runs: []string{"HTTPRouteBasics"},
			want: map[string]string{"GatewayBasics": "the implementation skips it: issue 7"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := base()
			if tc.change != nil {
				tc.change(o)
			}
			p, err := NewPlan(fakeListing(), o, tc.known)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.runs, p.names()); diff != "" {
				t.Errorf("%s: tests that run (-want +got):\n%s", tc.reason, diff)
			}
			for _, planned := range p.Tests {
				if want, ok := tc.want[planned.Name]; ok && planned.Reason != want {
					t.Errorf("%s: %s: %q, want %q", tc.reason, planned.Name, planned.Reason, want)
				}
			}
		})
	}
}

func TestOptionsForRespectTheSuitesTraps(t *testing.T) {
	o := &Options{Profiles: []string{"GATEWAY-HTTP"}, Implementation: Implementation{GatewayClass: "x"}}
	plan := func() *Plan {
		t.Helper()
		p, err := NewPlan(fakeListing(), o, []string{"HTTPRouteCORS", "GatewayPort8080"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan()
	if got := optionsFor(o, p, p.names(), false, ""); got.SupportedFeatures != nil || got.SkipTests != nil {
		t.Errorf("inferred features are left to the suite, and tests it does not support to its own words: %+v", got)
	}
	o.Implementation.Exempt = []string{"HTTPRouteCORS"}
	p = plan()
	if got := optionsFor(o, p, p.names(), false, ""); !slices.Equal(got.SupportedFeatures, []string{"Gateway", "GatewayPort8080", "HTTPRoute"}) {
		t.Errorf("exemptFeatures would turn inference off, so features are listed: %v", got.SupportedFeatures)
	}
	if got := optionsFor(o, p, []string{"GatewayBasics"}, true, ""); !slices.Equal(got.SkipTests, []string{"HTTPRouteBasics", "HTTPRoutePort"}) || !got.DisableParallelTests {
		t.Errorf("one test alone is chosen by skipping the others, so that features still count: %+v", got)
	}
	o.Implementation.Exempt, o.Implementation.Features = nil, []string{}
	if got := optionsFor(o, plan(), nil, false, ""); len(got.SupportedFeatures) == 0 {
		t.Error("an empty list would be taken for inference")
	}
	o.Implementation.GatewayClass = ""
	path := filepath.Join(t.TempDir(), "options.yaml")
	if err := optionsFor(o, plan(), nil, false, "").write(path); err != nil || !strings.Contains(read(t, path), `gatewayClassName: ""`) {
		t.Errorf("without a class the suite would take its default for one: %v\n%s", err, read(t, path))
	}
}

package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// fakeEnv holds what the tests of the fake suite do, by name, as JSON.
const fakeEnv = "CAUSEWAY_FAKE_SUITE"

// TestMain lets the test binary stand in for a suite's: it is run with the flags
// that a suite binary is run with.
func TestMain(m *testing.M) {
	switch {
	case slices.Contains(os.Args, "-causeway.list"):
		if err := json.NewEncoder(os.Stdout).Encode(fakeListing()); err != nil {
			os.Exit(1)
		}
	case slices.Contains(os.Args, "-causeway.driven"):
		os.Exit(fakeSuite(os.Args[1:]))
	default:
		os.Exit(m.Run())
	}
}

func fakeListing() *Listing {
	return &Listing{
		Version: "v1.6.3",
		Profiles: []Profile{
			{Name: "GATEWAY-HTTP", Core: []string{"Gateway", "HTTPRoute"}, Extended: []string{"HTTPRouteCORS", "GatewayPort8080"}},
			{Name: "MESH-HTTP", Core: []string{"Mesh", "HTTPRoute"}},
		},
		Features: []Feature{{"Gateway", "standard"}, {"GatewayPort8080", "standard"}, {"HTTPRoute", "standard"}, {"HTTPRouteCORS", "standard"}, {"HTTPRouteNamed", ""}, {"Mesh", "standard"}},
		Tests: []Test{
			{Name: "GatewayBasics", Features: []string{"Gateway"}},
			{Name: "HTTPRouteBasics", Features: []string{"Gateway", "HTTPRoute"}, Parallel: true},
			{Name: "HTTPRouteCORS", Features: []string{"Gateway", "HTTPRoute", "HTTPRouteCORS"}},
			{Name: "HTTPRouteNamed", Features: []string{"Gateway", "HTTPRoute", "HTTPRouteNamed"}},
			{Name: "HTTPRoutePort", Features: []string{"Gateway", "HTTPRoute", "GatewayPort8080"}},
			{Name: "MeshBasics", Features: []string{"Mesh"}},
		},
		Images: []string{"registry.k8s.io/gateway-api/echo-basic:v1"}, Namespaces: []string{"gateway-conformance-infra"},
	}
}

// fakeSuite prints what a suite prints whose tests do as they are told.
func fakeSuite(args []string) int {
	var options suiteOptions
	for _, a := range args {
		if path, ok := strings.CutPrefix(a, "-conformance-options-file="); ok {
			data, err := os.ReadFile(path)
			if err != nil || yaml.UnmarshalStrict(data, &options) != nil {
				fmt.Println("unreadable options")
				return 1
			}
		}
	}
	does := map[string]string{}
	if err := json.Unmarshal([]byte(os.Getenv(fakeEnv)), &does); err != nil {
		fmt.Println(err)
		return 1
	}
	orders := make(chan string)
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			orders <- in.Text()
		}
		os.Exit(3)
	}()
	frame := func(format string, a ...any) { fmt.Printf("\x16"+format+"\n", a...) }
	frame("=== RUN   TestConformance")
	fmt.Println("    suite.go:1: Test Setup: Ensuring GatewayClass has been accepted")
	if why, ok := does["set-up"]; ok {
		if why == "hang" {
			select {}
		}
		fmt.Println("    suite.go:2: " + why)
		frame("=== ATTR  TestConformance causeway.failed \"set-up\"")
		<-orders
		frame("--- FAIL: TestConformance (1.00s)")
		frame("FAIL")
		return 1
	}
	if slices.Contains(args, "-causeway.prepare") {
		frame("=== ATTR  TestConformance causeway.prepare \"now\"")
		if got := <-orders; got != "go" {
			fmt.Printf("unexpected order %q\n", got)
			return 1
		}
	}
	failed := false
	for _, t := range fakeListing().Tests {
		full := "TestConformance/" + t.Name
		frame("=== RUN   %s", full)
		switch do := does[t.Name]; {
		case slices.Contains(options.SkipTests, t.Name):
			fmt.Printf("    conformance.go:8: Skipping %s: test explicitly skipped\n", t.Name)
			frame("--- SKIP: %s (0.00s)", full)
			continue
		case do == "fail", do == "flaky" && !options.DisableParallelTests:
			failed = true
			frame("=== RUN   %s/sub", full)
			fmt.Println("    http.go:9: Making GET request to host example.com\n    http.go:10: expected status code 200, got 503")
			frame("--- FAIL: %s/sub (0.20s)", full)
			// A subtest that passes after one that failed has no say.
			frame("=== RUN   %s/later", full)
			fmt.Println("    http.go:11: Request passed")
			frame("--- PASS: %s/later (0.01s)", full)
			frame("=== NAME  %s", full)
			frame(`=== ATTR  %s causeway.exchanges [{"method":"GET","url":"http://198.18.0.1/it's","host":"example.com","headers":{"X-Set":["a"]},"status":503}]`, full)
			frame("=== ATTR  %s causeway.failed \"the test ended\"", full)
			if got := <-orders; got != "ack "+full {
				fmt.Printf("unexpected order %q\n", got)
			}
			fmt.Println("    apply.go:3: Deleting route HTTPRoute")
			frame("--- FAIL: %s (0.25s)", full)
			if options.FailFast {
				frame("--- FAIL: TestConformance (1.00s)")
				frame("FAIL")
				return 1
			}
			continue
		case do == "hang":
			fmt.Println("    x.go:1: about to hang")
			for o := range orders {
				if o == "dump" {
					fmt.Println("goroutine 1 [running]:")
				}
			}
		case do == "panic":
			frame("--- FAIL: %s (0.10s)", full)
			fmt.Print("panic: runtime error: index out of range [recovered]\n\ngoroutine 7 [running]:\nx()\n")
			return 2
		case do == "killed":
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill()
			}
			select {}
		case do == "garbage":
			fmt.Print("\x16--- PASS\n\x00\xff\x16=== WHAT\n--- FAIL: TestConformance/HTTPRouteBasics (0.00s)\nno newline")
			frame("--- PASS: TestConformance/../../../tmp/evil (0.00s)")
			frame("=== ATTR  TestConformance/.. causeway.failed x")
		case slices.Contains([]string{"HTTPRouteCORS", "HTTPRouteNamed", "MeshBasics"}, t.Name),
			options.SupportedFeatures != nil && slices.ContainsFunc(t.Features, func(f string) bool { return !slices.Contains(options.SupportedFeatures, f) }):
			fmt.Printf("    conformance.go:8: Skipping %s: suite does not support it\n", t.Name)
			frame("--- SKIP: %s (0.00s)", full)
			continue
		case t.Parallel:
			frame("=== PAUSE %s", full)
			frame("=== CONT  %s", full)
		}
		fmt.Println("    x.go:1: fine")
		frame("--- PASS: %s (0.10s)", full)
	}
	if options.ReportOutputPath != "" {
		if err := os.WriteFile(options.ReportOutputPath, []byte("kind: ConformanceReport # as the suite wrote it\n"), 0o600); err != nil {
			fmt.Println(err)
		}
	}
	if failed {
		frame("--- FAIL: TestConformance (1.00s)")
		frame("FAIL")
		return 1
	}
	frame("--- PASS: TestConformance (1.00s)")
	frame("PASS")
	return 0
}

// fakeClusters are clusters in which only the fake suite runs.
type fakeClusters struct {
	does map[string]string

	mu       sync.Mutex
	up, down int
}

func (f *fakeClusters) Up(ctx context.Context) (Cluster, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.does["cluster"] == "fail" {
		return nil, errors.New("no user namespaces here")
	}
	f.up++
	return &fakeCluster{f}, ctx.Err()
}

type fakeCluster struct{ f *fakeClusters }

func (c *fakeCluster) Kubeconfig() string { return "/dev/null" }

func (c *fakeCluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	does, _ := json.Marshal(c.f.does)
	cmd.Env = append(os.Environ(), fakeEnv+"="+string(does))
	return cmd
}

func (c *fakeCluster) Down(ctx context.Context) error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.down++
	return ctx.Err()
}

// fakeAPI is a cluster whose GatewayClass and XMesh are as they are told.
type fakeAPI struct {
	state   claim
	meshed  claim
	removed []string
}

func (a *fakeAPI) class(context.Context, string) (claim, error) { return a.state, nil }
func (a *fakeAPI) mesh(context.Context, string) (claim, error)  { return a.meshed, nil }
func (a *fakeAPI) versions(context.Context, []LogSource) (string, []Image, error) {
	return "v1.37.2", []Image{{Name: "example:v1.2.3"}}, nil
}
func (a *fakeAPI) standing(context.Context, []string) ([]string, error) { return nil, nil }
func (a *fakeAPI) remove(_ context.Context, namespaces, classes []string) error {
	a.removed = append(append(a.removed, namespaces...), classes...)
	return nil
}

func (a *fakeAPI) collect(_ context.Context, dir string, _ collection) error {
	return writeInto(filepath.Join(dir, "objects"), "gateways.yaml", strings.NewReader("kind: Gateway\n"))
}

var accepted = claim{found: true, controller: "example.com/controller", accepted: "True", features: []string{"Gateway", "HTTPRoute", "GatewayPort8080"}}

// fakeOptions run the fake suite.
func fakeOptions(t *testing.T, does map[string]string) (Options, *fakeClusters, *fakeAPI) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	clusters, a := &fakeClusters{does: does}, &fakeAPI{state: accepted}
	limits := DefaultLimits()
	limits.Ready, limits.Test, limits.Down = time.Second, 30*time.Second, 10*time.Second
	return Options{
		Suite: Suite{Version: "v1.6", Path: exe}, Clusters: clusters, ClusterName: "fake",
		Implementation: Implementation{
			Name: "example", Organization: "Example", Project: "example", URL: "https://example.com", Version: "v1.2.3", Contact: []string{"@example"},
			GatewayClass: "example", Controller: "example.com/controller", Profiles: []string{"GATEWAY-HTTP"},
		},
		Out: filepath.Join(t.TempDir(), "out"), RerunFailed: 1, RerunLimit: 10, Limits: limits,
		connect: func(string) (api, error) { return a, nil },
	}, clusters, a
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

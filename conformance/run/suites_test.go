//go:build suites

package run

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tests of this file need the suites' binaries, which are built first. Run
// them with: make test-suites.

func builtSuite(t *testing.T, version string) (Suite, *Listing) {
	t.Helper()
	s, err := FindSuite(t.Context(), version, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

func TestEverySuiteLists(t *testing.T) {
	for _, version := range SuiteVersions() {
		t.Run(version, func(t *testing.T) {
			_, l := builtSuite(t, version)
			if !strings.HasPrefix(l.Version, version+".") {
				t.Errorf("suite %s says it is %s", version, l.Version)
			}
			if len(l.Tests) < 150 || len(l.Profiles) != 7 || len(l.Images) == 0 || !slices.Contains(l.Namespaces, "gateway-conformance-infra") {
				t.Errorf("%d tests, %d profiles, images %v, namespaces %v", len(l.Tests), len(l.Profiles), l.Images, l.Namespaces)
			}
			for _, test := range l.Tests {
				for _, f := range test.Features {
					if !l.knowsFeature(f) {
						t.Errorf("test %s needs feature %s, which the suite does not list", test.Name, f)
					}
				}
				if !plainName.MatchString(test.Name) {
					t.Errorf("test %q is no name for files", test.Name)
				}
			}
		})
	}
}

// TestTheSuiteCountsAsWePlan holds our reading of profiles against known numbers
// of tests, of suite v1.6.3 with Traefik.
func TestTheSuiteCountsAsWePlan(t *testing.T) {
	_, l := builtSuite(t, "v1.6")
	o := &Options{
		Profiles:       []string{"GATEWAY-HTTP", "GATEWAY-GRPC", "GATEWAY-TLS"},
		Implementation: Implementation{GatewayClass: "traefik", Features: []string{}},
	}
	p, err := NewPlan(l, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, test := range p.Tests {
		for _, m := range test.Profiles {
			if test.Runs {
				got[m.Profile+" "+m.Level]++
			}
		}
	}
	for level, want := range map[string]int{"GATEWAY-HTTP core": 36, "GATEWAY-GRPC core": 14, "GATEWAY-TLS core": 19} {
		if got[level] != want {
			t.Errorf("%d tests in %s, the suite counts %d", got[level], level, want)
		}
	}
}

// TestASuiteRefusesUnknownOptions runs the real binary against no cluster.
func TestASuiteRefusesUnknownOptions(t *testing.T) {
	s, _ := builtSuite(t, "v1.6")
	options := filepath.Join(t.TempDir(), optionsFile)
	if err := os.WriteFile(options, []byte("gatewayClasName: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := startProcess(t.Context(), &fakeCluster{&fakeClusters{}}, t.TempDir(), s.Path, "-test.v=test2json", "-conformance-options-file="+options, "-causeway.driven")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	var out bytes.Buffer
	if _, err := out.ReadFrom(p); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `unknown field "gatewayClasName"`) {
		t.Errorf("output:\n%s", out.String())
	}
}

// TestABrokenAPIEndsInAVerdict drives the real binary against an API server that
// answers every request with 503.
func TestABrokenAPIEndsInAVerdict(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters:\n- {name: x, cluster: {server: %q}}\ncontexts:\n- {name: x, context: {cluster: x}}\ncurrent-context: x\n", server.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, version := range SuiteVersions() {
		t.Run(version, func(t *testing.T) {
			o, _, _ := fakeOptions(t, nil)
			o.Suite, _ = builtSuite(t, version)
			o.Clusters = pointing(kubeconfig)
			got, err := Run(t.Context(), o, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != StatusSetupFailed || !strings.Contains(got.Verdict, "down for maintenance") && !strings.Contains(got.Verdict, "unable to handle the request") {
				t.Errorf("status %s: %s", got.Status, got.Verdict)
			}
		})
	}
}

// pointing is a cluster behind a kubeconfig.
type pointing string

func (p pointing) Up(context.Context) (Cluster, error) { return pointed{kubeconfig: string(p)}, nil }

type pointed struct{ kubeconfig string }

func (p pointed) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

func (p pointed) Kubeconfig() string         { return p.kubeconfig }
func (p pointed) Down(context.Context) error { return nil }

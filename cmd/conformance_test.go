//go:build unix

package cmd

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/matrix"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

// fakeListing is what a small suite answers that is asked for its tests.
const fakeListing = `{"version":"v1.6.3",
"profiles":[{"name":"GATEWAY-HTTP","core":["Gateway","HTTPRoute"],"extended":["HTTPRouteCORS"]}],
"features":[{"name":"Gateway","channel":"standard"},{"name":"HTTPRoute","channel":"standard"},{"name":"HTTPRouteCORS","channel":"standard"},{"name":"Mesh","channel":"standard"}],
"tests":[{"name":"GatewayBasics","features":["Gateway"]},{"name":"HTTPRouteCORS","features":["HTTPRoute","HTTPRouteCORS"]},{"name":"MeshBasics","features":["Mesh"]}],
"images":["registry.k8s.io/gateway-api/echo-basic:v1"],"namespaces":["gateway-conformance-infra"],"gatewayClasses":[]}`

// fakeSuite is a program that answers as a suite's binary does to -causeway.list.
func fakeSuite(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "suite.test")
	for file, text := range map[string]string{"listing.json": fakeListing, "suite.test": "#!/bin/sh\nexec cat \"${0%/*}/listing.json\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestConformanceListAndImages(t *testing.T) {
	suite := fakeSuite(t)
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"tests": {[]string{"list"}, `TEST           PROFILES               FEATURES
GatewayBasics  GATEWAY-HTTP core      Gateway
HTTPRouteCORS  GATEWAY-HTTP extended  HTTPRoute,HTTPRouteCORS
MeshBasics     -                      Mesh
`},
		"profiles": {[]string{"list", "profiles"}, `PROFILE       LEVEL     FEATURES
GATEWAY-HTTP  core      Gateway,HTTPRoute
              extended  HTTPRouteCORS
`},
		"features": {[]string{"list", "features"}, `FEATURE        CHANNEL   TESTS
Gateway        standard  1
HTTPRoute      standard  1
HTTPRouteCORS  standard  1
Mesh           standard  1
`},
		"images":      {[]string{"images"}, "registry.k8s.io/gateway-api/echo-basic:v1\n"},
		"images JSON": {[]string{"images", "-o", "json"}, "[\n  \"registry.k8s.io/gateway-api/echo-basic:v1\"\n]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := run(t, "causeway", append([]string{"conformance"}, append(tc.args, "--suite", suite)...)...)
			if code != ExitDone || errOut != "" {
				t.Fatalf("exit %d: %s", code, errOut)
			}
			if diff := cmp.Diff(tc.want, out); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestConformanceDryRunAsksTheGatewayClass(t *testing.T) {
	class := `{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GatewayClass","metadata":{"name":"example"},"spec":{"controllerName":"example.com/c"},
"status":{"conditions":[{"type":"Accepted","status":"True"}],"supportedFeatures":[{"name":"HTTPRouteCORS"}]}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/readyz":
			_, _ = w.Write([]byte("ok"))
		case "/apis/gateway.networking.k8s.io/v1/gatewayclasses/example":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(class))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\nclusters:\n- {name: x, cluster: {server: \"" + server.URL + "\"}}\ncontexts:\n- {name: x, context: {cluster: x}}\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	base := []string{"conformance", "run", "--cluster", "existing", "--suite", fakeSuite(t), "--gateway-class", "example", "--profiles", "GATEWAY-HTTP", "--dry-run"}

	code, out, errOut := run(t, "causeway", append(base, "--kubeconfig", kubeconfig, "--context", "x")...)
	want := "run   GatewayBasics  \nrun   HTTPRouteCORS  \nskip  MeshBasics     not supported: Mesh\n\n2 of 3 tests of suite v1.6.3 would run\n"
	if code != ExitDone || errOut != "" || out != want {
		t.Errorf("exit %d: %s\n%s", code, errOut, cmp.Diff(want, out))
	}

	code, out, errOut = run(t, "causeway", append(base, "--kubeconfig", kubeconfig+".not", "--focus", "^H")...)
	want = "skip  GatewayBasics  not in --focus\nrun   HTTPRouteCORS  if the GatewayClass says it supports HTTPRouteCORS\nskip  MeshBasics     not in --focus\n\n1 of 3 tests of suite v1.6.3 would run\n"
	if code != ExitDone || !strings.Contains(errOut, "warning: ") || out != want {
		t.Errorf("without a cluster: exit %d: %s\n%s", code, errOut, cmp.Diff(want, out))
	}
}

func TestConformanceRunUsage(t *testing.T) {
	suite := fakeSuite(t)
	results := t.TempDir()
	data, err := json.Marshal(conformance.Results{Version: conformance.ResultsVersion, Request: map[string]string{"gateway-class": "example", "profiles": "GATEWAY-HTTP", "suite": suite}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(results, conformance.ResultsFile), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		reason string
		args   []string
		code   int
		says   string
	}{
		"nothing to test":        {"the suite needs an implementation", nil, ExitUsage, "what shall be tested?"},
		"no profiles":            {"a class alone claims none", []string{"--gateway-class", "x", "--cluster", "existing"}, ExitUsage, "name some with --profiles"},
		"unknown profile":        {"before any cluster", []string{"--implementation", "traefik", "--profiles", "HTTP", "--dry-run", "--suite", suite}, ExitUsage, `no profile "HTTP": it has GATEWAY-HTTP`},
		"unknown cluster":        {"", []string{"--gateway-class", "x", "--profiles", "GATEWAY-HTTP", "--cluster", "cloud"}, ExitUsage, "--cluster cloud is not known: use "},
		"two versions":           {"a node image has its version", []string{"--implementation", "traefik", "--cluster", "kind", "--node-image", "x:1", "--kubernetes-version", "v1.36.1"}, ExitUsage, "only one of the two"},
		"nodes elsewhere":        {"an embedded cluster has one node", []string{"--implementation", "traefik", "--nodes", "3"}, ExitUsage, "--nodes is for kind clusters: add --cluster kind"},
		"local images elsewhere": {"nothing is pulled there anyway", []string{"--implementation", "traefik", "--local-images"}, ExitUsage, "--local-images is for kind clusters"},
		"no local method":        {"what is built must be known", []string{"--implementation", "cilium", "--cluster", "kind", "--local-images"}, ExitUsage, "embedded"},
		"class of a new cluster": {"nobody would ever accept it", []string{"--gateway-class", "x", "--profiles", "GATEWAY-HTTP"}, ExitUsage, "runs nothing: use --implementation"},
		"unknown name":           {"a typing mistake is wrong usage", []string{"--implementation", "traefk"}, ExitUsage, "did you mean traefik?"},
		"not for this cluster":   {"a chart needs images, which an embedded cluster has not", []string{"--implementation", "istio"}, ExitUsage, "no way of installation on embedded"},
		"bad image":              {"before anything is built", []string{"--implementation", "traefik", "--suite", suite, "--image", "traefik", "--out", t.TempDir()}, ExitUsage, "not of the form IMAGE=FILE"},
		"unknown suite":          {"", []string{"--implementation", "traefik", "--suite", "v0.8"}, ExitUsage, `suite "v0.8" is not known: use v1.6, v1.7`},
		"less than no tests":     {"", []string{"--implementation", "traefik", "--suite", suite, "--test-parallel", "-1", "--out", t.TempDir()}, ExitUsage, "--test-parallel -1"},
		"less than no re-runs":   {"", []string{"--implementation", "traefik", "--suite", suite, "--rerun-failed", "-1", "--out", t.TempDir()}, ExitUsage, "--rerun-failed -1"},
		"no time":                {"not a verdict on the implementation", []string{"--implementation", "traefik", "--suite", suite, "--timeout", "-1s", "--out", t.TempDir()}, ExitUsage, "--timeout -1s is no time"},
		"two sources":            {"", []string{"--gateway-class", "x", "--implementation", "y"}, ExitUsage, "none of the others can be"},
		"bad output":             {"", []string{"-o", "yaml"}, ExitUsage, "-o yaml is not known"},
		"nothing there":          {"no run to go on with", []string{"--resume", t.TempDir()}, ExitFailed, "results.json"},
		"changed resume":         {"half of one run and half of another prove nothing", []string{"--resume", results, "--focus", "x"}, ExitUsage, "--focus cannot be changed by --resume"},
		"resumed":                {"the rest is taken from the results, up to the cluster", []string{"--resume", results, "--kubeconfig-is-not-a-flag"}, ExitUsage, "unknown flag"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errOut := run(t, "causeway", append([]string{"conformance", "run"}, tc.args...)...)
			if code != tc.code || !strings.Contains(errOut, tc.says) {
				t.Errorf("%s: exit %d, want %d saying %q:\n%s", tc.reason, code, tc.code, tc.says, errOut)
			}
		})
	}
}

func TestConformanceMatrixDryRun(t *testing.T) {
	suite := fakeSuite(t)
	other := fakeSuite(t)
	renamed := filepath.Join(filepath.Dir(other), "other.test")
	if err := os.Rename(other, renamed); err != nil {
		t.Fatal(err)
	}
	base := []string{"conformance", "run", "--dry-run", "--implementation", "traefik", "--profiles", "GATEWAY-HTTP", "--suite", suite, "--suite", renamed}
	code, out, errOut := run(t, "causeway", append(base, "--channel", "standard", "--channel", "experimental")...)
	plan := "\nrun  GatewayBasics  \nrun  HTTPRouteCORS  if the GatewayClass says it supports HTTPRouteCORS\nrun  MeshBasics     if the GatewayClass says it supports Mesh; no report counts it\n\n3 of 3 tests of suite v1.6.3 would run\n"
	want := "traefik_standard_suite.test" + plan + "\ntraefik_standard_other.test" + plan + "\ntraefik_experimental_suite.test" + plan + "\ntraefik_experimental_other.test" + plan
	if code != ExitDone || out != want {
		t.Errorf("exit %d: %s\n%s", code, errOut, cmp.Diff(want, out))
	}
	for name, tc := range map[string]struct {
		reason string
		args   []string
		says   string
	}{
		"one cluster":     {"each run needs its own", []string{"--cluster", "existing"}, "is one cluster, and 2 runs were asked for"},
		"twice":           {"one folder cannot hold both", []string{"--suite", suite}, "traefik_suite.test is asked for twice"},
		"none at a time":  {"", []string{"--parallel", "0"}, "--parallel 0"},
		"kept objects":    {"nobody looks at several clusters", []string{"--keep-on-failure"}, "--keep-on-failure is for one run"},
		"unknown channel": {"", []string{"--channel", "monthly"}, "--channel monthly is not known: use standard or experimental"},
		"Kubernetes":      {"an embedded cluster has one version", []string{"--kubernetes-version", "v1.20.0"}, "an embedded cluster has Kubernetes v1."},
		"unknown name":    {"before any of them runs", []string{"--implementation", "traefk"}, "did you mean traefik?"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(slices.Clone(base), "--out", t.TempDir())
			code, _, errOut := run(t, "causeway", append(args, tc.args...)...)
			if name == "twice" { // found when it begins
				args = slices.DeleteFunc(args, func(a string) bool { return a == "--dry-run" })
				code, _, errOut = run(t, "causeway", append(args, tc.args...)...)
			}
			if code != ExitUsage || !strings.Contains(errOut, tc.says) {
				t.Errorf("%s: exit %d, want %d saying %q:\n%s", tc.reason, code, ExitUsage, tc.says, errOut)
			}
		})
	}
}

func TestConformanceMatrixVerdict(t *testing.T) {
	cell := func(name string, status conformance.Status) matrix.Result {
		return matrix.Result{Folder: name, Status: status}
	}
	for name, tc := range map[string]struct {
		reason string
		cells  []matrix.Result
		code   int
		says   string
	}{
		"all passed":    {"", []matrix.Result{cell("a", conformance.StatusPassed)}, ExitDone, ""},
		"one failed":    {"the worst of it counts", []matrix.Result{cell("a", conformance.StatusPassed), cell("b", conformance.StatusFailed), cell("c", matrix.Broken)}, ExitNonconformant, "1 of 3 did not pass: b; 1 did not come to an end: c"},
		"never ready":   {"", []matrix.Result{cell("a", conformance.StatusNotReady)}, ExitNonconformant, "did not pass: a"},
		"only broken":   {"that says nothing of the implementation", []matrix.Result{cell("a", matrix.Broken)}, ExitFailed, "did not come to an end: a"},
		"never started": {"", []matrix.Result{cell("a", matrix.Waiting)}, ExitFailed, "did not come to an end: a"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			code := finish(t.Context(), &b, "causeway", matrixVerdict(&matrix.Matrix{Cells: tc.cells}, nil))
			if code != tc.code || !strings.Contains(b.String(), tc.says) {
				t.Errorf("%s: exit %d, want %d: %s", tc.reason, code, tc.code, b.String())
			}
		})
	}
}

func TestConformanceMatrixRequest(t *testing.T) {
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	fl := newConformanceRun(streams).Flags()
	for _, set := range [][2]string{{"implementation", "a,b.yaml"}, {"implementation", "c"}, {"suite", "v1.6"}, {"suite", "v1.7"}, {"profiles", "A,B"}} {
		if err := fl.Set(set[0], set[1]); err != nil {
			t.Fatal(err)
		}
	}
	asked := wholeRequest(fl)
	dir := t.TempDir()
	data, err := json.Marshal(matrix.Matrix{Version: matrix.Version, Request: asked})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, matrix.File), data, 0o600); err != nil {
		t.Fatal(err)
	}
	again := newConformanceRun(streams)
	if err := takeOverMatrix(again.Flags(), dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asked, wholeRequest(again.Flags())); diff != "" {
		t.Errorf("taken over (-want +got):\n%s", diff)
	}
	one := cellRequest(request(fl), matrix.Cell{Source: "c", Suite: "v1.7"})
	if diff := cmp.Diff(map[string]string{"implementation": "c", "suite": "v1.7", "profiles": "A,B"}, one); diff != "" {
		t.Errorf("of one cell (-want +got):\n%s", diff)
	}
}

func TestConformanceResumeTakesOverTheRequest(t *testing.T) {
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	fl := newConformanceRun(streams).Flags()
	for flag, value := range map[string]string{"gateway-class": "example", "profiles": "A,B", "suite": "v1.7", "timeout": "5m"} {
		if err := fl.Set(flag, value); err != nil {
			t.Fatal(err)
		}
	}
	asked := request(fl)
	want := map[string]string{"gateway-class": "example", "profiles": "A,B", "suite": "v1.7"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Fatalf("request (-want +got):\n%s", diff)
	}
	dir := t.TempDir()
	data, err := json.Marshal(conformance.Results{Version: conformance.ResultsVersion, Request: asked})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, conformance.ResultsFile), data, 0o600); err != nil {
		t.Fatal(err)
	}
	again := newConformanceRun(streams)
	if err := takeOver(again.Flags(), dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, request(again.Flags())); diff != "" {
		t.Errorf("taken over (-want +got):\n%s", diff)
	}
}

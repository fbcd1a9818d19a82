//go:build unix

package cmd

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

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
		"unknown suite":          {"", []string{"--implementation", "traefik", "--suite", "v0.8"}, ExitFailed, `suite "v0.8" is not known: use v1.6, v1.7`},
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

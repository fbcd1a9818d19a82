package submission

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/reports/conformance"
)

// sound is a report as the suite writes it; one core test was skipped.
const sound = `apiVersion: gateway.networking.k8s.io/v1
date: "2026-11-26T00:29:37Z"
gatewayAPIChannel: experimental
gatewayAPIVersion: v1.6.3
implementation:
  contact:
  - '@acme/maintainers'
  organization: acme
  project: gateway
  url: https://github.com/acme/gateway
  version: v1.2.3
kind: ConformanceReport
mode: default
profiles:
- core:
    result: partial
    skippedTests:
    - HTTPRouteMultipleGateways
    statistics:
      Failed: 0
      Passed: 2
      Skipped: 1
  name: GATEWAY-HTTP
  summary: Core tests partially succeeded with 1 test skips.
`

// folder is a run's folder and the claim beside it, to be broken in one place.
type folder struct {
	claim   Claim
	results map[string]any
	report  string // as the suite wrote it
	now     string // as it is found
	options func(*Options)
}

func newFolder() *folder {
	attempts := []any{map[string]any{"attempt": 1, "outcome": "pass"}}
	core := []any{map[string]any{"profile": "GATEWAY-HTTP", "level": "core"}}
	return &folder{
		claim: Claim{
			File: "acme.yaml", Data: []byte("kind: Implementation\n"),
			Implementation: conformance.Implementation{Organization: "acme", Project: "gateway", URL: "https://github.com/acme/gateway", Version: "v1.2.3", Contact: []string{"@acme/maintainers"}},
			Channel:        "experimental", Mode: "default", Profiles: []string{"GATEWAY-HTTP"},
			Skipped: map[string]string{"HTTPRouteMultipleGateways": "One proxy serves all Gateways."},
		},
		results: map[string]any{
			"version": 1, "status": "passed", "verdict": "all 2 tests passed", "suite": "v1.6.3", "cluster": "kind", "tool": "causeway v0.1.0",
			"kubernetesVersion": "v1.37.2", "images": []any{map[string]any{"name": "acme/gateway:v1.2.3", "id": "docker.io/acme/gateway@sha256:abc"}},
			"started": "2026-11-26T00:28:00Z", "ended": "2026-11-26T00:30:00Z",
			"report":   map[string]any{"path": "report.yaml"},
			"attempts": []any{map[string]any{"number": 1, "kind": "main"}},
			"tests": []any{
				map[string]any{"name": "GatewayBasics", "outcome": "pass", "profiles": core, "attempts": attempts},
				map[string]any{"name": "HTTPRouteBasics", "outcome": "pass", "profiles": core, "attempts": attempts},
				map[string]any{"name": "HTTPRouteMultipleGateways", "outcome": "skip", "reason": "left out", "profiles": core},
			},
			"request": map[string]any{"implementation": "acme.yaml", "suite": "v1.6"},
		},
		report: sound,
	}
}

// write writes the run's folder.
func (f *folder) write(t *testing.T) *Evidence {
	t.Helper()
	dir := t.TempDir()
	if f.now == "" {
		f.now = f.report
	}
	report := f.results["report"].(map[string]any)
	if report["path"] != nil && report["sha256"] == nil {
		report["sha256"] = checksum([]byte(f.report))
	}
	results, err := json.Marshal(f.results)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{resultsFile: string(results), reportFile: f.now, "attempts/1/" + reportFile: f.report} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := ReadEvidence(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (f *folder) layOut(t *testing.T, out string) (*Submission, error) {
	t.Helper()
	o := Options{Claim: f.claim, Evidence: f.write(t), Out: out}
	if f.options != nil {
		f.options(&o)
	}
	return LayOut(o)
}

// edit replaces text of the report, of which there must be some.
func (f *folder) edit(t *testing.T, old, new string) {
	t.Helper()
	if !strings.Contains(f.report, old) {
		t.Fatalf("the report has no %q", old)
	}
	f.report = strings.Replace(f.report, old, new, 1)
}

func TestPlantedFaultsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		reason      string
		plant       func(t *testing.T, f *folder)
		rule, says  string
		conformance bool
	}{
		"branch as version": {"a branch moves", func(t *testing.T, f *folder) {
			f.claim.Implementation.Version = "main"
			f.edit(t, "version: v1.2.3", "version: main")
		}, "version", `"main" is a branch, which moves`, false},
		"version that is none": {"the table of contents wants a semantic one", func(t *testing.T, f *folder) {
			f.claim.Implementation.Version = "v1.2"
			f.edit(t, "version: v1.2.3", "version: v1.2")
		}, "version", "no semantic version", false},
		"missing contact": {"nobody could be asked", func(t *testing.T, f *folder) {
			f.claim.Implementation.Contact = nil
			f.edit(t, "  contact:\n  - '@acme/maintainers'\n", "  contact: []\n")
		}, "identity", "nobody can be reached", false},
		"skipped core test": {"the descriptor does not say why", func(_ *testing.T, f *folder) { f.claim.Skipped = nil },
			"skipped", "GATEWAY-HTTP core: test HTTPRouteMultipleGateways was skipped (left out) and acme.yaml does not say why", false},
		"partial, and not wanted": {"the vendor wants to be among the conformant", func(_ *testing.T, f *folder) { f.options = func(o *Options) { o.NoPartial = true } },
			"partial", "GATEWAY-HTTP core is partial", false},
		"wrong channel": {"what is claimed was not installed", func(_ *testing.T, f *folder) { f.claim.Channel = "standard" },
			"channel", `the report says channel "experimental" and acme.yaml says "standard"`, false},
		"no channel": {"the suite found no CRDs of one", func(t *testing.T, f *folder) {
			f.claim.Channel = "monthly"
			f.edit(t, "experimental", "monthly")
		}, "channel", "neither standard nor experimental", false},
		"another mode": {"", func(_ *testing.T, f *folder) { f.claim.Mode = "ambient" }, "mode", `the report says mode "default"`, false},
		"edited report": {"a test more was counted", func(_ *testing.T, f *folder) { f.now = strings.Replace(f.report, "Passed: 2", "Passed: 3", 1) },
			"edited", "its SHA-256 is", false},
		"edited without a checksum": {"a run of an older version", func(_ *testing.T, f *folder) {
			f.now = strings.Replace(f.report, "Passed: 2", "Passed: 3", 1)
			f.results["report"].(map[string]any)["sha256"] = checksum([]byte(f.now))
		}, "edited", "it differs from", false},
		"formatted report": {"so says its indentation", func(t *testing.T, f *folder) { f.edit(t, "  contact:\n  -", "  contact:\n    -") },
			"edited", "not as the suite writes it", false},
		"report of another day": {"it is of another run", func(t *testing.T, f *folder) { f.edit(t, "2026-11-26T00:29:37Z", "2026-11-20T00:29:37Z") },
			"edited", "and the run took place from", false},
		"failed test": {"", func(t *testing.T, f *folder) {
			f.edit(t, "    result: partial\n", "    failedTests:\n    - HTTPRouteBasics\n    result: failure\n")
			f.edit(t, "Failed: 0\n      Passed: 2", "Failed: 1\n      Passed: 1")
			f.results["status"] = "failed"
		}, "result", "GATEWAY-HTTP core failed: HTTPRouteBasics", true},
		"flaky test": {"the report has it as failed, for ever", func(t *testing.T, f *folder) {
			f.edit(t, "    result: partial\n", "    failedTests:\n    - HTTPRouteBasics\n    result: failure\n")
			f.edit(t, "Failed: 0\n      Passed: 2", "Failed: 1\n      Passed: 1")
			f.results["tests"].([]any)[1].(map[string]any)["outcome"] = "flaky"
		}, "result", "HTTPRouteBasics passed when run again alone", true},
		"hidden failure": {"the run knows better", func(_ *testing.T, f *folder) {
			f.results["tests"].([]any)[1].(map[string]any)["attempts"] = []any{map[string]any{"attempt": 1, "outcome": "fail"}}
		}, "edited", "test HTTPRouteBasics failed in the run, and the report does not say so", true},
		"never ready": {"", func(_ *testing.T, f *folder) {
			f.results["status"], f.results["verdict"] = "not-ready", "GatewayClass acme was never accepted"
			f.results["report"] = map[string]any{"absent": "no"}
		}, "run", "GatewayClass acme was never accepted", true},
		"interrupted": {"half a run is no run", func(_ *testing.T, f *folder) { f.results["status"] = "interrupted" }, "run", "run it again", false},
		"resumed": {"two halves are no report", func(_ *testing.T, f *folder) {
			f.results["report"] = map[string]any{"absent": "the run was interrupted"}
		}, "run", "the run was interrupted", false},
		"profile left out": {"the claim is larger than the run", func(_ *testing.T, f *folder) {
			f.claim.Profiles = append(f.claim.Profiles, "GATEWAY-TLS")
		}, "profiles", "claims GATEWAY-TLS, of which the report says nothing", false},
		"profile too many": {"the claim is smaller than the run", func(_ *testing.T, f *folder) { f.claim.Profiles = []string{"GATEWAY-GRPC"} }, "profiles", "which acme.yaml does not claim", false},
		"another suite":    {"the report is of what the suite calls itself", func(_ *testing.T, f *folder) { f.results["suite"] = "v1.7.0" }, "gateway-api-version", "the report says Gateway API v1.6.3 and the suite was of v1.7.0", false},
		"suite of one's own": {"it may test anything", func(_ *testing.T, f *folder) {
			f.results["request"].(map[string]any)["suite"] = "./bin/suite.test"
		}, "suite", "a suite of its own, suite.test", false},
		"release of nowhere": {"", func(_ *testing.T, f *folder) { f.options = func(o *Options) { o.ReleaseURL = "acme.example" } }, "release", "--release-url", false},
		"name of signs": {"it cannot name a folder", func(t *testing.T, f *folder) {
			f.claim.Implementation.Project = "../.."
			f.edit(t, "project: gateway", "project: ../..")
		}, "folder", "make no name of a folder", false},
	} {
		t.Run(name, func(t *testing.T) {
			f, out := newFolder(), t.TempDir()
			c.plant(t, f)
			_, err := f.layOut(t, out)
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("%s: got %v", c.reason, err)
			}
			if refused.Nonconformant() != c.conformance {
				t.Errorf("%s: of conformance: %v", c.reason, refused.Nonconformant())
			}
			found := false
			for _, p := range refused.Problems {
				found = found || p.Rule == c.rule && strings.Contains(p.Message, c.says)
			}
			if !found {
				t.Errorf("%s: want %q [%s], got %v", c.reason, c.says, c.rule, err)
			}
			if left, _ := os.ReadDir(out); len(left) > 0 {
				t.Errorf("something was written: %v", left)
			}
		})
	}
}

// files are the contents below a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLayOut(t *testing.T) {
	f, out := newFolder(), t.TempDir()
	s, err := f.layOut(t, out)
	if err != nil {
		t.Fatal(err)
	}
	have := files(t, out)
	const at = "reports/v1.6/acme-gateway/"
	if got := have[at+"experimental-v1.2.3-default-report.yaml"]; got != sound {
		t.Errorf("the report is not byte for byte as it was: %s", cmp.Diff(sound, got))
	}
	if got := have[at+"experimental-v1.2.3-default-implementation.yaml"]; got != string(f.claim.Data) {
		t.Errorf("descriptor: %q", got)
	}
	golden, err := os.ReadFile("testdata/README.md")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		err = os.WriteFile("testdata/README.md", []byte(have[at+"README.md"]), 0o644)
		golden = []byte(have[at+"README.md"])
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), have[at+"README.md"]); diff != "" {
		t.Errorf("README.md (-want +got; UPDATE_GOLDEN=1 rewrites it):\n%s", diff)
	}
	if len(have) != 3 {
		t.Errorf("files: %v", maps.Keys(have))
	}
	if len(s.Warnings) != 1 || s.Warnings[0].Rule != "partial" {
		t.Errorf("warnings: %v", s.Warnings)
	}

	again, err := f.layOut(t, out)
	if err != nil {
		t.Fatalf("the same once more: %v", err)
	}
	if diff := cmp.Diff(have, files(t, out)); diff != "" || again.Folder != s.Folder {
		t.Errorf("the same once more changed something:\n%s", diff)
	}

	other := newFolder()
	other.edit(t, "Passed: 2", "Passed: 4")
	if _, err := other.layOut(t, out); err == nil || !strings.Contains(err.Error(), "holds another report already") {
		t.Errorf("a report is never replaced: %v", err)
	}

	next := newFolder()
	next.claim.Mode = "kernel_bypass"
	next.edit(t, "mode: default", "mode: kernel_bypass")
	if _, err := next.layOut(t, out); err != nil {
		t.Fatalf("another mode beside it: %v", err)
	}
	have = files(t, out)
	if len(have) != 5 {
		t.Errorf("files: %v", have)
	}
	readme := have[at+"README.md"]
	if strings.Count(readme, "\n| experimental |") != 2 || strings.Count(readme, "\n### v1.2.3, ") != 2 || strings.Count(readme, "## Reproduce") != 1 {
		t.Errorf("README.md:\n%s", readme)
	}
	for _, name := range []string{"default", "kernel_bypass"} {
		path := filepath.Join(out, at, "experimental-v1.2.3-"+name+"-report.yaml")
		r, err := conformance.Read(path, []byte(have[at+"experimental-v1.2.3-"+name+"-report.yaml"]))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range conformance.Lint(r) {
			if p.Rule != "result" {
				t.Errorf("%s: %v", name, p)
			}
		}
	}
}

func TestAToolThatNobodyCanGetIsAWarning(t *testing.T) {
	for tool, warned := range map[string]bool{
		"": true, "causeway (development)": true, "causeway (development), commit abc with changes": true,
		"causeway (development), commit abc": false, "causeway v1.2.3": false,
	} {
		f := newFolder()
		f.results["tool"] = tool
		s, err := f.layOut(t, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Warnings) == 2 && s.Warnings[0].Rule == "tool"; got != warned {
			t.Errorf("%q: %v", tool, s.Warnings)
		}
	}
}

func TestInsertKeepsWhatIsThere(t *testing.T) {
	text := "# Mine\n\n## Table of contents\n\n| API channel | Implementation version | Mode | Report |\n|---|---|---|---|\n| a | b | c | d |\n\n## Reproduce\n\n```sh\n# no heading\nmake\n```\n\n## Thanks\n\nTo all.\n"
	got, err := insert(text, "| e | f | g | h |", "### New\n")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(strings.Replace(text, "| d |\n", "| d |\n| e | f | g | h |\n", 1), "\n## Thanks", "\n### New\n\n## Thanks", 1)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{"no table": "## Reproduce\n", "no section": "| API channel |\n"} {
		if _, err := insert(text, "", ""); err == nil {
			t.Errorf("%s: it has to be made first", name)
		}
	}
}

func TestCommandRepeatsTheRun(t *testing.T) {
	f := newFolder()
	f.results["request"] = map[string]any{
		"implementation": "/srv/me/acme.yaml", "suite": "v1.6", "local-images": "true", "kubernetes-version": "v1.36.1", "kubeconfig": "/srv/me/.kube/config",
		"image": "acme/gateway:v1.2.3=/srv/me/bin/gate way,other=x", "profiles": "GATEWAY-HTTP",
	}
	got := strings.Join(f.write(t).command("d.yaml"), " ")
	want := "causeway conformance run --implementation d.yaml --cluster kind --suite v1.6 --local-images --kubernetes-version v1.36.1 --profiles GATEWAY-HTTP --image 'acme/gateway:v1.2.3=gate way' --image other=x --out results"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nothing of the machine is in it (-want +got):\n%s", diff)
	}
}

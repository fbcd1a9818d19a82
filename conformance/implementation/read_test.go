package implementation

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/internal/yamltree"
)

// sound is the smallest descriptor that says everything it must.
const sound = `apiVersion: causeway/v1alpha1
kind: Implementation
name: acme
implementation:
  organization: acme
  project: gateway
  url: https://acme.example
  contact: ["@acme"]
  version: v1.0.0
gatewayClass: {name: acme, controllerName: acme.example/gateway}
channel: standard
profiles: [GATEWAY-HTTP]
install:
- on: [existing]
  namespace: acme
`

func TestSound(t *testing.T) {
	d, err := Read("acme.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	if d.Origin() != "acme.yaml" || d.ReportMode() != "default" || d.Install[0].WaitTimeout() != DefaultTimeout {
		t.Errorf("got %+v", d)
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		reason   string
		old, new string // replaced in sound; new is appended when old is empty
		want     string
	}{
		"unknown field": {"a misspelt field would otherwise vanish",
			"channel: standard", "chanel: standard",
			"acme.yaml:1: channel is missing\nacme.yaml:11: there is no field \"chanel\"; did you mean channel?"},
		"unknown field within": {"the hint is for the object at hand",
			"  namespace: acme", "  namespac: acme",
			"acme.yaml:14: install[0]: namespace is missing\nacme.yaml:15: install[0]: there is no field \"namespac\"; did you mean namespace?"},
		"unknown field of a step": {"paths lead through lists",
			"  namespace: acme", "  namespace: acme\n  steps: [{helm: {release: a, chrt: b}}]",
			"acme.yaml:16: install[0].steps[0].helm: chart is missing\nacme.yaml:16: install[0].steps[0].helm: there is no field \"chrt\"; did you mean chart?"},
		"another kind of file": {"a Kubernetes object is no descriptor",
			"apiVersion: causeway/v1alpha1\nkind: Implementation", "apiVersion: v1\nkind: ConfigMap",
			"acme.yaml:1: apiVersion: v1 is not known: use causeway/v1alpha1\nacme.yaml:2: kind: ConfigMap is not known: use Implementation"},
		"version missing": {"", "  version: v1.0.0\n", "", "acme.yaml:4: implementation: version is missing"},
		"version as a number": {"YAML would make 1.30 into 1.3",
			"version: v1.0.0", "version: 1.30", "acme.yaml:9: implementation.version: this is a number and must be a string"},
		"branch as version": {"a report names a snapshot",
			"version: v1.0.0", "version: main", "acme.yaml:9: implementation.version: \"main\" moves; a version is a release, a tag or a commit"},
		"no contact": {"", `contact: ["@acme"]`, "contact: []", "acme.yaml:8: implementation.contact: minItems: got 0, want 1"},
		"unknown profile": {"", "[GATEWAY-HTTP]", "[HTTP]",
			"acme.yaml:12: profiles[0]: HTTP is not known: use GATEWAY-HTTP, GATEWAY-GRPC, GATEWAY-TLS, GATEWAY-TCP, GATEWAY-UDP, MESH-HTTP or MESH-GRPC"},
		"unknown channel": {"", "channel: standard", "channel: beta", "acme.yaml:11: channel: beta is not known: use standard or experimental"},
		"controller without a domain": {"the API server would refuse it later",
			"acme.example/gateway", "acme", `acme.yaml:10: gatewayClass.controllerName: "acme" does not have the form ^`},
		"no class": {"a gateway is asked for by its class",
			"gatewayClass: {name: acme, controllerName: acme.example/gateway}\n", "", "acme.yaml:1: gatewayClass: the profiles of gateways need a class"},
		"timeout without a unit": {"the suite ignores what it cannot read",
			"", "timeouts: {requestTimeout: '30'}", "acme.yaml:16: timeouts.requestTimeout: \"30\" is no duration such as 30s"},
		"exempt what is not supported": {"it has no effect, so it is a slip",
			"", "features: {supported: [Gateway], exempt: [HTTPRoute]}", "acme.yaml:16: features.exempt[0]: HTTPRoute is not among the supported features"},
		"all and some": {"", "", "features: {all: true, supported: [Gateway]}", "acme.yaml:16: features.supported: all features are supported already"},
		"skipped and failing": {"", "", "tests: {skip: [{name: A, reason: r}], knownToFail: [{name: A, reason: r}]}",
			"acme.yaml:16: tests.knownToFail[0]: A is skipped, so it cannot fail"},
		"skipped and failing in one suite": {"", "", "tests: {skip: [{name: A, reason: r, suites: [v1.6, v1.7]}], knownToFail: [{name: A, reason: r, suites: [v1.7]}]}",
			"acme.yaml:16: tests.knownToFail[0]: A is skipped, so it cannot fail"},
		"excuse twice": {"which reason would be given?", "", "tests: {skip: [{name: A, reason: r}, {name: A, reason: s, suites: [v1.7]}]}",
			"acme.yaml:16: tests.skip[1]: A is there already for that suite"},
		"suite by its patch release": {"the reason would be lost with the next one", "", "tests: {skip: [{name: A, reason: r, suites: [v1.7.0]}]}",
			"acme.yaml:16: tests.skip[0].suites[0]: \"v1.7.0\" does not have the form ^"},
		"excuse without a reason": {"", "", "tests: {skip: [{name: A}]}", "acme.yaml:16: tests.skip[0]: reason is missing"},
		"two ways": {"which one would be taken?",
			"- on: [existing]", "- on: [existing]\n  namespace: one\n- on: [existing]", "acme.yaml:16: install[1].on[0]: existing has a way of installation already"},
		"tested where it cannot go": {"", "", "tested: [embedded]", "acme.yaml:16: tested[0]: there is no way of installation on embedded"},
		"untested without a reason": {"", "on: [existing]", "on: [kind]", "acme.yaml:1: untested: say why it was not tested on kind"},
		"empty step":                {"", "", "  steps: [{}]", "acme.yaml:16: install[0].steps[0]: a step is exactly one of helm, manifests and local"},
		"two actions in a step": {"their order would be unclear",
			"", "  steps: [{helm: {release: a, chart: b}, manifests: {files: [c]}}]", "acme.yaml:16: install[0].steps[0]: a step is exactly one of helm, manifests and local"},
		"unpinned chart": {"", "", "  steps: [{helm: {release: a, chart: b, repository: 'https://c.example'}}]",
			"acme.yaml:16: install[0].steps[0].helm: version is missing: a chart from a repository is pinned"},
		"range of charts": {"the newest of a range changes under the feet of a run",
			"", "  steps: [{helm: {release: a, chart: b, repository: 'https://c.example', version: ^1.2.0}}]", "install[0].steps[0].helm.version: \"^1.2.0\" does not have the form"},
		"chart over http": {"", "", "  steps: [{helm: {release: a, chart: b, repository: 'http://c.example', version: 1.2.0}}]",
			`install[0].steps[0].helm.repository: "http://c.example" does not have the form`},
		"chart outside": {"", "", "  steps: [{helm: {release: a, chart: ../b}}]",
			`acme.yaml:16: install[0].steps[0].helm.chart: "../b" leads out of the descriptor's folder, or repository is missing`},
		"manifests outside": {"a descriptor from elsewhere reads no files of the user's",
			"", "  steps: [{manifests: {files: [/etc/passwd]}}]", `acme.yaml:16: install[0].steps[0].manifests.files[0]: "/etc/passwd" leads out of the descriptor's folder`},
		"no manifests": {"", "", "  steps: [{manifests: {}}]", "acme.yaml:16: install[0].steps[0].manifests: give urls, files or objects"},
		"nameless object": {"", "", "  steps: [{manifests: {objects: [{apiVersion: v1, kind: Secret}]}}]",
			"acme.yaml:16: install[0].steps[0].manifests.objects[0]: metadata.name is missing"},
		"program on a real cluster": {"its nodes have no such program",
			"", "  steps: [{local: {component: a, image: b}}]", "acme.yaml:16: install[0].steps[0].local: existing runs images, not programs: only the embedded cluster takes local, and with --local-images a kind cluster uses its method"},
		"all rights": {"a program under test gets what it documents",
			"- on: [existing]\n  namespace: acme\n", "- on: [embedded]\n  namespace: acme\n  steps: [{local: {component: a, image: b, rules: [{verbs: ['*']}]}}]\nuntested: new\n",
			"acme.yaml:16: install[0].steps[0].local.rules[0]: a program under test gets the rights it documents, not all of them"},
		"port twice": {"", "- on: [existing]\n  namespace: acme\n",
			"- on: [embedded]\n  namespace: acme\n  steps: [{local: {component: a, image: b, ports: [{name: a, port: 80}, {name: b, port: 80}]}}]\nuntested: new\n",
			"acme.yaml:16: install[0].steps[0].local.ports[1]: 80/TCP is there already"},
		"asking a closed port": {"", "- on: [existing]\n  namespace: acme\n",
			"- on: [embedded]\n  namespace: acme\n  steps: [{local: {component: a, image: b, ready: {port: 1}}}]\nuntested: new\n",
			"acme.yaml:16: install[0].steps[0].local.ready.port: 1 is not among the ports"},
		"wait for nobody": {"", "", "  wait: [{apiVersion: apps/v1, kind: Deployment}]", "acme.yaml:16: install[0].wait[0]: give either name or selector"},
		"bad selector": {"", "", "  wait: [{apiVersion: apps/v1, kind: Deployment, selector: 'a=='}, {apiVersion: apps/v1, kind: Deployment, selector: 'a in'}]",
			"acme.yaml:16: install[0].wait[1].selector: "},
		"prepare twice": {"their order would be unclear", "", "prepare: {steps: [{why: r, manifests: {files: [c]}, labels: {apiVersion: v1, kind: Namespace, name: a, remove: [x]}}]}",
			"acme.yaml:16: prepare.steps[0]: a step is exactly one of manifests and labels"},
		"prepare nothing":  {"", "", "prepare: {steps: [{why: r, labels: {apiVersion: v1, kind: Namespace, name: a}}]}", "acme.yaml:16: prepare.steps[0].labels: give labels to set or to remove"},
		"prepare unsaid":   {"readers of a report want to know", "", "prepare: {steps: [{manifests: {files: [c]}}]}", "acme.yaml:16: prepare.steps[0]: why is missing"},
		"prepare for whom": {"", "", "prepare: {steps: [{why: r, manifests: {files: [../c]}}], wait: [{apiVersion: v1, kind: Pod}]}", `acme.yaml:16: prepare.steps[0].manifests.files[0]: "../c" leads out of the descriptor's folder` + "\nacme.yaml:16: prepare.wait[0]: give either name or selector"},
		"endless timeout":  {"", "", "  timeout: 48h", "acme.yaml:16: install[0].timeout: 48h is not between 1s and 1h"},
		"field twice":      {"", "", "channel: experimental", "acme.yaml:16: field \"channel\" is given twice"},
		"no YAML":          {"", sound, "a: [", "acme.yaml:"},
		"empty":            {"", sound, "", "acme.yaml: the file is empty"},
		"a list":           {"", sound, "- a", "acme.yaml:1: this is an array and must be an object"},
		"two documents":    {"", "", "---\na: b", "acme.yaml:16: a second document; one is expected"},
		"expanding alias":  {"a few lines must not become gigabytes", sound, bomb(), "acme.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			text := sound + c.new + "\n"
			if c.old != "" {
				if !strings.Contains(sound, c.old) {
					t.Fatalf("the descriptor has no %q", c.old)
				}
				text = strings.Replace(sound, c.old, c.new, 1)
			}
			_, err := Read("acme.yaml", []byte(text))
			if err == nil {
				t.Fatalf("%s: no error for\n%s", c.reason, text)
			}
			got := err.Error()
			exact := strings.HasPrefix(c.want, "acme.yaml:") && !strings.HasSuffix(c.want, ":") && !strings.HasSuffix(c.want, "^") && !strings.HasSuffix(c.want, ": ")
			if exact && got != c.want || !strings.Contains(got, c.want) {
				t.Errorf("%s:\n%s", c.reason, cmp.Diff(c.want, got))
			}
		})
	}
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a: &a [x,x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c < 'j'; c++ {
		prev := string(c - 1)
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+prev+",", 9) + "*" + prev + "]\n")
	}
	return b.String()
}

// TestSchemaAgrees holds the published schema against the reader: what one
// takes the other takes, but for rules between fields.
func TestSchemaAgrees(t *testing.T) {
	all, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read(d.Origin(), text)
		if err != nil {
			t.Errorf("what was read is refused when written: %v", err)
			continue
		}
		if diff := cmp.Diff(d, again, cmp.AllowUnexported(Descriptor{})); diff != "" {
			t.Errorf("%s changes on its way (-before +after):\n%s", d.Name, diff)
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(path, []byte(sound), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := Load(path); err != nil || d.Origin() != path {
		t.Errorf("got %v, %v", d, err)
	}
	if _, err := Load(path + ".yml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sound))
	for _, name := range Names() {
		text, err := Text(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(bomb()))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read("f.yaml", data)
		if err == nil {
			for i := range d.Install {
				for _, s := range d.Install[i].Steps {
					if s.Local != nil {
						if _, err := s.Local.Objects(d.Install[i].Namespace); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			return
		}
		// Every mistake has a place in the file.
		for _, e := range flatten(err) {
			var at *yamltree.Error
			if !errors.As(e, &at) || at.File != "f.yaml" {
				t.Fatalf("%v (%T) has no place", e, e)
			}
		}
	})
}

func flatten(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

func TestExcusesOfDifferentSuites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acme.yaml")
	text := sound + "tests: {skip: [{name: A, reason: r, suites: [v1.6]}], knownToFail: [{name: A, reason: s, suites: [v1.7]}]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &Tests{Skip: []Excuse{{Name: "A", Reason: "r", Suites: []string{"v1.6"}}}, KnownToFail: []Excuse{{Name: "A", Reason: "s", Suites: []string{"v1.7"}}}}
	if diff := cmp.Diff(want, d.Tests); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

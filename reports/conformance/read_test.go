package conformance

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/internal/yamltree"
)

// TestPublished reads one report of every shape that has been published.
func TestPublished(t *testing.T) {
	want := map[string]string{
		"v0.7.1/kong-kubernetes-ingress-controller/2.10.3-report.yaml":                        "kong/kubernetes-ingress-controller 2.10.3 v1alpha1 partial [GATEWAY-HTTP 27/1/0 1/0/0] 8 features, 1 odd",
		"v0.8.1/cilium/v1.15.0-pre.1-report.yaml":                                             "cilium v1.15.0-pre.1 v1alpha1 success [GATEWAY-HTTP 29/0/0 9/0/0] [GATEWAY-TLS 11/0/0] 10 features, 0 odd",
		"v1.0.0/istio-istio/1.20-report.yaml":                                                 "istio 1.20 v1alpha1 partial [GATEWAY-TLS 10/0/0] [MESH-HTTP 2/0/0 3/1/0] [GATEWAY-HTTP 29/0/0 12/0/0] 12 features, 1 odd",
		"v1.1.0/azure-application-gateway-for-containers/standard-v1.1.0-default-report.yaml": "Microsoft Azure/Application Gateway for Containers 1.3.7 v1alpha1 success [GATEWAY-GRPC 12/0/0] [GATEWAY-HTTP 33/0/0 8/0/0] 17 features, 10 odd",
		"v1.2.1/traefik-traefik/experimental-v3.2.2-default-report.yaml":                      "traefik v3.2.2 v1 success [GATEWAY-GRPC 12/0/0] [GATEWAY-HTTP 33/0/0 13/0/0] [GATEWAY-TLS 11/0/0] 21 features, 0 odd",
		"v1.3.0/linkerd-linkerd/standard-2.18-default-report.yaml":                            "Linkerd version-2.18 v1 success [MESH-GRPC 1/0/0] [MESH-HTTP 7/0/0 8/0/0] 26 features, 0 odd",
		"v1.3.0/projectcontour-contour/experimental-v1.33.0-default-report.yaml":              "projectcontour/contour v1.33.0 v1 partial [GATEWAY-GRPC 12/0/0 1/0/0] [GATEWAY-HTTP 32/1/0 19/0/0] [GATEWAY-TLS 11/0/0 1/0/0] 23 features, 0 odd",
		"v1.4.0/cilium/experimental-v1.19.0-pre.2-default-report.yaml":                        "cilium 1.19.0-pre.2 formless success [GATEWAY-GRPC 13/0/0 3/0/0] [GATEWAY-HTTP 33/0/0 25/0/0] [GATEWAY-TLS 11/0/0 3/0/0] [MESH-GRPC 2/0/0] [MESH-HTTP 7/0/0 7/0/0] 34 features, 2 odd",
		"v1.4.0/istio-istio/1.28.0-default-report.yaml":                                       "istio 1.28 v1 success [MESH-HTTP 7/0/0 7/0/0] [GATEWAY-GRPC 13/0/0 3/0/0] [GATEWAY-HTTP 33/0/0 28/0/0] [GATEWAY-TLS 11/0/0 3/0/0] 34 features, 0 odd",
		"v1.4.1/kong-operator/experimental-v2.1.2-expressions-report.yaml":                    "Kong/kong-operator v2.1.2 v1 partial [GATEWAY-GRPC 9/4/0] [GATEWAY-HTTP 32/1/0 6/0/0] 27 features, 0 odd",
		"v1.4.1/kong-operator/experimental-v2.1.2-traditional_compatible-report.yaml":         "Kong/kong-operator v2.1.2 v1 partial [GATEWAY-HTTP 30/3/0 4/0/0] [GATEWAY-GRPC 9/4/0] 27 features, 0 odd",
		"v1.5/envoy-gateway/experimental-v1.8.0-default-report.yaml":                          "envoyproxy/envoy-gateway v1.8.0 v1 partial [GATEWAY-HTTP 33/0/0 50/2/0] [GATEWAY-GRPC 13/0/0 7/2/0] [GATEWAY-TLS 18/0/0 12/2/0] 37 features, 0 odd",
		"v1.5/envoy-gateway/experimental-v1.8.0-gateway-namespace-mode-report.yaml":           "envoyproxy/envoy-gateway v1.8.0 v1 partial [GATEWAY-HTTP 33/0/0 51/2/0] [GATEWAY-GRPC 13/0/0 8/2/0] [GATEWAY-TLS 18/0/0 13/2/0] 37 features, 0 odd",
		"v1.5/kgateway/v2.3.0-beta.3-report.yaml":                                             "kgateway-dev/kgateway v2.3.0-beta.3 v1 success [GATEWAY-HTTP 33/0/0 43/0/0] [GATEWAY-GRPC 13/0/0 10/0/0] [GATEWAY-TLS 18/0/0 15/0/0] 37 features, 0 odd",
		"v1.5/nginx-nginx-gateway-fabric/experimental-2.5.0-default-report.yaml":              "nginx/nginx-gateway-fabric v2.5.0 v1 success [GATEWAY-HTTP 33/0/0 34/0/0] [GATEWAY-GRPC 13/0/0 3/0/0] [GATEWAY-TLS 18/0/0 3/0/0] 37 features, 0 odd",
		"v1.5/nginx-nginx-gateway-fabric/experimental-2.6.0-default-report.yaml":              "nginx/nginx-gateway-fabric v2.6.0 v1 success [GATEWAY-HTTP 33/0/0 47/0/0] [GATEWAY-GRPC 13/0/0 10/0/0] [GATEWAY-TLS 18/0/0 11/0/0] 37 features, 0 odd",
		"v1.5/traefik-traefik/experimental-v3.7.0-default-report.yaml":                        "traefik v3.7 v1 success [GATEWAY-GRPC 13/0/0] [GATEWAY-HTTP 33/0/0 20/0/0] [GATEWAY-TLS 18/0/0 4/0/0] 37 features, 0 odd",
	}
	set := gather(t, published)
	got := map[string]string{}
	for _, r := range set.Reports {
		rel, err := filepath.Rel(published, r.File)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.ToSlash(rel)] = digest(r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// digest is what matters of a report, in a line.
func digest(r *Report) string {
	s := fmt.Sprintf("%s %s %s %s", r.Implementation.Name(), r.Implementation.Version, stdcmp.Or(r.Form, "formless"), r.Result())
	for i := range r.Profiles {
		p := &r.Profiles[i]
		s += " [" + p.Canonical()
		for _, l := range p.Levels() {
			s += fmt.Sprintf(" %d/%d/%d", l.Passed, l.Skipped, l.Failed)
		}
		s += "]"
	}
	return s + fmt.Sprintf(" %d features, %d odd", len(r.Features()), len(r.Oddities))
}

const small = `apiVersion: gateway.networking.k8s.io/v1
kind: ConformanceReport
date: "2026-01-02T03:04:05Z"
gatewayAPIVersion: v1.6.3
gatewayAPIChannel: standard
mode: default
implementation: {organization: acme, project: gateway, url: https://acme.example, version: v1, contact: ["@acme"]}
profiles:
- name: GATEWAY-HTTP
  core:
    result: success
    statistics: {Passed: 1, Skipped: 0, Failed: 0}
`

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ reason, old, new, want string }{
		"not YAML":             {"", small, "a: [", "r.yaml:"},
		"empty":                {"", small, "", "r.yaml: the file is empty"},
		"something else":       {"", small, "kind: ConfigMap", "r.yaml:1: this is no conformance report"},
		"a list":               {"", small, "- kind: ConformanceReport", "r.yaml:1: this is no conformance report"},
		"another version":      {"its fields may mean something else", "k8s.io/v1\n", "k8s.io/v2\n", `r.yaml:1: apiVersion: "gateway.networking.k8s.io/v2" is not known`},
		"another group":        {"", "gateway.networking.k8s.io/v1", "acme.example/v1", "r.yaml:1: apiVersion"},
		"no profiles":          {"", "profiles:\n- name", "profile:\n- name", "profiles are missing"},
		"no implementation":    {"", "implementation: {", "implement: {", "implementation is missing"},
		"nameless profile":     {"", "name: GATEWAY-HTTP", "summary: x", "r.yaml:9: profiles[0]: the profile has no name"},
		"no core":              {"", "  core:", "  cor:", "r.yaml:9: profiles[0]: core is missing"},
		"unknown result":       {"", "result: success", "result: splendid", `r.yaml:11: profiles[0].core.result: "splendid" is not known: a result is success, partial or failure`},
		"no result":            {"", "    result: success\n", "", "profiles[0].core: result is missing"},
		"no statistics":        {"", "statistics", "stats", "r.yaml:10: profiles[0].core: statistics are missing"},
		"a count that is none": {"", "Passed: 1", "Passed: many", `r.yaml:12: profiles[0].core.statistics.Passed: "many" is no number of tests`},
		"a negative count":     {"", "Passed: 1", "Passed: -1", `"-1" is no number of tests`},
		"a missing count":      {"", "Passed: 1, ", "", "profiles[0].core.statistics: Passed is missing"},
		"text that is a list":  {"", "mode: default", "mode: [default]", "r.yaml:6: mode: this must be text"},
		"list of numbers":      {"", "    result: success", "    result: success\n    failedTests: [1]", "r.yaml:12: profiles[0].core.failedTests[0]: this must be text"},
		"two reports":          {"", small, small + "---\n" + small, "a second document"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(small, c.old) {
				t.Fatalf("the report has no %q", c.old)
			}
			_, err := Read("r.yaml", []byte(strings.Replace(small, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", c.reason, err, c.want)
			}
		})
	}
}

func TestGather(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"report.yaml": small, "values.yaml": "a: b", "broken-report.yaml": "kind: ConformanceReport\nprofiles: 1\n", "notes.txt": "x",
		"alone/results.json": `{"version":1,"status":"not-ready","verdict":"v","implementation":{"name":"acme"},"report":{"absent":"the implementation never became ready"},"tests":[]}`,
		"new/results.json":   `{"version":2,"tests":[]}`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := Gather([]string{dir}, nil)
	if len(set.Reports) != 1 || len(set.Runs) != 1 {
		t.Errorf("%d reports, %d runs; want one of each", len(set.Reports), len(set.Runs))
	}
	for _, want := range []string{"broken-report.yaml:1: implementation is missing", "results of version 2 are not known"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if strings.Contains(fmt.Sprint(err), "values.yaml") {
		t.Error("a file that is no report is a mistake only when it is named")
	}
	if _, err := Gather([]string{filepath.Join(dir, "values.yaml")}, nil); err == nil {
		t.Error("a named file must be a report")
	}
	if set, err := Gather([]string{"-"}, strings.NewReader(small)); err != nil || len(set.Reports) != 1 {
		t.Errorf("standard input: %v", err)
	}
	if _, err := Gather([]string{filepath.Join(dir, "none")}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestARunFindsItsReport(t *testing.T) {
	for name, paths := range map[string][]string{
		"folder": {"testdata/run"}, "results alone": {"testdata/run/results.json"}, "both": {"testdata/run/report.yaml", "testdata/run/results.json"},
	} {
		t.Run(name, func(t *testing.T) {
			set := gather(t, paths...)
			if len(set.Reports) != 1 || len(set.Runs) != 0 || set.Reports[0].Run == nil {
				t.Fatalf("%d reports, %d runs", len(set.Reports), len(set.Runs))
			}
			if got := remark(set.Reports[0], set.Reports[0].Findings()[1]); got != "flaky: passed when run again alone; 3.1s; weights differ by more than 5%" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	paths, err := filepath.Glob(published + "/*/*/*report.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read("f.yaml", data)
		if err != nil {
			var at *yamltree.Error
			if !errors.As(err, &at) || at.File != "f.yaml" {
				t.Fatalf("%v (%T) has no place", err, err)
			}
			return
		}
		set := &Set{Reports: []*Report{r}}
		for ending, write := range writers {
			if err := write(discard{}, set); err != nil {
				t.Fatalf("%s: %v", ending, err)
			}
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

package cmd

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const certifyDescriptor = `apiVersion: causeway/v1alpha1
kind: Implementation
name: acme
implementation:
  organization: acme
  project: gateway
  url: https://github.com/acme/gateway
  contact: ["@acme/maintainers"]
  version: v1.2.3
gatewayClass: {name: acme, controllerName: acme.example/controller}
channel: experimental
profiles: [GATEWAY-HTTP]
tests:
  skip:
  - {name: HTTPRouteMultipleGateways, reason: One proxy serves all Gateways.}
install:
- on: [embedded, kind]
  namespace: acme
untested: It is new.
`

const certifyReport = `apiVersion: gateway.networking.k8s.io/v1
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

// TestCertify certifies from a run that took place, sound and with one fault.
func TestCertify(t *testing.T) {
	for name, c := range map[string]struct {
		reason           string
		descriptor, with string // replaced in the descriptor
		report, by       string // replaced in the report after the run
		wrote, instead   string // replaced in what the suite wrote
		args             []string
		code             int
		says             string
	}{
		"sound":             {reason: "the folder is printed", code: ExitDone, says: "is partial and will be shown apart"},
		"branch as version": {descriptor: "version: v1.2.3", with: "version: release-1.2", wrote: "version: v1.2.3", instead: "version: release-1.2", code: ExitFailed, says: "is a branch"},
		"missing contact":   {reason: "the descriptor itself wants one", descriptor: `contact: ["@acme/maintainers"]`, with: "contact: []", code: ExitFailed, says: "acme.yaml:8: implementation.contact"},
		"empty contact":     {descriptor: `"@acme/maintainers"`, with: `"-"`, wrote: "'@acme/maintainers'", instead: "'-'", code: ExitFailed, says: "says nothing"},
		"skipped core test": {descriptor: "name: HTTPRouteMultipleGateways", with: "name: HTTPRouteWeight", code: ExitFailed, says: "HTTPRouteMultipleGateways was skipped"},
		"no partial":        {args: []string{"--no-partial"}, code: ExitFailed, says: "is partial"},
		"wrong channel":     {descriptor: "channel: experimental", with: "channel: standard", code: ExitFailed, says: `the report says channel "experimental"`},
		"edited report":     {report: "Passed: 2", by: "Passed: 3", code: ExitFailed, says: "was changed after the suite wrote it"},
		"failed test": {wrote: "result: partial\n    skippedTests:\n    - HTTPRouteMultipleGateways\n    statistics:\n      Failed: 0\n      Passed: 2\n      Skipped: 1", reason: "tests that fail have a code of their own",
			instead: "failedTests:\n    - HTTPRouteWeight\n    result: failure\n    statistics:\n      Failed: 1\n      Passed: 2\n      Skipped: 0", code: ExitNonconformant, says: "GATEWAY-HTTP core failed: HTTPRouteWeight"},
		"no descriptor":   {args: []string{"-f", ""}, code: ExitUsage, says: "give its descriptor"},
		"flag of a run":   {args: []string{"--cluster", "embedded"}, code: ExitUsage, says: "with --from nothing is run"},
		"no such run":     {args: []string{"--from", "nowhere"}, code: ExitFailed, says: "no folder of a conformance run"},
		"unknown release": {args: []string{"--release-url", "javascript:x"}, code: ExitFailed, says: "--release-url"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			replace := func(text, old, new string) string {
				if old != "" && !strings.Contains(text, old) {
					t.Fatalf("there is no %q", old)
				}
				return strings.Replace(text, old, new, 1)
			}
			wrote := replace(certifyReport, c.wrote, c.instead)
			results := map[string]any{
				"version": 1, "status": "passed", "suite": "v1.6.3", "cluster": "embedded", "tool": "causeway v0.1.0",
				"started": "2026-11-26T00:28:00Z", "ended": "2026-11-26T00:30:00Z",
				"report":   map[string]any{"path": "report.yaml", "sha256": fmt.Sprintf("%x", sha256.Sum256([]byte(wrote)))},
				"attempts": []any{map[string]any{"number": 1, "kind": "main"}}, "tests": []any{},
			}
			data, err := json.Marshal(results)
			if err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{
				"acme.yaml": replace(certifyDescriptor, c.descriptor, c.with), "run/results.json": string(data),
				"run/report.yaml": replace(wrote, c.report, c.by), "run/attempts/1/report.yaml": wrote,
			} {
				path := filepath.Join(dir, filepath.FromSlash(file))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out := filepath.Join(dir, "out")
			args := append([]string{"certify", "-f", filepath.Join(dir, "acme.yaml"), "--from", filepath.Join(dir, "run"), "--out", out}, c.args...)
			code, stdout, errOut := run(t, "causeway", args...)
			if code != c.code || !strings.Contains(errOut, c.says) {
				t.Errorf("%s: exit %d, want %d saying %q:\n%s", c.reason, code, c.code, c.says, errOut)
			}
			_, err = os.Stat(filepath.Join(out, "reports"))
			if made := err == nil; made != (c.code == ExitDone) {
				t.Errorf("folder made: %v", made)
			}
			if c.code == ExitDone && stdout != filepath.Join(out, "reports", "v1.6", "acme-gateway")+"\n" {
				t.Errorf("standard output: %q", stdout)
			}
		})
	}
}

func TestCertifyChecksTheDescriptorBeforeARun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(certifyDescriptor, "version: v1.2.3", "version: v1.x", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := run(t, "causeway", "certify", "-f", path, "--cluster", "embedded", "--out", t.TempDir(), "--suite", "/nowhere")
	if code != ExitFailed || !strings.Contains(errOut, `"v1.x" is a branch`) {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

func TestToolNamesWhatCanBeHad(t *testing.T) {
	for want, b := range map[string]build{
		"causeway v1.2.3":                                 {Version: "v1.2.3"},
		"causeway (development), commit abc":              {Version: "(development)", Commit: "abc"},
		"causeway (development), commit abc with changes": {Version: "(development)", Commit: "abc", Modified: true},
	} {
		if got := toolOf(b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestCertifyTraefik certifies what the catalogue says of Traefik, as far as
// that goes without a run.
func TestCertifyTraefik(t *testing.T) {
	f := certifyFlags{run: conformanceFlags{implementation: "traefik"}}
	claim, err := f.claim("embedded")
	if err != nil {
		t.Fatal(err)
	}
	if err := claim.Check(); err != nil {
		t.Error(err)
	}
	if _, ok := claim.Skipped["HTTPRouteMultipleGateways"]; !ok || len(claim.Data) == 0 {
		t.Errorf("claim: %+v", claim)
	}
}

package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const refactoring = "../fixtures/refactoring/"

func TestVerifyExitCodes(t *testing.T) {
	dir := t.TempDir()
	out, report := filepath.Join(dir, "out"), filepath.Join(dir, "ledger.json")
	if code, _, errOut := run(t, "causeway", "migrate", "-R", "-f", "../fixtures/shop", "--out", out, "--report", report); code != ExitDone || !strings.Contains(errOut, "no unexpected difference") {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	guarded, closed, closedReport := filepath.Join(dir, "guarded.yaml"), filepath.Join(dir, "closed"), filepath.Join(dir, "closed.json")
	if err := os.WriteFile(guarded, []byte(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a, namespace: apps, annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8}}
spec:
  ingressClassName: nginx
  rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := run(t, "causeway", "migrate", "-f", guarded, "--out", closed, "--report", closedReport); code != ExitDone {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte(`{"entries":[{"status":"lovely"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reason string
		args   []string
		want   int
		says   string // on either stream
	}{
		"a refactoring":           {"no Ingress is needed", []string{"--before", refactoring + "before.yaml", "--after", refactoring + "after.yaml"}, ExitDone, "all go to the same place"},
		"a slip":                  {"each is shown with a request", []string{"--before", refactoring + "before.yaml", "--after", refactoring + "wrong.yaml"}, ExitDifferent, "curl -i http://shop.example.com/cart/"},
		"the same backwards":      {"neither side is special", []string{"--before", refactoring + "wrong.yaml", "--after", refactoring + "before.yaml"}, ExitDifferent, "5 differences"},
		"a migration, announced":  {"the ledger told", []string{"-R", "--before", "../fixtures/shop", "--after", out, "--ledger", report}, ExitDone, "no unexpected difference"},
		"a migration, unknown":    {"without the ledger everything is a surprise", []string{"-R", "--before", "../fixtures/shop", "--after", out}, ExitDifferent, "differs in"},
		"nothing after":           {"both sides are needed", []string{"--before", refactoring + "before.yaml"}, ExitUsage, "--after-cluster"},
		"nothing but text":        {"an empty side would be equal to anything empty", []string{"--before", refactoring + "before.yaml", "--after", report}, ExitFailed, "no routing objects"},
		"all routes closed":       {"a migration that wrote nothing serves nobody", []string{"-R", "--before", guarded, "--after", closed, "--ledger", closedReport}, ExitDone, "no unexpected difference"},
		"closed, ledger unknown":  {"an empty folder may be a mistake", []string{"-R", "--before", guarded, "--after", closed}, ExitFailed, "no routing objects"},
		"folders without -R":      {"the usual slip", []string{"--before", "../fixtures/shop/shop.yaml", "--after", out}, ExitFailed, "-R reads folders"},
		"a ledger that is none":   {"says what is expected", []string{"--before", refactoring + "before.yaml", "--after", refactoring + "after.yaml", "--ledger", broken}, ExitFailed, "--report x.json"},
		"an unknown form":         {"", []string{"--before", refactoring + "before.yaml", "--after", refactoring + "after.yaml", "-o", "xml"}, ExitUsage, "-o xml"},
		"an unknown report":       {"", []string{"--before", refactoring + "before.yaml", "--after", refactoring + "after.yaml", "--report", filepath.Join(dir, "x.pdf")}, ExitFailed, ".html or .json"},
		"an unknown verification": {"of migrate", nil, ExitUsage, "--verify maybe"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"verify"}, c.args...)
			if c.args == nil {
				args = []string{"migrate", "-f", "../fixtures/shop", "--verify", "maybe"}
			}
			code, out, errOut := run(t, "causeway", args...)
			if code != c.want || !strings.Contains(strings.ReplaceAll(out, "\n", " ")+errOut, c.says) {
				t.Errorf("%s: exit %d, want %d saying %q; got\n%s\n%s", c.reason, code, c.want, c.says, out, errOut)
			}
		})
	}
}

// TestVerifyJSON holds the public form.
func TestVerifyJSON(t *testing.T) {
	_, out, _ := run(t, "causeway", "verify", "--before", refactoring+"before.yaml", "--after", refactoring+"wrong.yaml", "-o", "json")
	var got struct {
		Equal       bool
		Witnesses   int
		Differences []struct {
			Request   struct{ Host, Path string }
			Curl      string
			Before    struct{ Why struct{ File string } }
			After     struct{ Status int }
			Announced bool
		}
		Dead, Uncovered []any
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Equal || got.Witnesses == 0 || len(got.Differences) != 5 || got.Dead == nil || got.Uncovered == nil {
		t.Errorf("%+v", got)
	}
	for _, d := range got.Differences {
		if d.Request.Host == "" || d.Curl == "" || d.After.Status == 0 || d.Announced || d.Before.Why.File != refactoring+"before.yaml" {
			t.Errorf("%+v", d)
		}
	}
}

// TestMigrateVerifiesByDefault: the reports hold the verification, unless it is
// switched off.
func TestMigrateVerifiesByDefault(t *testing.T) {
	for flag, want := range map[string]bool{"--verify=on": true, "--verify=off": false} {
		page, machine := filepath.Join(t.TempDir(), "r.html"), filepath.Join(t.TempDir(), "r.json")
		if code, _, errOut := run(t, "causeway", "migrate", "-R", "-f", "../fixtures/shop", flag, "--report", page, "--report", machine); code != ExitDone || strings.Contains(errOut, "Verified") != want {
			t.Errorf("%s: exit %d: %s", flag, code, errOut)
		}
		for _, name := range []string{page, machine} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(text), `id="verification"`) || strings.Contains(string(text), `"verification"`); got != want {
				t.Errorf("%s %s: a verification %v", flag, filepath.Ext(name), got)
			}
		}
	}
}

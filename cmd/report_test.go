package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const published = "../fixtures/conformance-reports/"

func TestReport(t *testing.T) {
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes.yaml")
	if err := os.WriteFile(notes, []byte("a: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nginx := published + "v1.5/nginx-nginx-gateway-fabric/"
	older, newer := nginx+"experimental-2.5.0-default-report.yaml", nginx+"experimental-2.6.0-default-report.yaml"
	for name, c := range map[string]struct {
		reason string
		args   []string
		code   int
		out    string // somewhere on standard output
		says   string // somewhere on standard error
	}{
		"render":              {"", []string{"render", "-f", older}, ExitDone, "nginx/nginx-gateway-fabric v2.5.0\n", ""},
		"render Markdown":     {"", []string{"render", "-f", older, "-o", "markdown"}, ExitDone, "## nginx/nginx-gateway-fabric v2.5.0", ""},
		"render a page":       {"", []string{"render", "-f", older, "-o", "html"}, ExitDone, "<!doctype html>", ""},
		"render JSON":         {"", []string{"render", "-f", older, "-o", "json"}, ExitDone, `"project": "nginx-gateway-fabric"`, ""},
		"render nothing":      {"", []string{"render"}, ExitUsage, "", "give -f FILE"},
		"render as XML":       {"", []string{"render", "-f", older, "-o", "xml"}, ExitUsage, "", "-o xml is not known"},
		"render no report":    {"a file that is named must be a report", []string{"render", "-f", notes}, ExitFailed, "", "notes.yaml:1: this is no conformance report"},
		"render empty folder": {"", []string{"render", "-f", dir}, ExitFailed, "", "there is no conformance report in"},
		"lint":                {"", []string{"lint", nginx}, ExitDone, "", "2 reports: 0 errors, 0 warnings"},
		"lint with errors":    {"", []string{"lint", published + "v1.5/kgateway"}, ExitFailed, "[file-name]", "1 reports: 2 errors"},
		"lint for programs":   {"", []string{"lint", "-o", "json", nginx}, ExitDone, "[]\n", "0 errors"},
		"lint warnings":       {"", []string{"lint", published + "v1.4.1/kong-operator"}, ExitDone, "warning:", "0 errors, 4 warnings"},
		"lint strictly":       {"", []string{"lint", "--strict", published + "v1.4.1/kong-operator"}, ExitFailed, "warning:", "4 warnings"},
		"diff":                {"", []string{"diff", older, newer}, ExitDone, "+ feature ListenerSet: unsupported → supported", ""},
		"diff to the worse":   {"", []string{"diff", newer, older, "--fail-on-regression"}, ExitNonconformant, "- feature ListenerSet", "9 changes to the worse"},
		"diff of many":        {"", []string{"diff", nginx, older}, ExitFailed, "", "holds 2 conformance reports"},
		"diff of one":         {"", []string{"diff", older}, ExitUsage, "", "accepts 2 arg(s)"},
		"matrix":              {"", []string{"matrix", published + "v1.5"}, ExitDone, "E  traefik v3.7, Gateway API v1.5.1", ""},
		"matrix as CSV":       {"", []string{"matrix", published + "v1.5", "-o", "csv"}, ExitDone, "profile,GATEWAY-HTTP,success,", ""},
		"matrix as XML":       {"", []string{"matrix", published + "v1.5", "-o", "xml"}, ExitUsage, "", "-o xml is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := run(t, "causeway", append([]string{"report"}, c.args...)...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errOut, c.says) {
				t.Errorf("%s: exit %d, want %d; standard output:\n%.600s\nstandard error:\n%s", c.reason, code, c.code, out, errOut)
			}
		})
	}
}

func TestReportToAFile(t *testing.T) {
	dir := t.TempDir()
	for ending, begins := range map[string]string{".html": "<!doctype html>", ".md": "## traefik v3.7", ".json": "{", ".txt": "traefik v3.7\n"} {
		path := filepath.Join(dir, "new", "report"+ending)
		code, out, errOut := run(t, "causeway", "report", "render", "-f", published+"v1.5/traefik-traefik", "--out", path)
		if code != ExitDone || out != "" {
			t.Errorf("exit %d, %s, %s", code, out, errOut)
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(text), begins) {
			t.Errorf("%s begins with %.40q, %v", ending, text, err)
		}
	}
}

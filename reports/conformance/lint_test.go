package conformance

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const cleanReadme = `# Acme

## Table of Contents

| API channel | Implementation version | Mode | Report |
|-------------|------------------------|------|--------|
| standard    | [v1.0.0](https://acme.example/v1.0.0) | default | [v1.0.0 report](./standard-v1.0.0-default-report.yaml) |

## Reproduce

### Steps

Run the suite.
`

// submission writes a folder as it is sent to the Gateway API project.
func submission(t *testing.T, release, file, report, readme string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), release, "acme-gateway")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if readme != "" {
		if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte(readme), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, file)
	if err := os.WriteFile(path, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func lintOf(t *testing.T, path string) []Problem {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return Lint(r)
}

func TestLint(t *testing.T) {
	sound := strings.Replace(small, "version: v1,", "version: v1.0.0,", 1)
	for name, c := range map[string]struct {
		reason, old, new string // in the report
		release, file    string
		readmeOld        string
		readmeNew        string
		want             string // "" for no problems; otherwise the only one
	}{
		"sound":               {},
		"release in full":     {reason: "both v1.6 and v1.6.3 are used for folders", release: "v1.6.3"},
		"without the v":       {reason: "published so for years", file: "standard-1.0.0-default-report.yaml", readmeOld: "./standard-v1", readmeNew: "./standard-1"},
		"branch":              {old: "version: v1.0.0", new: "version: main", file: "standard-main-default-report.yaml", readmeOld: "v1.0.0", readmeNew: "main", want: `implementation.version: "main" is a branch, which moves [version]`},
		"release branch":      {old: "version: v1.0.0", new: "version: release-1.2", file: "standard-release-1.2-default-report.yaml", readmeOld: "v1.0.0", readmeNew: "release-1.2", want: `"release-1.2" is a branch`},
		"two numbers":         {old: "version: v1.0.0", new: "version: v1.0", file: "standard-v1.0-default-report.yaml", readmeOld: "v1.0.0", readmeNew: "v1.0", want: `"v1.0" is no semantic version`},
		"prerelease":          {old: "version: v1.0.0", new: "version: v1.0.0-rc.1", file: "standard-v1.0.0-rc.1-default-report.yaml", readmeOld: "v1.0.0", readmeNew: "v1.0.0-rc.1"},
		"no contact":          {old: `contact: ["@acme"]`, new: "contact: []", want: "implementation.contact: nobody can be reached"},
		"url without scheme":  {old: "https://acme.example", new: "acme.example", want: `"acme.example" is no valid address`},
		"project unnamed":     {old: "project: gateway", new: "project: '-'", want: `implementation.project: "-" says nothing`},
		"commit as release":   {old: "gatewayAPIVersion: v1.6.3", new: "gatewayAPIVersion: 4c43629", want: `"4c43629" is no release of the Gateway API`},
		"no channel":          {old: "gatewayAPIChannel: standard\n", new: "", readmeOld: "| standard ", readmeNew: "|  ", want: `gatewayAPIChannel: "" is neither`},
		"no mode":             {old: "mode: default\n", new: "", readmeOld: "| default ", readmeNew: "| ", want: "mode: it is missing"},
		"bad date":            {old: `"2026-01-02T03:04:05Z"`, new: `"-"`, want: `date: "-" is no moment`},
		"failed":              {old: "result: success\n    statistics: {Passed: 1, Skipped: 0, Failed: 0}", new: "result: failure\n    failedTests: [A]\n    statistics: {Passed: 1, Skipped: 0, Failed: 1}", want: "GATEWAY-HTTP core failed: A [result]"},
		"partial":             {reason: "it is taken, and shown apart", old: "result: success\n    statistics: {Passed: 1, Skipped: 0, Failed: 0}", new: "result: partial\n    skippedTests: [A]\n    statistics: {Passed: 1, Skipped: 1, Failed: 0}", want: "warning: GATEWAY-HTTP core is partial"},
		"touched up":          {reason: "the suite derives a result from its counts", old: "Failed: 0", new: "Failed: 2", want: "is called success, but 2 failed"},
		"failure hidden":      {old: "Failed: 0}", new: "Failed: 0}\n    failedTests: [A]", want: "counts 0 failed tests and names 1 [counts]"},
		"field of its own":    {old: "mode: default", new: "mode: default\nnote: hi", want: "note: the form has no such field; the suite does not write it so [form]"},
		"file name":           {file: "report.yaml", readmeOld: "./standard-v1.0.0-default-report.yaml", readmeNew: "./report.yaml", want: "the file must be called standard-v1.0.0-default-report.yaml [file-name]"},
		"another release":     {release: "v1.5", want: "a report of v1.6.3 does not belong into the folder of v1.5 [folder]"},
		"no folder":           {release: "out", want: "warning: the report belongs into a folder v1.6/organization-project"},
		"no README":           {readmeOld: cleanReadme, want: "README.md is missing"},
		"no reproduction":     {readmeOld: "Run the suite.", want: "the section Reproduce is missing or empty"},
		"no table":            {readmeOld: "| API channel", readmeNew: "| Channel", want: "the table of contents (API channel"},
		"no row":              {readmeOld: "./standard-v1.0.0-default-report.yaml", readmeNew: "./other.yaml", want: "README.md:7: error: the table of contents has no row for standard-v1.0.0-default-report.yaml"},
		"another mode in row": {readmeOld: "| default ", readmeNew: "| fast ", want: `README.md:7: error: Mode is "fast" in the table of contents and "default" in the report`},
		"mode unexplained":    {reason: "a mode is a setup of its own, which nobody can guess", old: "mode: default", new: "mode: ambient", file: "standard-v1.0.0-ambient-report.yaml", readmeOld: "default", readmeNew: "ambient", want: "the section Reproduce does not say how to configure mode ambient"},
		"no release page":     {readmeOld: "[v1.0.0](https://acme.example/v1.0.0)", readmeNew: "v1.0.0", want: "README.md:7: error: Implementation version is no link"},
		"name of the link":    {reason: "the form is a MUST, but others have been taken", readmeOld: "[v1.0.0 report]", readmeNew: "[link]", want: `warning: the link to the report is called "link" and not "v1.0.0 report"`},
		"early report": {reason: "the rules did not exist when it was sent", release: "v1.0.0", file: "4c43629-report.yaml",
			old: "gatewayAPIVersion: v1.6.3\ngatewayAPIChannel: standard\nmode: default\nimplementation: {organization: acme, project: gateway, url: https://acme.example, version: v1.0.0,",
			new: "gatewayAPIVersion: v1.0.0\nimplementation: {organization: acme, project: gateway, url: acme.example, version: 4c43629,"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(sound, c.old) || !strings.Contains(cleanReadme, c.readmeOld) {
				t.Fatalf("nothing to replace")
			}
			readme := cleanReadme
			if c.readmeOld != "" {
				readme = strings.ReplaceAll(readme, c.readmeOld, c.readmeNew)
			}
			path := submission(t, cmp.Or(c.release, "v1.6"), cmp.Or(c.file, "standard-v1.0.0-default-report.yaml"), strings.Replace(sound, c.old, c.new, 1), readme)
			problems := lintOf(t, path)
			switch {
			case c.want == "" && len(problems) > 0:
				t.Errorf("%s: %v", c.reason, problems)
			case c.want != "" && (len(problems) == 0 || !strings.Contains(problems[0].String(), c.want)):
				t.Errorf("%s: got %v, want %q", c.reason, problems, c.want)
			case len(problems) > 1 && name != "touched up":
				t.Errorf("one mistake, several problems: %v", problems)
			}
		})
	}
}

// TestLintOfPublished knows two submissions that keep every rule.
func TestLintOfPublished(t *testing.T) {
	for _, path := range []string{
		published + "/v1.5/nginx-nginx-gateway-fabric/experimental-2.5.0-default-report.yaml",
		published + "/v1.5/nginx-nginx-gateway-fabric/experimental-2.6.0-default-report.yaml",
	} {
		if problems := lintOf(t, path); len(problems) > 0 {
			t.Errorf("%v", problems)
		}
	}
}

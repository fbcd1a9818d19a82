package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// Severity says what a finding means for a submission.
type Severity string

// Severities.
const (
	// Error: the project refuses the report.
	Error Severity = "error"
	// Warning: the project takes it, but shows it apart or asks about it.
	Warning Severity = "warning"
)

// Problem is a rule that a report does not keep.
type Problem struct {
	File string `json:"file"`
	// Line is 0 where the file as a whole is meant.
	Line     int      `json:"line,omitempty"`
	Severity Severity `json:"severity"`
	// Rule names the rule, for scripts.
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

func (p Problem) String() string {
	at := p.File
	if p.Line > 0 {
		at += fmt.Sprintf(":%d", p.Line)
	}
	return fmt.Sprintf("%s: %s: %s [%s]", at, p.Severity, clean(p.Message), p.Rule)
}

// rule is a sentence of conformance/reports/README.md of the Gateway API
// repository.
type rule struct {
	name  string
	quote string
	// old rules hold for reports of v1.0.0 and before too ("Rules exceptions").
	old   bool
	check func(*linter)
}

var rules = []rule{
	{"form", "The reports MUST be uploaded exactly as they have been created by the conformance suite", true, (*linter).form},
	{"date", "The reports MUST be uploaded exactly as they have been created by the conformance suite", false, (*linter).date},
	{"identity", "All the implementation-related fields must have a meaningful value assigned", false, (*linter).identity},
	{"version", "it must be a snapshot of the project … It can't be a branch name", false, (*linter).version},
	{"gateway-api-version", "it must contain the version of the Gateway API used to run the conformance tests", false, (*linter).gatewayAPI},
	{"channel", "it must contain the channel of the Gateway API … (standard/experimental)", false, (*linter).channel},
	{"mode", "it is the mode of the implementation used to run the tests", false, (*linter).mode},
	{"result", "all the profiles need to have the result fields (core and extended) set to success or partial", true, (*linter).result},
	{"counts", "A success report implies all … tests have been successfully run", true, (*linter).counts},
	{"file-name", "<API Channel>-<Implementation version>-<mode>-report.yaml", true, (*linter).fileName},
	{"folder", "each Gateway API version contains a set of folders, one for each conformant implementation", true, (*linter).folder},
	{"readme", "a mandatory README.md", true, (*linter).readme},
}

// Lint holds a report against the rules of the place it is sent to
// (https://github.com/kubernetes-sigs/gateway-api/blob/main/conformance/reports/README.md).
// It reads the README.md beside the report. Problems are in the order of the
// file.
func Lint(r *Report) []Problem {
	l := &linter{Report: r}
	early := semver.IsValid(r.GatewayAPI) && semver.Compare(r.GatewayAPI, "v1.0.0") <= 0
	for _, rule := range rules {
		if early && !rule.old {
			continue
		}
		l.rule, l.early = rule.name, early
		rule.check(l)
	}
	slices.SortStableFunc(l.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return l.problems
}

// claimRules are those about what a vendor says of an implementation, which can
// be held before anything is run.
var claimRules = []string{"identity", "version", "channel", "mode"}

// LintClaim holds what a report would say of an implementation against the
// rules. file is where it says so.
func LintClaim(file string, i Implementation, channel, mode string) []Problem {
	l := &linter{Report: &Report{File: file, Implementation: i, Channel: channel, Mode: mode}}
	for _, rule := range rules {
		if slices.Contains(claimRules, rule.name) {
			l.rule = rule.name
			rule.check(l)
		}
	}
	return l.problems
}

type linter struct {
	*Report
	rule     string
	early    bool
	problems []Problem
}

func (l *linter) add(s Severity, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{l.File, line, s, l.rule, fmt.Sprintf(format, args...)})
}

// field is a problem with a field of the report.
func (l *linter) field(path, format string, args ...any) {
	l.add(Error, l.lines[path], path+": "+format, args...)
}

func (l *linter) form() {
	for _, o := range l.Oddities {
		l.add(Error, o.Line, "%s: %s; the suite does not write it so", cmp.Or(o.Path, "report"), o.Message)
	}
}

func (l *linter) date() {
	if _, ok := l.Time(); !ok {
		l.field("date", "%q is no moment as the suite writes it", l.Date)
	}
}

func (l *linter) identity() {
	i := l.Implementation
	for _, f := range []struct{ name, value string }{{"organization", i.Organization}, {"project", i.Project}, {"url", i.URL}, {"version", i.Version}} {
		if meaningless(f.value) {
			l.field("implementation."+f.name, "%q says nothing", f.value)
		}
	}
	if u, err := url.Parse(i.URL); i.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		l.field("implementation.url", "%q is no valid address: it needs https://", i.URL)
	}
	if len(i.Contact) == 0 {
		l.add(Error, l.lines["implementation.project"], "implementation.contact: nobody can be reached: name GitHub users, an address or a support page")
	}
	for n, c := range i.Contact {
		if meaningless(c) {
			l.field(fmt.Sprintf("implementation.contact[%d]", n), "%q says nothing", c)
		}
	}
}

func meaningless(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "-", "unknown", "none", "n/a", "tbd", "todo", "undefined", "example", "test":
		return true
	}
	return false
}

var branch = regexp.MustCompile(`^(refs/heads/.*|main|master|head|trunk|develop|dev|latest|edge|nightly|stable|release[-/].*|v?\d+\.x)$`)

func (l *linter) version() {
	v := l.Implementation.Version
	switch {
	case meaningless(v):
	case branch.MatchString(strings.ToLower(v)):
		l.field("implementation.version", "%q is a branch, which moves", v)
	case !isSemver(v):
		l.field("implementation.version", "%q is no semantic version, as the table of contents must have", v)
	}
}

// isSemver wants all three numbers; the v in front is optional.
func isSemver(v string) bool {
	v = "v" + strings.TrimPrefix(v, "v")
	core, _, _ := strings.Cut(strings.TrimSuffix(v, semver.Build(v)), "-")
	return semver.IsValid(v) && strings.Count(core, ".") == 2
}

func (l *linter) gatewayAPI() {
	if !isSemver(l.GatewayAPI) || semver.Prerelease(l.GatewayAPI) != "" && strings.Contains(l.GatewayAPI, "dev") {
		l.field("gatewayAPIVersion", "%q is no release of the Gateway API", l.GatewayAPI)
	}
}

func (l *linter) channel() {
	if l.Channel != "standard" && l.Channel != "experimental" {
		l.field("gatewayAPIChannel", "%q is neither standard nor experimental", l.Channel)
	}
}

func (l *linter) mode() {
	if l.Mode == "" {
		l.field("mode", "it is missing; the usual one is called default")
	}
}

func (l *linter) result() {
	if len(l.Profiles) == 0 {
		l.add(Error, l.lines["profiles"], "the report has no profiles")
	}
	for i := range l.Profiles {
		p := &l.Profiles[i]
		for _, level := range p.Levels() {
			switch level.Result {
			case Failure:
				l.add(Error, l.lines[p.Name], "%s %s failed: %s", p.Name, level.Name, cmp.Or(strings.Join(level.FailedTests, ", "), plural(level.Failed, "test")))
			case Partial:
				l.add(Warning, l.lines[p.Name], "%s %s is partial and will be shown apart; skipped: %s", p.Name, level.Name, cmp.Or(strings.Join(level.SkippedTests, ", "), plural(level.Skipped, "test")))
			}
		}
	}
}

// counts finds reports that the suite cannot have written: it derives a result
// from its counts (conformance/utils/suite/reports.go).
func (l *linter) counts() {
	for i := range l.Profiles {
		p := &l.Profiles[i]
		for _, level := range p.Levels() {
			want := Success
			if level.Failed > 0 {
				want = Failure
			} else if level.Skipped > 0 {
				want = Partial
			}
			if level.Result != want {
				l.add(Error, l.lines[p.Name], "%s %s is called %s, but %d failed and %d were skipped", p.Name, level.Name, level.Result, level.Failed, level.Skipped)
			}
			if n := len(level.FailedTests); n != level.Failed {
				l.add(Error, l.lines[p.Name], "%s %s counts %d failed tests and names %d", p.Name, level.Name, level.Failed, n)
			}
			if n := len(level.SkippedTests); n != level.Skipped {
				l.add(Error, l.lines[p.Name], "%s %s counts %d skipped tests and names %d", p.Name, level.Name, level.Skipped, n)
			}
		}
	}
}

// FileName is the name the project wants for a report.
func (r *Report) FileName() string {
	return fmt.Sprintf("%s-%s-%s-report.yaml", cmp.Or(r.Channel, "standard"), cmp.Or(r.Implementation.Version, "version"), cmp.Or(r.Mode, "default"))
}

func (l *linter) fileName() {
	have, want := filepath.Base(l.File), l.FileName()
	if l.early {
		want = l.Implementation.Version + "-report.yaml"
	}
	// "2.6.0" has been taken for v2.6.0.
	loose := strings.Replace(want, l.Implementation.Version, strings.TrimPrefix(l.Implementation.Version, "v"), 1)
	if have != want && have != loose {
		l.add(Error, 0, "the file must be called %s", want)
	}
}

func (l *linter) folder() {
	release := filepath.Base(filepath.Dir(filepath.Dir(absolute(l.File))))
	if !semver.IsValid(release) {
		l.add(Warning, 0, "the report belongs into a folder %s/%s", cmp.Or(minor(l.GatewayAPI), "vX.Y"), "organization-project")
		return
	}
	if l.GatewayAPI != release && !strings.HasPrefix(l.GatewayAPI, release+".") && semver.IsValid(l.GatewayAPI) {
		l.add(Error, l.lines["gatewayAPIVersion"], "a report of %s does not belong into the folder of %s", l.GatewayAPI, release)
	}
}

func minor(v string) string { return semver.MajorMinor(v) }

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (l *linter) readme() {
	path := filepath.Join(filepath.Dir(l.File), "README.md")
	data, err := os.ReadFile(path)
	if err != nil {
		l.add(Error, 0, "README.md is missing beside the report")
		return
	}
	at := func(line int, format string, args ...any) {
		l.problems = append(l.problems, Problem{path, line, Error, l.rule, fmt.Sprintf(format, args...)})
	}
	doc := parseReadme(string(data))
	if l.early {
		return // the columns are replaced by an x, and Reproduce is optional
	}
	switch {
	case doc.reproduce == "":
		at(0, "the section Reproduce is missing or empty")
	case l.Mode != "" && l.Mode != "default" && !strings.Contains(strings.ToLower(doc.reproduce), strings.ToLower(l.Mode)):
		at(0, "the section Reproduce does not say how to configure mode %s", l.Mode)
	}
	row, ok := doc.row(filepath.Base(l.File))
	switch {
	case len(doc.rows) == 0:
		at(0, "the table of contents (API channel, Implementation version, Mode, Report) is missing")
	case !ok:
		at(doc.rows[0].line, "the table of contents has no row for %s", filepath.Base(l.File))
	default:
		for _, c := range []struct{ what, have, want string }{
			{"API channel", row.channel, l.Channel}, {"Implementation version", row.version, l.Implementation.Version}, {"Mode", row.mode, l.Mode},
		} {
			if !strings.EqualFold(strings.TrimPrefix(c.have, "v"), strings.TrimPrefix(c.want, "v")) {
				at(row.line, "%s is %q in the table of contents and %q in the report", c.what, c.have, c.want)
			}
		}
		if row.release == "" {
			at(row.line, "Implementation version is no link to the page of the release")
		}
		if text := strings.TrimPrefix(row.text, "v"); !strings.HasPrefix(text, strings.TrimPrefix(row.version, "v")+" ") || !strings.HasSuffix(text, " report") {
			// "It MUST be in the form", but others have been taken.
			l.problems = append(l.problems, Problem{path, row.line, Warning, l.rule, fmt.Sprintf("the link to the report is called %q and not %q", row.text, row.version+" report")})
		}
	}
}

// WriteProblems writes problems, one a line.
func WriteProblems(w io.Writer, problems []Problem) error {
	for _, p := range problems {
		if _, err := fmt.Fprintln(w, p); err != nil {
			return err
		}
	}
	return nil
}

// WriteProblemsJSON writes problems for programs.
func WriteProblemsJSON(w io.Writer, problems []Problem) error {
	if problems == nil {
		problems = []Problem{}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(problems)
}

package submission

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/causeway-gateway/causeway/reports/conformance"
)

// maxBytes bounds each file that is read.
const maxBytes = 16 << 20

// Evidence is the folder of a run: results.json, the report, and what the suite
// wrote in each attempt.
type Evidence struct {
	dir    string
	run    results
	report *conformance.Report
	data   []byte // of the report
}

// results is what a submission needs of results.json, whose form is public.
type results struct {
	Version    int               `json:"version"`
	Status     string            `json:"status"`
	Verdict    string            `json:"verdict"`
	Suite      string            `json:"suite"`
	Cluster    string            `json:"cluster"`
	Tool       string            `json:"tool"`
	Kubernetes string            `json:"kubernetesVersion"`
	Images     []image           `json:"images"`
	Profiles   []string          `json:"profiles"`
	Started    time.Time         `json:"started"`
	Ended      time.Time         `json:"ended"`
	Report     resultsReport     `json:"report"`
	Tests      []test            `json:"tests"`
	Attempts   []attempt         `json:"attempts"`
	Request    map[string]string `json:"request"`
}

type image struct{ Name, ID string }

type resultsReport struct{ Path, Absent, SHA256, Note string }

type test struct {
	Name     string
	Outcome  conformance.Outcome
	Reason   string
	Profiles []conformance.Membership
	Attempts []struct {
		Attempt int
		Outcome conformance.Outcome
	}
}

type attempt struct {
	Number int
	Kind   string
}

// Names in the folder of a run.
const (
	resultsFile = "results.json"
	reportFile  = "report.yaml"
)

// ReadEvidence reads the folder of a run. Its error is of the files; what speaks
// against a submission is found later.
func ReadEvidence(dir string) (*Evidence, error) {
	e := &Evidence{dir: dir}
	path := filepath.Join(dir, resultsFile)
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s is no folder of a conformance run: %w", dir, err)
	}
	if err := json.Unmarshal(data, &e.run); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if e.run.Version != 1 {
		return nil, fmt.Errorf("%s: results of version %d are not known, only those of 1", path, e.run.Version)
	}
	if e.run.Report.Path == "" {
		return e, nil
	}
	path = filepath.Join(dir, reportFile)
	if e.data, err = readFile(path); err != nil {
		return nil, fmt.Errorf("the official report: %w", err)
	}
	if e.report, err = conformance.Read(path, e.data); err != nil {
		return nil, fmt.Errorf("the official report: %w", err)
	}
	return e, nil
}

// Suite is the version of the suite that ran, "v1.6.3".
func (e *Evidence) Suite() string { return e.run.Suite }

// Cluster is the kind of cluster that the run was in.
func (e *Evidence) Cluster() string { return e.run.Cluster }

// Requested is the value that a flag of the run had, empty if it was not given.
func (e *Evidence) Requested(flag string) string { return e.run.Request[flag] }

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxBytes)
	}
	return data, err
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// check holds the run and its report against the claim.
func (e *Evidence) check(c *Claim, p *problems) {
	if !e.complete(p) {
		return
	}
	if tool := e.run.Tool; tool == "" || strings.Contains(tool, "(development)") && !strings.Contains(tool, ", commit ") || strings.HasSuffix(tool, " with changes") {
		p.warn("tool", "the suite was run by a build of Causeway that nobody else can get (%s): use a release", cmp.Or(tool, "its version was not recorded"))
	}
	e.untouched(p)
	e.same(c, p)
	e.whole(c, p)
}

// complete reports whether the run came to an official report, and says why not.
func (e *Evidence) complete(p *problems) bool {
	r := &e.run
	switch r.Status {
	case "passed", "failed":
	case "not-ready", "setup-failed", "timed-out":
		p.fail("run", "the run ended %s: %s", r.Status, r.Verdict)
		return false
	default:
		p.refuse("run", "the run in %s did not come to its end (%s: %s); a report is of one run of the suite, so run it again", e.dir, r.Status, r.Verdict)
		return false
	}
	if e.report == nil {
		p.refuse("run", "the run in %s has no official report: %s", e.dir, r.Report.Absent)
		return false
	}
	return true
}

// untouched holds the report against what the suite wrote: "The reports MUST be
// uploaded exactly as they have been created by the conformance suite, without
// any modifications".
func (e *Evidence) untouched(p *problems) {
	const rule = "edited"
	if err := conformance.AsWritten(e.data); err != nil {
		p.refuse(rule, "%s was changed after the suite wrote it: %v", e.report.File, err)
		return
	}
	if want := e.run.Report.SHA256; want != "" && want != checksum(e.data) {
		p.refuse(rule, "%s was changed after the suite wrote it: its SHA-256 is %s, and %s recorded %s", e.report.File, checksum(e.data), resultsFile, want)
		return
	}
	i := slices.IndexFunc(e.run.Attempts, func(a attempt) bool { return a.Kind == "main" })
	if i < 0 {
		p.refuse(rule, "%s names no attempt that the report could be of", filepath.Join(e.dir, resultsFile))
		return
	}
	path := filepath.Join(e.dir, "attempts", strconv.Itoa(e.run.Attempts[i].Number), reportFile)
	original, err := readFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && e.run.Report.SHA256 != "":
	case err != nil:
		p.refuse(rule, "the report cannot be held against what the suite wrote: %v", err)
	case !bytes.Equal(original, e.data):
		p.refuse(rule, "%s was changed after the suite wrote it: it differs from %s", e.report.File, path)
	}
}

// same holds the report against the claim and the run: they are of one thing.
func (e *Evidence) same(c *Claim, p *problems) {
	r := e.report
	for _, f := range []struct{ rule, name, report, claim string }{
		{"identity", "organization", r.Implementation.Organization, c.Implementation.Organization},
		{"identity", "project", r.Implementation.Project, c.Implementation.Project},
		{"identity", "url", r.Implementation.URL, c.Implementation.URL},
		{"identity", "contact", strings.Join(r.Implementation.Contact, ", "), strings.Join(c.Implementation.Contact, ", ")},
		{"version", "version", r.Implementation.Version, c.Implementation.Version},
		{"channel", "channel", r.Channel, c.Channel},
		{"mode", "mode", r.Mode, c.Mode},
	} {
		if f.report != f.claim {
			p.refuse(f.rule, "the report says %s %q and %s says %q: the run was of something else", f.name, f.report, c.File, f.claim)
		}
	}
	if r.GatewayAPI != e.run.Suite {
		p.refuse("gateway-api-version", "the report says Gateway API %s and the suite was of %s", r.GatewayAPI, e.run.Suite)
	}
	if strings.ContainsAny(e.Requested("suite"), `/\`) {
		p.refuse("suite", "the run used a suite of its own, %s: a submission is of an official suite, such as --suite %s", filepath.Base(e.Requested("suite")), semver.MajorMinor(e.run.Suite))
	}
	// The suite dates a report at its end, to the second.
	if at, ok := r.Time(); ok && (at.Before(e.run.Started.Add(-time.Minute)) || !e.run.Ended.IsZero() && at.After(e.run.Ended.Add(time.Minute))) {
		p.refuse("edited", "the report is of %s, and the run took place from %s to %s", r.Date, e.run.Started.Format(time.RFC3339), e.run.Ended.Format(time.RFC3339))
	}
}

// whole holds the results against the claim: every claimed profile, no test that
// failed, and none that was left out without a reason.
func (e *Evidence) whole(c *Claim, p *problems) {
	for _, name := range c.Profiles {
		if !slices.ContainsFunc(e.report.Profiles, func(r conformance.Profile) bool { return r.Name == name }) {
			p.refuse("profiles", "%s claims %s, of which the report says nothing: run all claimed profiles, or claim fewer", c.File, name)
		}
	}
	for _, r := range e.report.Profiles {
		if !slices.Contains(c.Profiles, r.Name) {
			p.refuse("profiles", "the report is of %s, which %s does not claim", r.Name, c.File)
		}
	}
	for i := range e.report.Profiles {
		r := &e.report.Profiles[i]
		for _, level := range r.Levels() {
			if len(level.FailedTests) > 0 || level.Result == conformance.Failure {
				p.fail("result", "%s %s failed: %s%s", r.Name, level.Name, strings.Join(level.FailedTests, ", "), e.passedLater(level.FailedTests))
			}
			e.hidden(r.Name, level, p)
			for _, t := range level.SkippedTests {
				reason, ok := c.Skipped[t]
				if !ok {
					p.refuse("skipped", "%s %s: test %s was skipped%s and %s does not say why: let it run, or, if the implementation cannot pass it, name it with its reason in tests.skip, which makes the profile partial", r.Name, level.Name, t, e.left(t), c.File)
					continue
				}
				p.warn("partial", "%s %s is partial and will be shown apart from conformant implementations: %s was skipped (%s)", r.Name, level.Name, t, strings.TrimSpace(reason))
			}
		}
	}
	if len(c.Steps) > 0 {
		p.warn("partial", "%s takes steps between the suite's set-up and its tests: by the rules that is a partial report, although the suite does not say so; the README tells of them", c.File)
	}
}

// hidden finds tests that failed in the run and are not in the report.
func (e *Evidence) hidden(profile string, level conformance.NamedLevel, p *problems) {
	for _, t := range e.run.Tests {
		failed := len(t.Attempts) > 0 && t.Attempts[0].Outcome == conformance.Failed
		if failed && slices.Contains(t.Profiles, conformance.Membership{Profile: profile, Level: level.Name}) && !slices.Contains(level.FailedTests, t.Name) {
			p.fail("edited", "test %s failed in the run, and the report does not say so under %s %s", t.Name, profile, level.Name)
		}
	}
}

// passedLater says which of the failed tests passed when run again.
func (e *Evidence) passedLater(failed []string) string {
	var flaky, known []string
	for _, t := range e.run.Tests {
		if !slices.Contains(failed, t.Name) {
			continue
		}
		switch t.Outcome {
		case conformance.Flaky:
			flaky = append(flaky, t.Name)
		case conformance.KnownFailure:
			known = append(known, t.Name)
		}
	}
	var out string
	if len(flaky) > 0 {
		out += fmt.Sprintf("; %s passed when run again alone, which the report cannot say: run the whole suite again", strings.Join(flaky, ", "))
	}
	if len(known) > 0 {
		out += fmt.Sprintf("; that %s was known to fail does not help a report: skip it with its reason, or let it pass", strings.Join(known, ", "))
	}
	return out
}

// left says why the run left a test out.
func (e *Evidence) left(name string) string {
	for _, t := range e.run.Tests {
		if t.Name == name && t.Reason != "" {
			return " (" + t.Reason + ")"
		}
	}
	return ""
}

package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/internal/yamltree"
)

// apiGroup is the group of reports; they are files, not objects of a cluster.
const apiGroup = "gateway.networking.k8s.io/"

// Read reads a report of any form that has been published. What a report
// cannot do without is an error with file and line; what merely should not be
// so is tolerated, and noted in Oddities.
func Read(file string, data []byte) (*Report, error) {
	doc, err := yamltree.Parse(file, data)
	if err != nil {
		return nil, err
	}
	root, ok := doc.Value().(map[string]any)
	if !ok || !isReport(root) {
		return nil, doc.Errorf(nil, "this is no conformance report (kind: ConformanceReport)")
	}
	r := &reader{doc: doc, report: &Report{File: file, lines: map[string]int{}}}
	r.read(root)
	if r.err != nil {
		return nil, r.err
	}
	return r.report, nil
}

func isReport(root map[string]any) bool {
	if root["kind"] == "ConformanceReport" {
		return true
	}
	_, who := root["implementation"].(map[string]any)
	_, what := root["profiles"].([]any)
	return who && what && root["kind"] == nil
}

// reader walks a document. The first error stays.
type reader struct {
	doc    *yamltree.Document
	report *Report
	err    error
}

func (r *reader) fail(path []string, format string, args ...any) {
	if r.err == nil {
		r.err = r.doc.Errorf(path, format, args...)
	}
}

func (r *reader) odd(path []string, format string, args ...any) {
	r.report.Oddities = append(r.report.Oddities, Oddity{r.doc.Line(path...), yamltree.Path(path), fmt.Sprintf(format, args...)})
}

// at is a path one step further, never sharing memory with its parent.
func at(path []string, step ...string) []string { return slices.Concat(path, step) }

// expect notes fields that are not among the known ones.
func (r *reader) expect(m map[string]any, path []string, known ...string) {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(known, name) {
			r.odd(at(path, name), "the form has no such field")
		}
	}
}

func (r *reader) read(root map[string]any) {
	r.expect(root, nil, "apiVersion", "kind", "metadata", "implementation", "date", "gatewayAPIVersion", "gatewayAPIChannel", "mode", "profiles", "profileReports", "succeededProvisionalTests")
	out := r.report
	switch version := r.word(root, nil, "apiVersion"); version {
	case apiGroup + "v1", apiGroup + "v1alpha1":
		out.Form = strings.TrimPrefix(version, apiGroup)
	case "":
		r.odd(nil, "apiVersion is missing")
	default:
		r.fail([]string{"apiVersion"}, "%q is not known: reports are of %sv1 or %[2]sv1alpha1", version, apiGroup)
	}
	out.Date = r.word(root, nil, "date")
	out.GatewayAPI = r.word(root, nil, "gatewayAPIVersion")
	out.Channel = r.word(root, nil, "gatewayAPIChannel")
	out.Mode = r.word(root, nil, "mode")
	out.Provisional = r.words(root, nil, "succeededProvisionalTests")
	r.implementation(root)

	field := "profiles"
	if root[field] == nil && root["profileReports"] != nil {
		field = "profileReports"
		r.odd([]string{field}, "it is called profiles")
	}
	list, ok := root[field].([]any)
	if !ok {
		r.fail(nil, "profiles are missing")
		return
	}
	r.report.lines["profiles"] = r.doc.Line(field)
	for i, item := range list {
		path := []string{field, strconv.Itoa(i)}
		m, ok := item.(map[string]any)
		if !ok {
			r.fail(path, "a profile is an object")
			return
		}
		out.Profiles = append(out.Profiles, r.profile(m, path))
	}
}

func (r *reader) implementation(root map[string]any) {
	path := []string{"implementation"}
	m, ok := root["implementation"].(map[string]any)
	if !ok {
		r.fail(nil, "implementation is missing")
		return
	}
	r.expect(m, path, "organization", "project", "url", "version", "contact")
	r.report.Implementation = Implementation{
		Organization: r.word(m, path, "organization"), Project: r.word(m, path, "project"), URL: r.word(m, path, "url"),
		Version: r.word(m, path, "version"), Contact: r.words(m, path, "contact"),
	}
}

func (r *reader) profile(m map[string]any, path []string) Profile {
	r.expect(m, path, "name", "summary", "core", "extended")
	p := Profile{Name: r.word(m, path, "name"), Summary: strings.TrimSpace(r.word(m, path, "summary"))}
	if p.Name == "" {
		r.fail(path, "the profile has no name")
	}
	r.report.lines[p.Name] = r.doc.Line(path...)
	core, ok := m["core"].(map[string]any)
	if !ok {
		r.fail(path, "core is missing")
		return p
	}
	p.Core = r.level(core, at(path, "core"))
	switch extended := m["extended"].(type) {
	case nil:
	case map[string]any:
		level := r.level(extended, at(path, "extended"))
		p.Extended = &level
	default:
		r.fail(at(path, "extended"), "a level is an object")
	}
	return p
}

func (r *reader) level(m map[string]any, path []string) Level {
	r.expect(m, path, "result", "statistics", "summary", "skippedTests", "failedTests", "supportedFeatures", "unsupportedFeatures", "status")
	l := Level{Supported: r.words(m, path, "supportedFeatures"), Unsupported: r.words(m, path, "unsupportedFeatures")}
	// Written by a program that did not know how Go embeds a struct.
	if inner, ok := m["status"].(map[string]any); ok && m["result"] == nil {
		path = at(path, "status")
		r.odd(path, "its fields belong one level up")
		r.expect(inner, path, "result", "statistics", "summary", "skippedTests", "failedTests")
		m = inner
	}
	l.SkippedTests, l.FailedTests = r.words(m, path, "skippedTests"), r.words(m, path, "failedTests")
	switch result := Result(r.word(m, path, "result")); result {
	case Success, Partial, Failure:
		l.Result = result
	case "":
		r.fail(path, "result is missing")
	default:
		r.fail(at(path, "result"), "%q is not known: a result is success, partial or failure", result)
	}
	stats, ok := m["statistics"].(map[string]any)
	if !ok {
		r.fail(path, "statistics are missing")
		return l
	}
	path = at(path, "statistics")
	for _, count := range []struct {
		name string
		to   *int
	}{{"Passed", &l.Passed}, {"Skipped", &l.Skipped}, {"Failed", &l.Failed}} {
		*count.to = r.count(stats, path, count.name)
	}
	r.expect(stats, path, "Passed", "Skipped", "Failed", "passed", "skipped", "failed")
	return l
}

// count reads a number of tests. The suite writes its name with a capital;
// others have not.
func (r *reader) count(m map[string]any, path []string, name string) int {
	if _, there := m[name]; !there {
		lower := strings.ToLower(name)
		if _, there := m[lower]; there {
			r.odd(at(path, lower), "it is called %s", name)
			name = lower
		}
	}
	switch n := m[name].(type) {
	case int64:
		if n >= 0 && n <= 1_000_000 {
			return int(n)
		}
	case nil:
		r.fail(path, "%s is missing", name)
		return 0
	}
	word, _ := r.doc.Word(at(path, name)...)
	r.fail(at(path, name), "%q is no number of tests", word)
	return 0
}

// word reads text as it was written. A number is text here: a version of 1.20
// is not 1.2.
func (r *reader) word(m map[string]any, path []string, name string) string {
	path = at(path, name)
	switch v := m[name].(type) {
	case nil:
		return ""
	case string:
		r.report.lines[yamltree.Path(path)] = r.doc.Line(path...)
		return v
	case int64, float64, bool:
		r.report.lines[yamltree.Path(path)] = r.doc.Line(path...)
		r.odd(path, "it should be in quotes")
		if w, ok := r.doc.Word(path...); ok {
			return w
		}
		return fmt.Sprint(v)
	}
	r.fail(path, "this must be text")
	return ""
}

func (r *reader) words(m map[string]any, path []string, name string) []string {
	path = at(path, name)
	switch v := m[name].(type) {
	case nil:
		return nil
	case string:
		r.odd(path, "it should be a list")
		return []string{v}
	case []any:
		var out []string
		for i, item := range v {
			text, ok := item.(string)
			if !ok {
				r.fail(at(path, strconv.Itoa(i)), "this must be text")
				return nil
			}
			out = append(out, text)
		}
		return out
	}
	r.fail(path, "this must be a list")
	return nil
}

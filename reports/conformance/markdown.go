package conformance

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
)

// markdownEscapes take the meaning out of what Markdown and the HTML within it would
// read. A report's text is shown, never interpreted.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "&#64;", // a name after @ would be notified
)

// EscapeMarkdown is text whose characters mean nothing to Markdown, on one line.
func EscapeMarkdown(s string) string { return markdownEscapes.Replace(clean(s)) }

func md(s string) string { return EscapeMarkdown(s) }

// marks make results stand out where there is no colour.
var marks = map[Result]string{Success: "✅ success", Partial: "🟡 partial", Failure: "❌ failure"}

// WriteMarkdown writes reports as GitHub-flavoured Markdown.
func WriteMarkdown(w io.Writer, set *Set) error {
	b := bufio.NewWriter(w)
	if len(set.Reports) > 1 {
		fmt.Fprint(b, "# Conformance reports\n\n| implementation | version | Gateway API | channel | mode | result |\n| --- | --- | --- | --- | --- | --- |\n")
		for _, r := range set.Reports {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", md(r.Implementation.Name()), md(r.Implementation.Version), md(r.GatewayAPI), md(r.Channel), md(r.Mode), marks[r.Result()])
		}
		fmt.Fprintln(b)
	}
	for i, r := range set.Reports {
		if i > 0 {
			fmt.Fprintln(b)
		}
		markdownReport(b, r)
	}
	for _, r := range set.Runs {
		fmt.Fprintf(b, "\n## %s %s\n\nNo official report: %s\n", md(r.Implementation.Name), md(r.Implementation.Version), md(cmp.Or(r.Report.Absent, "it is not beside the results")))
		markdownRun(b, r)
	}
	return b.Flush()
}

func markdownReport(b *bufio.Writer, r *Report) {
	fmt.Fprintf(b, "## %s %s\n\n%s. **%s**\n\n", md(r.Implementation.Name()), md(r.Implementation.Version), md(subject(r)), conclusions[r.Result()])
	fmt.Fprint(b, "| profile | level | result | passed | skipped | failed |\n| --- | --- | --- | ---: | ---: | ---: |\n")
	for i := range r.Profiles {
		p := &r.Profiles[i]
		for _, l := range p.Levels() {
			fmt.Fprintf(b, "| %s | %s | %s | %d | %d | %d |\n", md(p.Name), l.Name, marks[l.Result], l.Passed, l.Skipped, l.Failed)
		}
	}
	if findings := r.Findings(); len(findings) > 0 {
		fmt.Fprint(b, "\n### Tests that did not pass\n\n| test | profile | level | outcome | note |\n| --- | --- | --- | --- | --- |\n")
		for _, f := range findings {
			outcome := "skipped"
			if f.Failed {
				outcome = "**failed**"
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", md(f.Test), md(f.Profile), f.Level, outcome, md(remark(r, f)))
		}
	}
	if features := r.Features(); len(features) > 0 {
		markdownFeatures(b, r, features)
	}
	if len(r.Provisional) > 0 {
		names := make([]string, len(r.Provisional))
		for i, n := range r.Provisional {
			names[i] = md(n)
		}
		fmt.Fprintf(b, "\nProvisional tests that passed: %s\n", strings.Join(names, ", "))
	}
	if len(r.Oddities) > 0 {
		fmt.Fprint(b, "\n### Not as the form has it\n\n")
		for _, o := range r.Oddities {
			fmt.Fprintf(b, "- line %d, %s: %s\n", o.Line, md(cmp.Or(o.Path, "report")), md(o.Message))
		}
	}
	if r.Run != nil {
		markdownRun(b, r.Run)
	}
}

func markdownFeatures(b *bufio.Writer, r *Report, features []Feature) {
	profiles := r.profilesWithFeatures()
	fmt.Fprint(b, "\n### Extended features\n\n| feature |")
	for _, p := range profiles {
		fmt.Fprintf(b, " %s |", md(p))
	}
	fmt.Fprintf(b, "\n| --- |%s\n", strings.Repeat(" :---: |", len(profiles)))
	for _, f := range features {
		fmt.Fprintf(b, "| %s |", md(f.Name))
		for _, p := range profiles {
			fmt.Fprintf(b, " %s |", map[support]string{supported: "✓", unsupported: "✗", unnamed: ""}[f.in(p)])
		}
		fmt.Fprintln(b)
	}
}

// support is what a profile says about a feature.
type support string

const (
	supported   support = "supported"
	unsupported support = "unsupported"
	unnamed     support = "unnamed"
)

func (f Feature) in(profile string) support {
	yes, named := f.In[profile]
	switch {
	case !named:
		return unnamed
	case yes:
		return supported
	}
	return unsupported
}

// profilesWithFeatures are the columns of a table of features.
func (r *Report) profilesWithFeatures() []string {
	var out []string
	for i := range r.Profiles {
		if e := r.Profiles[i].Extended; e != nil && len(e.Supported)+len(e.Unsupported) > 0 {
			out = append(out, r.Profiles[i].Name)
		}
	}
	return out
}

func markdownRun(b *bufio.Writer, r *Run) {
	fmt.Fprintf(b, "\n### Run\n\n%s on the %s cluster in %s: %s. %s\n",
		md(r.Status), md(cmp.Or(r.Cluster, "(unknown)")), cmp.Or(takes(r.Seconds), "no time"), r.Tally(), md(r.Verdict))
	if r.Report.Note != "" {
		fmt.Fprintf(b, "\nOfficial report: %s\n", md(r.Report.Note))
	}
	if notable := r.Notable(); len(notable) > 0 {
		fmt.Fprint(b, "\n| test | outcome | time | reason |\n| --- | --- | ---: | --- |\n")
		for _, t := range notable {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", md(t.Name), md(string(t.Outcome)), takes(t.Seconds), md(t.Reason))
		}
	}
	for _, g := range r.Groups() {
		fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n", md(g.Title()))
		for _, name := range g.Tests {
			fmt.Fprintf(b, "- %s\n", md(name))
		}
		fmt.Fprint(b, "\n</details>\n")
	}
	if slow := r.Slowest(5); len(slow) > 0 {
		fmt.Fprint(b, "\n| slowest tests | time |\n| --- | ---: |\n")
		for _, t := range slow {
			fmt.Fprintf(b, "| %s | %s |\n", md(t.Name), takes(t.Seconds))
		}
	}
}

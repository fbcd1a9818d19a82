package conformance

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Width is the width of a terminal that text is made for.
const Width = 80

// TextOptions shape text for a terminal.
type TextOptions struct {
	// Colour marks results by colour as well as by word.
	Colour bool
}

// WriteText writes reports for a terminal of [Width] columns.
func WriteText(w io.Writer, set *Set, o TextOptions) error {
	t := &text{b: bufio.NewWriter(w), colour: o.Colour}
	if len(set.Reports) > 1 {
		t.overview(set.Reports)
	}
	for i, r := range set.Reports {
		if i > 0 || len(set.Reports) > 1 {
			t.line("")
			t.line(strings.Repeat("─", Width))
		}
		t.report(r)
	}
	for i, r := range set.Runs {
		if i > 0 || len(set.Reports) > 0 {
			t.line("")
			t.line(strings.Repeat("─", Width))
		}
		t.line(t.bold(cut(clean(cmp.Or(r.Implementation.Name, "(no name)")+" "+r.Implementation.Version), Width)))
		t.wrapped("", "No official report: "+cmp.Or(r.Report.Absent, "it is not beside "+r.File))
		t.run(r)
	}
	return t.b.Flush()
}

type text struct {
	b      *bufio.Writer
	colour bool
}

func (t *text) line(s string) { fmt.Fprintln(t.b, strings.TrimRight(s, " ")) }

func (t *text) paint(code, s string) string {
	if !t.colour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *text) bold(s string) string { return t.paint("1", s) }

var resultColours = map[Result]string{Success: "32", Partial: "33", Failure: "31"}

// result is padded before it is painted: escape sequences have no width.
func (t *text) result(r Result, width int) string {
	return t.paint(resultColours[r], pad(clean(string(r)), width))
}

// pad fills or cuts to a number of columns.
func pad(s string, width int) string {
	s = cut(s, width)
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}

func cut(s string, width int) string {
	if runes := []rune(s); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return s
}

// wrapped writes words in lines of at most [Width] columns.
func (t *text) wrapped(indent, s string) {
	line := indent
	for word := range strings.FieldsSeq(clean(s)) {
		for utf8.RuneCountInString(word) > Width-len(indent) {
			runes := []rune(word)
			t.flush(&line, indent)
			t.line(indent + string(runes[:Width-len(indent)]))
			word = string(runes[Width-len(indent):])
		}
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > Width {
			t.flush(&line, indent)
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	t.flush(&line, indent)
}

func (t *text) flush(line *string, indent string) {
	if *line != indent {
		t.line(*line)
	}
	*line = indent
}

// columns writes names side by side, read downwards. Names that are wider than
// half a line follow one by one, so that a single one does not cost everybody
// their place.
func (t *text) columns(names []string) {
	const half = Width/2 - 2
	var short, long []string
	widest := 0
	for _, name := range names {
		name = clean(name)
		if n := utf8.RuneCountInString(name); n > half {
			long = append(long, name)
		} else {
			short, widest = append(short, name), max(widest, n)
		}
	}
	across := max(1, Width/(widest+2))
	down := (len(short) + across - 1) / across
	for row := range down {
		line := ""
		for n := row; n < len(short); n += down {
			line += "  " + pad(short[n], widest)
		}
		t.line(line)
	}
	for _, name := range long {
		t.wrapped("  ", name)
	}
}

func (t *text) overview(reports []*Report) {
	t.line(t.bold(fmt.Sprintf("%-32s %-15s %-14s %-7s %s", "IMPLEMENTATION", "VERSION", "MODE", "API", "RESULT")))
	for _, r := range reports {
		t.line(pad(clean(r.Implementation.Name()), 32) + " " + pad(clean(r.Implementation.Version), 15) + " " +
			pad(clean(r.Mode), 14) + " " + pad(clean(r.GatewayAPI), 7) + " " + t.result(r.Result(), 8))
	}
}

func (t *text) report(r *Report) {
	t.line(t.bold(cut(clean(r.Implementation.Name()+" "+r.Implementation.Version), Width)))
	t.wrapped("", subject(r))
	if r.Implementation.URL != "" {
		t.wrapped("", r.Implementation.URL)
	}
	t.line(t.paint(resultColours[r.Result()], conclusions[r.Result()]))
	t.line("")
	t.profiles(r)
	t.findings(r)
	t.features(r)
	if len(r.Provisional) > 0 {
		t.line("")
		t.line(t.bold(fmt.Sprintf("PROVISIONAL TESTS PASSED (%d)", len(r.Provisional))))
		t.columns(r.Provisional)
	}
	if len(r.Oddities) > 0 {
		t.line("")
		t.line(t.bold("NOT AS THE FORM HAS IT"))
		for _, o := range r.Oddities {
			t.wrapped("  ", fmt.Sprintf("line %d: %s: %s", o.Line, cmp.Or(o.Path, "report"), o.Message))
		}
	}
	if r.Run != nil {
		t.run(r.Run)
	}
}

func (t *text) profiles(r *Report) {
	t.line(t.bold(fmt.Sprintf("%-24s %-10s %-9s %9s %9s %9s", "PROFILE", "LEVEL", "RESULT", "PASSED", "SKIPPED", "FAILED")))
	for i := range r.Profiles {
		p := &r.Profiles[i]
		name := clean(p.Name)
		for _, l := range p.Levels() {
			t.line(pad(name, 24) + " " + pad(l.Name, 10) + " " + t.result(l.Result, 9) + fmt.Sprintf(" %9d %9d %9d", l.Passed, l.Skipped, l.Failed))
			name = ""
		}
	}
}

func (t *text) findings(r *Report) {
	for _, failed := range []bool{true, false} {
		title := "SKIPPED"
		if failed {
			title = "FAILED"
		}
		for _, f := range r.Findings() {
			if f.Failed != failed {
				continue
			}
			if title != "" {
				t.line("")
				t.line(t.bold(title))
				title = ""
			}
			t.wrapped("  ", fmt.Sprintf("%s (%s, %s)", f.Test, f.Profile, f.Level))
			if why := remark(r, f); why != "" {
				t.wrapped("    ", why)
			}
		}
	}
}

func (t *text) features(r *Report) {
	var yes, no []string
	for _, f := range r.Features() {
		if f.Supported() {
			yes = append(yes, f.Name)
		} else {
			no = append(no, f.Name)
		}
	}
	if len(yes) > 0 {
		t.line("")
		t.line(t.bold(fmt.Sprintf("EXTENDED FEATURES SUPPORTED (%d)", len(yes))))
		t.columns(yes)
	}
	if len(no) > 0 {
		t.line("")
		t.line(t.bold(fmt.Sprintf("NOT SUPPORTED (%d)", len(no))))
		t.columns(no)
	}
}

// run writes what the official report does not say.
func (t *text) run(r *Run) {
	t.line("")
	t.line(t.bold("RUN"))
	t.wrapped("  ", fmt.Sprintf("%s on the %s cluster in %s: %s", r.Status, cmp.Or(r.Cluster, "(unknown)"), cmp.Or(takes(r.Seconds), "no time"), r.Tally()))
	if r.Verdict != "" {
		t.wrapped("  ", r.Verdict)
	}
	for _, w := range r.Warnings {
		t.wrapped("  ", "warning: "+w)
	}
	if r.Report.Note != "" {
		t.wrapped("  ", "official report: "+r.Report.Note)
	}
	if notable := r.Notable(); len(notable) > 0 {
		t.line("")
		t.line(t.bold(fmt.Sprintf("  %-10s %7s  %s", "OUTCOME", "TIME", "TEST")))
		for _, n := range notable {
			t.line("  " + pad(clean(string(n.Outcome)), 10) + " " + fmt.Sprintf("%7s", takes(n.Seconds)) + "  " + pad(clean(n.Name), Width-22))
			if n.Reason != "" {
				t.wrapped("                      ", n.Reason)
			}
		}
	}
	for _, g := range r.Groups() {
		t.line("")
		t.wrapped("  ", g.Title())
		if len(g.Tests) <= few {
			t.columns(g.Tests)
		}
	}
	if slow := r.Slowest(5); len(slow) > 0 {
		t.line("")
		t.line(t.bold("  SLOWEST"))
		for _, n := range slow {
			t.line("  " + fmt.Sprintf("%18s", takes(n.Seconds)) + "  " + pad(clean(n.Name), Width-22))
		}
	}
}

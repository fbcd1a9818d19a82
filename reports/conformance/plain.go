package conformance

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// clean takes out of text from a report what would move a cursor, turn writing
// around or break a line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}

// day is the date of a report, or what it says instead.
func day(r *Report) string {
	if t, ok := r.Time(); ok {
		return t.UTC().Format(time.DateOnly)
	}
	return cmp.Or(strings.Trim(r.Date, "-"), "no date")
}

// subject is one line about what was tested with what.
func subject(r *Report) string {
	parts := []string{"Gateway API " + cmp.Or(r.GatewayAPI, "(unknown)")}
	if r.Channel != "" {
		parts = append(parts, r.Channel+" channel")
	}
	if r.Mode != "" {
		parts = append(parts, "mode "+r.Mode)
	}
	return strings.Join(append(parts, day(r)), ", ")
}

// conclusions say what a result means.
var conclusions = map[Result]string{
	Success: "Conformant: every test of every profile passed",
	Partial: "Partially conformant: nothing failed, some tests were skipped",
	Failure: "Not conformant: tests failed",
}

// takes writes a duration of a test.
func takes(seconds float64) string {
	switch {
	case seconds <= 0:
		return ""
	case seconds < 10:
		return fmt.Sprintf("%.1fs", seconds)
	}
	return (time.Duration(seconds * float64(time.Second))).Round(time.Second).String()
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// remark is what a run knows about a finding of its report.
func remark(r *Report, f Finding) string {
	t := r.Run.test(f.Test)
	if t == nil {
		return ""
	}
	var parts []string
	if t.Outcome == Flaky {
		parts = append(parts, "flaky: passed when run again alone")
	}
	if d := takes(t.Seconds); d != "" && f.Failed {
		parts = append(parts, d)
	}
	if t.Reason != "" {
		parts = append(parts, t.Reason)
	}
	return strings.Join(parts, "; ")
}

package run

import (
	"strings"
	"testing"
)

// A known failure gives its excuse first, then what happened, as any failure.
func TestSummaryGivesExcuses(t *testing.T) {
	r := &Results{Status: StatusPassed, Tests: []TestResult{{
		Name: "HTTPRouteBasics", Outcome: KnownFailure, Reason: "known to fail: it never did\nno answer",
		Attempts: []TestRun{{Attempt: 1, Outcome: Failed, Reason: "no answer", Log: "attempts/1/logs/HTTPRouteBasics.log"}},
	}}}
	var out strings.Builder
	if err := WriteSummary(&out, r, "out"); err != nil {
		t.Fatal(err)
	}
	want := "\nknown-fail HTTPRouteBasics\n  known to fail: it never did\n  attempt 1: fail in 0.0 s\n    no answer\n"
	if !strings.Contains(out.String(), want) {
		t.Errorf("got:\n%s\nwant in it:\n%s", out.String(), want)
	}
}

package run

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// slowest is how many tests a summary names for their duration.
const slowest = 5

// WriteSummary writes what a run came to, for people; dir is the folder of
// results as the caller names it.
func WriteSummary(w io.Writer, r *Results, dir string) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(out, "%s: %s\n", r.Status, r.Verdict)
	if lines := r.byProfile(); len(lines) > 0 {
		fmt.Fprintf(out, "\nPROFILE\tLEVEL\tPASSED\tFAILED\tFLAKY\tSKIPPED\tNOT RUN\n")
		for _, l := range lines {
			fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%d\t%d\n", l.profile, l.level, l.Passed, l.Failed+l.Known, l.Flaky, l.Skipped, l.NotRun)
		}
	}
	for _, t := range r.Tests {
		if t.Outcome != Failed && t.Outcome != Flaky && t.Outcome != KnownFailure {
			continue
		}
		fmt.Fprintf(out, "\n%s %s\n", t.Outcome, t.Name)
		if t.Outcome == KnownFailure { // the excuse, before what happened
			why, _, _ := strings.Cut(t.Reason, "\n")
			fmt.Fprintf(out, "  %s\n", why)
		}
		for _, a := range t.Attempts {
			fmt.Fprintf(out, "  attempt %d: %s in %.1f s\n", a.Attempt, a.Outcome, a.Seconds)
			if a.Outcome != Failed {
				continue
			}
			fmt.Fprintf(out, "    %s\n    log       %s\n", gist(a.Reason), filepath.Join(dir, a.Log))
			if a.Artifacts != "" {
				fmt.Fprintf(out, "    artifacts %s\n", filepath.Join(dir, a.Artifacts))
			}
		}
	}
	for _, a := range r.Attempts {
		if a.Artifacts != "" {
			fmt.Fprintf(out, "\nattempt %d: %s\n    artifacts %s\n", a.Number, a.Status, filepath.Join(dir, a.Artifacts))
		}
	}
	if slow := r.slow(); len(slow) > 0 {
		fmt.Fprintf(out, "\nslowest:\n")
		for _, t := range slow {
			fmt.Fprintf(out, "  %s\t%.1f s\n", t.Name, t.Seconds)
		}
	}
	fmt.Fprintf(out, "\nresults   %s (%s altogether)\n", filepath.Join(dir, ResultsFile), clock(time.Duration(r.Seconds*float64(time.Second))))
	if r.Report.Path != "" {
		fmt.Fprintf(out, "report    %s\n", filepath.Join(dir, r.Report.Path))
	} else {
		fmt.Fprintf(out, "report    none: %s\n", r.Report.Absent)
	}
	return out.Flush()
}

// slow are the slowest tests, the slowest first.
func (r *Results) slow() []TestResult {
	out := slices.DeleteFunc(slices.Clone(r.Tests), func(t TestResult) bool { return t.Seconds < 1 })
	slices.SortStableFunc(out, func(a, b TestResult) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return out[:min(slowest, len(out))]
}

// levelCount counts the tests of a profile at one level.
type levelCount struct {
	profile, level string
	Summary
}

// byProfile counts as the official report does: a test belongs to each profile
// that knows its features. Tests that no profile counts come last.
func (r *Results) byProfile() []levelCount {
	var out []levelCount
	add := func(profile, level string, t TestResult) {
		i := slices.IndexFunc(out, func(c levelCount) bool { return c.profile == profile && c.level == level })
		if i < 0 {
			i = len(out)
			out = append(out, levelCount{profile: profile, level: level})
		}
		out[i].add(t.Outcome)
	}
	for _, p := range r.Profiles {
		for _, level := range []string{LevelCore, LevelExtended} {
			for _, t := range r.Tests {
				if slices.Contains(t.Profiles, Membership{p, level}) {
					add(p, level, t)
				}
			}
		}
	}
	for _, t := range r.Tests {
		if len(t.Profiles) == 0 && t.Outcome != Skipped {
			add("(no profile)", "-", t)
		}
	}
	return out
}

package run

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func events(t testing.TB, in string) []Event {
	t.Helper()
	var out []Event
	if err := readEvents(strings.NewReader(in), func(e Event) { out = append(out, e) }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReadEvents(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, in string
		want       []Event
	}{
		"a run": {
			reason: "the frame is an event and, but for attributes, output too",
			in:     "\x16=== RUN   T\n    x.go:1: hello\n\x16--- PASS: T (1.25s)\n\x16PASS\n",
			want: []Event{
				{Action: ActionRun, Test: "T"},
				{Action: ActionOutput, Test: "T", Output: "=== RUN   T\n"},
				{Action: ActionOutput, Test: "T", Output: "    x.go:1: hello\n"},
				{Action: ActionPass, Test: "T", Elapsed: 1250 * time.Millisecond},
				{Action: ActionOutput, Test: "T", Output: "--- PASS: T (1.25s)\n"},
				{Action: ActionPass},
				{Action: ActionOutput, Output: "PASS\n"},
			},
		},
		"forged": {
			reason: "a result without a mark is what a test printed",
			in:     "\x16=== RUN   T\n--- FAIL: T (0.00s)\nFAIL\n",
			want: []Event{
				{Action: ActionRun, Test: "T"},
				{Action: ActionOutput, Test: "T", Output: "=== RUN   T\n"},
				{Action: ActionOutput, Test: "T", Output: "--- FAIL: T (0.00s)\n"},
				{Action: ActionOutput, Test: "T", Output: "FAIL\n"},
			},
		},
		"attribution": {
			reason: "NAME is no event; it says whose output follows",
			in:     "\x16=== NAME  T/a\nfrom a\n\x16=== NAME  \nfrom nobody\n\x16=== CONT  T/b\nfrom b\n",
			want: []Event{
				{Action: ActionOutput, Test: "T/a", Output: "=== NAME  T/a\n"},
				{Action: ActionOutput, Test: "T/a", Output: "from a\n"},
				{Action: ActionOutput, Output: "=== NAME  \n"},
				{Action: ActionOutput, Output: "from nobody\n"},
				{Action: ActionCont, Test: "T/b"},
				{Action: ActionOutput, Test: "T/b", Output: "=== CONT  T/b\n"},
				{Action: ActionOutput, Test: "T/b", Output: "from b\n"},
			},
		},
		"attribute": {
			reason: "a value may hold spaces",
			in:     "\x16=== ATTR  T/a key {\"a\": 1}\n",
			want:   []Event{{Action: ActionAttr, Test: "T/a", Key: "key", Value: `{"a": 1}`}},
		},
		"no newline": {
			reason: "output without a newline does not hide the frame after it",
			in:     "half a line\x16--- SKIP: T (0.00s)\n",
			want: []Event{
				{Action: ActionOutput, Output: "half a line"},
				{Action: ActionSkip, Test: "T"},
				{Action: ActionOutput, Test: "T", Output: "--- SKIP: T (0.00s)\n"},
			},
		},
		"marks of Go 1.27": {
			reason: "errors are marked, and marks in output escaped",
			in:     "\x16=== NAME  T\n\x0f    x.go:1: bad\x0e\nan escaped \x1b\x16 mark, a \x1b[31mcolour\n",
			want: []Event{
				{Action: ActionOutput, Test: "T", Output: "=== NAME  T\n"},
				{Action: ActionOutput, Test: "T", Output: "    x.go:1: bad\n"},
				{Action: ActionOutput, Test: "T", Output: "an escaped \x16 mark, a \x1b[31mcolour\n"},
			},
		},
		"cut off": {
			reason: "a killed binary ends anywhere",
			in:     "\x16=== RUN   T\nhal",
			want: []Event{
				{Action: ActionRun, Test: "T"},
				{Action: ActionOutput, Test: "T", Output: "=== RUN   T\n"},
				{Action: ActionOutput, Test: "T", Output: "hal"},
			},
		},
		"garbage": {
			reason: "a marked line of no known form is output",
			in:     "\x16=== DANCE T\n\x16--- FAIL\n\x16\xff\n",
			want: []Event{
				{Action: ActionOutput, Output: "=== DANCE T\n"},
				{Action: ActionOutput, Output: "--- FAIL\n"},
				{Action: ActionOutput, Output: "\uFFFD\n"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, events(t, tc.in)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestReadEventsAgreesWithTest2JSON holds the reader against the go command's
// own converter: same results, same attributes, same output of each test.
func TestReadEventsAgreesWithTest2JSON(t *testing.T) {
	const in = "\x16=== RUN   TestConformance\n" +
		"\x16=== RUN   TestConformance/A\n\x16=== PAUSE TestConformance/A\n" +
		"\x16=== NAME  TestConformance\n    s.go:3: between\n" +
		"\x16=== RUN   TestConformance/B\n    s.go:4: in b\n" +
		"\x16=== RUN   TestConformance/B/sub#01\n    s.go:5: in sub\n" +
		"\x16--- FAIL: TestConformance/B/sub#01 (0.50s)\n" +
		"\x16=== NAME  TestConformance/B\n\x16=== ATTR  TestConformance/B causeway.failed \"x y\"\n" +
		"\x16--- FAIL: TestConformance/B (2.00s)\n" +
		"\x16=== CONT  TestConformance/A\nno newline\x16--- SKIP: TestConformance/A (0.00s)\n" +
		"\x16--- FAIL: TestConformance (2.10s)\n\x16FAIL\n"
	cmd := exec.CommandContext(t.Context(), "go", "tool", "test2json", "-t")
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go tool test2json: %v", err)
	}
	type summary struct {
		Results map[string]string
		Attrs   map[string]string
		Output  map[string]string
	}
	fresh := func() summary { return summary{map[string]string{}, map[string]string{}, map[string]string{}} }
	want, got := fresh(), fresh()
	for _, line := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		var e struct{ Action, Test, Output, Key, Value string }
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		add := Event{Action: Action(e.Action), Test: e.Test, Output: e.Output, Key: e.Key, Value: e.Value}
		summarize(add, want.Results, want.Attrs, want.Output)
	}
	for _, e := range events(t, in) {
		summarize(e, got.Results, got.Attrs, got.Output)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("go tool test2json reads it otherwise (-test2json +ours):\n%s", diff)
	}
}

func summarize(e Event, results, attrs, output map[string]string) {
	switch e.Action {
	case ActionPass, ActionFail, ActionSkip:
		results[e.Test] = string(e.Action)
	case ActionAttr:
		attrs[e.Test+" "+e.Key] = e.Value
	case ActionOutput:
		// test2json repeats the frame of an attribute and of a mere change of
		// attribution as output of different tests; both are no content.
		if !strings.HasPrefix(e.Output, "===") {
			output[e.Test] += e.Output
		}
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add("\x16=== RUN   T\nout\n\x16--- PASS: T (1.25s)\n\x16PASS\n")
	f.Add("a\x16=== ATTR  T k v\n\x1b\x16\x0f\x0e")
	f.Add("\x16--- FAIL: T (NaNs)\n\x16--- FAIL: T (1e300s)\n\x16=== NAME")
	f.Fuzz(func(t *testing.T, in string) {
		marked := strings.Count(in, "\x16")
		framing := 0
		for _, e := range events(t, in) {
			if e.Action != ActionOutput {
				framing++
			}
			if e.Elapsed < 0 {
				t.Errorf("negative duration %v", e.Elapsed)
			}
			if strings.ContainsAny(e.Test+e.Key, " \n") {
				t.Errorf("name %q holds a space", e.Test)
			}
		}
		if framing > marked {
			t.Errorf("%d framing events from %d marks: something unmarked was believed", framing, marked)
		}
	})
}

package run

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestProgressLines(t *testing.T) {
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	for name, tc := range map[string]struct {
		reason string
		p      progress
		width  int
		want   []string
	}{
		"begins": {
			reason: "nothing is said of the time left before some tests are done",
			p:      progress{title: "traefik · suite v1.6.3 · embedded", total: 79, started: at(-2)}, width: 80,
			want: []string{"traefik · suite v1.6.3 · embedded", "[" + strings.Repeat(" ", 40) + "] 0/79  0:02", "running: set-up 0:02"},
		},
		"goes on": {
			reason: "the oldest running test stands first, and the pace says when it ends",
			p: progress{title: "x", total: 80, done: 40, failed: []string{"HTTPRouteWeight"}, started: at(-60),
				running: map[string]time.Time{"B": at(-3), "A": at(-75)}}, width: 80,
			want: []string{"x", "[" + strings.Repeat("=", 19) + strings.Repeat(" ", 19) + "] 40/80  1 failed  1:00, about 1:00 left", "running: A 1:15, B 0:03", "failed:  HTTPRouteWeight"},
		},
		"long names": {
			reason: "80 columns are kept",
			p: progress{title: "x", total: 2000, done: 1999, failed: []string{strings.Repeat("F", 90)}, started: at(-36000),
				running: map[string]time.Time{strings.Repeat("R", 90): at(0)}}, width: 80,
			want: []string{"x", "[" + strings.Repeat("=", 29) + " " + "] 1999/2000  1 failed  10:00:00, about 0:18 left", "running: " + strings.Repeat("R", 70) + "…", "failed:  " + strings.Repeat("F", 70) + "…"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.p.lines(tc.width, noon)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			for _, line := range got {
				if n := utf8.RuneCountInString(line); n > tc.width {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
}

func TestPlainViewPrintsALineATest(t *testing.T) {
	var out bytes.Buffer
	v := &plainView{w: &out, now: func() time.Time { return noon }}
	v.Step("starting cluster")
	v.Begin("x", 3)
	for _, test := range []string{"A", "B", "C"} {
		v.Start(test)
	}
	v.Pause("C")
	v.Finish("A", Passed, 1500*time.Millisecond, "")
	v.Finish("B", Failed, 2*time.Second, "    x.go:1: one\n    x.go:2: 2026-11-25T21:36:40.29Z: expected 200, got 503\n")
	v.Finish("C", Skipped, 0, "suite does not support Mesh")
	v.End()
	want := `starting cluster
x: 3 tests
  1/3 pass  A                                                      1.5s
  2/3 fail  B                                                      2.0s
      expected 200, got 503
  3/3 skip  C                                                      0.0s  suite does not support Mesh
3 of 3 tests in 0:00, 1 failed
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTerminalViewLeavesWholeLines replays the escape sequences on a screen.
func TestTerminalViewLeavesWholeLines(t *testing.T) {
	var out bytes.Buffer
	v := newTerminalView(&out, func() int { return 80 })
	v.now = func() time.Time { return noon }
	v.Step("starting cluster")
	v.Write([]byte("building so"))
	v.Write([]byte("mething\n"))
	v.Step("waiting")
	v.Begin("x", 2)
	v.Start("A")
	v.Finish("A", Failed, time.Second, "got 503")
	v.Finish("B", Passed, time.Second, "")
	v.End()
	v.Close()
	want := []string{
		"building something",
		"starting cluster (0:00)",
		"waiting (0:00)",
		"fail  A                                                      1.0s",
		"      got 503",
		"x: 2 of 2 tests in 0:00, 1 failed",
		"",
	}
	if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// screen is what a terminal shows after some output.
func screen(t *testing.T, out string) []string {
	t.Helper()
	lines := []string{""}
	for out != "" {
		if rest, ok := strings.CutPrefix(out, "\x1b["); ok {
			end := strings.IndexAny(rest, "AJ")
			if rest[end] == 'A' {
				up := 0
				for _, c := range rest[:end] {
					up = up*10 + int(c-'0')
				}
				lines = lines[:len(lines)-up]
			} else {
				lines[len(lines)-1] = ""
			}
			out = rest[end+1:]
			continue
		}
		switch out[0] {
		case '\n':
			lines = append(lines, "")
		case '\r':
		default:
			lines[len(lines)-1] += out[:1]
		}
		out = out[1:]
	}
	return lines
}

func TestReasons(t *testing.T) {
	if got := skipReason([]string{"    conformance.go:81: Skipping MeshBasics: suite does not support Mesh\n"}); got != "suite does not support Mesh" {
		t.Errorf("skip reason %q", got)
	}
	if got := gist("a\n    http.go:306: 2026-11-25T21:36:40.294064587Z: timeout while waiting\n"); got != "timeout while waiting" {
		t.Errorf("last line %q", got)
	}
	const testify = "    suite.go:442: \n        \tError Trace:\thelpers.go:329\n        \t            \tsuite.go:442\n" +
		"        \tError:      \tReceived unexpected error:\n        \t            \tcontext deadline exceeded\n" +
		"        \tTest:       \tTestConformance\n        \tMessages:   \terror waiting for namespaces\n"
	if got := gist(reasonOf([]string{testify, "    apply.go:255: 2026-11-25T21:55:12.73Z: Deleting mismatch-ca-certificate \n"})); got != "error waiting for namespaces: context deadline exceeded" {
		t.Errorf("gist %q", got)
	}
	if got := gist("\n    x.go:1: \n\tError Trace:\tx.go:2\n\tError:\tShould be true\n\tTest:\tT"); got != "Should be true" {
		t.Errorf("gist %q", got)
	}
	if got := fileName("../../etc/passwd"); strings.ContainsAny(got, "/.") {
		t.Errorf("file name %q", got)
	}
}

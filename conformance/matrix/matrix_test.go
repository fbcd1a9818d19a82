package matrix

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/conformance/run"
)

func TestCells(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		axes   Axes
		want   []string
	}{
		"one":       {"what was not asked for is not in the name", Axes{Implementations: []string{"traefik"}, Suites: []string{"v1.6"}}, []string{"traefik_v1.6"}},
		"product":   {"the suite changes fastest", Axes{[]string{"a", "b"}, []string{"v1.36.1", "v1.37.2"}, []string{"standard"}, []string{"v1.6", "v1.7"}}, []string{"a_v1.36.1_standard_v1.6", "a_v1.36.1_standard_v1.7", "a_v1.37.2_standard_v1.6", "a_v1.37.2_standard_v1.7", "b_v1.36.1_standard_v1.6", "b_v1.36.1_standard_v1.7", "b_v1.37.2_standard_v1.6", "b_v1.37.2_standard_v1.7"}},
		"odd names": {"no name leads out of the folder", Axes{Implementations: []string{"../x"}, Suites: []string{"/tmp/my suite.test"}}, []string{"-x_my-suite.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, cell := range c.axes.Cells() {
				got = append(got, cell.Folder())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// results are those of a cell by the name of its implementation.
func results(name string) (*run.Results, error) {
	r := &run.Results{Version: run.ResultsVersion, Suite: "v1.6.3", Status: run.StatusPassed, Verdict: "all 3 tests passed", Summary: run.Summary{Total: 3, Passed: 3}, Report: run.ReportState{Path: "report.yaml"}}
	switch name {
	case "bad":
		r.Status, r.Verdict, r.Summary = run.StatusFailed, "1 of 3 tests failed: X", run.Summary{Total: 3, Passed: 2, Failed: 1}
	case "broken":
		return nil, errors.New("no cluster came up")
	}
	return r, nil
}

func TestACellThatFailsKeepsTheOthers(t *testing.T) {
	out := t.TempDir()
	var now, most atomic.Int32
	var begun sync.WaitGroup
	begun.Add(2) // both workers are inside at once, or the test hangs
	m, err := Run(t.Context(), Options{
		Cells: Axes{Implementations: []string{"bad", "broken", "good"}, Suites: []string{"v1.6"}}.Cells(), Parallel: 2, Out: out,
		Run: func(_ context.Context, number int, c Cell, dir string, resume bool) (*run.Results, error) {
			if resume || dir != filepath.Join(out, c.Folder()) {
				t.Errorf("cell %d: folder %s, resume %v", number, dir, resume)
			}
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			if number < 2 {
				begun.Done()
				begun.Wait()
			}
			return results(c.Implementation)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if most.Load() != 2 {
		t.Errorf("%d at a time", most.Load())
	}
	var got []run.Status
	for _, c := range m.Cells {
		got = append(got, c.Status)
	}
	if diff := cmp.Diff([]run.Status{run.StatusFailed, Broken, run.StatusPassed}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.Equal(m.Nonconformant(), []string{"bad_v1.6"}) || !slices.Equal(m.Unfinished(), []string{"broken_v1.6"}) {
		t.Errorf("nonconformant %v, unfinished %v", m.Nonconformant(), m.Unfinished())
	}
	read, err := Read(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Cells, read.Cells); diff != "" {
		t.Errorf("%s (-want +got):\n%s", File, diff)
	}
	var b bytes.Buffer
	if err := Write(&b, m, "out"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bad ", "failed", "broken_v1.6: broken\n  no cluster came up", "1 of 3 cells passed", "out/matrix.json"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the summary does not say %q:\n%s", want, b.String())
		}
	}
}

func TestResumeKeepsWhatIsFinished(t *testing.T) {
	out := t.TempDir()
	cells := Axes{Implementations: []string{"done", "half", "new"}, Suites: []string{"v1.6"}}.Cells()
	for name, status := range map[string]string{"done": "passed", "half": "interrupted"} {
		dir := filepath.Join(out, name+"_v1.6")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, run.ResultsFile), []byte(`{"version":1,"status":"`+status+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	ran := map[string]bool{}
	o := Options{Cells: cells, Out: out, Resume: true, Run: func(_ context.Context, _ int, c Cell, _ string, resume bool) (*run.Results, error) {
		mu.Lock()
		defer mu.Unlock()
		ran[c.Implementation] = resume
		return results("good")
	}}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"half": true, "new": false}, ran); diff != "" {
		t.Errorf("cells that ran, and whether they went on (-want +got):\n%s", diff)
	}
	o.Resume = false
	if _, err := Run(t.Context(), o); !errors.Is(err, ErrOptions) {
		t.Errorf("a folder of another matrix is not taken: %v", err)
	}
}

func TestInterruptLeavesTheRestWaiting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m, err := Run(ctx, Options{Cells: Axes{Implementations: []string{"a", "b"}, Suites: []string{"v1.6"}}.Cells(), Out: t.TempDir(),
		Run: func(ctx context.Context, _ int, _ Cell, _ string, _ bool) (*run.Results, error) {
			cancel()
			return nil, ctx.Err()
		}})
	if !errors.Is(err, context.Canceled) || m.Cells[0].Status != run.StatusInterrupted || m.Cells[1].Status != Waiting {
		t.Errorf("%v: %+v", err, m.Cells)
	}
}

func TestTheSameCellTwice(t *testing.T) {
	_, err := Run(t.Context(), Options{Cells: Axes{Implementations: []string{"a", "a"}, Suites: []string{"v1.6"}}.Cells(), Out: t.TempDir()})
	if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), "a_v1.6 is asked for twice") {
		t.Errorf("got %v", err)
	}
}

func TestPrefixed(t *testing.T) {
	var b bytes.Buffer
	var mu sync.Mutex
	w := Prefixed(&b, &mu, "a")
	for _, s := range []string{"one\ntw", "o\n", strings.Repeat("x", maxLine+1), "\n"} {
		if _, err := io.WriteString(w, s); err != nil {
			t.Fatal(err)
		}
	}
	if want := "a | one\na | two\na | " + strings.Repeat("x", maxLine+1) + "\n"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("got %.80q", b.String())
	}
}

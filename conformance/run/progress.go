package run

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// NewView shows a run on w: a block that is drawn again and again on a terminal,
// plain lines elsewhere.
func NewView(w io.Writer) View {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		return newTerminalView(f, func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width < 20 {
				return 80
			}
			return width
		})
	}
	return &plainView{w: w, now: time.Now}
}

// progress is the state of an attempt's tests.
type progress struct {
	title   string
	total   int
	done    int
	failed  []string
	started time.Time
	running map[string]time.Time
}

func newProgress(title string, total int, now time.Time) *progress {
	return &progress{title: title, total: total, started: now, running: map[string]time.Time{}}
}

func (p *progress) finish(test string, outcome Outcome) {
	delete(p.running, test)
	p.done++
	if outcome == Failed {
		p.failed = append(p.failed, test)
	}
}

// left is the time that the rest of the tests take at the pace so far; 0 when it
// is too early to say.
func (p *progress) left(now time.Time) time.Duration {
	if p.done < 3 {
		return 0
	}
	return now.Sub(p.started) / time.Duration(p.done) * time.Duration(max(0, p.total-p.done))
}

// byAge are the running tests, the oldest first.
func (p *progress) byAge() []string {
	return slices.SortedFunc(maps.Keys(p.running), func(a, b string) int {
		return cmp.Or(p.running[a].Compare(p.running[b]), cmp.Compare(a, b))
	})
}

// now says what runs, the oldest first. The suite sets up its own objects before
// the first test.
func (p *progress) now(now time.Time) string {
	if len(p.running) == 0 && p.done == 0 {
		return "set-up " + clock(now.Sub(p.started))
	}
	var out []string
	for _, test := range p.byAge() {
		out = append(out, test+" "+clock(now.Sub(p.running[test])))
	}
	return strings.Join(out, ", ")
}

// lines is the block on a terminal, each line at most width wide.
func (p *progress) lines(width int, now time.Time) []string {
	count := fmt.Sprintf(" %d/%d", p.done, p.total)
	if n := len(p.failed); n > 0 {
		count += fmt.Sprintf("  %d failed", n)
	}
	count += "  " + clock(now.Sub(p.started))
	if left := p.left(now); left > 0 {
		count += ", about " + clock(left) + " left"
	}
	cells := max(10, min(40, width-len(count)-3))
	full := 0
	if p.total > 0 {
		full = cells * min(p.done, p.total) / p.total
	}
	out := []string{p.title, "[" + strings.Repeat("=", full) + strings.Repeat(" ", cells-full) + "]" + count}
	out = append(out, "running: "+p.now(now))
	if len(p.failed) > 0 {
		out = append(out, "failed:  "+strings.Join(p.failed, ", "))
	}
	for i, line := range out {
		out[i] = fit(line, width)
	}
	return out
}

// clock is a duration as minutes and seconds.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// fit cuts a line to a width in characters.
func fit(line string, width int) string {
	if utf8.RuneCountInString(line) <= width {
		return line
	}
	return string([]rune(line)[:width-1]) + "…"
}

// finishLine is the line that stays of a finished test.
func finishLine(test string, outcome Outcome, took time.Duration, reason string) string {
	line := fmt.Sprintf("%-4s  %-50s %7.1fs", outcome, test, took.Seconds())
	switch outcome {
	case Skipped:
		line += "  " + firstLine(reason)
	case Failed:
		if why := gist(reason); why != "" {
			line += "\n      " + why
		}
	}
	return line
}

package matrix

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Write writes the summary for people, the cells in their order; dir is the
// folder as the caller names it.
func Write(w io.Writer, m *Matrix, dir string) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "IMPLEMENTATION\tKUBERNETES\tCHANNEL\tGATEWAY API\tSTATUS\tPASSED\tFAILED\tFLAKY\tTIME")
	counts := map[string]int{}
	for _, c := range m.Cells {
		counts[string(c.Status)]++
		s := c.Summary
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", strings.TrimSpace(c.Implementation+" "+c.Version),
			cmp.Or(c.Ran, c.Kubernetes, "-"), cmp.Or(c.Channel, "-"), cmp.Or(c.GatewayAPI, c.Suite, "-"), c.Status, s.Passed, s.Failed+s.Known, s.Flaky,
			time.Duration(c.Seconds*float64(time.Second)).Round(time.Second))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, c := range m.Cells {
		if c.Status != "passed" && c.Verdict != "" {
			fmt.Fprintf(w, "\n%s: %s\n  %s\n", c.Folder, c.Status, strings.ReplaceAll(strings.TrimSpace(c.Verdict), "\n", "\n  "))
		}
	}
	_, err := fmt.Fprintf(w, "\n%d of %d cells passed\nresults   %s/%s\n", counts["passed"], len(m.Cells), strings.TrimSuffix(dir, "/"), File)
	return err
}

// Prefixed writes lines to a writer that cells share, each with the name of its
// cell in front.
func Prefixed(w io.Writer, shared *sync.Mutex, name string) io.Writer {
	return &prefixed{w: w, mu: shared, prefix: []byte(name + " | ")}
}

type prefixed struct {
	w      io.Writer
	mu     *sync.Mutex
	prefix []byte
	rest   []byte // of a line that has not ended
}

// maxLine is how much of a line without an end is kept, in bytes.
const maxLine = 64 << 10

// Write implements [io.Writer]. It is not for several goroutines at a time.
func (p *prefixed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	var out []byte
	for {
		i := bytes.IndexByte(p.rest, '\n')
		if i < 0 && len(p.rest) < maxLine {
			break
		}
		line := p.rest
		if i >= 0 {
			line = p.rest[:i]
		}
		out = append(append(append(out, p.prefix...), line...), '\n')
		p.rest = p.rest[min(len(line)+1, len(p.rest)):]
	}
	if len(out) == 0 {
		return len(b), nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

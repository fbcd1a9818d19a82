package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

// TextOptions of the terminal summary.
type TextOptions struct {
	// Groups shown before the rest is counted; 20 when zero.
	Groups int
}

// WriteText writes the summary for a terminal: totals, then what needs a
// decision, most urgent first. Its length is bounded.
func WriteText(w io.Writer, m *Migration, o TextOptions) error {
	limit := o.Groups
	if limit == 0 {
		limit = 20
	}
	b := bufio.NewWriter(w)
	for _, e := range m.Errors {
		fmt.Fprintf(b, "%s:%d: %s\n", e.File, e.Line, e.Message)
		if e.Remedy != "" {
			wrapped(b, "  → ", e.Remedy)
		}
	}
	n := m.Ledger.Count()
	fmt.Fprintf(b, "%d objects read, %d written, %d fields accounted for\n", m.Read, m.Written, len(m.Ledger.Entries))
	for _, s := range []ledger.Status{ledger.Converted, ledger.Approximated, ledger.Extension, ledger.Unsupported, ledger.Ignored} {
		fmt.Fprintf(b, "  %-13s%6d\n", s, n[s])
	}
	groups := decisions(m.Ledger)
	if len(groups) > 0 {
		fmt.Fprintln(b, "\nNeeds a decision:")
	}
	for i, g := range groups {
		if i == limit {
			fmt.Fprintf(b, "\nand %d more kinds of findings: see --report\n", len(groups)-limit)
			break
		}
		label := string(g.status)
		if u := urgencyNames[g.urgency]; u != "" {
			label = u
		}
		fmt.Fprintf(b, "\n[%s] %s", label, g.entries[0].Object)
		if len(g.entries) > 1 {
			fmt.Fprint(b, " ", otherPlaces(len(g.entries)-1))
		}
		fmt.Fprintln(b)
		if at := where(g.entries[0]); at != "" {
			fmt.Fprintln(b, strings.TrimRight("  "+at+" "+g.entries[0].Path, " "))
		}
		wrapped(b, "  ", g.message)
		if g.remedy != "" {
			wrapped(b, "  → ", g.remedy)
		}
	}
	return b.Flush()
}

// wrapped writes text within 80 columns; later lines are indented as far as
// the first.
func wrapped(w io.Writer, indent, text string) {
	col, pad := 0, strings.Repeat(" ", len([]rune(indent)))
	fmt.Fprint(w, indent)
	for i, word := range strings.Fields(text) {
		if i > 0 && col+1+len([]rune(word)) > 78-len(pad) {
			fmt.Fprintf(w, "\n%s", pad)
			col = 0
		} else if i > 0 {
			fmt.Fprint(w, " ")
			col++
		}
		fmt.Fprint(w, word)
		col += len([]rune(word))
	}
	fmt.Fprint(w, "\n")
}

package reports

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

var cell = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "`", "'")

// WriteMarkdown writes totals, decisions, and a table per source object.
func WriteMarkdown(w io.Writer, m *Migration) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# %s\n\n| status | fields |\n| --- | --- |\n", m.Title)
	n := m.Ledger.Count()
	for _, s := range ledger.Order {
		fmt.Fprintf(b, "| %s | %d |\n", s, n[s])
	}
	if groups := decisions(m.Ledger); len(groups) > 0 {
		fmt.Fprint(b, "\n## Needs a decision\n\n")
		for _, g := range groups {
			fmt.Fprintf(b, "- **%s** `%s`", g.status, cell.Replace(g.entries[0].Object.String()))
			if len(g.entries) > 1 {
				fmt.Fprint(b, " ", otherPlaces(len(g.entries)-1))
			}
			fmt.Fprintf(b, ": %s", cell.Replace(g.message))
			if g.remedy != "" {
				fmt.Fprintf(b, " → %s", cell.Replace(g.remedy))
			}
			fmt.Fprintln(b)
		}
	}
	last := ""
	for i := range m.Ledger.Entries {
		e := &m.Ledger.Entries[i]
		if e.Object.Kind != "Ingress" {
			continue
		}
		if o := e.Object.String(); o != last {
			last = o
			fmt.Fprintf(b, "\n## %s\n\n| status | field | where | note |\n| --- | --- | --- | --- |\n", cell.Replace(o))
		}
		note := e.Message
		if e.Remedy != "" {
			note += " → " + e.Remedy
		}
		fmt.Fprintf(b, "| %s | `%s` | %s | %s |\n", e.Status, cell.Replace(e.Path), cell.Replace(where(e)), cell.Replace(note))
	}
	return b.Flush()
}

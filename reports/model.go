// Package reports writes what a migration did: a summary for the terminal,
// JSON and SARIF for machines, Markdown and HTML for people. It owns the
// spelling of a report, not its content.
package reports

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/routing"
)

// Migration is everything a report shows.
type Migration struct {
	Title, Tool string
	Ledger      *ledger.Ledger
	Read        int      // number of objects read, whatever their kind
	Sources     []Source // those that hold routing
	Outputs     []Output // may be left out where texts are not shown
	Written     int      // number of objects emitted
	Errors      []InputError
	// Verification of the output against the input; nil when it was not asked
	// for.
	Verification *Verification
}

// Source is an input object as it was written; never a Secret.
type Source struct {
	Ref  routing.ObjectRef
	File string
	Line int
	Text string
}

// Output is an emitted object and the objects it comes from.
type Output struct {
	Ref  routing.ObjectRef
	Text string
	From []routing.ObjectRef
}

// InputError is a document that could not be read.
type InputError struct {
	File    string
	Line    int
	Message string
	Remedy  string
}

var writers = map[string]func(io.Writer, *Migration) error{
	".json": WriteJSON, ".md": WriteMarkdown, ".sarif": WriteSARIF, ".html": WriteHTML,
}

// WriteFile writes a report in the form that the extension names: .html,
// .json, .md or .sarif. The file appears whole or not at all.
func WriteFile(path string, m *Migration) error {
	write := writers[strings.ToLower(filepath.Ext(path))]
	if write == nil {
		return fmt.Errorf("%s: the extension names no report: use .html, .json, .md or .sarif", path)
	}
	return WriteWhole(path, func(w io.Writer) error { return write(w, m) })
}

// WriteVerificationFile writes a verification as .html or .json.
func WriteVerificationFile(path, title, tool string, v *Verification) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".html":
		return WriteWhole(path, func(w io.Writer) error { return WriteVerificationHTML(w, title, tool, v) })
	case ".json":
		return WriteWhole(path, func(w io.Writer) error { return WriteVerificationJSON(w, v) })
	}
	return fmt.Errorf("%s: the extension names no report of a verification: use .html or .json", path)
}

// WriteWhole makes a file appear whole or not at all, with the folders above it.
func WriteWhole(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".causeway-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := write(tmp); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// urgencyNames are the words for entries that need a decision first.
var urgencyNames = map[ledger.Urgency]string{
	ledger.Broken: "breaks the controller", ledger.Dropped: "not served today", ledger.Closed: "closed",
}

// group is a message and the entries that share it.
type group struct {
	message, remedy string
	status          ledger.Status
	urgency         ledger.Urgency
	entries         []*ledger.Entry
}

// decisions groups what needs a decision, the most urgent first, in ledger
// order within an urgency; O(n) in the entries.
func decisions(l *ledger.Ledger) []*group {
	type key struct {
		m string
		s ledger.Status
		u ledger.Urgency
	}
	byKey := map[key]*group{}
	var buckets [ledger.Broken + 1][3][]*group
	for i := range l.Entries {
		e := &l.Entries[i]
		place := map[ledger.Status]int{ledger.Unsupported: 0, ledger.Extension: 1}
		at, counts := place[e.Status]
		if !counts && e.Urgency == ledger.Routine {
			continue
		}
		if !counts {
			at = 2
		}
		k := key{e.Message, e.Status, e.Urgency}
		g := byKey[k]
		if g == nil {
			g = &group{message: e.Message, remedy: e.Remedy, status: e.Status, urgency: e.Urgency}
			byKey[k] = g
			buckets[e.Urgency][at] = append(buckets[e.Urgency][at], g)
		}
		g.entries = append(g.entries, e)
	}
	var out []*group
	for u := int(ledger.Broken); u >= 0; u-- {
		for _, gs := range buckets[u] {
			out = append(out, gs...)
		}
	}
	return out
}

func where(e *ledger.Entry) string {
	if e.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", e.File, e.Line)
}

// otherPlaces says that a finding stands in n places besides the one named.
func otherPlaces(n int) string {
	if n == 1 {
		return "and 1 other place"
	}
	return fmt.Sprintf("and %d other places", n)
}

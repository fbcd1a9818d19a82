package reports

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

// Verification is what verify found, with the ledger that announced
// differences; Ledger may be nil.
type Verification struct {
	Result *verify.Result
	Ledger *ledger.Ledger
}

// announcement is a ledger message with the differences it foretold.
type announcement struct {
	Message string
	Count   int
	Example *verify.Difference
}

// Announcements groups the announced differences by the first message of the
// ledger that foretold them, the most frequent first.
func (v *Verification) Announcements() []*announcement {
	byMessage := map[string]*announcement{}
	var out []*announcement
	for i := range v.Result.Differences {
		d := &v.Result.Differences[i]
		if len(d.Announced) == 0 {
			continue
		}
		message := "announced"
		if v.Ledger != nil {
			message = v.Ledger.Entries[d.Announced[0]].Message
		}
		a := byMessage[message]
		if a == nil {
			a = &announcement{Message: message, Example: d}
			byMessage[message] = a
			out = append(out, a)
		}
		a.Count++
	}
	slices.SortStableFunc(out, func(a, b *announcement) int { return b.Count - a.Count })
	return out
}

// Headline says the result in a sentence.
func (v *Verification) Headline() string {
	n := len(v.Result.Surprises())
	announced := len(v.Result.Differences) - n
	said := fmt.Sprintf("%d requests were asked of both sides: ", v.Result.Witnesses)
	switch {
	case n > 0 && announced > 0:
		return said + counted(n, "unexpected difference") + ", and " + counted(announced, "difference") + " that the ledger announces"
	case n > 0:
		return said + counted(n, "difference")
	case announced > 0:
		return said + "no unexpected difference; " + counted(announced, "difference") + " that the ledger announces"
	}
	return said + "all go to the same place with the same changes"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// VerificationOptions bound the text.
type VerificationOptions struct {
	Limit int // of each list; 20 when zero
	// Brief leaves out what is not a surprise.
	Brief bool
}

// WriteVerification writes the result for a terminal.
func WriteVerification(w io.Writer, v *Verification, o VerificationOptions) error {
	limit := o.Limit
	if limit == 0 {
		limit = 20
	}
	b := bufio.NewWriter(w)
	wrapped(b, "", v.Headline())
	for i, d := range v.Result.Surprises() {
		if i == limit {
			fmt.Fprintf(b, "\nand %d more: see -o json\n", len(v.Result.Surprises())-limit)
			break
		}
		fmt.Fprintf(b, "\n%d. %s\n", i+1, verify.Curl(&d.Request))
		writeDifference(b, "   ", &d)
	}
	if !o.Brief {
		v.writeRest(b, limit)
	}
	return b.Flush()
}

func writeDifference(b *bufio.Writer, indent string, d *verify.Difference) {
	alike := ""
	if d.Alike > 1 {
		alike = fmt.Sprintf(" (%d requests alike)", d.Alike)
	}
	fmt.Fprintf(b, "%sdiffers in %s%s\n", indent, d.Aspects, alike)
	for _, side := range []struct {
		name string
		d    *routing.Decision
	}{{"before", &d.Before}, {"after ", &d.After}} {
		wrapped(b, indent+side.name+"  ", outcome(side.d))
		for _, x := range details(side.d, d.Aspects) {
			wrapped(b, indent+"        ", x)
		}
		if at := because(side.d.Why); at != "" {
			wrapped(b, indent+"        ", at)
		}
	}
}

func (v *Verification) writeRest(b *bufio.Writer, limit int) {
	if as := v.Announcements(); len(as) > 0 {
		fmt.Fprintln(b, "\nAnnounced by the ledger:")
		for i, a := range as {
			if i == limit {
				fmt.Fprintf(b, "  and %d more kinds\n", len(as)-limit)
				break
			}
			wrapped(b, fmt.Sprintf("  %4d × ", a.Count), a.Message)
			fmt.Fprintf(b, "         %s\n", verify.Curl(&a.Example.Request))
		}
	}
	if len(v.Result.Dependences) > 0 {
		fmt.Fprintln(b, "\nDepends on the implementation:")
		for _, d := range v.Result.Dependences {
			wrapped(b, "  ", d.Reading)
			fmt.Fprintf(b, "     %s\n", verify.Curl(&d.Request))
			writeDifference(b, "     ", &d.Difference)
		}
	}
	if dead := v.Result.Dead; len(dead) > 0 {
		fmt.Fprintln(b, "\nNever decide, because an earlier rule takes all their requests:")
		for _, d := range dead[:min(len(dead), limit)] {
			wrapped(b, "  "+d.Side.String()+"  ", because(d.Rule)+", after "+because(d.By))
		}
		if len(dead) > limit {
			fmt.Fprintf(b, "  and %d more\n", len(dead)-limit)
		}
	}
	if un := v.Result.Uncovered; len(un) > 0 {
		fmt.Fprintln(b, "\nNot covered:")
		for _, u := range un[:min(len(un), limit)] {
			text := u.Reason
			if u.Rule != nil {
				text = u.Side.String() + "  " + because(u.Rule) + ": " + u.Reason
			}
			wrapped(b, "  ", text)
		}
		if len(un) > limit {
			fmt.Fprintf(b, "  and %d more\n", len(un)-limit)
		}
	}
}

type whyJSON struct {
	Side   string `json:"side,omitempty"`
	Object string `json:"object,omitempty"`
	Path   string `json:"path,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
}

func whyOf(r *routing.Rule) whyJSON {
	o := r.Origin
	return whyJSON{Object: o.Object.String(), Path: o.Path, File: o.File, Line: o.Line}
}

type differenceJSON struct {
	Request   *routing.Request  `json:"request"`
	Curl      string            `json:"curl"`
	Aspects   []string          `json:"aspects"`
	Alike     int               `json:"alike"`
	Before    *routing.Decision `json:"before"`
	After     *routing.Decision `json:"after"`
	Announced bool              `json:"announced"`
	Ledger    []int             `json:"ledger,omitempty"`
}

func differenceOf(d *verify.Difference) differenceJSON {
	return differenceJSON{&d.Request, verify.Curl(&d.Request), d.Aspects.Names(), d.Alike, &d.Before, &d.After, len(d.Announced) > 0, d.Announced}
}

type deadJSON struct {
	whyJSON
	By whyJSON `json:"by"`
}

type uncoveredJSON struct {
	whyJSON
	Reason string `json:"reason"`
}

type readingJSON struct {
	Reading string `json:"reading"`
	differenceJSON
}

type verificationJSON struct {
	Equal       bool             `json:"equal"` // nothing unexpected
	Witnesses   int              `json:"witnesses"`
	Differences []differenceJSON `json:"differences"`
	Readings    []readingJSON    `json:"readings"`
	Dead        []deadJSON       `json:"dead"`
	Uncovered   []uncoveredJSON  `json:"uncovered"`
}

func (v *Verification) json() verificationJSON {
	r := v.Result
	out := verificationJSON{Equal: len(r.Surprises()) == 0, Witnesses: r.Witnesses,
		Differences: []differenceJSON{}, Readings: []readingJSON{}, Dead: []deadJSON{}, Uncovered: []uncoveredJSON{}}
	for i := range r.Differences {
		out.Differences = append(out.Differences, differenceOf(&r.Differences[i]))
	}
	for i := range r.Dependences {
		out.Readings = append(out.Readings, readingJSON{r.Dependences[i].Reading, differenceOf(&r.Dependences[i].Difference)})
	}
	for _, d := range r.Dead {
		x := deadJSON{whyOf(d.Rule), whyOf(d.By)}
		x.Side = d.Side.String()
		out.Dead = append(out.Dead, x)
	}
	for _, u := range r.Uncovered {
		x := uncoveredJSON{Reason: u.Reason}
		if u.Rule != nil {
			x.whyJSON = whyOf(u.Rule)
			x.Side = u.Side.String()
		}
		out.Uncovered = append(out.Uncovered, x)
	}
	return out
}

// WriteVerificationJSON writes the public form.
func WriteVerificationJSON(w io.Writer, v *Verification) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(v.json())
}

// ReadLedger reads the form that WriteJSON writes, for announcements.
func ReadLedger(r io.Reader) (*ledger.Ledger, error) {
	var in struct {
		Entries []entryJSON `json:"entries"`
	}
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, fmt.Errorf("this is no ledger as --report x.json writes it: %w", err)
	}
	urgencies := map[string]ledger.Urgency{}
	for u, name := range urgencyNames {
		urgencies[name] = u
	}
	l := &ledger.Ledger{}
	for _, e := range in.Entries {
		if !slices.Contains(ledger.Order, e.Status) {
			return nil, fmt.Errorf("this is no ledger as --report x.json writes it: status %q", strings.TrimSpace(string(e.Status)))
		}
		l.Entries = append(l.Entries, ledger.Entry{Subject: &ledger.Subject{Object: e.Object, File: e.File}, Status: e.Status, Urgency: urgencies[e.Urgency], Path: e.Path, Line: e.Line,
			Message: e.Message, Remedy: e.Remedy, Targets: e.Targets, Features: ledger.Features(strings.Join(e.Features, " "))})
	}
	return l, nil
}

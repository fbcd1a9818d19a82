package reports

import (
	"embed"
	"html/template"
	"io"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

//go:embed page.html verification.html verified.html page.css
var pages embed.FS

var pageTemplates = template.Must(template.New("").Funcs(template.FuncMap{
	"where": where, "places": otherPlaces, "urgency": func(u ledger.Urgency) string { return urgencyNames[u] },
	"css": stylesheet, "curl": func(r routing.Request) string { return verify.Curl(&r) }, "because": because, "side": sideOf, "surprises": surprises,
	"first":          func(d []verify.Dead) []verify.Dead { return d[:min(len(d), listed)] },
	"firstUncovered": func(u []verify.Uncovered) []verify.Uncovered { return u[:min(len(u), listed)] },
}).ParseFS(pages, "*.html"))

// listed bounds each list of a verification.
const listed = 200

func stylesheet() template.CSS {
	text, _ := pages.ReadFile("page.css")
	return template.CSS(text) //nolint:gosec // our own file, embedded
}

type htmlSide struct {
	Outcome, Because string
	Details          []string
}

func sideOf(d routing.Decision, a verify.Aspect) htmlSide {
	return htmlSide{outcome(&d), because(d.Why), details(&d, a)}
}

func surprises(v *Verification) []verify.Difference {
	s := v.Result.Surprises()
	return s[:min(len(s), listed)]
}

// WriteVerificationHTML writes a page of its own.
func WriteVerificationHTML(w io.Writer, title, tool string, v *Verification) error {
	return pageTemplates.ExecuteTemplate(w, "verified.html", struct {
		Title, Tool  string
		Verification *Verification
	}{title, tool, v})
}

type htmlObject struct {
	Source  Source
	Entries []*ledger.Entry
	Outputs []*Output
	Worst   ledger.Status
	Search  string
}

type htmlTotal struct {
	Status ledger.Status
	Count  int
	Share  float64
}

type htmlGroup struct {
	Status  ledger.Status
	Urgency ledger.Urgency
	Message string
	Remedy  string
	First   *ledger.Entry
	More    int
}

// WriteHTML writes one self-contained page: it loads nothing from elsewhere
// and works from a file.
func WriteHTML(w io.Writer, m *Migration) error {
	byObject := map[routing.ObjectRef][]*ledger.Entry{}
	for i := range m.Ledger.Entries {
		e := &m.Ledger.Entries[i]
		byObject[e.Object] = append(byObject[e.Object], e)
	}
	outputs := map[routing.ObjectRef][]*Output{}
	for i := range m.Outputs {
		for _, from := range m.Outputs[i].From {
			outputs[from] = append(outputs[from], &m.Outputs[i])
		}
	}
	data := struct {
		*Migration
		Totals  []htmlTotal
		Groups  []htmlGroup
		Objects []htmlObject
		Open    bool
	}{Migration: m, Open: len(m.Sources) <= 12}
	count := m.Ledger.Count()
	for _, s := range []ledger.Status{ledger.Converted, ledger.Approximated, ledger.Extension, ledger.Unsupported, ledger.Ignored} {
		data.Totals = append(data.Totals, htmlTotal{s, count[s], 100 * float64(count[s]) / float64(max(1, len(m.Ledger.Entries)))})
	}
	for _, g := range decisions(m.Ledger) {
		data.Groups = append(data.Groups, htmlGroup{g.status, g.urgency, g.message, g.remedy, g.entries[0], len(g.entries) - 1})
	}
	for _, s := range m.Sources {
		o := htmlObject{Source: s, Entries: byObject[s.Ref], Outputs: outputs[s.Ref], Worst: ledger.Ignored, Search: s.Ref.String() + " " + s.File}
		for _, status := range ledger.Order {
			for _, e := range o.Entries {
				if e.Status == status {
					o.Worst = status
					break
				}
			}
			if o.Worst == status {
				break
			}
		}
		data.Objects = append(data.Objects, o)
	}
	return pageTemplates.ExecuteTemplate(w, "page.html", data)
}

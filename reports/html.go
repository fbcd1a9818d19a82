package reports

import (
	_ "embed"
	"html/template"
	"io"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/routing"
)

//go:embed page.html
var page string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"where": where, "places": otherPlaces, "urgency": func(u ledger.Urgency) string { return urgencyNames[u] },
}).Parse(page))

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
	return pageTemplate.Execute(w, data)
}

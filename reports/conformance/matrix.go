package conformance

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/semver"
)

// Matrix compares implementations: which supports what.
type Matrix struct {
	// Columns are implementations in one mode, each by its newest report.
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
}

// Column is one implementation.
type Column struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	Mode       string `json:"mode,omitempty"`
	GatewayAPI string `json:"gatewayAPIVersion"`
	File       string `json:"file"`

	report *Report
}

// Row is a profile's core or an extended feature; cells are in the order of the
// columns: "success", "partial", "failure" for profiles, "supported",
// "unsupported" for features, "" where a report says nothing.
type Row struct {
	// Kind is "profile" or "feature".
	Kind  string   `json:"kind"`
	Name  string   `json:"name"`
	Cells []string `json:"cells"`
}

// NewMatrix compares the newest report of each implementation and mode. Newer
// is the one of the later Gateway API, then of the later date.
func NewMatrix(reports []*Report) *Matrix {
	newest := map[[2]string]*Report{}
	for _, r := range reports {
		key := [2]string{strings.ToLower(r.Implementation.Name()), cmp.Or(r.Mode, "default")}
		if have := newest[key]; have == nil || newer(r, have) {
			newest[key] = r
		}
	}
	m := &Matrix{}
	for _, r := range newest {
		m.Columns = append(m.Columns, Column{r.Implementation.Name(), r.Implementation.Version, r.Mode, r.GatewayAPI, r.File, r})
	}
	slices.SortFunc(m.Columns, func(a, b Column) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Mode, b.Mode))
	})
	m.profiles()
	m.features()
	return m
}

func newer(a, b *Report) bool {
	if c := semver.Compare(a.GatewayAPI, b.GatewayAPI); c != 0 {
		return c > 0
	}
	s, _ := a.Time()
	t, _ := b.Time()
	return s.After(t)
}

func (m *Matrix) profiles() {
	names := map[string]string{}
	for _, c := range m.Columns {
		for i := range c.report.Profiles {
			names[c.report.Profiles[i].Canonical()] = ""
		}
	}
	for _, name := range keys(names) {
		row := Row{Kind: "profile", Name: name, Cells: make([]string, len(m.Columns))}
		for i, c := range m.Columns {
			for j := range c.report.Profiles {
				if p := &c.report.Profiles[j]; p.Canonical() == name {
					row.Cells[i] = string(p.Core.Result)
				}
			}
		}
		m.Rows = append(m.Rows, row)
	}
}

func (m *Matrix) features() {
	rows := map[string]*Row{}
	names := map[string]string{}
	for i, c := range m.Columns {
		for _, f := range c.report.Features() {
			if rows[f.Name] == nil {
				rows[f.Name], names[f.Name] = &Row{Kind: "feature", Name: f.Name, Cells: make([]string, len(m.Columns))}, ""
			}
			rows[f.Name].Cells[i] = string(unsupported)
			if f.Supported() {
				rows[f.Name].Cells[i] = string(supported)
			}
		}
	}
	for _, name := range keys(names) {
		m.Rows = append(m.Rows, *rows[name])
	}
}

// title names a column.
func (c Column) title() string {
	s := c.Name + " " + c.Version
	if c.Mode != "" && c.Mode != "default" {
		s += " (" + c.Mode + ")"
	}
	return s
}

// signs are cells in one letter.
var signs = map[string]string{string(Success): "✓", string(Partial): "~", string(Failure): "✗", string(supported): "✓", string(unsupported): "·", "": " "}

// WriteMatrixText writes a matrix for a terminal. Implementations get letters,
// as many side by side as fit.
func WriteMatrixText(w io.Writer, m *Matrix) error {
	t := &text{b: bufio.NewWriter(w)}
	widest := 0
	for _, r := range m.Rows {
		widest = max(widest, utf8.RuneCountInString(clean(r.Name)))
	}
	widest = min(widest, 50)
	across := (Width - widest - 1) / 3
	for from := 0; from < len(m.Columns); from += across {
		to := min(from+across, len(m.Columns))
		if from > 0 {
			t.line("")
		}
		head := strings.Repeat(" ", widest+1)
		for i := from; i < to; i++ {
			letter := letters(i)
			t.line(pad(letter, 3) + cut(clean(m.Columns[i].title()+", Gateway API "+m.Columns[i].GatewayAPI), Width-3))
			head += fmt.Sprintf("%3s", letter)
		}
		t.line("")
		t.line(head)
		for _, r := range m.Rows {
			line := pad(clean(r.Name), widest) + " "
			for i := from; i < to; i++ {
				line += "  " + cmp.Or(signs[r.Cells[i]], "?")
			}
			t.line(line)
		}
	}
	t.line("")
	t.line("✓ success or supported  ~ partial  ✗ failure  · not supported")
	return t.b.Flush()
}

// letters counts A, B, …, Z, AA.
func letters(i int) string {
	if i >= 26 {
		return letters(i/26-1) + letters(i%26)
	}
	return string(rune('A' + i))
}

// WriteMatrixMarkdown writes a matrix as a table.
func WriteMatrixMarkdown(w io.Writer, m *Matrix) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "| |")
	for _, c := range m.Columns {
		fmt.Fprintf(b, " %s |", md(c.title()))
	}
	fmt.Fprintf(b, "\n| --- |%s\n", strings.Repeat(" :---: |", len(m.Columns)))
	fmt.Fprint(b, "| Gateway API |")
	for _, c := range m.Columns {
		fmt.Fprintf(b, " %s |", md(c.GatewayAPI))
	}
	fmt.Fprintln(b)
	for _, r := range m.Rows {
		name := md(r.Name)
		if r.Kind == "profile" {
			name = "**" + name + "**"
		}
		fmt.Fprintf(b, "| %s |", name)
		for _, cell := range r.Cells {
			fmt.Fprintf(b, " %s |", strings.TrimSpace(signs[cell]))
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// WriteMatrixCSV writes a matrix for spreadsheets. Text that a spreadsheet
// would take for a formula is quoted
// (https://owasp.org/www-community/attacks/CSV_Injection).
func WriteMatrixCSV(w io.Writer, m *Matrix) error {
	c := csv.NewWriter(w)
	safe := func(s string) string {
		if s = clean(s); s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
			return "'" + s
		}
		return s
	}
	head := []string{"kind", "name"}
	for _, column := range m.Columns {
		head = append(head, safe(column.title()))
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for _, r := range m.Rows {
		line := []string{r.Kind, safe(r.Name)}
		for _, cell := range r.Cells {
			line = append(line, safe(cell))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// WriteMatrixJSON writes a matrix for programs.
func WriteMatrixJSON(w io.Writer, m *Matrix) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(m)
}

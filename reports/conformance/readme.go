package conformance

import (
	"path"
	"regexp"
	"strings"
)

// readme is what the rules ask of the README.md beside a report.
type readme struct {
	rows      []readmeRow
	reproduce string // what the section says
}

// readmeRow is a row of the table of contents.
type readmeRow struct {
	line                   int
	channel, version, mode string
	file                   string // the report it links to
	text                   string // of that link
	release                string // the page that the version links to
}

var markdownLink = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]*)[^)]*\)`)

// parseReadme reads the table of contents and looks for the section Reproduce.
func parseReadme(text string) readme {
	var doc readme
	table, number := false, 0
	reproduce := 0 // the level of the heading that we are below, 0 for none
	for line := range strings.Lines(text) {
		number++
		line = strings.ReplaceAll(strings.TrimSpace(line), `\`, "") // escapes of Markdown
		switch {
		case strings.HasPrefix(line, "#"):
			table = false
			name := strings.TrimLeft(line, "#")
			switch level := len(line) - len(name); {
			case strings.HasPrefix(strings.ToLower(strings.TrimSpace(name)), "reproduce"):
				reproduce = level
			case level <= reproduce:
				reproduce = 0
			}
			continue
		case strings.HasPrefix(line, "|"):
			cells := splitRow(line)
			switch {
			case strings.EqualFold(plainCell(cells[0]), "API channel"):
				table = true
			case table && len(cells) >= 4 && strings.Trim(line, "|:- ") != "":
				row := readmeRow{line: number, channel: plainCell(cells[0]), version: plainCell(cells[1]), mode: plainCell(cells[2])}
				if m := markdownLink.FindStringSubmatch(cells[3]); m != nil {
					row.text, row.file = m[1], path.Base(m[2])
				}
				if m := markdownLink.FindStringSubmatch(cells[1]); m != nil {
					row.release = m[2]
				}
				doc.rows = append(doc.rows, row)
			}
		}
		if reproduce > 0 && line != "" {
			doc.reproduce += line + "\n"
		}
	}
	return doc
}

func splitRow(line string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
}

// plainCell is the text of a cell, of a link its words.
func plainCell(cell string) string {
	return strings.Trim(markdownLink.ReplaceAllString(cell, "$1"), " `*")
}

func (d readme) row(file string) (readmeRow, bool) {
	for _, r := range d.rows {
		if r.file == file {
			return r, true
		}
	}
	return readmeRow{}, false
}

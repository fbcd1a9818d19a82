package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/routing"
)

type entryJSON struct {
	Status  ledger.Status     `json:"status"`
	Urgency string            `json:"urgency,omitempty"`
	Object  routing.ObjectRef `json:"object"`
	Path    string            `json:"path"`
	File    string            `json:"file,omitempty"`
	Line    int32             `json:"line,omitempty"`
	Message string            `json:"message,omitempty"`
	Remedy  string            `json:"remedy,omitempty"`
	Targets []ledger.Target   `json:"targets,omitempty"`
	// Features that are not kept; verification reads them.
	Features []string `json:"features,omitempty"`
}

// WriteJSON writes the public form of the ledger, entry by entry.
func WriteJSON(w io.Writer, m *Migration) error {
	summary, err := json.Marshal(m.Ledger.Count())
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "{\"summary\":%s,\"entries\":[", summary); err != nil {
		return err
	}
	for i := range m.Ledger.Entries {
		e := &m.Ledger.Entries[i]
		line, err := json.Marshal(entryJSON{e.Status, urgencyNames[e.Urgency], e.Object, e.Path, e.File, e.Line, e.Message, e.Remedy, e.Targets, slices.Collect(e.Features.Each())})
		if err != nil {
			return err
		}
		sep := ",\n"
		if i == 0 {
			sep = "\n"
		}
		if _, err := fmt.Fprintf(w, "%s%s", sep, line); err != nil {
			return err
		}
	}
	if _, err = io.WriteString(w, "\n]"); err != nil {
		return err
	}
	if m.Verification != nil {
		text, err := json.Marshal(m.Verification.json())
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, ",\n\"verification\":%s", text); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "}\n")
	return err
}

type obj = map[string]any

var levels = map[ledger.Status]string{
	ledger.Unsupported: "error", ledger.Extension: "warning", ledger.Approximated: "warning",
}

// WriteSARIF writes SARIF 2.1.0, which code hosts show beside the lines
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/). Converted and ignored
// entries are left out.
func WriteSARIF(w io.Writer, m *Migration) error {
	results := []obj{}
	for i := range m.Ledger.Entries {
		e := &m.Ledger.Entries[i]
		level := levels[e.Status]
		if e.Urgency != ledger.Routine {
			level = "error"
		}
		if level == "" {
			continue
		}
		text := e.Object.String() + " " + e.Path + ": " + e.Message
		if e.Remedy != "" {
			text += ". Remedy: " + e.Remedy
		}
		location := obj{"logicalLocations": []obj{{"fullyQualifiedName": e.Object.String() + " " + e.Path}}}
		if e.File != "" && e.File != "-" {
			location["physicalLocation"] = obj{
				"artifactLocation": obj{"uri": filepath.ToSlash(e.File)}, "region": obj{"startLine": max(e.Line, 1)},
			}
		}
		results = append(results, obj{"ruleId": string(e.Status), "level": level, "message": obj{"text": text}, "locations": []obj{location}})
	}
	rules := []obj{}
	for _, s := range ledger.Order {
		if levels[s] != "" {
			rules = append(rules, obj{"id": string(s), "shortDescription": obj{"text": "field is " + string(s)}})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(obj{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []obj{{"tool": obj{"driver": obj{"name": "causeway", "version": strings.TrimPrefix(m.Tool, "causeway "), "rules": rules}}, "results": results}},
	})
}

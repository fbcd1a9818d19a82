package conformance

import (
	"encoding/json"
	"io"
)

// WriteJSON writes what was read in one form, whatever forms it came in.
func WriteJSON(w io.Writer, set *Set) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Reports []*Report `json:"reports"`
		Runs    []*Run    `json:"runs,omitempty"`
	}{set.Reports, set.Runs})
}

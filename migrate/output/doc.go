// Package output writes finished objects: as one stream of YAML or JSON, or as
// a folder with one file per namespace and kind. It owns the serialised form
// (key order, what the API server fills in is left out, comments that name the
// sources) and the safety of writing to disk: it overwrites only what an
// earlier run wrote and nobody edited since, and a run that would do otherwise
// writes nothing. It does not decide which objects exist or in which order.
package output

import (
	"fmt"

	"github.com/causeway-gateway/causeway/routing"
)

// Formats of [Options.Format].
const (
	YAML = "yaml"
	JSON = "json"
)

// Options say where and how objects are written.
type Options struct {
	// Format is yaml (the default) or json. JSON cannot hold comments.
	Format string
	// Dir is the folder of WriteDir; it is created when missing.
	Dir string
	// Force lets WriteDir overwrite files it did not write or that were edited.
	Force bool
	// DryRun lets WriteDir report what it would do without doing it.
	DryRun bool
	// Where says where a source object stood ("shop.yaml:12"), for the
	// comments; nil or an empty answer leaves the place out. It is never called
	// concurrently.
	Where func(routing.ObjectRef) string
}

func (o Options) format() (string, error) {
	switch o.Format {
	case "", YAML:
		return YAML, nil
	case JSON:
		return JSON, nil
	}
	return "", fmt.Errorf("unknown output format %q: use %s or %s", o.Format, YAML, JSON)
}

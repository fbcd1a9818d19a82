package implementation

import (
	"embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

//go:embed catalogue/*.yaml
var catalogue embed.FS

// Names lists the catalogue, sorted.
func Names() []string {
	entries, _ := catalogue.ReadDir("catalogue") // embedded, so it is there
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Text returns the file of a catalogue entry, comments and all.
func Text(name string) ([]byte, error) {
	data, err := catalogue.ReadFile("catalogue/" + name + ".yaml")
	if err != nil {
		return nil, unknown(name)
	}
	return data, nil
}

// ByName reads a catalogue entry.
func ByName(name string) (*Descriptor, error) {
	data, err := Text(name)
	if err != nil {
		return nil, err
	}
	return Read("catalogue/"+name+".yaml", data)
}

// Load takes what the user gave: the name of a catalogue entry, or a file. What
// has a path separator or ends in .yaml, .yml or .json is a file.
func Load(nameOrFile string) (*Descriptor, error) {
	if looksLikeFile(nameOrFile) {
		return ReadFile(nameOrFile)
	}
	return ByName(nameOrFile)
}

func looksLikeFile(s string) bool {
	switch filepath.Ext(s) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return strings.ContainsRune(s, filepath.Separator) || strings.Contains(s, "/")
}

// ErrUnknown is wrapped by errors about names that are not in the catalogue.
var ErrUnknown = errors.New("no such implementation")

func unknown(name string) error {
	hint := "the catalogue has " + strings.Join(Names(), ", ")
	if near := nearest(name, Names()); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("%w: %q; %s (a file needs the ending .yaml)", ErrUnknown, name, hint)
}

// Catalogue reads every entry, sorted by name.
func Catalogue() ([]*Descriptor, error) {
	var out []*Descriptor
	for _, name := range Names() {
		d, err := ByName(name)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

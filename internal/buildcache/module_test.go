package buildcache

import (
	"bytes"
	"path/filepath"
	"testing"
)

func TestHashModule(t *testing.T) {
	hash := func(change func(root string)) string {
		root := t.TempDir()
		write(t, filepath.Join(root, "go.mod"), "module m\n\nreplace x => ./taken\n")
		write(t, filepath.Join(root, "main.go"), "package main")
		write(t, filepath.Join(root, "taken", "go.mod"), "module x")
		write(t, filepath.Join(root, "nested", "go.mod"), "module y")
		change(root)
		var buf bytes.Buffer
		if err := hashModule(&buf, root); err != nil {
			t.Fatal(err)
		}
		return buf.String()
	}
	before := hash(func(string) {})
	for name, tc := range map[string]struct {
		reason, file string
		changes      bool
	}{
		"Source":   {"sources count", "main.go", true},
		"Test":     {"tests do not", "main_test.go", false},
		"Replaced": {"a nested module that is taken in counts", "taken/x.go", true},
		"Nested":   {"another nested module does not", "nested/y.go", false},
	} {
		t.Run(name, func(t *testing.T) {
			after := hash(func(root string) { write(t, filepath.Join(root, filepath.FromSlash(tc.file)), "package changed") })
			if (before != after) != tc.changes {
				t.Errorf("%s: %s", tc.reason, tc.file)
			}
		})
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx/annotation"
)

func TestThePageNamesEveryAnnotationAndKey(t *testing.T) {
	var page bytes.Buffer
	write(&page)
	text := page.String()
	for _, n := range annotation.Names() {
		if !strings.Contains(text, "`"+n+"`") {
			t.Errorf("%s is missing", n)
		}
	}
	for _, k := range annotation.Keys() {
		if !strings.Contains(text, "| `"+k.Name+"` |") {
			t.Errorf("key %s is missing", k.Name)
		}
	}
	for _, row := range annotation.All() {
		if !slices.Contains(headings, row.Group) {
			t.Errorf("group %q of %s has no place in the order of the page", row.Group, row.Name)
		}
	}
}

func TestEveryTableRowHasSevenOrThreeCells(t *testing.T) {
	var page bytes.Buffer
	write(&page)
	for i, line := range strings.Split(page.String(), "\n") {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") - 1
		if cells != 7 && cells != 3 {
			t.Errorf("line %d has %d cells: %s", i+1, cells, line)
		}
	}
}

func TestCheckFailsOnAStalePage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := run(path, true); err == nil {
		t.Error("a missing page passed")
	}
	if err := run(path, false); err != nil {
		t.Fatal(err)
	}
	if err := run(path, true); err != nil {
		t.Errorf("a fresh page failed: %v", err)
	}
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(path, true); err == nil {
		t.Error("a stale page passed")
	}
}

package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// TestProgramsOfAnImplementation maps images to this executable. The working
// tree's own bin/causeway may not be there, so the test has one of its own.
func TestProgramsOfAnImplementation(t *testing.T) {
	root := t.TempDir()
	own := filepath.Join(root, "bin", "causeway")
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module github.com/causeway-gateway/causeway\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	e := programs{locals: []*implementation.Local{{Component: "reference", Image: "causeway", Self: true}}}
	if _, err := e.table(t.Context()); err == nil {
		t.Error("a program that is not there is an error")
	}
	if err := os.WriteFile(own, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		reason string
		mapped map[string]image.Program
		want   string
	}{
		"Self":   {reason: "the executable itself", want: own},
		"Mapped": {reason: "what the user maps goes first", mapped: map[string]image.Program{"causeway": {Path: "/mine"}}, want: "/mine"},
	} {
		t.Run(name, func(t *testing.T) {
			e.images = tc.mapped
			got, err := e.table(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]image.Program{"causeway": {Path: tc.want}}, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

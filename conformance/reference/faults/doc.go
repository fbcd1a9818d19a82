// Package faults is the negative control of the reference implementation: it
// plants mistakes about the semantics of the Gateway API into the compiler and
// the routing kernel, one at a time, and demands that the unit tests and the
// official conformance suite find each. A mistake that nothing finds would mean
// that passing proves little.
//
// Mistakes are never part of the program. Each is a change of one place in one
// source file, built with the go command's -overlay.
package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Fault is one planted mistake.
type Fault struct {
	Name string
	// Rule is what the mistake breaks, with its source.
	Rule string
	// File is where it is planted, relative to the module, with slashes.
	File string
	// Old is the code as it is, which the file has once; New takes its place.
	Old, New string
	// Tests are conformance tests that must fail, each alone.
	Tests []string
	// Unseen says why the suite has no test that fails; the unit tests must
	// find the mistake then. Empty where Tests are not.
	Unseen string
}

// Overlay writes the changed file and the description that go build's -overlay
// takes into a folder, and returns the path of the description. root is the
// module's folder.
func (f *Fault) Overlay(root, dir string) (string, error) {
	path := filepath.Join(root, filepath.FromSlash(f.File))
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), f.Old); n != 1 {
		return "", fmt.Errorf("%s: %s has the code to replace %d times, not once; adjust the fault to the source:\n%s", f.Name, f.File, n, f.Old)
	}
	changed := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), f.Old, f.New, 1)), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "overlay.json")
	return out, os.WriteFile(out, overlay, 0o600)
}

package source

import (
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
)

// TestBatchReadsAsOneByOne holds documents parsed together to what each gives
// by itself: values, lines and shape.
func TestBatchReadsAsOneByOne(t *testing.T) {
	files, _ := filepath.Glob("../../fixtures/*/*.yaml")
	nested, _ := filepath.Glob("../../fixtures/*/*/input.yaml")
	together := 0
	for _, f := range append(files, nested...) {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		together += holdBatch(t, text)
	}
	if together < 100 {
		t.Errorf("only %d documents were parsed together", together)
	}
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte("a: 1\n---\nb: [1, {c: d}]\n---\n# nothing\n---\n- x\n"))
	f.Add([]byte("a: |\n  text\n---\nb: \"open\n---\nc: 1\n"))
	f.Add([]byte("a: &x 1\n---\nb: *x\n---\nc: 1\n---\nd: 2"))
	f.Add([]byte("  a: 1\nb: 2\n---\nc: 1\n---\nd: 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) { holdBatch(t, text) })
}

func holdBatch(t *testing.T, text []byte) (together int) {
	chunks := splitDocuments("f", text)
	var total atomic.Int64
	for i, got := range parseBatch(chunks, &total) {
		if got == nil {
			continue
		}
		together++
		want, fault := parseYAML(&chunks[i], new(atomic.Int64))
		if fault != nil {
			t.Fatalf("document %d: %v by itself, but read in a batch:\n%s", i, fault, chunks[i].text)
		}
		if !reflect.DeepEqual(want.root, got.root) || !reflect.DeepEqual(want.nodes, got.nodes) || want.root != nil && want.line != got.line {
			t.Fatalf("document %d reads as %#v (line %d) by itself, %#v (line %d) in a batch", i, want.root, want.line, got.root, got.line)
		}
	}
	return together
}

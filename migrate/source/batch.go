package source

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"

	"go.yaml.in/yaml/v3"
)

// batchBytes bounds the text that is parsed in one go.
const batchBytes = 64 << 10

// parseBatch parses the plain YAML documents among the chunks with one parser,
// which costs much less than a parser for each. Documents that are not plain
// have no tree, and none has when the parser is not content with all: they are
// parsed for themselves then.
func parseBatch(chunks []chunk, total *atomic.Int64) []*tree {
	out := make([]*tree, len(chunks))
	var (
		text   []byte
		plain  []int // indices of chunks
		starts []int // lines of the text where they start
		line   int
	)
	for i := range chunks {
		c := &chunks[i]
		if !plainDocument(c) || len(text)+len(c.text) > batchBytes {
			continue
		}
		plain, starts = append(plain, i), append(starts, line+1)
		text = append(append(text, "---\n"...), c.text...)
		line += 1 + bytes.Count(c.text, []byte("\n"))
	}
	if len(plain) < 2 {
		return out
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	trees := make([]*tree, len(chunks))
	for j, i := range plain {
		var doc yaml.Node
		if dec.Decode(&doc) != nil || doc.Line < starts[j] || j+1 < len(plain) && doc.Line > starts[j+1] {
			return out
		}
		t, fault := treeOf(&chunks[i], &doc, chunks[i].line-1-starts[j], total)
		if fault != nil {
			return out
		}
		trees[i] = t
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return out
	}
	return trees
}

// plainDocument tells documents whose meaning cannot depend on those before
// them or end otherwise when another follows: no anchors or aliases (which a
// parser remembers), no directives, no document markers, and a last line that
// ends.
func plainDocument(c *chunk) bool {
	return !c.json && !c.rendered && bytes.HasSuffix(c.text, []byte("\n")) && invalidUTF8(c.text) < 0 && !bytes.ContainsAny(c.text, "&*%\r") &&
		!bytes.HasPrefix(c.text, []byte("---")) && !bytes.Contains(c.text, []byte("\ufeff"))
}

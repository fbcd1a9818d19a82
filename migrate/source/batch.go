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

// parseBatch parses plain YAML documents with one parser, which costs much less
// than a parser for each. It returns nil when any of them is not plain or the
// parser is not content with all: each is parsed for itself then.
func parseBatch(chunks []chunk, total *atomic.Int64) []*tree {
	size := 0
	for i := range chunks {
		if !plainDocument(&chunks[i]) {
			return nil
		}
		size += len(chunks[i].text) + 5
	}
	if len(chunks) < 2 || size > batchBytes {
		return nil
	}
	text, starts, line := make([]byte, 0, size), make([]int, len(chunks)), 0
	for i := range chunks {
		text = append(text, "---\n"...)
		starts[i] = line + 1
		text = append(text, chunks[i].text...)
		line += 1 + bytes.Count(chunks[i].text, []byte("\n"))
		if text[len(text)-1] != '\n' {
			text, line = append(text, '\n'), line+1
		}
	}
	out := make([]*tree, len(chunks))
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for i := range chunks {
		var doc yaml.Node
		if dec.Decode(&doc) != nil || doc.Line < starts[i] || i+1 < len(chunks) && doc.Line > starts[i+1] {
			return nil
		}
		t, fault := treeOf(&chunks[i], &doc, chunks[i].line-1-starts[i], total)
		if fault != nil {
			return nil
		}
		out[i] = t
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil
	}
	return out
}

// plainDocument tells documents whose meaning cannot depend on those before
// them: no anchors or aliases (which a parser remembers), no directives and no
// document markers.
func plainDocument(c *chunk) bool {
	return !c.json && !c.rendered && invalidUTF8(c.text) < 0 && !bytes.ContainsAny(c.text, "&*%\r") &&
		!bytes.HasPrefix(c.text, []byte("---")) && !bytes.Contains(c.text, []byte("\ufeff"))
}

// Package yamltree reads one YAML document into plain values and remembers the
// line of every one of them, so that whoever finds a mistake in a value can say
// where it stands. It knows no schema.
package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxBytes bounds what is parsed; everything this reads is written by hand or
// by a test suite.
const MaxBytes = 4 << 20

// maxNodes bounds what aliases may expand to.
const maxNodes = 200_000

// Document is one YAML document.
type Document struct {
	// File is what errors call it.
	File  string
	value any
	lines map[string]int
	words map[string]string
}

// Error is a mistake at a line of a file.
type Error struct {
	File string
	Line int // 1 is the first; 0 is the file as a whole
	// Path of the field, "install[0].steps"; empty for the whole document.
	Path    string
	Message string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Parse reads exactly one document. Errors are of type [*Error].
func Parse(file string, data []byte) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, &Error{File: file, Message: fmt.Sprintf("%d bytes are too many, at most %d are read", len(data), MaxBytes)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		return nil, &Error{File: file, Message: "the file is empty"}
	} else if err != nil {
		return nil, syntax(file, err)
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, &Error{File: file, Line: second.Line, Message: "a second document; one is expected"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntax(file, err)
	}
	b := builder{doc: &Document{File: file, lines: map[string]int{}, words: map[string]string{}}}
	value, err := b.build(&root, "", 0)
	if err != nil {
		return nil, err
	}
	b.doc.value = value
	return b.doc, nil
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// syntax turns an error of the parser into one with a place.
func syntax(file string, err error) error {
	e := &Error{File: file, Message: err.Error()}
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Message = m[2]
	}
	return e
}

// Value is the document as maps, slices, strings, int64, float64, bool and nil.
// Dates stay the strings they were written as.
func (d *Document) Value() any { return d.value }

// Line of the value at path, or of the nearest one around it.
func (d *Document) Line(path ...string) int {
	for {
		if line, ok := d.lines[pointer(path)]; ok || len(path) == 0 {
			return line
		}
		path = path[:len(path)-1]
	}
}

// Word is the scalar at path as it was written: "1.20" where the value is 1.2.
func (d *Document) Word(path ...string) (string, bool) {
	w, ok := d.words[pointer(path)]
	return w, ok
}

// Errorf is a mistake at path.
func (d *Document) Errorf(path []string, format string, args ...any) *Error {
	return &Error{File: d.File, Line: d.Line(path...), Path: Path(path), Message: fmt.Sprintf(format, args...)}
}

// Path writes a path the way people do: install[0].steps.
func Path(path []string) string {
	var b strings.Builder
	for _, p := range path {
		if _, err := strconv.Atoi(p); err == nil {
			b.WriteString("[" + p + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}

// pointer joins a path so that no name can be mistaken for two.
func pointer(path []string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString(step(p))
	}
	return b.String()
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func step(name string) string { return "/" + escape.Replace(name) }

type builder struct {
	doc   *Document
	nodes int
}

func (b *builder) fail(n *yaml.Node, format string, args ...any) error {
	return &Error{File: b.doc.File, Line: n.Line, Message: fmt.Sprintf(format, args...)}
}

func (b *builder) build(n *yaml.Node, at string, aliases int) (any, error) {
	if b.nodes++; b.nodes > maxNodes || aliases > 16 {
		return nil, b.fail(n, "aliases expand to too much")
	}
	if aliases == 0 {
		b.doc.lines[at] = n.Line
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return b.build(n.Content[0], at, aliases)
	case yaml.AliasNode:
		return b.build(n.Alias, at, aliases+1)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			v, err := b.build(item, at+step(strconv.Itoa(i)), aliases)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		return b.mapping(n, at, aliases)
	case yaml.ScalarNode:
		if aliases == 0 {
			b.doc.words[at] = n.Value
		}
		return b.scalar(n)
	default:
		return nil, b.fail(n, "this is no YAML value")
	}
}

func (b *builder) mapping(n *yaml.Node, at string, aliases int) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			return nil, b.fail(key, "a field's name must be plain text")
		}
		if _, twice := m[key.Value]; twice {
			return nil, b.fail(key, "field %q is given twice", key.Value)
		}
		v, err := b.build(value, at+step(key.Value), aliases)
		if err != nil {
			return nil, err
		}
		if aliases == 0 {
			b.doc.lines[at+step(key.Value)] = key.Line
		}
		m[key.Value] = v
	}
	return m, nil
}

func (b *builder) scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var v bool
		if err := n.Decode(&v); err != nil {
			return nil, syntax(b.doc.File, err)
		}
		return v, nil
	case "!!int":
		var v int64
		if err := n.Decode(&v); err == nil {
			return v, nil
		}
		return n.Value, nil // larger than any number that means something here
	case "!!float":
		var v float64
		if err := n.Decode(&v); err == nil && v-v == 0 { // neither infinite nor NaN, which JSON lacks
			return v, nil
		}
		return n.Value, nil
	case "!!str", "!!timestamp":
		return n.Value, nil
	}
	return nil, b.fail(n, "tag %s is not supported", n.Tag)
}

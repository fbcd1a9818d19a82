package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"go.yaml.in/yaml/v3"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

const (
	// maxDepth bounds the nesting of a document; no Kubernetes object comes near.
	maxDepth = 1000
	// maxAliased bounds how many values a document may gain by aliases, and
	// maxAliasedTotal all documents together: an anchor used ten times in each
	// of ten levels is ten thousand million values.
	maxAliased      = 100_000
	maxAliasedTotal = 1_000_000
)

// tree is a parsed document: JSON values and where each stood.
type tree struct {
	root  any
	line  int
	nodes ledger.Nodes
}

// faultAt is a problem at a line of the file.
type faultAt struct {
	line   int
	err    error
	remedy string
}

func (f *faultAt) Error() string { return f.err.Error() }

// parseYAML reads a document with kubectl's meaning of it. total counts the
// values gained by aliases over all documents.
func parseYAML(c *chunk, total *atomic.Int64) (*tree, *faultAt) {
	dec := yaml.NewDecoder(bytes.NewReader(c.text))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return &tree{line: c.line}, nil
		}
		return nil, syntaxFault(c, err)
	}
	// The first document may end before the text does, as at a line that is
	// indented less than the first; the rest must not vanish.
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("yaml: text after the end of the document")
		}
		return nil, syntaxFault(c, err)
	}
	return treeOf(c, &doc, c.line-1, total)
}

// treeOf builds the tree of a parsed document; offset is what its line numbers
// lack.
func treeOf(c *chunk, doc *yaml.Node, offset int, total *atomic.Int64) (*tree, *faultAt) {
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return &tree{line: c.line}, nil
	}
	b := &builder{offset: offset, total: total}
	root := doc.Content[0]
	b.nodes = make(ledger.Nodes, 0, 4+bytes.Count(c.text, []byte("\n"))*5/4)
	v, fault := b.value(root, 0)
	if fault != nil {
		return nil, fault
	}
	return &tree{root: v, line: root.Line + b.offset, nodes: slices.Clone(b.nodes)}, nil // nodes live as long as the object
}

// builder turns nodes into JSON values.
type builder struct {
	offset  int // of the document in its file
	nodes   ledger.Nodes
	inAlias int
	aliased int
	total   *atomic.Int64
	open    map[*yaml.Node]bool // aliases being expanded
}

func (b *builder) fault(n *yaml.Node, remedy, format string, args ...any) *faultAt {
	return &faultAt{line: n.Line + b.offset, err: fmt.Errorf(format, args...), remedy: remedy}
}

func (b *builder) value(n *yaml.Node, depth int) (any, *faultAt) {
	if depth > maxDepth {
		return nil, b.fault(n, "flatten the document", "values are nested more than %d levels deep", maxDepth)
	}
	if b.inAlias > 0 {
		b.aliased++
		if b.aliased > maxAliased || b.total.Add(1) > maxAliasedTotal {
			return nil, b.fault(n, "write the values out", "aliases expand to too many values")
		}
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return b.scalar(n)
	case yaml.MappingNode:
		return b.mapping(n, depth)
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			at := b.begin("", true, item.Line)
			v, fault := b.value(item, depth+1)
			if fault != nil {
				return nil, fault
			}
			out[i] = v
			b.finish(at)
		}
		return out, nil
	case yaml.AliasNode:
		leave, fault := b.enter(n)
		if fault != nil {
			return nil, fault
		}
		v, fault := b.value(n.Alias, depth+1)
		leave()
		if fault == nil && b.inAlias == 0 {
			b.nodes.Value(v, n.Line+b.offset)
		}
		return v, fault
	}
	return nil, b.fault(n, "", "a node of an unknown kind")
}

// enter begins the expansion of an alias.
func (b *builder) enter(n *yaml.Node) (leave func(), fault *faultAt) {
	if b.open[n.Alias] {
		return nil, b.fault(n, "write the value out", "an anchor contains itself")
	}
	if b.open == nil {
		b.open = make(map[*yaml.Node]bool)
	}
	b.open[n.Alias] = true
	b.inAlias++
	return func() {
		b.inAlias--
		delete(b.open, n.Alias)
	}, nil
}

// begin and finish put a node around what is below it. What an alias brings in
// has no place of its own: it stands where the alias stands.
func (b *builder) begin(key string, item bool, line int) int {
	switch {
	case b.inAlias > 0:
		return 0
	case item:
		return b.nodes.Item(line + b.offset)
	}
	return b.nodes.Field(key, line+b.offset)
}

func (b *builder) finish(at int) {
	if b.inAlias == 0 {
		b.nodes.End(at)
	}
}

func (b *builder) scalar(n *yaml.Node) (any, *faultAt) {
	var v any
	var err error
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		v, err = resolveTagged(n.ShortTag(), n.Value)
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return n.Value, nil
	default:
		v, err = resolvePlain(n.Value)
	}
	if err != nil {
		return nil, b.fault(n, "", "%w", err)
	}
	return v, nil
}

func (b *builder) mapping(n *yaml.Node, depth int) (any, *faultAt) {
	out := make(map[string]any, len(n.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		kn := n.Content[i]
		if kn.Kind == yaml.ScalarNode && kn.Value == "<<" && kn.Style&^yaml.TaggedStyle == 0 {
			merges = append(merges, n.Content[i+1])
			continue
		}
		key, fault := b.key(kn)
		if fault != nil {
			return nil, fault
		}
		if _, twice := out[key]; twice {
			return nil, b.fault(kn, "keep one of the two", "the key %q is set twice", key)
		}
		at := b.begin(key, false, kn.Line)
		v, fault := b.value(n.Content[i+1], depth+1)
		if fault != nil {
			return nil, fault
		}
		out[key] = v
		b.finish(at)
	}
	if len(merges) == 0 {
		return out, nil
	}
	merged := map[string]any{}
	for _, m := range merges {
		if fault := b.merge(m, merged, depth+1); fault != nil {
			return nil, fault
		}
	}
	for k := range out {
		delete(merged, k)
	}
	if b.inAlias == 0 {
		b.nodes.Value(merged, merges[0].Line+b.offset)
	}
	maps.Copy(out, merged)
	return out, nil
}

// merge adds the fields of a merge key (https://yaml.org/type/merge.html):
// fields that are there already stay.
func (b *builder) merge(n *yaml.Node, out map[string]any, depth int) *faultAt {
	if depth > maxDepth {
		return b.fault(n, "flatten the document", "merge keys are nested more than %d levels deep", maxDepth)
	}
	b.inAlias++ // merged fields have no position of their own
	defer func() { b.inAlias-- }()
	switch n.Kind {
	case yaml.AliasNode:
		leave, fault := b.enter(n)
		if fault != nil {
			return fault
		}
		defer leave()
		return b.merge(n.Alias, out, depth+1)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if fault := b.merge(item, out, depth+1); fault != nil {
				return fault
			}
		}
		return nil
	case yaml.MappingNode:
		v, fault := b.value(n, depth)
		if fault != nil {
			return fault
		}
		for k, v := range v.(map[string]any) {
			if _, ok := out[k]; !ok {
				out[k] = v
			}
		}
		return nil
	}
	return b.fault(n, "merge a mapping or a list of mappings", "a merge key has a value that is no mapping")
}

// key turns a mapping key into text as kubectl does: 80 is "80", on is "true".
func (b *builder) key(n *yaml.Node) (string, *faultAt) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return "", b.fault(n, "use text as key; if this is a template with {{ }}, render it first, as with helm template", "a mapping or list is used as a key")
	}
	v, fault := b.scalar(n)
	if fault != nil {
		return "", fault
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 32), nil
	}
	return "", b.fault(n, "give the key a name", "null is used as a key")
}

// countedFromZero are the parser's messages (as opposed to the scanner's) for
// which the library counts lines from zero (go.yaml.in/yaml/v3 decode.go, fail).
var countedFromZero = []string{"did not find expected key", "did not find expected node content",
	"did not find expected '-' indicator", "did not find expected ',' or", "did not find expected <document start>"}

// syntaxFault moves the parser's line number to the file and keeps its words,
// save those that would repeat text of the document: that may be a Secret.
func syntaxFault(c *chunk, err error) *faultAt {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := c.line
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if num, after, ok := strings.Cut(rest, ": "); ok {
			if n, convErr := strconv.Atoi(num); convErr == nil {
				line, text = c.line+n-1, after
				for _, p := range countedFromZero {
					if strings.HasPrefix(text, p) {
						line++
					}
				}
			}
		}
	} else if i := bytes.IndexFunc(c.text, isControl); i >= 0 {
		line += bytes.Count(c.text[:i], []byte("\n"))
	}
	if i := strings.Index(text, "unknown anchor"); i >= 0 {
		text = "an alias names an anchor that does not exist"
		return &faultAt{line: line, err: errors.New(text), remedy: "quote a value that starts with *"}
	}
	f := &faultAt{line: line, err: fmt.Errorf("not valid YAML: %s", text)}
	switch {
	case bytes.Contains(c.text, []byte("{{")):
		f.remedy = "this looks like a template: render it first, as with helm template"
	case strings.Contains(text, "cannot start any token") && indentedByTab.Match(c.text):
		f.remedy = "indent by spaces: YAML takes no tabs there, not even before a comment"
	}
	return f
}

// indentedByTab finds a line that begins with a tab (YAML 1.2, section 6.1).
var indentedByTab = regexp.MustCompile(`(?m)^ *\t`)

func isControl(r rune) bool {
	return r < 0x20 && r != '\n' && r != '\r' && r != '\t' || r == 0x7f
}

// pathOf is used where errors name a place in an object.
func pathOf(parent, key string) string { return ledger.Join(parent, key) }

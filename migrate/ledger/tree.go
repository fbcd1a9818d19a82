package ledger

import (
	"sort"
	"strconv"
	"strings"
)

// Node is a field or a list item of an object.
type Node struct {
	key  string // empty for items
	line int32  // 1-based, 0 when unknown; negative and one less for items
	end  int32  // index after the last node below this one
}

// Nodes collects a tree in reading order.
type Nodes []Node

// Field begins a field; what follows up to [Nodes.End] is below it.
func (n *Nodes) Field(key string, line int) (at int) {
	*n = append(*n, Node{key: key, line: int32(line)})
	return len(*n) - 1
}

// Item begins an item of a list.
func (n *Nodes) Item(line int) (at int) {
	*n = append(*n, Node{line: -1 - int32(line)})
	return len(*n) - 1
}

// End ends the node at an index.
func (n *Nodes) End(at int) { (*n)[at].end = int32(len(*n)) }

// Value appends what is below a value (map[string]any, []any or a scalar), every
// node at the same line; fields come in the order of their names.
func (n *Nodes) Value(v any, line int) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			at := n.Field(k, line)
			n.Value(v[k], line)
			n.End(at)
		}
	case []any:
		for _, item := range v {
			at := n.Item(line)
			n.Value(item, line)
			n.End(at)
		}
	}
}

func (n *Node) isItem() bool { return n.line < 0 }

func (n *Node) at() int {
	if n.line < 0 {
		return int(-1 - n.line)
	}
	return int(n.line)
}

// Tree is the shape of an object without its values: its nodes in one slice in
// reading order, each followed by what is below it. It takes a fifth of the
// memory of the object and is all that an account needs. The zero Tree is
// empty.
type Tree struct {
	nodes      []Node // of the whole document
	start, end int32
}

// Tree returns the tree of a whole document.
func (n Nodes) Tree() Tree { return Tree{nodes: n, end: int32(len(n))} }

// TreeOf returns the tree of an object; its lines are unknown.
func TreeOf(content map[string]any) Tree {
	var n Nodes
	n.Value(content, 0)
	return n.Tree()
}

// Below returns the part of the tree below a node.
func (t Tree) Below(node int) Tree {
	return Tree{nodes: t.nodes, start: int32(node) + 1, end: t.nodes[node].end}
}

// Line returns the line of a node, 0 when unknown.
func (t Tree) Line(node int) int { return t.nodes[node].at() }

// Child returns the field of that name, or the item of that index when index is
// not negative; -1 when there is none.
func (t Tree) Child(key string, index int) int {
	for i, n := t.start, 0; i < t.end; i, n = t.nodes[i].end, n+1 {
		x := &t.nodes[i]
		if index < 0 && x.key == key && !x.isItem() || index >= 0 && n == index && x.isItem() {
			return int(i)
		}
	}
	return -1
}

// Next returns the node after a child of the root, -1 when it is the last;
// Next(-1) is the first.
func (t Tree) Next(child int) int {
	next := t.start
	if child >= 0 {
		next = t.nodes[child].end
	}
	if next >= t.end {
		return -1
	}
	return int(next)
}

// LastLine returns the highest line of the tree, 0 when unknown.
func (t Tree) LastLine() int {
	last := 0
	for _, n := range t.nodes[t.start:t.end] {
		last = max(last, n.at())
	}
	return last
}

// Find returns the node of a JSON path as [Join] writes it, -1 when there is
// none, and the line of the nearest parent that exists, 0 when unknown.
func (t Tree) Find(path string) (node, line int) {
	node = -1
	for path != "" {
		key, index, rest, ok := nextStep(path)
		if !ok {
			return -1, line
		}
		if node = t.Child(key, index); node < 0 {
			return -1, line
		}
		if l := t.Line(node); l > 0 {
			line = l
		}
		t, path = t.Below(node), rest
	}
	return node, line
}

// Leaves calls visit for every leaf (scalar, empty map or empty list) in
// reading order. Fields that the API server owns and kubectl writes (status,
// metadata.managedFields, uid, resourceVersion, generation, creationTimestamp,
// selfLink, the last-applied annotation, kind and apiVersion) are not leaves:
// they describe storage, not intent.
func (t Tree) Leaves(visit func(path string)) {
	t.leaves(nil, storageFields, func(int) bool { return false }, func(s *step) { visit(s.path()) })
}

// Parts returns the top-level fields that hold leaves, in reading order.
func (t Tree) Parts() []string {
	var out []string
	for i := t.Next(-1); i >= 0; i = t.Next(i) {
		holds := false
		one := Tree{nodes: t.nodes, start: int32(i), end: t.nodes[i].end}
		one.leaves(nil, storageFields, func(int) bool { return holds }, func(*step) { holds = true })
		if holds {
			out = append(out, Join("", t.nodes[i].key))
		}
	}
	return out
}

// step is a node on the way down to a leaf; paths are written only when asked
// for.
type step struct {
	parent *step
	key    string
	index  int // of an item, -1 for a field
}

func (s *step) path() string {
	switch {
	case s == nil:
		return ""
	case s.index >= 0:
		return s.parent.path() + "[" + strconv.Itoa(s.index) + "]"
	}
	return Join(s.parent.path(), s.key)
}

// fields names storage fields and those that hold some.
type fields map[string]fields

var storageFields = fields{
	"status": nil, "kind": nil, "apiVersion": nil,
	"metadata": {
		"managedFields": nil, "uid": nil, "resourceVersion": nil, "generation": nil, "creationTimestamp": nil, "selfLink": nil,
		"annotations": {"kubectl.kubernetes.io/last-applied-configuration": nil},
	},
}

// leaves visits the leaves below the root that skip does not cut off.
func (t Tree) leaves(parent *step, storage fields, skip func(node int) bool, visit func(*step)) {
	for i, n := t.start, 0; i < t.end; i, n = t.nodes[i].end, n+1 {
		s := step{parent: parent, key: t.nodes[i].key, index: -1}
		var below fields
		if t.nodes[i].isItem() {
			s.index = n
		} else {
			var stored bool
			if below, stored = storage[s.key]; stored && below == nil {
				continue
			}
		}
		switch {
		case skip(int(i)):
		case t.nodes[i].end == i+1:
			visit(&s)
		default:
			t.Below(int(i)).leaves(&s, below, skip, visit)
		}
	}
}

// nextStep cuts the first field or index off a path; index is -1 for a field.
func nextStep(path string) (key string, index int, rest string, ok bool) {
	path = strings.TrimPrefix(path, ".")
	switch {
	case strings.HasPrefix(path, "['"):
		return quotedStep(path)
	case strings.HasPrefix(path, "["):
		end := strings.IndexByte(path, ']')
		if end < 0 {
			return "", 0, "", false
		}
		n, err := strconv.Atoi(path[1:end])
		if err != nil || n < 0 {
			return "", 0, "", false
		}
		return "", n, path[end+1:], true
	}
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i], -1, path[i:], i > 0
	}
	return path, -1, "", path != ""
}

func quotedStep(path string) (key string, index int, rest string, ok bool) {
	if end := strings.Index(path[2:], "']"); end >= 0 && strings.IndexByte(path[2:2+end], '\\') < 0 {
		return path[2 : 2+end], -1, path[2+end+2:], true
	}
	var b strings.Builder
	for i := 2; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			b.WriteByte(path[i])
		case path[i] == '\'' && i+1 < len(path) && path[i+1] == ']':
			return b.String(), -1, path[i+2:], true
		default:
			b.WriteByte(path[i])
		}
	}
	return "", 0, "", false
}

package source

import (
	"strconv"
	"strings"
)

// position is a mapping entry or a sequence item. Positions of a document
// stand in one slice in reading order, each followed by what is below it: this
// is an eighth of the memory of the parsed nodes, so lines need no second parse.
type position struct {
	key  string // empty for sequence items
	line int32
	end  int32 // index after the last position below this one
}

// lineIndex is the part of a document's positions that belongs to one object.
type lineIndex struct {
	all        []position
	start, end int32
}

// LineOf returns the line of a JSON path as ledger.Join writes it, relative to
// the object; the line of the nearest parent that is written in the file when
// the path itself is not, and 0 when positions are unknown.
func (o *Object) LineOf(path string) int {
	line := o.Line
	if o.lines == nil {
		return line
	}
	lines := *o.lines
	for path != "" {
		key, index, rest, ok := nextStep(path)
		if !ok {
			return line
		}
		start, stop, at, found := lines.child(key, index)
		if !found {
			return line
		}
		line, lines.start, lines.end = at, start, stop
		path = rest
	}
	return line
}

// Raw returns the object's text as it stood in its file, nil when there is
// none. Text that holds a Secret is never returned.
func (o *Object) Raw() []byte { return o.raw }

// nextStep cuts the first field or index off a path; index is -1 for a field.
func nextStep(path string) (key string, index int, rest string, ok bool) {
	path = strings.TrimPrefix(path, ".")
	switch {
	case strings.HasPrefix(path, "['"):
		var b strings.Builder
		for i := 2; i < len(path); i++ {
			switch {
			case path[i] == '\\' && i+1 < len(path) && path[i+1] == '\'':
				b.WriteByte('\'')
				i++
			case path[i] == '\'' && i+1 < len(path) && path[i+1] == ']':
				return b.String(), -1, path[i+2:], true
			default:
				b.WriteByte(path[i])
			}
		}
		return "", 0, "", false
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

package output

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// yamlWriter turns JSON types into block-style YAML that YAML 1.1 and 1.2
// readers understand alike. It exists because marshalling through
// sigs.k8s.io/yaml costs ten times as much, which for tens of thousands of
// routes is seconds; a property test holds it to that library's reading.
type yamlWriter struct {
	b    []byte
	keys [][]string // key lists by depth, kept to be reused
}

// maxSimpleKey keeps keys under the limit of 1024 characters for keys without
// a question mark (https://yaml.org/spec/1.1/#id934537).
const maxSimpleKey = 1000

// maxDepth bounds recursion; no Kubernetes object comes near.
const maxDepth = 100

// document appends v as the body of one document.
func (w *yamlWriter) document(v map[string]any) error {
	if len(v) == 0 {
		w.b = append(w.b, "{}\n"...)
		return nil
	}
	return w.mapping(v, 0, 0)
}

// mapping writes the keys in alphabetical order. The cursor stands where the
// first key belongs.
func (w *yamlWriter) mapping(m map[string]any, indent, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d levels deep", maxDepth)
	}
	for depth >= len(w.keys) {
		w.keys = append(w.keys, nil)
	}
	keys := w.keys[depth][:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	w.keys[depth] = keys
	for i, k := range keys {
		if i > 0 {
			w.indent(indent)
		}
		start := len(w.b)
		w.scalar(k)
		if len(w.b)-start > maxSimpleKey {
			w.b = slices.Insert(w.b, start, '?', ' ')
			w.b = append(w.b, '\n')
			w.indent(indent)
		}
		w.b = append(w.b, ':')
		if err := w.value(m[k], indent, depth); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	return nil
}

// value writes what follows "key:".
func (w *yamlWriter) value(v any, indent, depth int) error {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			break
		}
		w.b = append(w.b, '\n')
		w.indent(indent + 2)
		return w.mapping(v, indent+2, depth+1)
	case []any:
		if len(v) == 0 {
			break
		}
		w.b = append(w.b, '\n')
		w.indent(indent)
		return w.sequence(v, indent, depth+1)
	}
	w.b = append(w.b, ' ')
	return w.leaf(v)
}

// sequence writes a list whose dashes stand at indent, where the cursor is.
func (w *yamlWriter) sequence(s []any, indent, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d levels deep", maxDepth)
	}
	for i, v := range s {
		if i > 0 {
			w.indent(indent)
		}
		w.b = append(w.b, "- "...)
		var err error
		switch v := v.(type) {
		case map[string]any:
			if len(v) == 0 {
				err = w.leaf(v)
			} else {
				err = w.mapping(v, indent+2, depth+1)
			}
		case []any:
			if len(v) == 0 {
				err = w.leaf(v)
			} else {
				err = w.sequence(v, indent+2, depth+1)
			}
		default:
			err = w.leaf(v)
		}
		if err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

// leaf writes a scalar or an empty collection and ends the line.
func (w *yamlWriter) leaf(v any) error {
	switch v := v.(type) {
	case nil:
		w.b = append(w.b, "null"...)
	case string:
		w.scalar(v)
	case bool:
		w.b = strconv.AppendBool(w.b, v)
	case int64:
		w.b = strconv.AppendInt(w.b, v, 10)
	case int:
		w.b = strconv.AppendInt(w.b, int64(v), 10)
	case int32:
		w.b = strconv.AppendInt(w.b, int64(v), 10)
	case uint64:
		w.b = strconv.AppendUint(w.b, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%v is no JSON number", v)
		}
		w.b = strconv.AppendFloat(w.b, v, 'g', -1, 64)
	case map[string]any:
		w.b = append(w.b, "{}"...)
	case []any:
		w.b = append(w.b, "[]"...)
	default:
		return fmt.Errorf("%T is no JSON type", v)
	}
	w.b = append(w.b, '\n')
	return nil
}

func (w *yamlWriter) indent(n int) {
	for ; n > 0; n-- {
		w.b = append(w.b, ' ')
	}
}

// scalar writes a string in the plainest form that every reader takes for the
// same string: bare, double-quoted when a reader might see another type or
// syntax, single-quoted when it holds backslashes or quotes (regular
// expressions stay readable), escaped otherwise.
func (w *yamlWriter) scalar(s string) {
	if isPlain(s) || isDuration(s) {
		w.b = append(w.b, s...)
		return
	}
	printable, special := true, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		printable = printable && c >= 0x20 && c < 0x7f
		special = special || c == '"' || c == '\\'
	}
	switch {
	case printable && !special:
		w.b = append(w.b, '"')
		w.b = append(w.b, s...)
		w.b = append(w.b, '"')
	case printable:
		w.b = append(w.b, '\'')
		w.b = append(w.b, strings.ReplaceAll(s, "'", "''")...)
		w.b = append(w.b, '\'')
	default:
		w.escaped(s)
	}
}

// escaped writes a double-quoted scalar; characters that YAML does not allow
// raw (https://yaml.org/spec/1.1/#c-printable) or that break lines are escaped,
// bytes that are no UTF-8 become U+FFFD as in JSON.
func (w *yamlWriter) escaped(s string) {
	w.b = append(w.b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b = append(w.b, '\\', byte(r))
		case r == '\n':
			w.b = append(w.b, `\n`...)
		case r == '\t':
			w.b = append(w.b, `\t`...)
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			w.b = fmt.Appendf(w.b, `\u%04x`, r)
		default:
			w.b = utf8.AppendRune(w.b, r)
		}
	}
	w.b = append(w.b, '"')
}

// reserved words read as booleans, null or merge keys by YAML 1.1 readers
// (https://yaml.org/type/).
var reserved = map[string]bool{"true": true, "false": true, "yes": true, "no": true, "on": true, "off": true,
	"y": true, "n": true, "null": true, "nan": true, "inf": true}

// isPlain reports whether s may stand bare: it starts with a letter, "/", "_"
// or "$", holds only characters without meaning in YAML, and is no reserved
// word. Anything that starts like a number is quoted.
func isPlain(s string) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '/', c == '_', c == '$':
		case i == 0:
			return false
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == '=', c == '(', c == ')', c == '^', c == '*', c == '@', c == ';':
		case c == ' ' && i+1 < len(s) && s[i-1] != ':':
		case c == ':' && i+1 < len(s) && s[i+1] != ' ':
		default:
			return false
		}
	}
	return len(s) > 5 || !reserved[strings.ToLower(s)]
}

// isDuration reports whether s is digits and a unit, such as 60s: no reader
// takes that for a number, and bare it is how people write it.
func isDuration(s string) bool {
	unit := strings.TrimLeft(s, "0123456789")
	return len(unit) < len(s) && (unit == "s" || unit == "m" || unit == "h" || unit == "ms")
}

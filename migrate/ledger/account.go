package ledger

import (
	"sort"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// Account collects the entries of one object. Front ends mark the leaves they
// understand; Close walks the object and adds an unsupported entry for every
// leaf that nobody marked, so a field no one thought of shows up.
type Account struct {
	Object routing.ObjectRef
	File   string
	// Content is the object as read (JSON types: map[string]any, []any, string,
	// numbers, bool, nil).
	Content map[string]any
	// LineOf returns the line of a path, or 0; nil when unknown.
	LineOf func(path string) int

	entries []Entry
	covered map[string]bool
}

// Mark records the fate of the leaf at path and of everything below it.
func (a *Account) Mark(status Status, path, message, remedy string) *Entry {
	return a.Add(Entry{Status: status, Path: path, Message: message, Remedy: remedy})
}

// Add records an entry for e.Path and everything below it. The returned
// pointer is valid until the next call.
func (a *Account) Add(e Entry) *Entry {
	if a.covered == nil {
		a.covered = make(map[string]bool)
	}
	a.covered[e.Path] = true
	e.Object, e.File = a.Object, a.File
	a.entries = append(a.entries, e)
	return &a.entries[len(a.entries)-1]
}

// Note records an entry that covers no leaf by itself (a finding about the
// object as a whole).
func (a *Account) Note(e Entry) {
	e.Object, e.File = a.Object, a.File
	a.entries = append(a.entries, e)
}

// Covered reports whether path or a parent of it was marked.
func (a *Account) Covered(path string) bool {
	for p := path; ; {
		if a.covered[p] {
			return true
		}
		i := strings.LastIndexAny(p, ".[")
		if i < 0 {
			return false
		}
		p = p[:i]
	}
}

// Close returns the entries of the object, sorted by path, with an unsupported
// entry for each leaf that is not covered. Time and space are linear in the
// object.
func (a *Account) Close() []Entry {
	Walk(a.Content, func(path string, _ any) {
		if !a.Covered(path) {
			a.Mark(Unsupported, path, "this field is not known to the converter and was not carried over",
				"check whether it affects traffic; report it so that it can be modelled")
		}
	})
	sort.SliceStable(a.entries, func(i, j int) bool {
		if a.entries[i].Urgency != a.entries[j].Urgency {
			return a.entries[i].Urgency > a.entries[j].Urgency
		}
		return a.entries[i].Path < a.entries[j].Path
	})
	if a.LineOf != nil {
		for i := range a.entries {
			if a.entries[i].Line == 0 {
				a.entries[i].Line = a.LineOf(a.entries[i].Path)
			}
		}
	}
	return a.entries
}

// Walk calls visit for every leaf (scalar, empty map or empty list) below v in
// a deterministic order. Fields that the API server owns and kubectl writes
// (status, metadata.managedFields, uid, resourceVersion, generation,
// creationTimestamp, selfLink, the last-applied annotation, kind and
// apiVersion) are not leaves: they describe storage, not intent.
func Walk(v map[string]any, visit func(path string, leaf any)) {
	walk("", v, visit)
}

var storageFields = map[string]bool{
	"status": true, "kind": true, "apiVersion": true,
	"metadata.managedFields": true, "metadata.uid": true, "metadata.resourceVersion": true,
	"metadata.generation": true, "metadata.creationTimestamp": true, "metadata.selfLink": true,
	"metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']": true,
}

func walk(path string, v any, visit func(string, any)) {
	if storageFields[path] {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			if path != "" {
				visit(path, v)
			}
			return
		}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			walk(Join(path, k), v[k], visit)
		}
	case []any:
		if len(v) == 0 {
			visit(path, v)
			return
		}
		for i := range v {
			walk(path+"["+strconv.Itoa(i)+"]", v[i], visit)
		}
	default:
		visit(path, v)
	}
}

// Join appends a field to a JSON path, quoting keys that are no plain names:
// Join("metadata.annotations", "a/b") is metadata.annotations['a/b'].
func Join(path, key string) string {
	if plain(key) {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	return path + "['" + strings.ReplaceAll(key, "'", `\'`) + "']"
}

func plain(key string) bool {
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || i > 0 && (c >= '0' && c <= '9' || c == '-') {
			continue
		}
		return false
	}
	return key != ""
}

package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// Account collects the entries of one object. Front ends mark the leaves they
// understand; Close walks the object and adds an unsupported entry for every
// leaf that nobody marked, so a field no one thought of shows up.
type Account struct {
	Object routing.ObjectRef
	File   string
	Line   int // of the object, for paths whose line is unknown
	Tree   Tree

	entries []Entry
	covered []bool // by node
	subject *Subject
}

// Mark records the fate of the leaf at path and of everything below it.
func (a *Account) Mark(status Status, path, message, remedy string) {
	a.Add(Entry{Status: status, Path: path, Message: message, Remedy: remedy})
}

// Add records an entry for e.Path and everything below it.
func (a *Account) Add(e Entry) {
	node, line := a.Tree.Find(e.Path)
	if node >= 0 {
		a.cover(node)
	}
	a.record(e, line)
}

// Present records the entry that make returns if the object has the path.
func (a *Account) Present(path string, make func() Entry) {
	if node, line := a.Tree.Find(path); node >= 0 {
		a.cover(node)
		a.record(make(), line)
	}
}

// Note records an entry that covers no leaf by itself (a finding about the
// object as a whole).
func (a *Account) Note(e Entry) {
	_, line := a.Tree.Find(e.Path)
	a.record(e, line)
}

func (a *Account) cover(node int) {
	if a.covered == nil {
		a.covered = make([]bool, len(a.Tree.nodes))
		a.entries = slices.Grow(a.entries, 1+len(a.Tree.nodes)/2)
	}
	a.covered[node] = true
}

func (a *Account) record(e Entry, line int) {
	if a.subject == nil {
		a.subject = &Subject{a.Object, a.File}
	}
	e.Subject = a.subject
	if e.Line == 0 {
		if e.Line = int32(line); line == 0 {
			e.Line = int32(a.Line)
		}
	}
	a.entries = append(a.entries, e)
}

// Uncovered returns the leaves that are neither marked nor below a marked path,
// in reading order.
func (a *Account) Uncovered() []string {
	var out []string
	skip := func(node int) bool { return len(a.covered) > 0 && a.covered[node] }
	a.Tree.leaves(nil, storageFields, skip, func(s *step) { out = append(out, s.path()) })
	return out
}

// Close returns the entries of the object, sorted by path, with an unsupported
// entry for each leaf that is not covered. Time and space are linear in the
// object, apart from sorting.
func (a *Account) Close() []Entry {
	for _, path := range a.Uncovered() {
		a.Mark(Unsupported, path, "this field is not known to the converter and was not carried over",
			"check whether it affects traffic; report it so that it can be modelled")
	}
	slices.SortStableFunc(a.entries, func(x, y Entry) int {
		return cmp.Or(cmp.Compare(y.Urgency, x.Urgency), cmp.Compare(x.Path, y.Path))
	})
	return a.entries
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
	return path + "['" + quoter.Replace(key) + "']"
}

var quoter = strings.NewReplacer(`\`, `\\`, "'", `\'`)

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

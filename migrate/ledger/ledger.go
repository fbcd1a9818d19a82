// Package ledger keeps the account of a migration: every leaf of every input
// object ends in exactly one entry that says what became of it. It owns the
// statuses and the walk over leaves; it does not know any dialect.
package ledger

import (
	"iter"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// Status is what became of a leaf.
type Status string

// The five statuses, worst first in [Order].
const (
	Unsupported  Status = "unsupported"  // cannot be expressed; Remedy says what to do instead
	Extension    Status = "extension"    // needs the target's own resource; Message says which
	Approximated Status = "approximated" // kept, but Message says what differs
	Converted    Status = "converted"    // kept
	Ignored      Status = "ignored"      // does not affect traffic; Message says why
)

// Order lists the statuses, the ones that need a decision first.
var Order = []Status{Unsupported, Extension, Approximated, Converted, Ignored}

// Urgency ranks entries beyond their status; reports lead with the highest.
type Urgency uint8

// Urgencies.
const (
	Routine Urgency = iota
	// Closed: a route was closed or left out because its access control could
	// not be kept.
	Closed
	// Dropped: the running controller does not serve this object today;
	// converting it would open something new.
	Dropped
	// Broken: the object breaks the controller's whole configuration.
	Broken
)

// Target is a place in the output that carries the leaf now.
type Target struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Path      string `json:"path,omitempty"`
}

// Ref names the object.
func (t Target) Ref() routing.ObjectRef {
	return routing.ObjectRef{Kind: t.Kind, Namespace: t.Namespace, Name: t.Name}
}

// Entry is the account of one leaf, or of several that share a fate when Path
// names their parent.
type Entry struct {
	*Subject
	Status  Status
	Path    string // JSON path, e.g. spec.rules[0].host, metadata.annotations['a/b']
	Message string
	Remedy  string
	Targets []Target
	// Features are the parts of rules that the entry says are not kept, in the
	// words of package emit; empty when nothing is lost.
	Features Features
	Line     int32 // 1-based, 0 when unknown
	Urgency  Urgency
}

// Subject is the object that entries are about and the file it stands in. The
// entries of an object share it; it is never nil in a ledger and never changed.
type Subject struct {
	Object routing.ObjectRef
	File   string
}

// Features is a list of features, joined by spaces: most entries have none or
// one, and a large cluster has many entries.
type Features string

// Each yields the features.
func (f Features) Each() iter.Seq[string] { return strings.FieldsSeq(string(f)) }

// With returns the list with a feature that it may hold already.
func (f Features) With(name string) Features {
	for have := range f.Each() {
		if have == name {
			return f
		}
	}
	if f == "" {
		return Features(name)
	}
	return f + Features(" "+name)
}

// Ledger is a finished account: entries in input order of objects, then by
// path.
type Ledger struct {
	Entries []Entry
}

// Count returns the number of entries of each status; all five are present.
func (l *Ledger) Count() map[Status]int {
	n := make(map[Status]int, len(Order))
	for _, s := range Order {
		n[s] = 0
	}
	for i := range l.Entries {
		n[l.Entries[i].Status]++
	}
	return n
}

// Lost reports whether something was not kept exactly: what --strict fails on.
func (l *Ledger) Lost() bool {
	for i := range l.Entries {
		switch l.Entries[i].Status {
		case Unsupported, Extension, Approximated:
			return true
		}
	}
	return false
}

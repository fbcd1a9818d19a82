package source

import "github.com/causeway-gateway/causeway/migrate/ledger"

// Tree returns the fields and items of the object as they were written, with
// their lines where these are known.
func (o *Object) Tree() ledger.Tree { return o.tree }

// LineOf returns the line of a JSON path as ledger.Join writes it, relative to
// the object; the line of the nearest parent that is written in the file when
// the path itself is not, and 0 when positions are unknown.
func (o *Object) LineOf(path string) int {
	if _, line := o.tree.Find(path); line > 0 {
		return line
	}
	return o.Line
}

// Raw returns the object's text as it stood in its file, nil when there is
// none. Text that holds a Secret is never returned.
func (o *Object) Raw() []byte { return o.raw }

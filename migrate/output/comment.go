package output

import (
	"strconv"
	"strings"
	"unicode"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/routing"
)

// maxSources bounds the comment above one object: a shared Gateway may stem
// from thousands of Ingresses.
const maxSources = 10

// maxCommentText bounds one name or place in a comment, in runes.
const maxCommentText = 300

// sourceComment returns the comment lines that name the source objects of o.
func sourceComment(o client.Object, opts Options, from func(client.Object) []routing.ObjectRef) string {
	if from == nil {
		return ""
	}
	var b strings.Builder
	refs := from(o)
	for i, r := range refs {
		if i == maxSources {
			b.WriteString("# and from " + strconv.Itoa(len(refs)-i) + " more\n")
			break
		}
		b.WriteString("# from ")
		b.WriteString(commentText(r.String()))
		if opts.Where != nil {
			if w := opts.Where(r); w != "" {
				b.WriteString(" (" + commentText(w) + ")")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// commentText makes text safe for one comment line: line breaks (YAML has
// five: https://yaml.org/spec/1.1/#b-generic), control and invisible characters,
// among them the ones that reverse reading direction, become "?".
func commentText(s string) string {
	n := 0
	s = strings.Map(func(r rune) rune {
		if n++; n > maxCommentText {
			return -1
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
	if n > maxCommentText {
		s += "…"
	}
	return s
}

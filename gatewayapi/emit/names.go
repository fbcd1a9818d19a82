package emit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Names gives out object names that are unique per kind and namespace. Several
// tables that are written for one cluster share one.
type Names map[[3]string]bool

// take returns base, or base with a hash of identity when base is taken.
func (n Names) take(kind, namespace, base, identity string) string {
	name := base
	for i := 0; n[[3]string{kind, namespace, name}]; i++ {
		name = withHash(base, identity+strings.Repeat("+", i), maxRouteName)
	}
	n[[3]string{kind, namespace, name}] = true
	return name
}

// maxRouteName keeps names readable and short enough for controllers that use
// them as label values.
const maxRouteName = 63

// withHash appends a short hash of identity, cutting base to fit.
func withHash(base, identity string, limit int) string {
	sum := sha256.Sum256([]byte(identity))
	h := hex.EncodeToString(sum[:4])
	if len(base) > limit-len(h)-1 {
		base = base[:limit-len(h)-1]
	}
	return strings.TrimRight(base, "-.") + "-" + h
}

// slug turns a host or object name into DNS label characters.
func slug(s string) string {
	s = strings.ToLower(s)
	if rest, ok := strings.CutPrefix(s, "*."); ok {
		s = "wildcard-" + rest
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else if b.Len() > 0 {
			b.WriteByte('-')
		}
	}
	out := strings.TrimRight(b.String(), "-")
	if out == "" {
		out = "any"
	}
	return out
}

// fit cuts a name to the limit, with a hash where something was cut.
func fit(name, identity string, limit int) string {
	if len(name) <= limit {
		return name
	}
	return withHash(name, identity, limit)
}

// validObjectName reports whether a source object's name may name a route: a
// DNS subdomain.
func validObjectName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return true
}

package routing

import "strings"

// HostKind is how a host name is compared. Names are compared without case and
// without a trailing dot.
type HostKind uint8

// Kinds of host patterns, most specific first.
const (
	AnyHost      HostKind = iota // every name
	ExactHost                    // the name itself
	SuffixHost                   // *.example.com: one or more labels in front (Gateway API, Istio, nginx)
	OneLabelHost                 // *.example.com: exactly one label in front (Ingress, ingress-nginx)
	RegexHost                    // a regular expression, searched for
)

// HostPattern is one name a host answers to. Value is lower case; for the
// wildcard kinds it is the part after "*.". The zero value is any host.
type HostPattern struct {
	Kind  HostKind
	Value string

	re *Regex
}

// ParseHost reads "", "*", "example.com" or "*.example.com"; wildcard gives the
// kind of the latter.
func ParseHost(s string, wildcard HostKind) HostPattern {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	switch {
	case s == "" || s == "*":
		return HostPattern{}
	case strings.HasPrefix(s, "*."):
		return HostPattern{Kind: wildcard, Value: s[2:]}
	}
	return HostPattern{Kind: ExactHost, Value: s}
}

// String returns the pattern as ParseHost reads it; a regex starts with "~".
func (h HostPattern) String() string {
	switch h.Kind {
	case AnyHost:
		return "*"
	case SuffixHost, OneLabelHost:
		return "*." + h.Value
	case RegexHost:
		return "~" + h.Value
	}
	return h.Value
}

// Matches reports whether name (lower case, without port) fits.
func (h *HostPattern) Matches(name string) bool {
	switch h.Kind {
	case AnyHost:
		return true
	case ExactHost:
		return h.Value == name
	case SuffixHost, OneLabelHost:
		n := len(name) - len(h.Value) - 1
		if n <= 0 || name[n] != '.' || name[n+1:] != h.Value {
			return false
		}
		return h.Kind == SuffixHost || strings.IndexByte(name[:n], '.') < 0
	case RegexHost:
		return h.regex().Match(name)
	}
	return false
}

func (h *HostPattern) regex() *Regex {
	if h.re == nil {
		return NewRegex(h.Value, true, false) // before Freeze only
	}
	return h.re
}

// rank orders patterns that match one name: exact, suffix (longer first), one
// label, regex, any. nginx picks in this order too
// (https://nginx.org/en/docs/http/server_names.html), with ingress-nginx's
// one-label wildcards being regexes there.
func (h *HostPattern) rank() int {
	switch h.Kind {
	case ExactHost:
		return 1 << 20
	case SuffixHost:
		return 1<<18 + len(h.Value)
	case OneLabelHost:
		return 1<<16 + len(h.Value)
	case RegexHost:
		return 1 << 15
	}
	return 0
}

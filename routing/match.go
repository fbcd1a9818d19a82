package routing

// Match is a conjunction: every set part must hold. The zero Match takes every
// request.
type Match struct {
	Path    PathMatch
	Method  string // exact, case-sensitive; empty matches any
	Scheme  string // "http" or "https"; empty matches any
	Headers []ValueMatch
	Query   []ValueMatch
	Client  ClientMatch
}

// ClientMatch restricts a mesh rule to the workloads that send the request.
type ClientMatch struct {
	Namespace string            // empty matches any
	Labels    map[string]string // all must be equal
}

// PathKind is how a path literal is compared.
type PathKind uint8

const (
	// AnyPath matches every path.
	AnyPath PathKind = iota
	// ExactPath matches the whole path.
	ExactPath
	// SegmentPrefix matches by path elements: /foo matches /foo and /foo/x,
	// not /foobar; /foo/ is the same prefix as /foo (Gateway API PathPrefix).
	SegmentPrefix
	// StringPrefix matches the bytes at the start of the path (Istio prefix,
	// nginx location).
	StringPrefix
	// RegexPath matches a regular expression; see PathMatch.Full.
	RegexPath
)

// PathMatch is one condition on the path, without the query.
type PathMatch struct {
	Kind       PathKind
	Value      string
	IgnoreCase bool
	// Full demands that a RegexPath matches the whole path (Gateway API and
	// Istio on Envoy); otherwise it is searched for (nginx, which writes its
	// own anchors).
	Full bool

	re *Regex
}

// ValueKind is how a header or query value is compared.
type ValueKind uint8

// Kinds of value matches.
const (
	ExactValue ValueKind = iota
	PrefixValue
	RegexValue // whole value, unless ValueMatch.Search
	PresentValue
)

// ValueMatch is one condition on a header (name compared without case) or on a
// query parameter (name compared exactly; the first occurrence counts).
type ValueMatch struct {
	Name       string
	Kind       ValueKind
	Value      string
	IgnoreCase bool
	Search     bool // RegexValue is searched for rather than matched whole
	// Negate turns the condition round: the value is absent or does not
	// match. PresentValue with Negate is "absent".
	Negate bool

	re *Regex
}

package routing

import (
	"net/netip"
	"time"
)

// Action is what happens to a request. The parts apply in this order: CORS
// preflight, redirect or direct response, guards, fault, then forwarding with
// rewrite, header changes and mirrors. An Action with none of Redirect,
// Respond and Backends answers NoBackendStatus.
type Action struct {
	CORS     *CORS
	Redirect *Redirect
	Respond  *Response
	Guards   []Guard
	Fault    *Fault

	Rewrite         *Rewrite
	RequestHeaders  HeaderChange
	ResponseHeaders HeaderChange
	Backends        []Backend
	// NoBackendStatus is answered when there is nothing to forward to; 500
	// when zero (Gateway API), 503 for ingress-nginx.
	NoBackendStatus int
	Mirrors         []Mirror
	Timeouts        Timeouts
	Retry           *Retry
	Affinity        *Affinity
}

// Backend is one destination with its share of the requests.
type Backend struct {
	Namespace, Name string
	Port            int    // 0 when the kind has none
	Kind            string // Service when empty
	Group           string // core when empty
	Weight          int
	// Protocol the backend speaks: "" or "HTTP", "H2C", "HTTPS", "GRPC",
	// "GRPCS", "WS", "TCP", "UDP", "FCGI".
	Protocol string
	// TLS of the connection to the backend, nil when plain or unverified.
	TLS *BackendTLS
	// Invalid says why the reference does not resolve; its share of the
	// requests is answered NoBackendStatus.
	Invalid string
	// RequestHeaders and ResponseHeaders apply to this destination only.
	RequestHeaders, ResponseHeaders HeaderChange
	// Rewrite is for this destination only; what it does not replace is as the
	// rule's own leaves it.
	Rewrite *Rewrite
}

// BackendTLS is the client side of TLS towards a backend.
type BackendTLS struct {
	Verify   bool
	Hostname string // SNI and name verified
	// SubjectAltNames, "DNS:name" or "URI:uri", are verified instead of the
	// host name: the certificate has at least one of them.
	SubjectAltNames []string
	CA              string // "namespace/name"; empty with Verify means system roots
	CAKind          string // Secret or ConfigMap
	// ClientCertificate is a Secret "namespace/name" presented to the backend.
	ClientCertificate string
}

// Redirect answers with a Location.
type Redirect struct {
	Code int // 301, 302, 303, 307, 308
	// Location is the whole target when set, with $request_uri, $uri, $is_args,
	// $args, $host, $http_host, $scheme and $1…$9 (groups of the rule's path regex)
	// replaced; the other fields are then ignored.
	Location string
	Scheme   string // empty keeps the request's
	Host     string // empty keeps the request's, without port
	// Port is written into the Location: 0 leaves it out, -1 is the scheme's
	// own port written out (ingress-nginx from-to-www), -2 keeps the request's.
	Port int
	// Path is nil to keep path and query.
	Path *PathRewrite
	// StripQuery drops the query string.
	StripQuery bool
	// TrimSlash cuts one trailing slash off path and query together
	// (ingress-nginx redirects to HTTPS and to or from www).
	TrimSlash bool
	// Relative writes path and query only.
	Relative bool
	// KeepHostPort keeps the Host header as sent, port included.
	KeepHostPort bool
}

// RewriteKind is how a path is replaced.
type RewriteKind uint8

const (
	// ReplaceFull replaces the whole path.
	ReplaceFull RewriteKind = iota
	// ReplacePrefix replaces the matched prefix, by path elements (Gateway API
	// ReplacePrefixMatch).
	ReplacePrefix
	// ReplaceStringPrefix replaces the matched bytes (Istio).
	ReplaceStringPrefix
	// ReplaceRegex replaces what Pattern matches by Value with $1…$9; an
	// unmatched group is empty. See PathRewrite.Whole.
	ReplaceRegex
)

// PathRewrite is one replacement of the path; the query stays unless Value
// brings its own, to which the request's is appended.
type PathRewrite struct {
	Kind       RewriteKind
	Value      string
	Pattern    string // for ReplaceRegex
	IgnoreCase bool
	// Whole makes the result of ReplaceRegex the whole path (nginx rewrite);
	// otherwise each match in the path is replaced (Envoy regex_rewrite).
	Whole bool
	// Prefix is the prefix that ReplacePrefix replaces; the rule's own path
	// when empty.
	Prefix string

	re *Regex
}

// Rewrite changes the request before it is forwarded.
type Rewrite struct {
	Path *PathRewrite // nil keeps the path as sent
	Host string       // empty keeps the host
	// Port 80 of the host header is never written.
}

// Header is a name and a value.
type Header struct{ Name, Value string }

// HeaderChange sets, adds and removes headers, in that order.
type HeaderChange struct {
	Set, Add []Header
	Remove   []string
}

// Empty reports whether nothing is changed.
func (h HeaderChange) Empty() bool { return len(h.Set)+len(h.Add)+len(h.Remove) == 0 }

// Response is a direct answer.
type Response struct {
	Status int
	Body   string
	// Guarded answers only who passes the guards; otherwise the response comes
	// first, as redirects do.
	Guarded bool
}

// Mirror sends a copy of the request.
type Mirror struct {
	Backend Backend
	// Percent of requests, 0-100.
	Percent float64
	// URL is a target that is no cluster backend, as the source wrote it.
	URL string
	// Host replaces the copy's host header.
	Host string
}

// Timeouts are limits on one request; zero means not set.
type Timeouts struct {
	Request        time.Duration // whole exchange as the client sees it
	BackendRequest time.Duration // one attempt towards a backend
	Connect        time.Duration // establishing the backend connection
	Read, Send     time.Duration // inactivity between two reads or writes
}

// Retry repeats failed attempts.
type Retry struct {
	Attempts int      // -1 switches off what would be retried by default
	On       []string // conditions or status codes, in the source's words, sorted
	Backoff  time.Duration
	PerTry   time.Duration
}

// Affinity keeps a client on one backend.
type Affinity struct {
	Kind       string // "cookie", "header", "source-ip"
	Name       string
	Path       string
	Domain     string
	SameSite   string
	Secure     bool
	MaxAge     time.Duration // 0 is a session cookie
	Persistent bool          // "persistent" mode of ingress-nginx
}

// CORS is cross-origin policy.
type CORS struct {
	// AllowOrigins are "*", origins in which a * stands for one label (see
	// AnyLabels), or "~" and a regular expression that matches the whole origin.
	AllowOrigins     []string
	AllowMethods     []string
	AllowHeaders     []string
	ExposeHeaders    []string
	MaxAge           time.Duration
	AllowCredentials bool
	// AnyOptions answers every OPTIONS request of an allowed origin as a
	// preflight (ingress-nginx), not only those with
	// Access-Control-Request-Method.
	AnyOptions bool
	// Always sends the CORS headers even without an Origin header
	// (ingress-nginx with "*").
	Always bool
	// SuffixMatch matches an origin at the end of the header only
	// (ingress-nginx anchors only the end).
	SuffixMatch bool
	// AnyLabels lets a * in an origin stand for any number of labels, and an
	// origin without a port be the same as one with the scheme's own (Gateway
	// API, HTTPCORSFilter.AllowOrigins: "a greedy match to the left").
	AnyLabels bool
	// AnswerAll answers the preflights of other origins too, without CORS
	// headers, so that they do not reach the backend (Gateway API,
	// HTTPCORSFilter.AllowOrigins: "the gateway returns 204/200 response but
	// doesn't set the relevant cross-origin response headers").
	AnswerAll bool
}

// Fault injects delay or abort.
type Fault struct {
	AbortStatus  int
	AbortPercent float64
	Delay        time.Duration
	DelayPercent float64
}

// Guard kinds.
const (
	GuardAllow      = "allow-sources" // source address lists; evaluated when the address is known
	GuardDeny       = "deny-sources"
	GuardBasicAuth  = "auth-basic"
	GuardDigestAuth = "auth-digest"
	GuardAuthURL    = "auth-url"
	GuardClientCert = "client-certificate"
	GuardJWT        = "jwt"
	GuardRateLimit  = "rate-limit"
	GuardConnLimit  = "connection-limit"
	GuardBodySize   = "body-size"
	GuardWAF        = "waf"
	GuardSnippet    = "snippet" // raw configuration that can deny
	GuardAnyOf      = "any-of"  // one of several suffices (satisfy any)
)

// Guard is a policy that can refuse a request. Kinds other than the source
// lists are opaque: they are carried, compared and reported, not evaluated.
type Guard struct {
	Kind    string
	Detail  map[string]string
	Sources []netip.Prefix // of GuardAllow and GuardDeny
	AnyOf   []Guard        // of GuardAnyOf
	Origin  Origin
}

// Access reports whether the guard decides who may enter, rather than how much
// (rate and size limits).
func (g Guard) Access() bool {
	switch g.Kind {
	case GuardRateLimit, GuardConnLimit, GuardBodySize:
		return false
	}
	return true
}

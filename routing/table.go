package routing

import "strconv"

// Table is a complete routing configuration: what a controller, or a set of
// them, does with every request.
type Table struct {
	// Listeners in source order. Several may share a port.
	Listeners []*Listener
	// Reading holds the semantics that differ between dialects but apply to
	// the whole table.
	Reading Reading

	listeners *listenerTable
	frozen    bool
}

// Reading is how a table reads requests where dialects (or, in Gateway API,
// implementations) differ.
type Reading struct {
	// NormalizePath matches paths after percent-decoding, merging of slashes
	// and resolution of dot segments, as nginx does before it picks a location
	// (https://nginx.org/en/docs/http/ngx_http_core_module.html#location).
	// When false the path is matched as sent.
	NormalizePath bool
	// TrustForwarded takes scheme, host and client address from X-Forwarded-*
	// (ingress-nginx use-forwarded-headers).
	TrustForwarded bool
	// HostFallthrough lets a request that no rule of the most specific host
	// takes try the next broader host. The Gateway API specification leaves
	// this to implementations; nginx and Istio never do it.
	HostFallthrough bool
	// DropUnderscoreHeaders ignores request headers whose name holds an
	// underscore (nginx underscores_in_headers off).
	DropUnderscoreHeaders bool
	// RegexLast tries regular expressions after exact paths and prefixes
	// instead of between them. The Gateway API specification leaves their
	// precedence to implementations (HTTPPathMatch, "implementation-specific").
	RegexLast bool
	// DetectMisdirected answers 421 to a request over TLS whose host belongs to
	// another listener than the name that the connection asked for (SNI). The
	// Gateway API specification recommends it (Listener.Hostname).
	DetectMisdirected bool
	// NoMatchStatus answers requests that reach a listener but no rule; 404
	// when zero.
	NoMatchStatus int
}

// Protocol is the protocol a listener speaks with clients.
type Protocol uint8

// Listener protocols. gRPC is HTTP or HTTPS.
const (
	HTTP  Protocol = iota
	HTTPS          // TLS terminated here, HTTP inside
	TLS            // TLS routed by SNI, passed through or terminated to a stream
	TCP
	UDP
)

var protocolNames = [...]string{"HTTP", "HTTPS", "TLS", "TCP", "UDP"}

// String returns the Gateway API spelling of the protocol.
func (p Protocol) String() string {
	if int(p) < len(protocolNames) {
		return protocolNames[p]
	}
	return "Protocol(" + strconv.Itoa(int(p)) + ")"
}

// Listener is a place requests arrive: a port, a protocol and, for TLS, the
// certificates.
type Listener struct {
	Name     string
	Port     int // 1-65535; 0 takes any port
	Protocol Protocol
	// Hostname narrows the listener; among listeners of one port and protocol
	// the most specific takes the connection. The zero value takes any host.
	Hostname HostPattern
	// Mesh restricts the listener to requests that a workload sends to this
	// Service ("namespace/name"), or to this host that is no Service
	// ("/api.example.com", "/*.example.com", "/*"); empty for gateways.
	Mesh string
	// TLS of an HTTPS or TLS listener.
	TLS    *ListenerTLS
	Hosts  []*Host
	Origin Origin

	index *listenerIndex
}

// ListenerTLS is the server side of TLS.
type ListenerTLS struct {
	// Passthrough leaves TLS to the backend.
	Passthrough bool
	// Certificates are Secret references "namespace/name"; empty means the
	// controller's default certificate.
	Certificates []string
	// ClientCA is the "namespace/name" of the CA that client certificates are
	// checked against, with Secret or ConfigMap in ClientCAKind.
	ClientCA, ClientCAKind string
	// Missing says why there are no certificates, where that is not for a
	// default one to answer.
	Missing string
	// ClientOptional accepts connections without a valid client certificate.
	ClientOptional bool
}

// Order is how the rules of a host compete.
type Order uint8

const (
	// FirstMatch lets the first rule in list order win (Istio; nginx regex
	// locations).
	FirstMatch Order = iota
	// MostSpecific is Gateway API precedence (HTTPRouteRule.matches): exact path,
	// longest prefix, method, most header matches, most query matches, then
	// [Rule.Age], [Rule.Route] and [Rule.Index].
	MostSpecific
	// LongestPath is nginx's order without regexes: exact, then longest prefix,
	// then list order.
	LongestPath
)

// Host is a virtual host: the names it answers to and its rules.
type Host struct {
	// Names are alternatives; a host without names answers to every name.
	Names []HostPattern
	Order Order
	Rules []*Rule
	// Certificates of this host ("namespace/name"), where a dialect keeps them
	// with the host rather than the listener; nil means the default
	// certificate.
	Certificates []string
	Origin       Origin

	index *hostIndex
}

// Rule sends the requests it matches to an action.
type Rule struct {
	Match Match
	// Action may be shared between rules; it is never nil and never changed
	// after Freeze.
	Action *Action
	Origin Origin
	// Also are further places that had a part in the rule, such as the delegate
	// that a VirtualService leaves a part of its routes to.
	Also []Origin

	// Precedence comes first under MostSpecific; higher is tried earlier. It is
	// for what counts before paths: the hostname as a route wrote it, and the
	// service and method of a GRPCRoute.
	Precedence int
	// Age, Route and Index break ties under MostSpecific: the older route
	// first (Age is a creation time in Unix nanoseconds, or 0), then Route
	// ("namespace/name") alphabetically, then Index, the position in it.
	Age   int64
	Route string
	Index int

	shares map[string]float64 // of the action, after Warm
}

// ObjectRef names a source object.
type ObjectRef struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String returns "Kind namespace/name".
func (o ObjectRef) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Origin says which part of which object made something.
type Origin struct {
	Object ObjectRef
	Path   string // JSON path in the object, e.g. spec.rules[0].http.paths[1]
	File   string // as given by the user; empty for a live cluster
	Line   int    // 1-based; 0 when unknown
}

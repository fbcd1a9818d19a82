package routing

import (
	"net/netip"
	"strconv"
	"strings"
)

// Request is one request as a client sends it. The zero value of each field
// but Host means the default; the JSON form is that of `causeway route`.
type Request struct {
	Scheme  string            `json:"scheme,omitempty"`  // http, https, tls, tcp, udp; http when empty
	Method  string            `json:"method,omitempty"`  // GET when empty
	Host    string            `json:"host"`              // Host header as sent, port allowed
	Port    int               `json:"port,omitempty"`    // of the connection; the scheme's own when 0
	Path    string            `json:"path,omitempty"`    // request target with query; / when empty
	Headers map[string]string `json:"headers,omitempty"` // names in any case; repeated values joined by ", "
	// Client makes it a mesh request.
	Client *Client `json:"client,omitempty"`
	// Service is the "namespace/name" whose address a mesh request was sent to,
	// where that is known; otherwise Host names it.
	Service  string `json:"service,omitempty"`
	SourceIP string `json:"sourceIP,omitempty"` // unknown when empty
	SNI      string `json:"sni,omitempty"`      // Host when empty
}

// Client is the workload that sends a mesh request.
type Client struct {
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// Header returns the value of a header, compared without case.
func (r *Request) Header(name string) (string, bool) {
	if v, ok := r.Headers[name]; ok {
		return v, true
	}
	for k, v := range r.Headers {
		if len(k) == len(name) && strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// Pseudo-headers that conditions may name.
const (
	MethodHeader    = ":method"
	AuthorityHeader = ":authority"
)

// view is a request with everything that rules look at worked out once.
type view struct {
	req      *Request
	reading  *Reading
	scheme   string // effective, after TrustForwarded
	rawHost  string // effective Host header as sent
	host     string // lower case, without port and trailing dot
	rawPath  string // path as sent
	path     string // path that matches look at
	query    string // without "?"; hasQuery tells "" from none
	hasQuery bool
	method   string
	source   netip.Addr
	bad      int // status when the request line itself is refused
}

func (t *Table) view(r *Request) view {
	v := view{req: r, reading: &t.Reading, scheme: r.Scheme, method: r.Method, rawHost: r.Host}
	if v.scheme == "" {
		v.scheme = "http"
	}
	if v.method == "" {
		v.method = "GET"
	}
	v.host = canonicalHost(r.Host)
	target := r.Path
	if target == "" {
		target = "/"
	}
	if i := strings.IndexByte(target, '#'); i >= 0 {
		target = target[:i]
	}
	v.rawPath, v.query, v.hasQuery = strings.Cut(target, "?")
	v.path = v.rawPath
	if t.Reading.NormalizePath {
		p, ok := NormalizePath(v.rawPath)
		if !ok {
			v.bad = 400
		}
		v.path = p
	}
	if r.SourceIP != "" {
		v.source, _ = netip.ParseAddr(r.SourceIP)
	}
	if t.Reading.TrustForwarded {
		v.trustForwarded(r)
	}
	return v
}

// trustForwarded applies X-Forwarded-Proto, -Host and -For. The leftmost
// address counts because proxy-real-ip-cidr trusts every hop by default.
// Source: rootfs/etc/nginx/lua/lua_ingress.lua (rewrite) and
// docs/user-guide/nginx-configuration/configmap.md#use-forwarded-headers.
func (v *view) trustForwarded(r *Request) {
	if p, ok := r.Header("X-Forwarded-Proto"); ok {
		v.scheme = p
	}
	if h, ok := r.Header("X-Forwarded-Host"); ok {
		first, _, _ := strings.Cut(h, ",")
		v.rawHost = first
	}
	if f, ok := r.Header("X-Forwarded-For"); ok {
		first, _, _ := strings.Cut(f, ",")
		if a, err := netip.ParseAddr(strings.TrimSpace(first)); err == nil {
			v.source = a
		}
	}
}

// header returns a header of the request. Names that begin with a colon are the
// pseudo-headers of HTTP/2 (RFC 9113 section 8.3.1), by which Envoy matches the
// parts of a request that other dialects have no expression for.
func (v *view) header(name string) (string, bool) {
	switch name {
	case MethodHeader:
		return v.method, true
	case AuthorityHeader:
		return v.rawHost, true
	}
	if v.reading.DropUnderscoreHeaders && strings.IndexByte(name, '_') >= 0 {
		return "", false
	}
	return v.req.Header(name)
}

// sentHost is the Host header as a client writes it: with the port, unless it is
// the scheme's own (RFC 9110 section 7.2).
func (v *view) sentHost() string {
	if v.req.Port == 0 || v.req.Port == defaultPorts[schemeProtocols[v.scheme]] || hostOnly(v.rawHost) != v.rawHost {
		return v.rawHost
	}
	return v.rawHost + ":" + strconv.Itoa(v.req.Port)
}

// queryValue returns the first occurrence of a query parameter, decoded.
func (v *view) queryValue(name string) (string, bool) {
	for q := v.query; q != ""; {
		var part string
		part, q, _ = strings.Cut(q, "&")
		k, val, _ := strings.Cut(part, "=")
		if unescapeQuery(k) == name {
			return unescapeQuery(val), true
		}
	}
	return "", false
}

func canonicalHost(h string) string {
	h = hostOnly(h)
	for i := 0; i < len(h); i++ {
		if h[i] >= 'A' && h[i] <= 'Z' {
			h = strings.ToLower(h)
			break
		}
	}
	return strings.TrimSuffix(h, ".")
}

// hostOnly cuts the port off a Host header, leaving IPv6 brackets alone.
func hostOnly(h string) string {
	if i := strings.LastIndexByte(h, ':'); i >= 0 && strings.IndexByte(h[i:], ']') < 0 {
		if strings.Count(h, ":") == 1 || strings.HasPrefix(h, "[") {
			return h[:i]
		}
	}
	return h
}

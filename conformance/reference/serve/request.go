package serve

import (
	"net/http"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// requestOf is what the table is asked about a request.
func (v *view) requestOf(r *http.Request, in *inbound) *routing.Request {
	q := &routing.Request{Scheme: "http", Method: r.Method, Host: r.Host, Port: v.port, Path: targetOf(r), Headers: make(map[string]string, len(r.Header))}
	if r.TLS != nil {
		q.Scheme, q.SNI = "https", r.TLS.ServerName
	}
	for name, values := range r.Header {
		if len(values) == 1 {
			q.Headers[name] = values[0]
		} else {
			// RFC 9110 section 5.3
			q.Headers[name] = strings.Join(values, ", ")
		}
	}
	v.place(q, in)
	return q
}

// connectionOf is what the table is asked about a connection or a session that
// is no HTTP.
func (v *view) connectionOf(scheme string, in *inbound, serverName string) *routing.Request {
	q := &routing.Request{Scheme: scheme, Host: serverName, SNI: serverName, Port: v.port}
	v.place(q, in)
	return q
}

// place says where a request comes from and, in the mesh, where it was going.
func (v *view) place(q *routing.Request, in *inbound) {
	if in == nil {
		return
	}
	if in.source.IsValid() {
		q.SourceIP = in.source.Addr().String()
	}
	if v.mesh != nil {
		q.Service, q.Port = in.service, int(in.to.Port())
		if q.Client = v.mesh.Client(in.source.Addr()); q.Client == nil {
			q.Client = &routing.Client{} // a workload that nothing is known about
		}
	}
}

// targetOf returns path and query as they were sent.
func targetOf(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") || r.RequestURI == "*" {
		return r.RequestURI
	}
	return r.URL.RequestURI() // absolute form (RFC 9112 section 3.2.2), CONNECT
}

package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// sniffTimeout is how long a client may be silent before its connection counts
// as one where the server speaks first.
const sniffTimeout = time.Second

// serveMesh serves a connection that was redirected on its way to a Service:
// HTTP by the routes of the Service (GEP-1294), anything else as a stream. One
// to something else is passed on as it is.
func (x *tcpSocket) serveMesh(ctx context.Context, v *view, in *inbound) {
	to, err := x.server.original(in.Conn)
	if err != nil || to == addrPortOf(in.LocalAddr()) {
		// Nobody redirected it: passing it on would lead back here.
		v.debug("a connection of the mesh was not redirected", in, err)
		refuse(in)
		return
	}
	in.to = to
	service, ok := v.mesh.Service(to)
	if !ok {
		v.passOn(ctx, in, to)
		return
	}
	in.service = service
	if speaksHTTP(in) {
		x.web.give(in)
		return
	}
	v.carry(ctx, in, v.connectionOf("tcp", in, ""))
}

// passOn connects to where the client was going.
func (v *view) passOn(ctx context.Context, in *inbound, to netip.AddrPort) {
	d := net.Dialer{Timeout: 5 * time.Second}
	up, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		v.debug("where a connection was going cannot be reached", in, err)
		refuse(in)
		return
	}
	v.join(in, up)
}

// maxSniff is enough for the longest method and the preface of HTTP/2.
const maxSniff = 64

var h2Preface = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") // RFC 9113 section 3.4

// speaksHTTP looks at the first bytes of a connection; they are read again from
// it. A client that says nothing, or nothing that is a request line, does not
// speak HTTP.
func speaksHTTP(in *inbound) bool {
	defer func() { _ = in.SetReadDeadline(time.Time{}) }() // a closed connection shows at the next read
	_ = in.SetReadDeadline(time.Now().Add(sniffTimeout))
	r := bufio.NewReaderSize(in.Conn, maxSniff)
	for n := 1; n <= maxSniff; n++ {
		_, err := r.Peek(n)
		seen, _ := r.Peek(r.Buffered())
		in.seen = bytes.Clone(seen)
		if err != nil {
			return false // the client is done, or silent
		}
		switch looksLikeHTTP(in.seen) {
		case yes:
			return true
		case no:
			return false
		}
		n = max(n, len(seen))
	}
	return false
}

type verdict uint8

const (
	unsure verdict = iota
	yes
	no
)

// looksLikeHTTP judges the beginning of a stream: a method, a space and the
// beginning of a target (RFC 9112 section 3), or the preface of HTTP/2.
func looksLikeHTTP(b []byte) verdict {
	if n := min(len(b), len(h2Preface)); bytes.Equal(b[:n], h2Preface[:n]) {
		if n == len(h2Preface) {
			return yes
		}
		return unsure
	}
	for i, c := range b {
		switch {
		case c == ' ':
			if i == 0 {
				return no
			}
			if i+1 == len(b) {
				return unsure
			}
			if t := b[i+1]; t == '/' || t == '*' || t == 'h' || t == 'H' || string(b[:i]) == "CONNECT" {
				return yes
			}
			return no
		case c < 'A' || c > 'Z' || i >= 20:
			return no // methods of HTTP in use are upper case (RFC 9110 section 9.1)
		}
	}
	return unsure
}

var errNotRedirected = errors.New("the connection has no original destination")

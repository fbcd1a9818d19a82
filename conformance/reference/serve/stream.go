package serve

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// carry routes a connection and moves its bytes until both sides are done. One
// that goes nowhere is reset: "If a Backend is invalid … the connection attempts
// must be rejected" (TCPRouteRule.BackendRefs, TLSRouteRule.BackendRefs).
func (v *view) carry(ctx context.Context, c net.Conn, q *routing.Request) {
	v.connect(ctx, c, q, false)
}

// passThrough carries a connection whose TLS is the backend's own, whatever
// policy the backend has for connections of the gateway.
func (v *view) passThrough(ctx context.Context, c net.Conn, q *routing.Request) {
	v.connect(ctx, c, q, true)
}

func (v *view) connect(ctx context.Context, c net.Conn, q *routing.Request, encrypted bool) {
	d := v.table.Route(q)
	to, f := v.choose(&d)
	if f != nil && to.key != "" {
		to, f = v.await(ctx, to, f)
	}
	if f == nil && encrypted && to.backend.TLS != nil {
		b := *to.backend
		b.TLS = nil
		to.backend = &b
	}
	if f != nil {
		v.server.log.Debug("a connection was refused", "socket", v.bind, "scheme", q.Scheme, "sni", q.SNI, "reason", f.reason)
		refuse(c)
		return
	}
	up, err := v.dial(ctx, to)
	if err != nil {
		v.server.log.Debug("a backend cannot be reached", "socket", v.bind, "backend", to.key, "endpoint", to.endpoint, "error", err)
		refuse(c)
		return
	}
	v.join(c, up)
}

// dial connects to an endpoint, with TLS where the backend has a policy. An
// endpoint that refuses is replaced by another one of its backend, once.
func (v *view) dial(ctx context.Context, to destination) (net.Conn, error) {
	c, err := v.dialEndpoint(ctx, to)
	if err == nil {
		return c, nil
	}
	if other := v.another(to); other != to {
		return v.dialEndpoint(ctx, other)
	}
	return nil, err
}

func (v *view) dialEndpoint(ctx context.Context, to destination) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	c, err := d.DialContext(ctx, "tcp", to.endpoint.String())
	if err != nil || to.backend.TLS == nil {
		return c, err
	}
	config, err := v.clientTLS(to.backend.TLS)
	if err != nil {
		_ = c.Close() // it was not used
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close() // it was not used
		return nil, err
	}
	return t, nil
}

// join moves bytes both ways. A side that says it is done is told so on the
// other side, and the answer still comes back.
func (v *view) join(a, b net.Conn) {
	release := v.server.tracks.hold(b)
	defer release()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pipe(b, a)
	}()
	pipe(a, b)
	<-done
	_ = a.Close() // both directions are done
	_ = b.Close()
}

// pipe copies until the source is done, then says so to the target. When the
// target takes no more, the source is closed too, for nobody would read it.
func pipe(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if err != nil || closeWrite(to) != nil {
		_ = from.Close() // the other direction ends with it
		_ = to.Close()
	}
}

func closeWrite(c net.Conn) error {
	if x, ok := c.(interface{ CloseWrite() error }); ok {
		return x.CloseWrite()
	}
	return c.Close()
}

// refuse resets a connection.
func refuse(c net.Conn) {
	raw := c
	if t, ok := raw.(*tls.Conn); ok {
		raw = t.NetConn()
	}
	if in, ok := raw.(*inbound); ok {
		raw = in.Conn
	}
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // otherwise it is closed
	}
	_ = c.Close() // there is nothing more to do with it
}

func (v *view) debug(message string, in *inbound, err error) {
	v.server.log.Debug(message, slog.String("socket", v.bind), slog.Any("client", in.source), slog.Any("error", err))
}

// debugRequest tells why a request was not forwarded.
func (v *view) debugRequest(r *http.Request, status int, reason string) {
	v.server.log.Debug("a request was not forwarded", "socket", v.bind, "host", r.Host, "path", r.URL.Path, "status", status, "reason", reason)
}

package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limits that keep one client from holding a socket. They are far above what a
// conforming client needs.
const (
	helloTimeout     = 10 * time.Second // to say what TLS or HTTP is spoken
	headerTimeout    = 30 * time.Second
	idleTimeout      = 5 * time.Minute
	handshakeTimeout = 10 * time.Second
)

// tcpSocket accepts connections, finds out what they speak and hands them to
// its HTTP server or carries them as streams.
type tcpSocket struct {
	server   *Server
	listener net.Listener
	view     atomic.Pointer[view]
	http     *http.Server
	web      *handover
}

func listenTCP(s *Server, v *view) (socket, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", v.socket.Bind.String())
	if err != nil {
		return nil, err
	}
	x := &tcpSocket{server: s, listener: l, web: newHandover(l.Addr())}
	x.view.Store(v)
	x.http = &http.Server{
		Handler:           http.HandlerFunc(x.serveHTTP),
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		ConnContext:       inboundContext,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		// The table decides about every target, OPTIONS * too.
		DisableGeneralOptionsHandler: true,
	}
	x.http.Protocols.SetHTTP1(true)
	x.http.Protocols.SetHTTP2(true)
	x.http.Protocols.SetUnencryptedHTTP2(true)
	s.tracks.do(func(context.Context) {
		if err := x.http.Serve(x.web); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Error("the HTTP server of a socket ended", "socket", v.bind, "error", err)
		}
	})
	s.tracks.do(x.accept)
	return x, nil
}

func (x *tcpSocket) show(v *view) { x.view.Store(v) }

func (x *tcpSocket) close() { _ = x.listener.Close() } // it is not used again

func (x *tcpSocket) finish(ctx context.Context) {
	if err := x.http.Shutdown(ctx); err != nil {
		_ = x.http.Close()
	}
}

func (x *tcpSocket) accept(ctx context.Context) {
	for {
		c, err := x.listener.Accept()
		switch {
		case err == nil:
			x.server.tracks.do(func(ctx context.Context) { x.serve(ctx, c) }) //nolint:contextcheck // the tracker gives the same context
		case errors.Is(err, net.ErrClosed):
			return
		default: // out of files, a connection that is gone already
			x.server.log.Debug("a connection was not accepted", "socket", x.listener.Addr(), "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

// serve finds out what a connection speaks.
func (x *tcpSocket) serve(ctx context.Context, c net.Conn) {
	defer x.server.tracks.hold(c)()
	v := x.view.Load()
	in := &inbound{Conn: c, source: addrPortOf(c.RemoteAddr())}
	if v.mesh != nil {
		x.serveMesh(ctx, v, in)
		return
	}
	switch v.family {
	case plainHTTP:
		x.web.give(in)
	case tlsFamily:
		x.serveTLS(ctx, v, in)
	case stream:
		v.carry(ctx, in, v.connectionOf("tcp", in, ""))
	default:
		refuse(in)
	}
}

// inbound is a connection from a client, with what is known about it. Bytes that
// were looked at are read again.
type inbound struct {
	net.Conn
	seen   []byte
	source netip.AddrPort
	// to is where a connection of the mesh was going, service what is there.
	to      netip.AddrPort
	service string
}

// Read implements [net.Conn].
func (c *inbound) Read(p []byte) (int, error) {
	if len(c.seen) > 0 {
		n := copy(p, c.seen)
		c.seen = c.seen[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// CloseWrite ends one direction of the stream.
func (c *inbound) CloseWrite() error { return closeWrite(c.Conn) }

type inboundKey struct{}

// inboundContext makes the connection known to the requests on it.
func inboundContext(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // *tls.Conn
		c = t.NetConn()
	}
	return context.WithValue(ctx, inboundKey{}, c)
}

func inboundOf(ctx context.Context) *inbound {
	in, _ := ctx.Value(inboundKey{}).(*inbound)
	return in
}

func addrPortOf(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch x := a.(type) {
	case *net.TCPAddr:
		ap = x.AddrPort()
	case *net.UDPAddr:
		ap = x.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// handover is a net.Listener of connections that were accepted elsewhere.
type handover struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandover(addr net.Addr) *handover {
	return &handover{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// give hands a connection over, or closes it when nobody accepts any more.
func (h *handover) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close()
	}
}

// Accept implements [net.Listener].
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]; connections that wait are closed.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements [net.Listener].
func (h *handover) Addr() net.Addr { return h.addr }

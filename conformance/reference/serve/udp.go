package serve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// sessionIdle ends a session without datagrams in either direction, as long
	// as Linux keeps unreplied UDP flows (nf_conntrack_udp_timeout, 30 s).
	sessionIdle = 30 * time.Second
	maxSessions = 4096 // of one socket; datagrams of further clients are dropped
	maxDatagram = 64 << 10
	maxWaiting  = 64 // datagrams of one socket that wait for an endpoint; further ones are dropped
)

// udpSocket carries datagrams. UDP has no connections: what one client address
// sends is a session, which keeps its endpoint, so that weights count sessions.
type udpSocket struct {
	server *Server
	conn   *net.UDPConn
	view   atomic.Pointer[view]

	waiting chan struct{} // holds one for each datagram that waits

	mu       sync.Mutex
	sessions map[netip.AddrPort]*session
}

// session is the datagrams of one client address.
type session struct {
	view *view // under which to was last known to be right
	to   destination
	up   *net.UDPConn
	used atomic.Int64 // Unix nanoseconds
}

func listenUDP(s *Server, v *view) (socket, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(v.socket.Bind))
	if err != nil {
		return nil, err
	}
	x := &udpSocket{server: s, conn: conn, waiting: make(chan struct{}, maxWaiting), sessions: map[netip.AddrPort]*session{}}
	x.view.Store(v)
	s.tracks.do(x.receive)
	return x, nil
}

func (x *udpSocket) show(v *view) { x.view.Store(v) }

func (x *udpSocket) close() { _ = x.conn.Close() } // it is not used again

func (x *udpSocket) finish(context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for client, s := range x.sessions {
		_ = s.up.Close() // replies have no way back any more
		delete(x.sessions, client)
	}
}

func (x *udpSocket) receive(context.Context) {
	buf := make([]byte, maxDatagram)
	for {
		n, client, err := x.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			continue // an ICMP error of an earlier datagram
		}
		client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
		if x.forward(client, buf[:n]) { //nolint:contextcheck // the tracker gives the same context
			x.wait(client, slices.Clone(buf[:n])) //nolint:contextcheck // as above
		}
	}
}

// forward sends a datagram to the endpoint of its client's session. It reports
// whether there is none yet, but may be soon.
func (x *udpSocket) forward(client netip.AddrPort, datagram []byte) (early bool) {
	s, early := x.session(client)
	if s == nil {
		return early
	}
	s.used.Store(time.Now().UnixNano())
	if _, err := s.up.Write(datagram); err != nil {
		x.server.log.Debug("a datagram was not sent", "backend", s.to.key, "endpoint", s.to.endpoint, "error", err)
	}
	return false
}

// wait holds a datagram until its backend has an endpoint (see
// endpointPatience), and drops it when none comes.
func (x *udpSocket) wait(client netip.AddrPort, datagram []byte) {
	select {
	case x.waiting <- struct{}{}:
	default:
		x.server.log.Debug("a datagram was dropped: too many wait", "socket", x.conn.LocalAddr())
		return
	}
	x.server.tracks.do(func(ctx context.Context) {
		defer func() { <-x.waiting }()
		if !x.server.patiently(ctx, func() bool { return !x.forward(client, datagram) }) { //nolint:contextcheck // sessions outlive what they began with
			x.server.log.Debug("a datagram was dropped: no endpoint in time", "socket", x.conn.LocalAddr())
		}
	})
}

// session returns the session of a client, or nil when its datagrams go nowhere:
// those for invalid backends are dropped (UDPRouteRule.BackendRefs). Early says
// that it is for want of a ready endpoint.
func (x *udpSocket) session(client netip.AddrPort) (_ *session, early bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	v := x.view.Load()
	s := x.sessions[client]
	if s != nil && s.view == v {
		return s, false
	}
	d := v.table.Route(v.connectionOf("udp", &inbound{source: client}, ""))
	if s != nil {
		if d.Backends[s.to.key] > 0 && v.has(s.to) {
			s.view = v
			return s, false
		}
		_ = s.up.Close() // its backend is no more
		delete(x.sessions, client)
	}
	to, f := v.choose(&d)
	if f != nil && to.key != "" {
		return nil, true
	} else if f != nil {
		x.server.log.Debug("a datagram was dropped", "socket", v.bind, "reason", f.reason)
		return nil, false
	}
	if len(x.sessions) >= maxSessions {
		x.server.log.Debug("a datagram was dropped: too many clients", "socket", v.bind)
		return nil, false
	}
	up, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to.endpoint))
	if err != nil {
		x.server.log.Debug("a backend cannot be reached", "socket", v.bind, "backend", to.key, "error", err)
		return nil, false
	}
	s = &session{view: v, to: to, up: up}
	s.used.Store(time.Now().UnixNano())
	x.sessions[client] = s
	x.server.tracks.do(func(context.Context) { x.reply(client, s) })
	return s, false
}

// reply sends what the backend answers back to the client until the session is
// idle.
func (x *udpSocket) reply(client netip.AddrPort, s *session) {
	defer x.forget(client, s)
	buf := make([]byte, maxDatagram)
	for {
		_ = s.up.SetReadDeadline(time.Unix(0, s.used.Load()).Add(sessionIdle)) // a closed socket shows at the read
		n, err := s.up.Read(buf)
		var timeout net.Error
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case errors.As(err, &timeout) && timeout.Timeout():
			if time.Since(time.Unix(0, s.used.Load())) >= sessionIdle {
				return
			}
			continue
		case err != nil:
			continue // the port of the endpoint was closed (ICMP): one error for each datagram
		}
		s.used.Store(time.Now().UnixNano())
		if _, err := x.conn.WriteToUDPAddrPort(buf[:n], client); errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

func (x *udpSocket) forget(client netip.AddrPort, s *session) {
	_ = s.up.Close() // it may be closed already
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.sessions[client] == s {
		delete(x.sessions, client)
	}
}

package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httputil"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves one [Config] at a time. Its methods may be called concurrently.
type Server struct {
	log    *slog.Logger
	plain  *transports // to backends without TLS; they outlive configurations
	tracks tracker
	proxy  *httputil.ReverseProxy
	// mirroring holds a place for each mirrored request.
	mirroring chan struct{}
	// original returns where a redirected connection was going.
	original func(net.Conn) (netip.AddrPort, error)

	config   atomic.Pointer[Config] // the present one; views have that of their sockets
	patience time.Duration          // see endpointPatience

	mu     sync.Mutex
	open   map[socketKey]socket
	secure *transports // to backends with TLS, of the present configuration
	closed bool
}

// socketKey tells open sockets apart.
type socketKey struct {
	network string
	bind    netip.AddrPort
	mesh    bool
}

// socket is an open port.
type socket interface {
	// show makes v what the socket serves.
	show(v *view)
	// close gives the address back before it returns.
	close()
	// finish waits for what is in flight, until ctx ends.
	finish(ctx context.Context)
}

// New returns a server that serves nothing yet. Requests that fail are told to
// log at debug level.
func New(log *slog.Logger) *Server {
	return &Server{log: log, patience: endpointPatience, plain: &transports{}, proxy: newProxy(log), mirroring: make(chan struct{}, maxMirrors), original: originalDestination, open: map[socketKey]socket{}}
}

// Apply serves c from now on. The change is atomic: a request is served by one
// configuration from its first to its last decision, and connections that live
// on, such as those of HTTP/2, use c for their next request. Sockets that c no
// longer names are closed; what is in flight on them finishes. The error names
// each socket that could not be opened; the rest is served nevertheless, and
// the next Apply tries again. A table must not be in use elsewhere unless it is
// frozen.
func (s *Server) Apply(c *Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the server is closed")
	}
	secure := &transports{}
	views, err := s.views(c, secure)
	s.config.Store(c)
	for key, x := range s.open { // first, so that an address can be taken over
		if views[key] == nil {
			delete(s.open, key)
			s.drain(x)
		}
	}
	for key, v := range views {
		x := s.open[key]
		if x == nil {
			var opened error
			if x, opened = s.listen(key, v); opened != nil {
				err = errors.Join(err, fmt.Errorf("%s socket %s: %w", key.network, key.bind, opened))
				continue
			}
			s.open[key] = x
			continue
		}
		x.show(v)
	}
	if s.secure != nil {
		s.secure.closeIdle()
	}
	s.secure = secure
	return err
}

// views are the sockets that c names.
func (s *Server) views(c *Config, secure *transports) (map[socketKey]*view, error) {
	var errs []error
	views := map[socketKey]*view{}
	for i := range c.Sockets {
		x := &c.Sockets[i]
		key := socketKey{network: x.Network, bind: x.Bind}
		switch {
		case x.Network != "tcp" && x.Network != "udp":
			errs = append(errs, fmt.Errorf("socket %s: the network %q is neither tcp nor udp", x.Bind, x.Network))
		case x.Table == nil:
			errs = append(errs, fmt.Errorf("%s socket %s has no table", x.Network, x.Bind))
		case views[key] != nil:
			errs = append(errs, fmt.Errorf("%s socket %s is named twice: the first one is served", x.Network, x.Bind))
		default:
			views[key] = newView(s, c, x, secure)
		}
	}
	if m := c.Mesh; m != nil {
		key := socketKey{network: "tcp", bind: m.Bind, mesh: true}
		if m.Table == nil || m.Service == nil || m.Client == nil {
			errs = append(errs, fmt.Errorf("mesh socket %s needs Table, Service and Client", m.Bind))
		} else {
			views[key] = newView(s, c, &Socket{Network: "tcp", Bind: m.Bind, Table: m.Table}, secure)
			views[key].mesh = m
		}
	}
	return views, errors.Join(errs...)
}

func (s *Server) listen(key socketKey, v *view) (socket, error) {
	if key.network == "udp" {
		return listenUDP(s, v)
	}
	return listenTCP(s, v)
}

// drain closes a socket and lets it finish in the background; Close waits for
// that.
func (s *Server) drain(x socket) {
	x.close()
	s.tracks.do(x.finish)
}

// Close closes all sockets and waits for what is in flight until ctx ends, then
// cuts it off.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for key, x := range s.open {
		delete(s.open, key)
		s.drain(x) //nolint:contextcheck // the tracker gives the context that ends with ctx
	}
	secure := s.secure
	s.mu.Unlock()
	err := s.tracks.wait(ctx)
	s.plain.closeIdle()
	if secure != nil {
		secure.closeIdle()
	}
	return err
}

package serve

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// What a stream begins with tells HTTP from everything else (RFC 9112 section 3,
// RFC 9113 section 3.4).
func TestLooksLikeHTTP(t *testing.T) {
	for in, want := range map[string]verdict{
		"":                                 unsure,
		"GE":                               unsure,
		"GET":                              unsure,
		"GET ":                             unsure,
		"GET /":                            yes,
		"OPTIONS * HTTP/1.1":               yes,
		"GET http://x/":                    yes,
		"CONNECT example.com:443":          yes,
		"PROPFIND /dav":                    yes,
		"P":                                unsure,
		"PRI * HTTP/2.0\r\n":               unsure,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": yes,
		"\x16\x03\x01":                     no, // TLS
		"get /":                            no,
		"HELLO world":                      no, // "world" is no target
		"EHLO":                             unsure,
		"EHLO\r\n":                         no,
		" ":                                no,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ":       no,
		"\x00":                             no,
	} {
		if got := looksLikeHTTP([]byte(in)); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// A waypoint stands where connections to Services are redirected to. Here the
// test says where a connection was going; netfilter does in a cluster.
func meshServer(t *testing.T, to netip.AddrPort, table *routing.Table, endpoints map[string][]netip.AddrPort) string {
	t.Helper()
	bind := free(t, "tcp")
	s := serve(t, &Config{})
	s.original = func(net.Conn) (netip.AddrPort, error) { return to, nil }
	if err := s.Apply(&Config{Endpoints: endpoints, Mesh: &Mesh{
		Bind: bind, Table: table,
		Service: func(a netip.AddrPort) (string, bool) {
			return "shop/cart", a.Addr() == netip.MustParseAddr("198.19.0.1")
		},
		Client: func(a netip.Addr) *routing.Client {
			if a != netip.MustParseAddr("127.0.0.1") {
				t.Errorf("a client at %s", a)
			}
			return &routing.Client{Namespace: "web"}
		},
	}}); err != nil {
		t.Fatal(err)
	}
	return bind.String()
}

// Requests to a Service follow its routes, for the client that sends them
// (GEP-1294, GEP-1426); without a route they go where they would go anyway.
func TestMesh(t *testing.T) {
	own := backend("cart-v2")
	own.Namespace = "shop"
	cart := netip.MustParseAddrPort("198.19.0.1:80")
	routes := func(client string) *routing.Table {
		r := prefix("/v2", &routing.Action{Backends: []routing.Backend{own}, RequestHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-Mesh", Value: "1"}}}})
		r.Match.Client.Namespace = client
		return &routing.Table{Listeners: []*routing.Listener{{Port: 80, Protocol: routing.HTTP, Mesh: "shop/cart", Hosts: []*routing.Host{{Order: routing.MostSpecific, Rules: []*routing.Rule{r}}}}}}
	}
	endpoints := map[string][]netip.AddrPort{
		"shop/cart-v2:80": {startBackend(t, echo("v2"), nil)}, "shop/cart:80": {startBackend(t, echo("v1"), nil)}, "shop/cart:25": {lineBackend(t, "lines", nil)},
	}
	h2 := map[string]func(*http.Protocols){"HTTP/1.1": http1, "HTTP/2.0": h2c}
	for _, c := range []struct {
		reason, line string
		table        *routing.Table
		status       int
		backend      string
	}{
		{"a route takes it, whatever the host", "GET http://elsewhere.example/v2", routes(""), 200, "v2"},
		{"a route for this client", "GET http://cart/v2", routes("web"), 200, "v2"},
		{"no rule of the Service's routes: 404", "GET http://cart/other", routes(""), 404, ""},
		{"routes of other clients only", "GET http://cart/v2", routes("admin"), 200, "v1"},
		{"no route at all", "GET http://cart/any?x=1", &routing.Table{}, 200, "v1"},
	} {
		addr := meshServer(t, cart, c.table, endpoints)
		for proto, p := range h2 {
			t.Run(c.reason+" over "+proto, func(t *testing.T) {
				got := do(t, client(t, p, nil), request(t, addr, c.line, map[string]string{"X-Forwarded-For": "203.0.113.9"}, ""))
				if got.status != c.status || got.echo.Backend != c.backend {
					t.Fatalf("%d from %q, want %d from %q: %s", got.status, got.echo.Backend, c.status, c.backend, got.body)
				}
				if c.backend == "" {
					return
				}
				_, target, _ := strings.Cut(c.line, "http://")
				if got.echo.Host+got.echo.URI != target || got.echo.Proto != proto || got.echo.Header.Get("X-Forwarded-For") != "203.0.113.9" || got.echo.Header.Get("X-Forwarded-Host") != "" {
					t.Errorf("the backend got %+v", got.echo)
				}
				if v2 := got.echo.Header.Get("X-Mesh") == "1"; v2 != (c.backend == "v2") {
					t.Error("filters of the route")
				}
			})
		}
	}
	t.Run("a stream whose server speaks first", func(t *testing.T) {
		addr := meshServer(t, netip.MustParseAddrPort("198.19.0.1:25"), routes(""), endpoints)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if name, err := talk(conn); name != "lines" {
			t.Errorf("%q %v", name, err)
		}
	})
	t.Run("a stream whose client speaks first", func(t *testing.T) {
		addr := meshServer(t, netip.MustParseAddrPort("198.19.0.1:25"), routes(""), endpoints)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(conn, "EHLO x\r\n")
		_ = conn.(*net.TCPConn).CloseWrite()
		if b, err := io.ReadAll(conn); string(b) != "lines\nEHLO x\r\n" {
			t.Errorf("%q %v", b, err)
		}
	})
	t.Run("what is no Service is passed on", func(t *testing.T) {
		addr := meshServer(t, endpoints["shop/cart:80"][0], routes(""), endpoints)
		if got := do(t, client(t, http1, nil), request(t, addr, "GET http://x/v2", nil, "")); got.echo.Backend != "v1" {
			t.Errorf("%d from %q", got.status, got.echo.Backend)
		}
	})
}

// A connection that nobody redirected is closed: passing it on would lead back.
func TestMeshNotRedirected(t *testing.T) {
	for reason, original := range map[string]func(net.Conn) (netip.AddrPort, error){
		"netfilter knows nothing of it": originalDestination,
		"it was going here":             func(c net.Conn) (netip.AddrPort, error) { return addrPortOf(c.LocalAddr()), nil },
	} {
		t.Run(reason, func(t *testing.T) {
			s := serve(t, &Config{})
			s.original = original
			bind := free(t, "tcp")
			if err := s.Apply(&Config{Mesh: &Mesh{Bind: bind, Table: &routing.Table{},
				Service: func(netip.AddrPort) (string, bool) { t.Error("asked for a Service"); return "", false }, Client: func(netip.Addr) *routing.Client { return nil }}}); err != nil {
				t.Fatal(err)
			}
			c, err := net.Dial("tcp", bind.String())
			if err != nil {
				return // the reset came while the connection was made
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if b, err := io.ReadAll(c); len(b) > 0 || err != nil && strings.Contains(err.Error(), "timeout") {
				t.Errorf("%q %v", b, err)
			}
		})
	}
}

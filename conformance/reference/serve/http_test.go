package serve

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// What the table decides is what the client sees and the backend gets.
func TestDecisionsAreCarriedOut(t *testing.T) {
	a := startBackend(t, echo("a"), nil)
	invalid := backend("gone")
	invalid.Invalid = "there is no Service default/gone"
	own := backend("a")
	own.RequestHeaders = routing.HeaderChange{Set: []routing.Header{{Name: "X-Own", Value: "1"}}, Remove: []string{"X-Rule"}}
	own.ResponseHeaders = routing.HeaderChange{Set: []routing.Header{{Name: "X-Own-Response", Value: "1"}}}
	own.Rewrite = &routing.Rewrite{Host: "own.example", Path: &routing.PathRewrite{Kind: routing.ReplacePrefix, Value: "/mine"}}
	to := []routing.Backend{backend("a")}
	addr := gateway(t, httpTable(
		prefix("/plain", &routing.Action{Backends: to}),
		prefix("/invalid", &routing.Action{Backends: []routing.Backend{invalid}}),
		prefix("/empty", &routing.Action{Backends: []routing.Backend{backend("none")}}),
		prefix("/nothing", &routing.Action{}),
		prefix("/fixed", &routing.Action{Respond: &routing.Response{Status: 503, Body: "closed"}}),
		prefix("/guarded", &routing.Action{Backends: to, Guards: []routing.Guard{{Kind: routing.GuardAuthURL}}}),
		prefix("/moved", &routing.Action{Redirect: &routing.Redirect{Code: 308, Scheme: "https", Host: "new.example"}, ResponseHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-R", Value: "1"}}}}),
		prefix("/rewritten", &routing.Action{Backends: to, Rewrite: &routing.Rewrite{Host: "inner.example", Path: &routing.PathRewrite{Kind: routing.ReplacePrefix, Value: "/new"}}}),
		prefix("/headers", &routing.Action{Backends: to,
			RequestHeaders:  routing.HeaderChange{Set: []routing.Header{{Name: "X-Set", Value: "new"}}, Add: []routing.Header{{Name: "X-Add", Value: "more"}}, Remove: []string{"x-remove"}},
			ResponseHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-Backend", Value: "hidden"}}, Add: []routing.Header{{Name: "X-Added", Value: "1"}}, Remove: []string{"Content-Type"}}}),
		prefix("/host-header", &routing.Action{Backends: to, RequestHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "host", Value: "set.example"}}}}),
		prefix("/own", &routing.Action{Backends: []routing.Backend{own}, RequestHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-Rule", Value: "1"}}}}),
	), map[string][]netip.AddrPort{"default/a:80": {a}})

	for _, c := range []struct {
		reason, line, body string
		header             map[string]string
		status             int
		check              func(reply) string // what is wrong, if anything
	}{
		{reason: "a forward keeps method, host, query and body", line: "POST http://shop.example/plain/x?a=1&b=%2F;c", body: "hello", status: 200, check: func(p reply) string {
			if e := p.echo; e.Method != "POST" || e.Host != "shop.example" || e.URI != "/plain/x?a=1&b=%2F;c" || e.Body != "hello" {
				return fmt.Sprint(e)
			}
			return ""
		}},
		{reason: "escapes stay as they were sent", line: "GET http://shop.example/plain/a%2Fb//c", status: 200, check: func(p reply) string {
			if p.echo.URI != "/plain/a%2Fb//c" {
				return p.echo.URI
			}
			return ""
		}},
		{reason: "the hop is told to the backend", line: "GET http://shop.example/plain", header: map[string]string{"X-Forwarded-For": "203.0.113.9"}, status: 200, check: func(p reply) string {
			h := p.echo.Header
			if h.Get("X-Forwarded-For") != "203.0.113.9, 127.0.0.1" || h.Get("X-Forwarded-Proto") != "http" || h.Get("X-Forwarded-Host") != "shop.example" {
				return fmt.Sprint(h)
			}
			return ""
		}},
		{reason: "no rule: 404", line: "GET http://shop.example/other", status: 404},
		{reason: "all backends invalid: 500 (HTTPRouteRule.BackendRefs)", line: "GET http://shop.example/invalid", status: 500},
		{reason: "no ready endpoint: 503 (HTTPRouteRule.BackendRefs)", line: "GET http://shop.example/empty", status: 503},
		{reason: "no backend: 500", line: "GET http://shop.example/nothing", status: 500},
		{reason: "a fixed response", line: "GET http://shop.example/fixed", status: 503, check: func(p reply) string {
			if p.body != "closed" {
				return p.body
			}
			return ""
		}},
		{reason: "a policy that is not served refuses", line: "GET http://shop.example/guarded", status: 500},
		{reason: "a redirect (HTTPRequestRedirectFilter)", line: "GET http://shop.example/moved/x?y=1", status: 308, check: func(p reply) string {
			if l := p.header.Get("Location"); l != "https://new.example/moved/x?y=1" || p.header.Get("X-R") != "1" {
				return fmt.Sprint(p.header)
			}
			return ""
		}},
		{reason: "a rewrite of path and host (HTTPURLRewriteFilter)", line: "GET http://shop.example/rewritten/x?y=1", status: 200, check: func(p reply) string {
			if p.echo.URI != "/new/x?y=1" || p.echo.Host != "inner.example" {
				return fmt.Sprint(p.echo)
			}
			return ""
		}},
		{reason: "header changes (HTTPHeaderFilter)", line: "GET http://shop.example/headers", header: map[string]string{"X-Set": "old", "X-Add": "one", "X-Remove": "1"}, status: 200, check: func(p reply) string {
			h := p.echo.Header
			if h.Get("X-Set") != "new" || strings.Join(h["X-Add"], ",") != "one,more" || h.Get("X-Remove") != "" {
				return "request: " + fmt.Sprint(h)
			}
			if p.header.Get("X-Backend") != "hidden" || p.header.Get("X-Added") != "1" || p.header.Get("Content-Type") != "" {
				return "response: " + fmt.Sprint(p.header)
			}
			return ""
		}},
		{reason: "a filter may set the host header", line: "GET http://shop.example/host-header", status: 200, check: func(p reply) string {
			if p.echo.Host != "set.example" {
				return p.echo.Host
			}
			return ""
		}},
		{reason: "filters of the backend come after those of the rule (HTTPBackendRef.Filters)", line: "GET http://shop.example/own/x?y=1", status: 200, check: func(p reply) string {
			if h := p.echo.Header; h.Get("X-Own") != "1" || h.Get("X-Rule") != "" || p.header.Get("X-Own-Response") != "1" {
				return fmt.Sprint(h, p.header)
			}
			if p.echo.URI != "/mine/x?y=1" || p.echo.Host != "own.example" {
				return fmt.Sprint(p.echo)
			}
			return ""
		}},
	} {
		for name, p := range map[string]func(*http.Protocols){"HTTP/1.1": http1, "HTTP/2.0": h2c} {
			t.Run(c.reason+" over "+name, func(t *testing.T) {
				got := do(t, client(t, p, nil), request(t, addr, c.line, c.header, c.body))
				if got.status != c.status || got.proto != name {
					t.Fatalf("%d over %s, want %d: %s", got.status, got.proto, c.status, got.body)
				}
				if c.check != nil {
					if wrong := c.check(got); wrong != "" {
						t.Error(wrong)
					}
				}
			})
		}
	}
}

// Requests go to each backend by its weight; that of an invalid one is answered
// 500 (HTTPRouteRule.BackendRefs).
func TestWeights(t *testing.T) {
	a, b := startBackend(t, echo("a"), nil), startBackend(t, echo("b"), nil)
	w := func(name string, weight int, invalid string) routing.Backend {
		x := backend(name)
		x.Weight, x.Invalid = weight, invalid
		return x
	}
	addr := gateway(t, httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{w("a", 6, ""), w("b", 2, ""), w("never", 0, ""), w("gone", 2, "there is none")}})),
		map[string][]netip.AddrPort{"default/a:80": {a}, "default/b:80": {b}})
	c := client(t, http1, nil)
	const n = 2000
	got := map[string]int{}
	for range n {
		p := do(t, c, request(t, addr, "GET http://x/", nil, ""))
		got[fmt.Sprint(p.status, p.echo.Backend)]++
	}
	for k, share := range map[string]float64{"200a": .6, "200b": .2, "500": .2} {
		// Five standard deviations of 2000 rolls are below 0.06.
		if d := float64(got[k])/n - share; d > .06 || d < -.06 {
			t.Errorf("%s: %d of %d, want %.0f%%", k, got[k], n, share*100)
		}
	}
	if len(got) != 3 {
		t.Errorf("answers: %v", got)
	}
}

// The protocol of the backend comes from its Service's appProtocol (GEP-1911).
func TestBackendProtocols(t *testing.T) {
	a := startBackend(t, echo("a"), nil)
	with := func(protocol string) []routing.Backend {
		x := backend("a")
		x.Protocol = protocol
		return []routing.Backend{x}
	}
	addr := gateway(t, httpTable(
		prefix("/http", &routing.Action{Backends: with("")}), prefix("/h2c", &routing.Action{Backends: with("H2C")}), prefix("/ws", &routing.Action{Backends: with("WS")}),
	), map[string][]netip.AddrPort{"default/a:80": {a}})
	for path, want := range map[string]string{"/http": "HTTP/1.1", "/h2c": "HTTP/2.0", "/ws": "HTTP/1.1"} {
		for _, p := range []func(*http.Protocols){http1, h2c} {
			if got := do(t, client(t, p, nil), request(t, addr, "GET http://x"+path, nil, "")); got.echo.Proto != want {
				t.Errorf("%s: the backend got %q, want %q", path, got.echo.Proto, want)
			}
		}
	}
}

// upgradeEcho agrees to a WebSocket and sends everything back.
func upgradeEcho(t testing.TB, w http.ResponseWriter) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	_, _ = io.Copy(c, rw)
}

// A WebSocket is a tunnel once both sides agreed (RFC 6455 section 4.2.2); the
// timeouts of the route do not end it.
func TestWebSocket(t *testing.T) {
	up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			w.WriteHeader(http.StatusUpgradeRequired)
			return
		}
		upgradeEcho(t, w)
	})
	b := backend("ws")
	b.Protocol = "WS"
	addr := gateway(t, httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{b}, Timeouts: routing.Timeouts{Request: 50 * time.Millisecond, BackendRequest: 50 * time.Millisecond}})),
		map[string][]netip.AddrPort{"default/ws:80": {startBackend(t, up, nil)}})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("%v %v", res, err)
	}
	for _, after := range []time.Duration{0, 120 * time.Millisecond} { // the second is beyond both timeouts
		<-time.After(after)
		fmt.Fprint(c, "ping\n")
		if line, err := r.ReadString('\n'); line != "ping\n" {
			t.Fatalf("after %s: %q %v", after, line, err)
		}
	}
}

// A Content-Type that the backend did not give is not guessed: net/http guesses
// unless the header is there, with no value.
func TestNoContentTypeIsGuessed(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		fmt.Fprint(w, "<html>")
	})
	bind := free(t, "tcp")
	s := serve(t, &Config{
		Sockets:   []Socket{{Network: "tcp", Bind: bind, Port: 80, Table: httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{backend("h")}}))}},
		Endpoints: map[string][]netip.AddrPort{"default/h:80": {startBackend(t, h, nil)}},
	})
	// Whether net/http guesses depends on when the header is flushed, so the
	// handler is asked what it leaves to guess.
	w := httptest.NewRecorder()
	s.open[socketKey{network: "tcp", bind: bind}].(*tcpSocket).serveHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "http://x/", nil))
	if v, there := w.Header()["Content-Type"]; !there || len(v) > 0 || w.Body.String() != "<html>" {
		t.Errorf("Content-Type %q, there: %v; body %q", v, there, w.Body)
	}
	if got := do(t, client(t, http1, nil), request(t, bind.String(), "GET http://x/", nil, "")); got.header["Content-Type"] != nil || got.body != "<html>" {
		t.Errorf("%v %q", got.header, got.body)
	}
}

// What a backend sends arrives before it sends more, whether or not it said how
// much there will be.
func TestResponsesAreStreamed(t *testing.T) {
	next := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/known" {
			w.Header().Set("Content-Length", "8")
		}
		for _, part := range []string{"one\n", "two\n"} {
			fmt.Fprint(w, part)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	})
	addr := gateway(t, httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{backend("h")}})), map[string][]netip.AddrPort{"default/h:80": {startBackend(t, h, nil)}})
	for _, p := range []func(*http.Protocols){http1, h2c} {
		for _, path := range []string{"/known", "/unknown"} {
			res, err := client(t, p, nil).Do(request(t, addr, "GET http://x"+path, nil, ""))
			if err != nil {
				t.Fatal(err)
			}
			if n := res.ContentLength; (n == 8) != (path == "/known") {
				t.Errorf("%s: Content-Length %d", path, n)
			}
			r := bufio.NewReader(res.Body)
			for _, want := range []string{"one\n", "two\n"} {
				if line, err := r.ReadString('\n'); line != want {
					t.Errorf("%s: %q %v", path, line, err)
				}
				next <- struct{}{}
			}
			res.Body.Close()
		}
	}
}

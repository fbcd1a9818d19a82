package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/causeway-gateway/causeway/routing"
)

// pair is a configuration whose two halves belong together: requests go to a
// backend and get a header that names the same generation.
func pair(bind netip.AddrPort, backends []netip.AddrPort, generation int) *Config {
	b := backend("g")
	b.Name = fmt.Sprint("g", generation)
	table := httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{b}, ResponseHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-Generation", Value: fmt.Sprint(generation)}}}}))
	return &Config{
		Sockets:   []Socket{{Network: "tcp", Bind: bind, Port: 80, Table: table}},
		Endpoints: map[string][]netip.AddrPort{b.Key(): {backends[generation]}},
	}
}

// No request fails or sees half of a configuration while configurations change
// under load; connections, those of HTTP/2 among them, live on.
func TestApplyUnderLoad(t *testing.T) {
	var backends []netip.AddrPort
	for i := range 4 {
		backends = append(backends, startBackend(t, echo(fmt.Sprint(i)), nil))
	}
	bind := free(t, "tcp")
	s := serve(t, pair(bind, backends, 0))
	stop := make(chan struct{})
	var requests, connections atomic.Int64
	var wg sync.WaitGroup
	for _, p := range []func(*http.Protocols){http1, http1, h2c, h2c} {
		c := client(t, p, nil)
		dial := (&net.Dialer{}).DialContext
		c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			connections.Add(1)
			return dial(ctx, network, addr)
		}
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := try(c, request(t, bind.String(), "POST http://x/", nil, "body"))
				if err != nil || got.status != 200 || got.echo.Body != "body" {
					t.Errorf("a request failed: %d %v %s", got.status, err, got.body)
					return
				}
				if g := got.header.Get("X-Generation"); g != got.echo.Backend {
					t.Errorf("generation %s was served by the backend of %s", g, got.echo.Backend)
					return
				}
				requests.Add(1)
			}
		})
	}
	for i := range 200 {
		if err := s.Apply(pair(bind, backends, i%len(backends))); err != nil {
			t.Error(err)
			break
		}
		for n := requests.Load(); requests.Load() < n+2 && !t.Failed(); {
			time.Sleep(100 * time.Microsecond) // let some requests through
		}
	}
	close(stop)
	wg.Wait()
	if requests.Load() < 400 {
		t.Errorf("only %d requests", requests.Load())
	}
	if connections.Load() != 4 {
		t.Errorf("%d connections for 4 clients", connections.Load())
	}
}

// A socket that is no longer named is closed; what is in flight on it finishes,
// and the address can be used again at once.
func TestApplyClosesAndReopens(t *testing.T) {
	hold := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-hold
		fmt.Fprint(w, "done")
	})
	table := httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{backend("slow")}}))
	endpoints := map[string][]netip.AddrPort{"default/slow:80": {startBackend(t, slow, nil)}, "default/lines:80": {lineBackend(t, "lines", nil)}}
	web, lines := free(t, "tcp"), free(t, "tcp")
	full := &Config{Endpoints: endpoints, Sockets: []Socket{
		{Network: "tcp", Bind: web, Port: 80, Table: table}, {Network: "tcp", Bind: lines, Port: 25, Table: streamTable(routing.TCP, 25, backend("lines"))},
	}}
	s := serve(t, full)
	res, err := client(t, http1, nil).Do(request(t, web.String(), "GET http://x/", nil, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	stream, err := net.Dial("tcp", lines.String())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	r := bufio.NewReader(stream)
	if line, err := r.ReadString('\n'); line != "lines\n" {
		t.Fatal(line, err)
	}

	if err := s.Apply(&Config{}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []netip.AddrPort{web, lines} {
		if c, err := net.Dial("tcp", a.String()); err == nil {
			c.Close()
			t.Errorf("%s still accepts", a)
		}
	}
	close(hold)
	if b, err := io.ReadAll(res.Body); string(b) != "done" || err != nil {
		t.Errorf("the request in flight: %q %v", b, err)
	}
	fmt.Fprintln(stream, "still")
	if line, err := r.ReadString('\n'); line != "still\n" {
		t.Errorf("the stream: %q %v", line, err)
	}

	if err := s.Apply(full); err != nil {
		t.Fatal(err)
	}
	if got := do(t, client(t, http1, nil), request(t, web.String(), "GET http://x/", nil, "")); got.body != "done" {
		t.Errorf("after reopening: %d %q", got.status, got.body)
	}
}

// The error of Apply names what could not be opened; the rest is served, and the
// next Apply tries again.
func TestApplyErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	table := httpTable(prefix("/", &routing.Action{Respond: &routing.Response{Status: 200, Body: "here"}}))
	good, bad := free(t, "tcp"), addrPortOf(taken.Addr())
	sock := func(network string, bind netip.AddrPort, table *routing.Table) Socket {
		return Socket{Network: network, Bind: bind, Port: 80, Table: table}
	}
	s := New(slog.New(slog.DiscardHandler))
	defer s.Close(t.Context())
	config := &Config{Sockets: []Socket{sock("tcp", bad, table), sock("tcp", good, table), sock("tcp", good, table), sock("sctp", good, table), sock("udp", good, nil)}, Mesh: &Mesh{Bind: free(t, "tcp")}}
	err = s.Apply(config)
	for _, want := range []string{"tcp socket " + bad.String() + ":", "address already in use", "tcp socket " + good.String() + " is named twice", `"sctp" is neither tcp nor udp`, "udp socket " + good.String() + " has no table", "needs Table, Service and Client"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	c := client(t, http1, nil)
	if got := do(t, c, request(t, good.String(), "GET http://x/", nil, "")); got.body != "here" {
		t.Errorf("the good socket: %d %q", got.status, got.body)
	}
	taken.Close()
	if err := s.Apply(&Config{Sockets: config.Sockets[:2]}); err != nil {
		t.Fatal(err)
	}
	if got := do(t, c, request(t, bad.String(), "GET http://x/", nil, "")); got.body != "here" {
		t.Errorf("the socket that was taken: %d %q", got.status, got.body)
	}
}

// Close waits for what is in flight until its context ends, then cuts it off.
func TestClose(t *testing.T) {
	hang := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			upgradeEcho(t, w)
			return
		}
		<-r.Context().Done()
	})
	table := httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{backend("hang")}}))
	bind, lines := free(t, "tcp"), free(t, "tcp")
	s := New(slog.New(slog.DiscardHandler))
	if err := s.Apply(&Config{Sockets: []Socket{{Network: "tcp", Bind: bind, Port: 80, Table: table}, {Network: "tcp", Bind: lines, Port: 25, Table: streamTable(routing.TCP, 25, backend("lines"))}},
		Endpoints: map[string][]netip.AddrPort{"default/hang:80": {startBackend(t, hang, nil)}, "default/lines:80": {lineBackend(t, "lines", nil)}}}); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := try(client(t, http1, nil), request(t, bind.String(), "GET http://x/", nil, ""))
		failed <- err
	}()
	tunnel, err := net.Dial("tcp", bind.String())
	if err != nil {
		t.Fatal(err)
	}
	defer tunnel.Close()
	_ = tunnel.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(tunnel, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	fromTunnel := bufio.NewReader(tunnel)
	if res, err := http.ReadResponse(fromTunnel, nil); err != nil || res.StatusCode != 101 {
		t.Fatalf("%v %v", res, err)
	}
	stream, err := net.Dial("tcp", lines.String())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	r := bufio.NewReader(stream)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("Close: %v", err)
	}
	if d := time.Since(start); d < 200*time.Millisecond || d > 3*time.Second {
		t.Errorf("Close took %s", d)
	}
	for name, r := range map[string]*bufio.Reader{"stream": r, "tunnel": fromTunnel} {
		if _, err := r.ReadString('\n'); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the %s lives on: %v", name, err)
		}
	}
	g := gomega.NewWithT(t)
	g.Eventually(failed).WithTimeout(5 * time.Second).Should(gomega.Receive(gomega.HaveOccurred()))
	if err := s.Apply(&Config{}); err == nil {
		t.Error("Apply after Close succeeded")
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

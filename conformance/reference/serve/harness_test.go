package serve

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// serve starts a server and ends it with the test. Its streams hardly wait for
// endpoints: many tests are about backends without one.
func serve(t testing.TB, c *Config) *Server {
	t.Helper()
	return serveWith(t, c, time.Millisecond)
}

// serveWith is serve with a patience of the test's own.
func serveWith(t testing.TB, c *Config, patience time.Duration) *Server {
	t.Helper()
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelDebug
	}
	s := New(slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level})))
	s.patience = patience
	if err := s.Apply(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Second) // that of the test is over
		defer cancel()
		_ = s.Close(ctx) // connections that the test keeps open are cut off
	})
	return s
}

// free returns a loopback address that nothing listens on.
func free(t testing.TB, network string) netip.AddrPort {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return addrPortOf(c.LocalAddr())
	}
	l, err := net.Listen(network, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return addrPortOf(l.Addr())
}

// seen is what an echo backend got, as it answers it.
type seen struct {
	Backend, Method, Host, URI, Proto, SNI string
	Header                                 http.Header
	Body                                   string
	ClientCertificate                      string
}

// echo answers every request with what it got.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e := seen{Backend: name, Method: r.Method, Host: r.Host, URI: r.RequestURI, Proto: r.Proto, Header: r.Header, Body: string(body)}
		if r.TLS != nil {
			e.SNI = r.TLS.ServerName
			if len(r.TLS.PeerCertificates) > 0 {
				e.ClientCertificate = r.TLS.PeerCertificates[0].Subject.CommonName
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Backend", name)
		_ = json.NewEncoder(w).Encode(e)
	})
}

// startBackend serves h over HTTP/1.1 and, by prior knowledge, HTTP/2; with a
// TLS configuration over TLS.
func startBackend(t testing.TB, h http.Handler, c *tls.Config) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetHTTP2(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	if c == nil {
		s.Start()
	} else {
		s.EnableHTTP2 = true
		s.TLS = c
		s.StartTLS()
	}
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return addrPortOf(s.Listener.Addr())
}

// backend is a Service "default/name:80".
func backend(name string) routing.Backend {
	return routing.Backend{Namespace: "default", Name: name, Port: 80, Weight: 1}
}

func prefix(path string, a *routing.Action) *routing.Rule {
	return &routing.Rule{Match: routing.Match{Path: routing.PathMatch{Kind: routing.SegmentPrefix, Value: path}}, Action: a,
		Origin: routing.Origin{Object: routing.ObjectRef{Kind: "HTTPRoute", Namespace: "default", Name: "test"}}}
}

// httpTable is a listener of port 80 without hostname.
func httpTable(rules ...*routing.Rule) *routing.Table {
	return &routing.Table{Listeners: []*routing.Listener{{Name: "http", Port: 80, Protocol: routing.HTTP, Hosts: []*routing.Host{{Order: routing.MostSpecific, Rules: rules}}}}}
}

// gateway serves one table on one new address.
func gateway(t testing.TB, table *routing.Table, endpoints map[string][]netip.AddrPort) (addr string) {
	t.Helper()
	bind := free(t, "tcp")
	serve(t, &Config{Sockets: []Socket{{Network: "tcp", Bind: bind, Port: 80, Table: table}}, Endpoints: endpoints})
	return bind.String()
}

// client follows no redirects and keeps no connections beyond the test.
func client(t testing.TB, p func(*http.Protocols), c *tls.Config) *http.Client {
	tr := &http.Transport{TLSClientConfig: c, Protocols: new(http.Protocols), DisableCompression: true}
	p(tr.Protocols)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func http1(p *http.Protocols) { p.SetHTTP1(true) }
func http2(p *http.Protocols) { p.SetHTTP2(true) }
func h2c(p *http.Protocols)   { p.SetUnencryptedHTTP2(true) }

// request makes a request of "METHOD http://host/path" to an address whatever
// the host.
func request(t testing.TB, addr, line string, header map[string]string, body string) *http.Request {
	t.Helper()
	method, target, _ := strings.Cut(line, " ")
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, in)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.URL.Host = r.URL.Host, addr
	for k, v := range header {
		r.Header.Set(k, v)
	}
	return r
}

// reply is a response as tests look at it.
type reply struct {
	status int
	header http.Header
	echo   seen
	body   string
	proto  string
}

func do(t testing.TB, c *http.Client, r *http.Request) reply {
	t.Helper()
	p, err := try(c, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func try(c *http.Client, r *http.Request) (reply, error) {
	res, err := c.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{}, fmt.Errorf("the response was cut off: %w", err)
	}
	p := reply{status: res.StatusCode, header: res.Header, body: string(body), proto: res.Proto}
	_ = json.Unmarshal(body, &p.echo) // not every response is an echo
	return p, nil
}

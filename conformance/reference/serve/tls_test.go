package serve

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/causeway-gateway/causeway/routing"
)

func secure(name, hostname, cert string, protocol routing.Protocol, hosts ...*routing.Host) *routing.Listener {
	return &routing.Listener{Name: name, Port: 443, Protocol: protocol, Hostname: routing.ParseHost(hostname, routing.SuffixHost), TLS: &routing.ListenerTLS{Certificates: []string{cert}}, Hosts: hosts}
}

func names(hostname string, a *routing.Action) *routing.Host {
	h := &routing.Host{Order: routing.MostSpecific, Rules: []*routing.Rule{{Action: a}}}
	if hostname != "" {
		h.Names = []routing.HostPattern{routing.ParseHost(hostname, routing.SuffixHost)}
	}
	return h
}

// echoLines says who it is, then sends every line back.
func echoLines(name string, c net.Conn) {
	defer c.Close()
	fmt.Fprintln(c, name)
	_, _ = io.Copy(c, c)
}

// lineBackend is a TCP backend, with a TLS configuration one that speaks TLS.
func lineBackend(t testing.TB, name string, c *tls.Config) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	addr := addrPortOf(l.Addr())
	if c != nil {
		l = tls.NewListener(l, c)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go echoLines(name, conn)
		}
	}()
	return addr
}

// talk sends a line over a stream and returns the name that came first.
func talk(c net.Conn) (name string, err error) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(c)
	if name, err = r.ReadString('\n'); err != nil {
		return "", err
	}
	fmt.Fprintln(c, "ping")
	if line, err := r.ReadString('\n'); line != "ping\n" {
		return "", fmt.Errorf("echo %q: %w", line, err)
	}
	return name[:len(name)-1], nil
}

// One port has listeners that terminate to HTTP, terminate to a stream, and pass
// through; the most specific hostname that has the SNI takes the connection
// (Listener.Hostname; TLSRoute, GEP-2643).
func TestServerNameChoosesListener(t *testing.T) {
	ca := newAuthority(t, "ca")
	inner := ca.issue(t, "pass.example.com")
	withPolicy := backend("tls-lines") // a policy does not put TLS into TLS
	withPolicy.TLS = &routing.BackendTLS{Verify: true, Hostname: "pass.example.com"}
	table := &routing.Table{Listeners: []*routing.Listener{
		secure("any", "", "default/any", routing.HTTPS, names("", &routing.Action{Backends: []routing.Backend{backend("web")}})),
		secure("wild", "*.example.com", "default/wild", routing.HTTPS, names("", &routing.Action{Backends: []routing.Backend{backend("wild")}})),
		secure("stream", "stream.example.com", "default/stream", routing.TLS, names("stream.example.com", &routing.Action{Backends: []routing.Backend{backend("lines")}})),
		{Name: "pass", Port: 443, Protocol: routing.TLS, Hostname: routing.ParseHost("pass.example.com", routing.SuffixHost), TLS: &routing.ListenerTLS{Passthrough: true},
			Hosts: []*routing.Host{names("pass.example.com", &routing.Action{Backends: []routing.Backend{withPolicy}})}},
		{Name: "lost", Port: 443, Protocol: routing.HTTPS, Hostname: routing.ParseHost("lost.example.com", routing.SuffixHost), TLS: &routing.ListenerTLS{Certificates: []string{"default/missing"}}},
	}}
	bind := free(t, "tcp")
	serve(t, &Config{
		Sockets: []Socket{{Network: "tcp", Bind: bind, Port: 443, Table: table}},
		Certificates: map[string]*tls.Certificate{
			"default/any": ca.issue(t, "example.org"), "default/wild": ca.issue(t, "*.example.com"), "default/stream": ca.issue(t, "stream.example.com"),
		},
		Endpoints: map[string][]netip.AddrPort{
			"default/web:80": {startBackend(t, echo("web"), nil)}, "default/wild:80": {startBackend(t, echo("wild"), nil)},
			"default/lines:80": {lineBackend(t, "lines", nil)}, "default/tls-lines:80": {lineBackend(t, "tls-lines", &tls.Config{Certificates: []tls.Certificate{*inner}})},
		},
	})
	for _, c := range []struct {
		reason, sni, stream, backend, certificate string
	}{
		{"the listener without hostname", "example.org", "", "web", "example.org"},
		{"the wildcard", "a.example.com", "", "wild", "*.example.com"},
		{"terminated to a stream", "stream.example.com", "lines", "", "stream.example.com"},
		{"passed through: the certificate is the backend's", "pass.example.com", "tls-lines", "", "pass.example.com"},
		{"no certificate: no handshake", "lost.example.com", "", "", ""},
	} {
		t.Run(c.reason, func(t *testing.T) {
			conn, err := tls.Dial("tcp", bind.String(), &tls.Config{ServerName: c.sni, RootCAs: ca.pool()})
			if c.certificate == "" {
				if err == nil {
					t.Fatal("the handshake succeeded")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if cn := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; cn != c.certificate {
				t.Errorf("certificate of %s, want %s", cn, c.certificate)
			}
			if c.stream != "" {
				if name, err := talk(conn); name != c.stream || err != nil {
					t.Errorf("stream to %q, want %q: %v", name, c.stream, err)
				}
				return
			}
			conn.Close()
			for proto, p := range map[string]func(*http.Protocols){"HTTP/1.1": http1, "HTTP/2.0": http2} {
				got := do(t, client(t, p, &tls.Config{ServerName: c.sni, RootCAs: ca.pool()}), request(t, bind.String(), "GET https://"+c.sni+"/", nil, ""))
				if got.status != 200 || got.echo.Backend != c.backend || got.proto != proto || got.echo.Header.Get("X-Forwarded-Proto") != "https" {
					t.Errorf("%s: %d from %q over %s", proto, got.status, got.echo.Backend, got.proto)
				}
			}
		})
	}
}

// A server name that no listener has ends the handshake (RFC 6066 section 3,
// unrecognized_name), and what is no TLS ends without an answer.
func TestNoListenerForServerName(t *testing.T) {
	ca := newAuthority(t, "ca")
	bind := free(t, "tcp")
	serve(t, &Config{
		Sockets:      []Socket{{Network: "tcp", Bind: bind, Port: 443, Table: &routing.Table{Listeners: []*routing.Listener{secure("a", "a.example.com", "default/a", routing.HTTPS, names("", &routing.Action{}))}}}},
		Certificates: map[string]*tls.Certificate{"default/a": ca.issue(t, "a.example.com")},
	})
	if _, err := tls.Dial("tcp", bind.String(), &tls.Config{ServerName: "b.example.com", RootCAs: ca.pool()}); err == nil || err.Error() != "remote error: tls: unrecognized name" {
		t.Errorf("handshake for another name: %v", err)
	}
	c, err := net.Dial("tcp", bind.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n")
	if b, err := io.ReadAll(c); len(b) > 0 {
		t.Errorf("plain HTTP was answered %q, %v", b, err)
	}
}

// Client certificates are demanded, or with AllowInsecureFallback only asked for
// (FrontendTLSValidation, GEP-91).
func TestClientCertificates(t *testing.T) {
	ca, clients, others := newAuthority(t, "ca"), newAuthority(t, "clients"), newAuthority(t, "others")
	listener := func(port int, ca string, optional bool) *routing.Listener {
		l := secure("l", "", "default/cert", routing.HTTPS, names("", &routing.Action{Backends: []routing.Backend{backend("web")}}))
		l.Port, l.TLS.ClientCA, l.TLS.ClientCAKind, l.TLS.ClientOptional = port, ca, "ConfigMap", optional
		return l
	}
	table := &routing.Table{Listeners: []*routing.Listener{listener(443, "default/clients", false), listener(8443, "default/clients", true), listener(9443, "default/missing", false)}}
	binds := map[int]netip.AddrPort{443: free(t, "tcp"), 8443: free(t, "tcp"), 9443: free(t, "tcp")}
	config := &Config{
		Certificates: map[string]*tls.Certificate{"default/cert": ca.issue(t, "example.org")},
		CAs:          map[string]*x509.CertPool{"ConfigMap default/clients": clients.pool()},
		Endpoints:    map[string][]netip.AddrPort{"default/web:80": {startBackend(t, echo("web"), nil)}},
	}
	for port, bind := range binds {
		config.Sockets = append(config.Sockets, Socket{Network: "tcp", Bind: bind, Port: port, Table: table})
	}
	serve(t, config)
	for _, c := range []struct {
		reason string
		port   int
		by     *authority
		ok     bool
	}{
		{"demanded and shown", 443, clients, true},
		{"demanded, of another CA", 443, others, false},
		{"demanded, none", 443, nil, false},
		{"asked for and shown", 8443, clients, true},
		{"asked for, of another CA", 8443, others, true},
		{"asked for, none", 8443, nil, true},
		{"a CA that is missing trusts nobody", 9443, clients, false},
	} {
		t.Run(c.reason, func(t *testing.T) {
			config := &tls.Config{ServerName: "example.org", RootCAs: ca.pool()}
			if c.by != nil {
				cert := c.by.issue(t, "client")
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
			}
			got, err := try(client(t, http1, config), request(t, binds[c.port].String(), "GET https://example.org/", nil, ""))
			if ok := err == nil && got.status == 200; ok != c.ok {
				t.Errorf("answered: %v, want %v (%d %v)", ok, c.ok, got.status, err)
			}
		})
	}
}

// The gateway is the client of TLS towards backends that have a policy
// (BackendTLSPolicyValidation), with a certificate of its own where the Gateway
// has one (Gateway.spec.tls.backend, GEP-3155).
func TestBackendTLS(t *testing.T) {
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	server := ca.issue(t, "backend.example.com", "spiffe://cluster/ns/default/sa/backend")
	up := startBackend(t, echo("tls"), &tls.Config{Certificates: []tls.Certificate{*server}, ClientAuth: tls.RequestClientCert})
	with := func(t *routing.BackendTLS, protocol string) *routing.Action {
		b := backend("tls")
		b.Protocol, b.TLS = protocol, t
		return &routing.Action{Backends: []routing.Backend{b}}
	}
	policy := func(host, ca string, sans ...string) *routing.BackendTLS {
		return &routing.BackendTLS{Verify: true, Hostname: host, CA: ca, CAKind: "ConfigMap", SubjectAltNames: sans}
	}
	own := policy("backend.example.com", "default/ca")
	own.ClientCertificate = "default/own"
	cases := []struct {
		path, reason, sni string
		action            *routing.Action
		status            int
		certificate       string
	}{
		{"/valid", "chain and name fit", "backend.example.com", with(policy("backend.example.com", "default/ca"), "HTTPS"), 200, "gateway"},
		{"/name", "another name", "", with(policy("other.example.com", "default/ca"), "HTTPS"), 502, ""},
		{"/ca", "another CA", "", with(policy("backend.example.com", "default/other"), "HTTPS"), 502, ""},
		{"/no-ca", "a CA that is missing", "", with(policy("backend.example.com", "default/missing"), "HTTPS"), 502, ""},
		{"/system", "the system's CAs do not know it", "", with(policy("backend.example.com", ""), "HTTPS"), 502, ""},
		{"/san-dns", "a DNS name of several", "sni.example.com", with(policy("sni.example.com", "default/ca", "DNS:no.example.com", "DNS:backend.example.com"), "HTTPS"), 200, "gateway"},
		{"/san-uri", "a URI", "sni.example.com", with(policy("sni.example.com", "default/ca", "URI:spiffe://cluster/ns/default/sa/backend"), "HTTPS"), 200, "gateway"},
		{"/san-none", "the hostname does not count beside subjectAltNames", "", with(policy("backend.example.com", "default/ca", "DNS:no.example.com", "URI:spiffe://cluster/ns/default/sa/no"), "HTTPS"), 502, ""},
		{"/san-ca", "a name that fits of another CA", "", with(policy("sni.example.com", "default/other", "DNS:backend.example.com"), "HTTPS"), 502, ""},
		{"/unverified", "HTTPS without a policy", "", with(nil, "HTTPS"), 200, "gateway"},
		{"/own", "a client certificate of the backend's", "backend.example.com", with(own, "HTTPS"), 200, "own"},
	}
	var rules []*routing.Rule
	for _, c := range cases {
		rules = append(rules, prefix(c.path, c.action))
	}
	bind, port := free(t, "tcp"), free(t, "tcp")
	table := httpTable(rules...)
	lines := &routing.Table{Listeners: []*routing.Listener{{Port: 90, Protocol: routing.TCP, Hosts: []*routing.Host{names("", with(policy("backend.example.com", "default/ca"), "HTTPS"))}}}}
	lines.Listeners[0].Hosts[0].Rules[0].Action.Backends[0].Name = "tls-lines"
	serve(t, &Config{
		Sockets: []Socket{
			{Network: "tcp", Bind: bind, Port: 80, Table: table, ClientCertificate: other.issue(t, "gateway")},
			{Network: "tcp", Bind: port, Port: 90, Table: lines},
		},
		Certificates: map[string]*tls.Certificate{"default/own": other.issue(t, "own")},
		CAs:          map[string]*x509.CertPool{"ConfigMap default/ca": ca.pool(), "ConfigMap default/other": other.pool()},
		Endpoints: map[string][]netip.AddrPort{
			"default/tls:80": {up}, "default/tls-lines:80": {lineBackend(t, "tls-lines", &tls.Config{Certificates: []tls.Certificate{*server}})},
		},
	})
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			got := do(t, client(t, http1, nil), request(t, bind.String(), "GET http://x"+c.path, nil, ""))
			if got.status != c.status || got.echo.SNI != c.sni || got.echo.ClientCertificate != c.certificate {
				t.Errorf("%d, SNI %q, client certificate %q; want %d, %q, %q: %s", got.status, got.echo.SNI, got.echo.ClientCertificate, c.status, c.sni, c.certificate, got.body)
			}
		})
	}
	t.Run("a stream to a backend with a policy", func(t *testing.T) {
		c, err := net.Dial("tcp", port.String())
		if err != nil {
			t.Fatal(err)
		}
		if name, err := talk(c); name != "tls-lines" {
			t.Errorf("%q %v", name, err)
		}
	})
}

// The server name of the connection goes with each request on it: which listener
// took it does not depend on the Host header (Listener.Hostname, "misdirected
// requests").
func TestServerNameGoesWithRequests(t *testing.T) {
	ca := newAuthority(t, "ca")
	bind := free(t, "tcp")
	serve(t, &Config{
		Sockets: []Socket{{Network: "tcp", Bind: bind, Port: 443, Table: &routing.Table{Listeners: []*routing.Listener{
			secure("a", "a.example.com", "default/a", routing.HTTPS, names("", &routing.Action{Backends: []routing.Backend{backend("a")}})),
			secure("b", "b.example.com", "default/a", routing.HTTPS, names("", &routing.Action{Backends: []routing.Backend{backend("b")}})),
		}}}},
		Certificates: map[string]*tls.Certificate{"default/a": ca.issue(t, "a.example.com", "b.example.com")},
		Endpoints:    map[string][]netip.AddrPort{"default/a:80": {startBackend(t, echo("a"), nil)}, "default/b:80": {startBackend(t, echo("b"), nil)}},
	})
	for host, want := range map[string]bool{"a.example.com": true, "b.example.com": false} {
		r := request(t, bind.String(), "GET https://"+host+"/", nil, "")
		got := do(t, client(t, http2, &tls.Config{ServerName: host, RootCAs: ca.pool()}), r)
		if got.echo.Backend != host[:1] {
			t.Errorf("to %s by its own name: %d from %q", host, got.status, got.echo.Backend)
		}
		got = do(t, client(t, http2, &tls.Config{ServerName: "a.example.com", RootCAs: ca.pool()}), request(t, bind.String(), "GET https://"+host+"/", nil, ""))
		if (got.echo.Backend == host[:1]) != want {
			t.Errorf("to %s by the name of a: %d from %q", host, got.status, got.echo.Backend)
		}
	}
}

// Connections to backends by a configuration that is no more do not stay open.
func TestApplyClosesIdleTLSConnections(t *testing.T) {
	ca := newAuthority(t, "ca")
	var open atomic.Int64
	up := httptest.NewUnstartedServer(echo("tls"))
	up.TLS = &tls.Config{Certificates: []tls.Certificate{*ca.issue(t, "b.example.com")}}
	up.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	up.StartTLS()
	defer up.Close()
	b := backend("tls")
	b.TLS = &routing.BackendTLS{Verify: true, Hostname: "b.example.com", CA: "default/ca", CAKind: "ConfigMap"}
	bind := free(t, "tcp")
	config := &Config{
		Sockets:   []Socket{{Network: "tcp", Bind: bind, Port: 80, Table: httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{b}}))}},
		CAs:       map[string]*x509.CertPool{"ConfigMap default/ca": ca.pool()},
		Endpoints: map[string][]netip.AddrPort{"default/tls:80": {addrPortOf(up.Listener.Addr())}},
	}
	s := serve(t, config)
	if got := do(t, client(t, http1, nil), request(t, bind.String(), "GET http://x/", nil, "")); got.status != 200 || open.Load() != 1 {
		t.Fatalf("%d, %d connections", got.status, open.Load())
	}
	if err := s.Apply(config); err != nil {
		t.Fatal(err)
	}
	gomega.NewWithT(t).Eventually(open.Load).WithTimeout(5 * time.Second).Should(gomega.BeZero())
}

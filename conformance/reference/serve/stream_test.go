package serve

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/causeway-gateway/causeway/routing"
)

func streamTable(p routing.Protocol, port int, backends ...routing.Backend) *routing.Table {
	return &routing.Table{Listeners: []*routing.Listener{{Name: "stream", Port: port, Protocol: p, Hosts: []*routing.Host{names("", &routing.Action{Backends: backends})}}}}
}

func weighted(name string, weight int, invalid string) routing.Backend {
	b := backend(name)
	b.Weight, b.Invalid = weight, invalid
	return b
}

// Connections go to each backend by its weight; those to an invalid one, or to
// one without endpoints, are rejected (TCPRouteRule.BackendRefs).
func TestTCP(t *testing.T) {
	bind := free(t, "tcp")
	serve(t, &Config{
		Sockets: []Socket{{Network: "tcp", Bind: bind, Port: 9000, Table: streamTable(routing.TCP, 9000, weighted("a", 5, ""), weighted("b", 2, ""), weighted("never", 0, ""), weighted("gone", 2, "no"), weighted("empty", 1, ""))}},
		Endpoints: map[string][]netip.AddrPort{
			"default/a:80": {lineBackend(t, "a", nil)}, "default/b:80": {lineBackend(t, "b", nil)}, "default/never:80": {lineBackend(t, "never", nil)},
		},
	})
	const n = 1000
	got := map[string]int{}
	for range n {
		name := "rejected" // by a reset, which may show while the connection is made
		if c, err := net.Dial("tcp", bind.String()); err == nil {
			if who, err := talk(c); err == nil {
				name = who
			}
		}
		got[name]++
	}
	for k, share := range map[string]float64{"a": .5, "b": .2, "rejected": .3} {
		if d := float64(got[k])/n - share; d > .08 || d < -.08 { // five standard deviations
			t.Errorf("%s: %d of %d, want %.0f%%", k, got[k], n, share*100)
		}
	}
	if len(got) != 3 {
		t.Errorf("answers of %v", got)
	}
}

// A client that has sent everything still gets the answer (RFC 9293 section
// 3.6, half-closed connections).
func TestHalfClose(t *testing.T) {
	bind := free(t, "tcp")
	serve(t, &Config{
		Sockets:   []Socket{{Network: "tcp", Bind: bind, Table: streamTable(routing.TCP, int(bind.Port()), backend("a"))}}, // the port is that of Bind
		Endpoints: map[string][]netip.AddrPort{"default/a:80": {lineBackend(t, "a", nil)}},
	})
	c, err := net.Dial("tcp", bind.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "all of it")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); string(b) != "a\nall of it" || err != nil {
		t.Errorf("%q %v", b, err)
	}
}

// udpBackend sends every datagram back behind its name and the address that it
// came from.
func udpBackend(t testing.TB, name string) netip.AddrPort {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo([]byte(name+" "+string(b[:n])+" "+from.String()), from)
		}
	}()
	return addrPortOf(c.LocalAddr())
}

// askUDP sends a datagram and returns the fields of the answer, none without.
func askUDP(t testing.TB, c net.Conn, timeout time.Duration) (name, from string) {
	t.Helper()
	if _, err := c.Write([]byte("hi")); err != nil {
		return "", ""
	}
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	b := make([]byte, 2048)
	n, err := c.Read(b)
	if err != nil {
		return "", ""
	}
	var said string
	if _, err := fmt.Sscan(string(b[:n]), &name, &said, &from); err != nil || said != "hi" {
		t.Errorf("answer %q", b[:n])
	}
	return name, from
}

func dialUDP(t testing.TB, to netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Sessions go to each backend by its weight and stay there; datagrams to an
// invalid one are dropped (UDPRouteRule.BackendRefs).
func TestUDP(t *testing.T) {
	bind := free(t, "udp")
	serve(t, &Config{
		Sockets:   []Socket{{Network: "udp", Bind: bind, Port: 53, Table: streamTable(routing.UDP, 53, weighted("a", 7, ""), weighted("b", 3, ""), weighted("never", 0, ""))}},
		Endpoints: map[string][]netip.AddrPort{"default/a:80": {udpBackend(t, "a")}, "default/b:80": {udpBackend(t, "b")}, "default/never:80": {udpBackend(t, "never")}},
	})
	const n = 500
	got := map[string]int{}
	for range n {
		c := dialUDP(t, bind)
		name, from := askUDP(t, c, 5*time.Second)
		again, same := askUDP(t, c, 5*time.Second)
		if name != again || from != same {
			t.Fatalf("the session moved from %s to %s", name, again)
		}
		got[name]++
	}
	if d := float64(got["a"])/n - .7; d > .1 || d < -.1 || got["a"]+got["b"] != n { // five standard deviations
		t.Errorf("sessions: %v", got)
	}
}

// A new configuration moves the sessions whose backend it no longer has, and no
// others.
func TestUDPSessionsFollowConfiguration(t *testing.T) {
	bind := free(t, "udp")
	a, b := udpBackend(t, "a"), udpBackend(t, "b")
	config := func(backends ...routing.Backend) *Config {
		return &Config{Sockets: []Socket{{Network: "udp", Bind: bind, Port: 53, Table: streamTable(routing.UDP, 53, backends...)}},
			Endpoints: map[string][]netip.AddrPort{"default/a:80": {a}, "default/b:80": {b}}}
	}
	s := serve(t, config(backend("a")))
	c := dialUDP(t, bind)
	name, from := askUDP(t, c, 5*time.Second)
	if name != "a" {
		t.Fatalf("first %q", name)
	}
	for _, step := range []struct {
		reason   string
		backends []routing.Backend
		want     string
		same     bool
	}{
		{"another backend beside it", []routing.Backend{weighted("a", 1, ""), weighted("b", 1000, "")}, "a", true},
		{"its backend is gone", []routing.Backend{backend("b")}, "b", false},
		{"none is left", []routing.Backend{weighted("b", 1, "gone")}, "", false},
		{"and back", []routing.Backend{backend("a")}, "a", false},
	} {
		if err := s.Apply(config(step.backends...)); err != nil {
			t.Fatal(err)
		}
		timeout := 5 * time.Second
		if step.want == "" {
			timeout = 100 * time.Millisecond // nothing comes
		}
		name, now := askUDP(t, c, timeout)
		if name != step.want || (now == from) != step.same {
			t.Errorf("%s: %q from %s, want %q; the same session: want %v", step.reason, name, now, step.want, step.same)
		}
		from = now
	}
}

// A UDP backend that comes up late gets the next datagram of the session.
func TestUDPBackendComesUpLate(t *testing.T) {
	bind, up := free(t, "udp"), free(t, "udp")
	serve(t, &Config{
		Sockets:   []Socket{{Network: "udp", Bind: bind, Port: 53, Table: streamTable(routing.UDP, 53, backend("a"))}},
		Endpoints: map[string][]netip.AddrPort{"default/a:80": {up}},
	})
	c := dialUDP(t, bind)
	if name, _ := askUDP(t, c, 50*time.Millisecond); name != "" {
		t.Fatalf("an answer from %q", name)
	}
	l, err := net.ListenPacket("udp", up.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		b := make([]byte, 100)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = l.WriteTo([]byte("late "+string(b[:n])+" x"), from)
		}
	}()
	gomega.NewWithT(t).Eventually(func() string { name, _ := askUDP(t, c, time.Second); return name }).WithTimeout(10 * time.Second).Should(gomega.Equal("late"))
}

// A stream waits a little for the first endpoint of its backend, and is reset
// when none comes.
func TestStreamsWaitForAnEndpoint(t *testing.T) {
	bind := free(t, "tcp")
	config := func(endpoints map[string][]netip.AddrPort) *Config {
		return &Config{Endpoints: endpoints, Sockets: []Socket{{Network: "tcp", Bind: bind, Port: 25, Table: streamTable(routing.TCP, 25, backend("lines"))}}}
	}
	s := serveWith(t, config(nil), 500*time.Millisecond)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", bind.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		return c
	}
	early := dial()
	if b, err := io.ReadAll(dial()); err == nil {
		t.Errorf("a stream without an endpoint was answered %q", b)
	}
	second := dial()
	time.Sleep(50 * time.Millisecond) // so that it waits
	if err := s.Apply(config(map[string][]netip.AddrPort{"default/lines:80": {lineBackend(t, "lines", nil)}})); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(second).ReadString('\n'); line != "lines\n" {
		t.Errorf("the stream that waited: %q %v", line, err)
	}
	if _, err := io.ReadAll(early); err == nil {
		t.Error("a stream waited for more than its time")
	}
}

// A datagram waits a little for the first endpoint of its backend, and is dropped
// when none comes; of those that wait there is a bounded number.
func TestDatagramsWaitForAnEndpoint(t *testing.T) {
	bind := free(t, "udp")
	config := func(endpoints map[string][]netip.AddrPort) *Config {
		return &Config{Endpoints: endpoints, Sockets: []Socket{{Network: "udp", Bind: bind, Port: 53, Table: streamTable(routing.UDP, 53, backend("a"))}}}
	}
	s := serveWith(t, config(nil), 500*time.Millisecond)
	if name, _ := askUDP(t, dialUDP(t, bind), time.Second); name != "" {
		t.Errorf("a datagram waited for more than its time: %q", name)
	}
	flood := dialUDP(t, bind)
	for range 2 * maxWaiting {
		if _, err := flood.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(600 * time.Millisecond) // so that those are dropped
	c := dialUDP(t, bind)
	if _, err := c.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // so that it waits
	if err := s.Apply(config(map[string][]netip.AddrPort{"default/a:80": {udpBackend(t, "a")}})); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 100)
	if n, err := c.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "a ") {
		t.Errorf("the datagram that waited was answered %q, %v", b[:n], err)
	}
}

package serve

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/causeway-gateway/causeway/routing"
)

// flaky fails the first n requests of each value of the query parameter id with
// a status, or with 0 by closing the connection; then it answers the body.
type flaky struct {
	mu   sync.Mutex
	seen map[string]int
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	q := r.URL.Query()
	var status, fails int
	fmt.Sscan(q.Get("status"), &status)
	fmt.Sscan(q.Get("fails"), &fails)
	f.mu.Lock()
	f.seen[q.Get("id")]++
	n := f.seen[q.Get("id")]
	f.mu.Unlock()
	w.Header().Set("X-Attempt", fmt.Sprint(n))
	switch {
	case n > fails:
		_, _ = w.Write(body)
	case status == 0:
		panic(http.ErrAbortHandler)
	case status == -1: // hangs
		<-r.Context().Done()
	default:
		w.WriteHeader(status)
	}
}

// A request is sent again as often as the route says, for the codes that it
// names and for broken connections (HTTPRouteRetry, GEP-1731).
func TestRetries(t *testing.T) {
	f := &flaky{seen: map[string]int{}}
	to := []routing.Backend{backend("flaky")}
	h2 := backend("flaky")
	h2.Protocol = "H2C"
	addr := gateway(t, httpTable(
		prefix("/none", &routing.Action{Backends: to}),
		prefix("/three", &routing.Action{Backends: to, Retry: &routing.Retry{Attempts: 3, On: []string{"500"}, Backoff: time.Millisecond}}),
		prefix("/h2c", &routing.Action{Backends: []routing.Backend{h2}, Retry: &routing.Retry{Attempts: 3, On: []string{"500"}, Backoff: time.Millisecond}}),
		prefix("/slow", &routing.Action{Backends: to, Retry: &routing.Retry{Attempts: 1, On: []string{"503"}, Backoff: 150 * time.Millisecond}}),
		prefix("/timeout", &routing.Action{Backends: to, Timeouts: routing.Timeouts{BackendRequest: 100 * time.Millisecond}, Retry: &routing.Retry{Attempts: 2, Backoff: time.Millisecond}}),
		prefix("/whole", &routing.Action{Backends: to, Timeouts: routing.Timeouts{Request: 150 * time.Millisecond}, Retry: &routing.Retry{Attempts: 1000, On: []string{"500"}, Backoff: 20 * time.Millisecond}}),
	), map[string][]netip.AddrPort{"default/flaky:80": {startBackend(t, f, nil)}})
	body := strings.Repeat("x", 200<<10)
	for i, c := range []struct {
		reason, path, body string
		status, fails      int // of the backend
		want, attempts     int // attempts 0 is any number
		least              time.Duration
	}{
		{reason: "no retry stanza", path: "/none", status: 500, fails: 1, want: 500, attempts: 1},
		{reason: "the third attempt succeeds", path: "/three", status: 500, fails: 2, want: 200, attempts: 3},
		{reason: "with its body", path: "/three", body: body, status: 500, fails: 3, want: 200, attempts: 4},
		{reason: "with its body over HTTP/2", path: "/h2c", body: body, status: 500, fails: 3, want: 200, attempts: 4},
		{reason: "attempts are used up", path: "/three", status: 500, fails: 4, want: 500, attempts: 4},
		{reason: "another code", path: "/three", status: 503, fails: 1, want: 503, attempts: 1},
		{reason: "a body beyond the bound is sent once", path: "/three", body: strings.Repeat("x", maxReplay+1), status: 500, fails: 1, want: 500, attempts: 1},
		{reason: "the connection breaks", path: "/three", body: "once", fails: 2, want: 200, attempts: 3},
		{reason: "the backoff is the least time between attempts", path: "/slow", status: 503, fails: 1, want: 200, attempts: 2, least: 150 * time.Millisecond},
		{reason: "an attempt takes too long", path: "/timeout", status: -1, fails: 1, want: 200, attempts: 2},
		{reason: "each attempt takes too long", path: "/timeout", status: -1, fails: 9, want: 504},
		{reason: "the request timeout covers all attempts (HTTPRouteRetry.Backoff)", path: "/whole", status: 500, fails: 1000, want: 504},
	} {
		t.Run(c.reason, func(t *testing.T) {
			start := time.Now()
			got := do(t, client(t, http1, nil), request(t, addr, fmt.Sprintf("POST http://x%s?id=%d&status=%d&fails=%d", c.path, i, c.status, c.fails), nil, c.body))
			if got.status != c.want || c.want == 200 && got.body != c.body {
				t.Errorf("status %d, body of %d bytes; want %d, %d", got.status, len(got.body), c.want, len(c.body))
			}
			f.mu.Lock()
			n := f.seen[fmt.Sprint(i)]
			f.mu.Unlock()
			if c.attempts != 0 && n != c.attempts {
				t.Errorf("%d attempts, want %d", n, c.attempts)
			}
			if d := time.Since(start); d < c.least || d > c.least+2*time.Second {
				t.Errorf("took %s, want at least %s", d, c.least)
			}
		})
	}
}

// An endpoint that cannot be reached is replaced by another of its backend.
func TestRetryAnotherEndpoint(t *testing.T) {
	a := startBackend(t, echo("a"), nil)
	addr := gateway(t, httpTable(prefix("/", &routing.Action{Backends: []routing.Backend{backend("a")}, Retry: &routing.Retry{Attempts: 1, Backoff: time.Microsecond}})),
		map[string][]netip.AddrPort{"default/a:80": {free(t, "tcp"), a}})
	c := client(t, http1, nil)
	for range 50 { // half of them roll the dead endpoint
		if got := do(t, c, request(t, addr, "GET http://x/", nil, "")); got.status != 200 {
			t.Fatalf("%d: %s", got.status, got.body)
		}
	}
}

// "If the gateway has not been able to respond before this deadline is met, the
// gateway MUST return a timeout error" (HTTPRouteTimeouts.Request).
func TestTimeouts(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("slow") == "body" {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
		}
		if r.URL.Query().Get("slow") != "" {
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}
		fmt.Fprint(w, "done")
	})
	to := []routing.Backend{backend("slow")}
	limit := 100 * time.Millisecond
	addr := gateway(t, httpTable(
		prefix("/request", &routing.Action{Backends: to, Timeouts: routing.Timeouts{Request: limit}}),
		prefix("/backend", &routing.Action{Backends: to, Timeouts: routing.Timeouts{BackendRequest: limit}}),
	), map[string][]netip.AddrPort{"default/slow:80": {startBackend(t, slow, nil)}})
	for _, path := range []string{"/request", "/backend"} {
		for _, c := range []struct {
			slow string
			want int // 0: the response is cut off
		}{{"", 200}, {"header", 504}, {"body", 0}} {
			for name, p := range map[string]func(*http.Protocols){"HTTP/1.1": http1, "HTTP/2": h2c} {
				t.Run(fmt.Sprintf("%s slow %q over %s", path, c.slow, name), func(t *testing.T) {
					start := time.Now()
					got, err := try(client(t, p, nil), request(t, addr, "GET http://x"+path+"?slow="+c.slow, nil, ""))
					if got.status != c.want || (err != nil) != (c.want == 0) {
						t.Errorf("%d %v, want %d", got.status, err, c.want)
					}
					if d := time.Since(start); c.slow != "" && d < limit || d > 3*time.Second {
						t.Errorf("took %s", d)
					}
				})
			}
		}
	}
}

// Each mirror gets a copy with its body, at its share of the requests; its
// answers are ignored (HTTPRequestMirrorFilter).
func TestMirrors(t *testing.T) {
	type copied struct{ mirror, body, host, uri, header string }
	got := make(chan copied, 1000)
	var half atomic.Int64
	mirror := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			got <- copied{name, string(b), r.Host, r.RequestURI, r.Header.Get("X-Rule") + r.Header.Get("X-Own")}
			w.WriteHeader(500)
		})
	}
	main := backend("main")
	main.RequestHeaders = routing.HeaderChange{Set: []routing.Header{{Name: "X-Own", Value: "own"}}}
	ignore := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	addr := gateway(t, httpTable(
		prefix("/copy", &routing.Action{Backends: []routing.Backend{main}, RequestHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-Rule", Value: "rule"}}},
			Mirrors: []routing.Mirror{{Backend: backend("m1"), Percent: 100}, {Backend: backend("m2"), Percent: 100}, {Backend: backend("none"), Percent: 100}, {Backend: backend("m1"), Percent: 0}}}),
		prefix("/ignored", &routing.Action{Backends: []routing.Backend{backend("ignore")}, Mirrors: []routing.Mirror{{Backend: backend("m1"), Percent: 100}}}),
		prefix("/half", &routing.Action{Backends: []routing.Backend{main}, Mirrors: []routing.Mirror{{Backend: backend("half"), Percent: 50}}}),
	), map[string][]netip.AddrPort{
		"default/main:80": {startBackend(t, echo("main"), nil)}, "default/m1:80": {startBackend(t, mirror("m1"), nil)}, "default/m2:80": {startBackend(t, mirror("m2"), nil)},
		"default/ignore:80": {startBackend(t, ignore, nil)},
		"default/half:80":   {startBackend(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { half.Add(1) }), nil)},
	})
	c := client(t, http1, nil)
	for _, body := range []string{"", "hello"} {
		p := do(t, c, request(t, addr, "POST http://shop.example/copy?x=1", nil, body))
		if p.status != 200 || p.echo.Backend != "main" || p.echo.Body != body {
			t.Fatalf("the response is not that of the backend: %d %+v", p.status, p.echo)
		}
		want := map[copied]bool{{"m1", body, "shop.example", "/copy?x=1", "rule"}: true, {"m2", body, "shop.example", "/copy?x=1", "rule"}: true}
		for range 2 {
			select {
			case m := <-got:
				if !want[m] {
					t.Errorf("unexpected copy %+v", m)
				}
				delete(want, m)
			case <-time.After(5 * time.Second):
				t.Fatalf("copies missing: %v", want)
			}
		}
	}
	t.Run("a body that the backend does not read", func(t *testing.T) {
		body := strings.Repeat("y", 300<<10)
		do(t, c, request(t, addr, "POST http://x/ignored", nil, body))
		select {
		case m := <-got:
			if m.body != body {
				t.Errorf("a copy with %d bytes, want %d", len(m.body), len(body))
			}
		case <-time.After(5 * time.Second):
			t.Error("no copy")
		}
	})
	t.Run("a share", func(t *testing.T) {
		const n = 400
		for range n {
			do(t, c, request(t, addr, "GET http://x/half", nil, ""))
		}
		// Five standard deviations of 400 rolls are 50.
		gomega.NewWithT(t).Eventually(half.Load).WithTimeout(5 * time.Second).Should(gomega.BeNumerically("~", n/2, 50))
	})
	if len(got) > 0 {
		t.Errorf("%d copies too many", len(got))
	}
}

// The first response names the session, the next requests stay with it
// (GEP-1619), also where its backend has no weight any more.
func TestSessionPersistence(t *testing.T) {
	var all []netip.AddrPort
	for i := range 4 {
		all = append(all, startBackend(t, echo(fmt.Sprint(i)), nil))
	}
	to := []routing.Backend{backend("a")}
	addr := gateway(t, httpTable(
		prefix("/cookie", &routing.Action{Backends: to, Affinity: &routing.Affinity{Kind: "cookie", Name: "session", MaxAge: time.Hour}}),
		prefix("/header", &routing.Action{Backends: to, Affinity: &routing.Affinity{Kind: "header", Name: "X-Session"}}),
	), map[string][]netip.AddrPort{"default/a:80": all})
	c := client(t, http1, nil)
	for _, path := range []string{"/cookie", "/header"} {
		first := do(t, c, request(t, addr, "GET http://x"+path, nil, ""))
		header := map[string]string{"X-Session": first.header.Get("X-Session")}
		if path == "/cookie" {
			line := first.header.Get("Set-Cookie")
			token, attributes, _ := strings.Cut(line, "; ")
			if !strings.HasPrefix(token, "session=") || !strings.Contains(attributes, "Max-Age=3600") {
				t.Fatalf("Set-Cookie: %q", line)
			}
			header = map[string]string{"Cookie": token}
		}
		for range 20 {
			next := do(t, c, request(t, addr, "GET http://x"+path, header, ""))
			if next.echo.Backend != first.echo.Backend {
				t.Fatalf("%s: the session moved from %s to %s", path, first.echo.Backend, next.echo.Backend)
			}
			if next.header.Get("Set-Cookie")+next.header.Get("X-Session") != "" {
				t.Fatalf("%s: the session was named again", path)
			}
		}
		others := map[string]bool{}
		for range 40 {
			others[do(t, c, request(t, addr, "GET http://x"+path, map[string]string{"Cookie": "session=forged", "X-Session": "forged"}, "")).echo.Backend] = true
		}
		if len(others) < 2 {
			t.Errorf("%s: requests without a session all went to %v", path, others)
		}
	}
}

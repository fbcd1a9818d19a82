package serve

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// What browsers are told (HTTPCORSFilter, GEP-1767).
func TestCORS(t *testing.T) {
	to := []routing.Backend{backend("a")}
	addr := gateway(t, httpTable(
		prefix("/listed", &routing.Action{Backends: to, CORS: &routing.CORS{AllowOrigins: []string{"https://www.foo.com", "https://*.bar.com"}, AnyLabels: true, AnswerAll: true, AllowMethods: []string{"GET", "OPTIONS"},
			AllowHeaders: []string{"x-header-1", "x-header-2"}, ExposeHeaders: []string{"x-header-3", "x-header-4"}, AllowCredentials: true, MaxAge: time.Hour}}),
		prefix("/wild", &routing.Action{Backends: to, CORS: &routing.CORS{AllowOrigins: []string{"*"}, AnswerAll: true, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"*"}, MaxAge: 5 * time.Second}}),
		prefix("/credentials", &routing.Action{Backends: to, CORS: &routing.CORS{AllowOrigins: []string{"*"}, AnswerAll: true, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"*"}, AllowCredentials: true}}),
	), map[string][]netip.AddrPort{"default/a:80": {startBackend(t, echo("a"), nil)}})

	const (
		origin, credentials, methods = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods"
		headers, expose, age         = "Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age"
	)
	preflight := func(origin string) map[string]string {
		return map[string]string{"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-header-1, x-header-2"}
	}
	for _, c := range []struct {
		reason, line string
		header       map[string]string
		forwarded    bool
		want         map[string]string // every header of CORS, and Vary
	}{
		{"a preflight of a listed origin", "OPTIONS http://x/listed", preflight("https://www.foo.com"), false,
			map[string]string{origin: "https://www.foo.com", credentials: "true", methods: "GET, OPTIONS", headers: "x-header-1, x-header-2", expose: "x-header-3, x-header-4", age: "3600", "Vary": "Origin"}},
		{"a preflight of an origin that a wildcard takes", "OPTIONS http://x/listed", preflight("https://xpto.www.bar.com"), false,
			map[string]string{origin: "https://xpto.www.bar.com", credentials: "true", methods: "GET, OPTIONS", headers: "x-header-1, x-header-2", expose: "x-header-3, x-header-4", age: "3600", "Vary": "Origin"}},
		{"a preflight of another origin: answered, without the headers", "OPTIONS http://x/listed", preflight("https://foobar.com"), false, map[string]string{"Vary": "Origin"}},
		{"a request of a listed origin", "GET http://x/listed", map[string]string{"Origin": "https://www.foo.com"}, true,
			map[string]string{origin: "https://www.foo.com", credentials: "true", expose: "x-header-3, x-header-4", "Vary": "Origin"}},
		{"a request of another origin", "GET http://x/listed", map[string]string{"Origin": "https://foobar.com"}, true, map[string]string{"Vary": "Origin"}},
		{"a request without origin", "GET http://x/listed", nil, true, map[string]string{"Vary": "Origin"}},
		{"OPTIONS that is no preflight", "OPTIONS http://x/listed", map[string]string{"Origin": "https://www.foo.com"}, true,
			map[string]string{origin: "https://www.foo.com", credentials: "true", expose: "x-header-3, x-header-4", "Vary": "Origin"}},
		{"wildcards without credentials", "OPTIONS http://x/wild", preflight("https://a.example:12345"), false,
			map[string]string{origin: "*", methods: "*", headers: "*", expose: "*", age: "5"}},
		{"a request under wildcards without credentials", "GET http://x/wild", map[string]string{"Origin": "https://a.example"}, true, map[string]string{origin: "*", expose: "*"}},
		{"wildcards with credentials are written out", "OPTIONS http://x/credentials", preflight("https://a.example"), false,
			map[string]string{origin: "https://a.example", credentials: "true", methods: "PUT", headers: "x-header-1, x-header-2", "Vary": "Origin|Access-Control-Request-Method|Access-Control-Request-Headers"}},
		{"without Access-Control-Request-Headers there are none to allow", "OPTIONS http://x/credentials", map[string]string{"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}, false,
			map[string]string{origin: "https://a.example", credentials: "true", methods: "PUT", "Vary": "Origin|Access-Control-Request-Method"}},
		{"nor are listed ones said", "OPTIONS http://x/listed", map[string]string{"Origin": "https://www.foo.com", "Access-Control-Request-Method": "PUT"}, false,
			map[string]string{origin: "https://www.foo.com", credentials: "true", methods: "GET, OPTIONS", expose: "x-header-3, x-header-4", age: "3600", "Vary": "Origin"}},
		{"a request under wildcards with credentials: the headers by name", "GET http://x/credentials", map[string]string{"Origin": "https://a.example"}, true,
			map[string]string{origin: "https://a.example", credentials: "true", expose: "Date, Vary, X-Backend", "Vary": "Origin"}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			got := do(t, client(t, http1, nil), request(t, addr, c.line, c.header, ""))
			if forwarded := got.echo.Backend != ""; forwarded != c.forwarded || !forwarded && got.status != http.StatusNoContent {
				t.Fatalf("status %d, forwarded %v", got.status, forwarded)
			}
			for _, name := range []string{origin, credentials, methods, headers, expose, age, "Vary"} {
				value := ""
				for i, v := range got.header[name] {
					if i > 0 {
						value += "|"
					}
					value += v
				}
				if value != c.want[name] {
					t.Errorf("%s: %q, want %q", name, value, c.want[name])
				}
			}
		})
	}
}

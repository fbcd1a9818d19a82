package serve

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/causeway-gateway/causeway/routing"
)

// Requests through the gateway to a backend on loopback, all in one process:
// client, gateway and backend share the processors.
func BenchmarkRequests(b *testing.B) {
	up := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	to := []routing.Backend{backend("a")}
	var rules []*routing.Rule
	for i := range 1000 {
		rules = append(rules, prefix(fmt.Sprintf("/other/%d", i), &routing.Action{Backends: to}))
	}
	rules = append(rules, prefix("/", &routing.Action{Backends: to, ResponseHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-A", Value: "1"}}}}),
		prefix("/retry", &routing.Action{Backends: to, Retry: &routing.Retry{Attempts: 1}}))
	endpoint := startBackend(b, up, nil)
	addr := gateway(b, httpTable(rules...), map[string][]netip.AddrPort{"default/a:80": {endpoint}})
	for _, c := range []struct {
		name, to, path string
		p              func(*http.Protocols)
	}{
		{"direct", endpoint.String(), "/", http1}, {"http1", addr, "/", http1}, {"h2c", addr, "/", h2c}, {"retry", addr, "/retry", http1},
	} {
		b.Run(c.name, func(b *testing.B) {
			cl := client(b, c.p, nil)
			cl.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					got, err := try(cl, request(b, c.to, "GET http://x"+c.path, nil, ""))
					if err != nil || got.status != 200 {
						b.Errorf("%d %v", got.status, err)
						return
					}
				}
			})
		})
	}
}

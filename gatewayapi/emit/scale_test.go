package emit

import (
	"fmt"
	"testing"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// manyHosts is a table as a large cluster has it: a host per Ingress, two paths
// each, on HTTP and HTTPS.
func manyHosts(n int) *routing.Table {
	plain := &routing.Listener{Port: 80, Protocol: routing.HTTP}
	secure := &routing.Listener{Port: 443, Protocol: routing.HTTPS, TLS: &routing.ListenerTLS{}}
	for i := 0; i < n; i++ {
		ns := fmt.Sprintf("team-%03d", i%200)
		at := func(j int) routing.Origin {
			return ing(ns, fmt.Sprintf("app-%05d", i), fmt.Sprintf("spec.rules[0].http.paths[%d]", j))
		}
		h := host(fmt.Sprintf("app-%05d.example.com", i), routing.LongestPath, rule(prefix("/api"), to(ns, "api"), at(0)), rule(prefix("/"), to(ns, "web"), at(1)))
		h.Certificates = []string{ns + "/tls"}
		plain.Hosts, secure.Hosts = append(plain.Hosts, h), append(secure.Hosts, h)
	}
	return &routing.Table{Listeners: []*routing.Listener{plain, secure}}
}

func TestTwentyThousandHostsTakeSeconds(t *testing.T) {
	table := manyHosts(20000)
	start := time.Now()
	r := Emit(table, Options{})
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("20,000 hosts took %s", d)
	}
	if n := len(r.Placements); n != 40000 {
		t.Errorf("%d rules are placed", n)
	}
}

func BenchmarkEmit(b *testing.B) {
	table := manyHosts(20000)
	b.ReportAllocs()
	for b.Loop() {
		Emit(table, Options{})
	}
}

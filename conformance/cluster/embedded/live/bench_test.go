//go:build cluster && linux

package live

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
)

// BenchmarkStart measures how long a cluster takes, with its programs built:
// to an API server that is ready, to a node that takes pods, to a first pod
// that is ready, and to the end.
func BenchmarkStart(b *testing.B) {
	ctx := b.Context()
	var api, node, pod, down time.Duration
	for i := range b.N {
		o := options(fmt.Sprintf("bench-%d-%d", os.Getpid(), i))
		start := time.Now()
		o.Logf = func(format string, args ...any) {
			if strings.HasPrefix(fmt.Sprintf(format, args...), "API server is ready") {
				api += time.Since(start)
			}
		}
		c, err := embedded.Up(ctx, o)
		if err != nil {
			b.Fatal(err)
		}
		node += time.Since(start)
		a := connectTo(ctx, b, c.Kubeconfig())
		a.create(ctx, b, script("first", "while :; do sleep 1; done"))
		NewWithT(b).Eventually(a.pod(ctx, "first"), "20s", "10ms").Should(Satisfy(ready))
		pod += time.Since(start)
		end := time.Now()
		if err := c.Down(ctx); err != nil {
			b.Fatal(err)
		}
		down += time.Since(end)
	}
	for unit, d := range map[string]time.Duration{"s/apiserver-ready": api, "s/node-ready": node, "s/first-pod-ready": pod, "s/down": down} {
		b.ReportMetric(d.Seconds()/float64(b.N), unit)
	}
}

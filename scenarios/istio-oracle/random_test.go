package oracle

import (
	"flag"
	"fmt"
	"testing"

	"github.com/causeway-gateway/causeway/fixtures/random"
)

// seeds is how many random inputs TestRandom tries; a nightly run tries more:
// go test -run TestRandom -args -seeds 2000 -first 1000.
var (
	seeds = flag.Int("seeds", 60, "random inputs to try")
	first = flag.Int("first", 0, "the first of them")
)

// TestRandom holds the front end and the migration to pilot on VirtualServices
// that nobody wrote: prefixes of each other, conditions of every kind, several
// objects on one host.
func TestRandom(t *testing.T) {
	tried := 0
	for i := *first; i < *first+*seeds; i++ {
		t.Run(fmt.Sprint("seed ", i), func(t *testing.T) {
			istio := random.Istio.Example(i)
			if _, err := parse(istio); err != nil {
				t.Log("Istio's webhook refuses it:", err)
				return
			}
			tried++
			if _, err := judge(t, istio, random.Requests.Example(i)); err != nil {
				t.Errorf("%v\n%s", err, istio)
			}
		})
	}
	if tried < *seeds/2 {
		t.Errorf("Istio admits %d of %d inputs only: the test says little", tried, *seeds)
	}
	t.Logf("%d inputs that Istio admits", tried)
}

package parallel

import (
	"context"
	"sync/atomic"
	"testing"
)

func TestChunksCoverEverythingOnce(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 1000} {
		seen := make([]atomic.Int32, n)
		busy := make([]atomic.Int32, Workers(n, 16))
		Chunks(t.Context(), n, 16, func(worker, from, to int) {
			if busy[worker].Add(1) != 1 || to-from > 16 {
				t.Errorf("%d items: worker %d has [%d, %d) beside another call", n, worker, from, to)
			}
			for i := from; i < to; i++ {
				seen[i].Add(1)
			}
			busy[worker].Add(-1)
		})
		for i := range seen {
			if got := seen[i].Load(); got != 1 {
				t.Errorf("%d items: item %d was done %d times", n, i, got)
			}
		}
	}
}

func TestChunksEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	Chunks(ctx, 1000, 16, func(int, int, int) { t.Error("worked after the end") })
}

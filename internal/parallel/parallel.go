// Package parallel shares work between the processors.
package parallel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Workers is the number of goroutines that [Chunks] uses for n items in chunks
// of size: at least one, at most one a processor.
func Workers(n, size int) int {
	return max(1, min(runtime.GOMAXPROCS(0), (n+size-1)/size))
}

// Chunks calls do for the ranges [from, to) that make up [0, n), each of size
// but the last, until all are done or the context ends. Calls with the same
// worker, 0 ≤ worker < Workers(n, size), do not overlap.
func Chunks(ctx context.Context, n, size int, do func(worker, from, to int)) {
	var (
		next atomic.Int64
		wg   sync.WaitGroup
	)
	for worker := range Workers(n, size) {
		wg.Go(func() {
			for ctx.Err() == nil {
				from := int(next.Add(int64(size))) - size
				if from >= n {
					return
				}
				do(worker, from, min(from+size, n))
			}
		})
	}
	wg.Wait()
}

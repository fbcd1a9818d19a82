package serve

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// tracker knows what is in flight outside of an http.Server: streams, mirrored
// requests, sockets that drain.
type tracker struct {
	mu      sync.Mutex
	n       int
	idle    chan struct{} // closed when n falls to 0, while somebody waits
	closers map[io.Closer]struct{}
	cut     bool            // wait gave up
	ctx     context.Context //nolint:containedctx // ends what do started
	cancel  context.CancelFunc
}

func (t *tracker) begin() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx == nil {
		t.ctx, t.cancel = context.WithCancel(context.Background())
	}
	t.n++
	return t.ctx
}

func (t *tracker) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// do runs f in the background. Its context ends when wait gives up.
func (t *tracker) do(f func(ctx context.Context)) {
	ctx := t.begin()
	go func() {
		defer t.end()
		f(ctx)
	}()
}

// hold has c closed when wait gives up, until release is called.
func (t *tracker) hold(c io.Closer) (release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut {
		_ = c.Close() // as wait did with the others
		return func() {}
	}
	if t.closers == nil {
		t.closers = map[io.Closer]struct{}{}
	}
	t.closers[c] = struct{}{}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.closers, c)
	}
}

// wait returns when nothing is in flight; when ctx ends first it cuts off what
// is left and says how much that was.
func (t *tracker) wait(ctx context.Context) error {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return nil
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	t.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	left := t.n
	t.cut = true
	t.cancel()
	for c := range t.closers {
		_ = c.Close() // it is cut off: how does not matter
	}
	t.mu.Unlock()
	<-idle
	return fmt.Errorf("%d streams or sockets were cut off: %w", left, context.Cause(ctx))
}

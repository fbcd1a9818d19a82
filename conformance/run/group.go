package run

import "sync"

// group is goroutines that may be started while others wait for them, which a
// sync.WaitGroup does not allow.
type group struct {
	mu   sync.Mutex
	open []chan struct{}
}

func (g *group) start(f func()) {
	done := make(chan struct{})
	g.mu.Lock()
	g.open = append(g.open, done)
	g.mu.Unlock()
	go func() {
		defer close(done)
		f()
	}()
}

// wait returns once everything that was started before it returns has ended.
func (g *group) wait() {
	for {
		g.mu.Lock()
		if len(g.open) == 0 {
			g.mu.Unlock()
			return
		}
		done := g.open[0]
		g.open = g.open[1:]
		g.mu.Unlock()
		<-done
	}
}

package control

import (
	"errors"

	"github.com/causeway-gateway/causeway/routing"
)

// The ports that sockets are bound to. They are of this process only: Services
// lead the ports that Gateways name to them.
const (
	firstPort = 20000
	lastPort  = 29999
)

// slot is a port that a Gateway opens.
type slot struct {
	gateway routing.ObjectRef
	network string // tcp or udp
	port    int
}

// ports gives each slot a port to bind to, the same one as long as it is
// wanted.
type ports struct {
	bound map[slot]int
	taken map[int]bool
	next  int
}

func newPorts() *ports { return &ports{bound: map[slot]int{}, taken: map[int]bool{}, next: firstPort} }

var errNoPort = errors.New("all ports for sockets are taken")

func (p *ports) bind(s slot) (int, error) {
	if n, ok := p.bound[s]; ok {
		return n, nil
	}
	// Ports are given in turn, so that one that was freed rests before it is
	// used for something else.
	for range lastPort - firstPort + 1 {
		n := p.next
		if p.next++; p.next > lastPort {
			p.next = firstPort
		}
		if !p.taken[n] {
			p.bound[s], p.taken[n] = n, true
			return n, nil
		}
	}
	return 0, errNoPort
}

// keep frees the ports of slots that are no longer wanted.
func (p *ports) keep(wanted map[slot]bool) {
	for s, n := range p.bound {
		if !wanted[s] {
			delete(p.bound, s)
			delete(p.taken, n)
		}
	}
}

//go:build linux

package agent

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// requeue is how soon a pod is looked at again that waits for another's end.
const requeue = 50 * time.Millisecond

// pods are the workers by the names of their pods.
type pods struct {
	mu      sync.Mutex
	running map[client.ObjectKey]*worker
}

func (p *pods) get(key client.ObjectKey) *worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[key]
}

func (p *pods) put(key client.ObjectKey, w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[key] = w
}

func (p *pods) drop(key client.ObjectKey, w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[key] == w {
		delete(p.running, key)
	}
}

func ended(p corev1.PodPhase) bool { return p == corev1.PodSucceeded || p == corev1.PodFailed }

// grace is how long a pod may take to end.
func grace(pod *corev1.Pod) time.Duration {
	seconds := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if pod.Spec.TerminationGracePeriodSeconds != nil {
		seconds = *pod.Spec.TerminationGracePeriodSeconds
	}
	if pod.DeletionGracePeriodSeconds != nil {
		seconds = *pod.DeletionGracePeriodSeconds
	}
	return time.Duration(seconds) * time.Second
}

// addresses hands out the addresses of pods. One that was given back is the
// last to be given again, as others may still hold on to it.
type addresses struct {
	mu     sync.Mutex
	prefix netip.Prefix
	next   netip.Addr
	taken  map[netip.Addr]bool
}

func newAddresses(prefix netip.Prefix, node netip.Addr) *addresses {
	return &addresses{prefix: prefix, next: node.Next(), taken: map[netip.Addr]bool{node: true, prefix.Masked().Addr(): true}}
}

var errNoAddress = errors.New("no address for another pod is left")

func (a *addresses) take() (netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range 1 << (a.prefix.Addr().BitLen() - a.prefix.Bits()) {
		ip := a.next
		if a.next = ip.Next(); !a.prefix.Contains(a.next) {
			a.next = a.prefix.Masked().Addr().Next()
		}
		if !a.taken[ip] {
			a.taken[ip] = true
			return ip, nil
		}
	}
	return netip.Addr{}, errNoAddress
}

func (a *addresses) giveBack(ip netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.taken, ip)
}

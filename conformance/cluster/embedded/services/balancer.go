//go:build linux

package services

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// balancer gives LoadBalancer Services an address of the pool.
type balancer struct {
	client client.Client
	pool   netip.Prefix
	proxy  *proxy
}

// Reconcile gives one Service its address, or takes the address back once the
// Service is no LoadBalancer any more.
func (b *balancer) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	var s corev1.Service
	if err := b.client.Get(ctx, r.NamespacedName, &s); err != nil {
		b.proxy.take(r.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	var want []corev1.LoadBalancerIngress
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && s.Spec.LoadBalancerClass == nil {
		addr, err := b.address(r.NamespacedName, s.Spec.LoadBalancerIP)
		if err != nil {
			return reconcile.Result{}, err
		}
		want = []corev1.LoadBalancerIngress{{IP: addr.String()}}
	} else if !b.proxy.take(r.NamespacedName) {
		return reconcile.Result{}, nil
	}
	have := s.Status.LoadBalancer.Ingress
	if len(have) == len(want) && (len(want) == 0 || have[0].IP == want[0].IP) {
		return reconcile.Result{}, nil
	}
	// Whoever reads the address from the status can use it.
	if _, err := b.proxy.Reconcile(ctx, reconcile.Request{}); err != nil {
		return reconcile.Result{}, err
	}
	changed := s.DeepCopy()
	changed.Status.LoadBalancer.Ingress = want
	return reconcile.Result{}, b.client.Status().Patch(ctx, changed, client.MergeFrom(&s))
}

// address returns the Service's address: the one it has, the one it asks for
// (spec.loadBalancerIP) if that is free, or the first free one.
func (b *balancer) address(key client.ObjectKey, asked string) (netip.Addr, error) {
	p := b.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr, ok := p.given[key]; ok {
		return addr, nil
	}
	taken := map[netip.Addr]bool{}
	for _, addr := range p.given {
		taken[addr] = true
	}
	if addr, err := netip.ParseAddr(asked); err == nil && b.pool.Contains(addr) && !taken[addr] {
		p.given[key] = addr
		return addr, nil
	}
	for addr := b.pool.Addr().Next(); b.pool.Contains(addr); addr = addr.Next() {
		if !taken[addr] {
			p.given[key] = addr
			return addr, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no address of %s is left for Service %s", b.pool, key)
}

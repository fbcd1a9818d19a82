//go:build linux

package services

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Options say which addresses belong to Services.
type Options struct {
	Node          netip.Addr   // of the node, for node ports
	ClusterIPs    netip.Prefix // what the API server gives to Services
	LoadBalancers netip.Prefix // what this package gives to LoadBalancers
}

// Add adds the controllers of this package to a manager. They write the table
// "causeway" of the network namespace they run in.
func Add(m ctrl.Manager, o Options) error {
	p := &proxy{client: m.GetClient(), options: o, write: write, given: map[client.ObjectKey]netip.Addr{}}
	// Whatever changes, the whole table is written anew: one transaction of
	// well under a millisecond, and nothing to keep in step.
	all := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}}
	})
	err := ctrl.NewControllerManagedBy(m).Named("service-proxy").
		Watches(&corev1.Service{}, all).
		Watches(&discoveryv1.EndpointSlice{}, all).
		Complete(p)
	if err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(m).Named("load-balancer").
		For(&corev1.Service{}).
		Complete(&balancer{client: m.GetClient(), pool: o.LoadBalancers, proxy: p})
}

// proxy keeps the kernel's rules in step with Services.
type proxy struct {
	client  client.Client
	options Options
	write   func([]Rule, Options) error // to the kernel

	mu    sync.Mutex
	given map[client.ObjectKey]netip.Addr // by the balancer of this process; the cache may lag behind
	last  []Rule
}

// take takes the address of a Service back, if it has one: the next writing of
// the rules leaves it out.
func (p *proxy) take(key client.ObjectKey) (had bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, had = p.given[key]
	delete(p.given, key)
	return had
}

// Reconcile writes the rules of all Services.
func (p *proxy) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var services corev1.ServiceList
	if err := p.client.List(ctx, &services); err != nil {
		return reconcile.Result{}, err
	}
	var endpoints discoveryv1.EndpointSliceList
	if err := p.client.List(ctx, &endpoints); err != nil {
		return reconcile.Result{}, err
	}
	for i := range services.Items { // copies of what the cache holds
		s := &services.Items[i]
		if addr, ok := p.given[client.ObjectKeyFromObject(s)]; ok && s.Spec.Type == corev1.ServiceTypeLoadBalancer {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: addr.String()}}
		}
	}
	rules := Table(services.Items, endpoints.Items, p.options.Node)
	if err := p.write(rules, p.options); err != nil {
		return reconcile.Result{}, fmt.Errorf("write the rules of %d addresses: %w", len(rules), err)
	}
	if err := forget(p.last, rules); err != nil {
		return reconcile.Result{}, fmt.Errorf("forget old UDP flows: %w", err)
	}
	p.last = rules
	return reconcile.Result{}, nil
}

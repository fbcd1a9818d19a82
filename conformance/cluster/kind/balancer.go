package kind

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// balancer gives Services of type LoadBalancer an address each: it writes it
// into their status, which makes kube-proxy take it, and puts it on a node,
// which then answers for it in the node network. The machine of the Docker
// engine is in that network and needs no route.
type balancer struct {
	client   kubernetes.Interface
	services cache.SharedIndexInformer
	slices   cache.SharedIndexInformer
	nodes    cache.SharedIndexInformer
	blocks   []block
	// put makes a node answer for an address, or no longer.
	put  func(ctx context.Context, node string, a netip.Addr, on bool) error
	logf func(format string, args ...any)

	dirty chan struct{}
	// placed is which node has which address. Only reconcile uses it.
	placed map[netip.Addr]string

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// retryAfter is how long after a failure everything is looked at again.
const retryAfter = time.Second

// startBalancer starts the controller of one cluster; it runs until stop.
func startBalancer(ctx context.Context, name string, config *rest.Config, logf func(string, ...any)) (*balancer, error) {
	own, err := addresses(ctx, inDocker(name)+"-control-plane")
	if err != nil {
		return nil, fmt.Errorf("addresses of load balancers: %w", err)
	}
	var blocks []block
	for _, a := range own {
		b, err := blockOf(a.Prefix)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	b := newBalancer(client, blocks, putAddress, logf)
	if err := b.start(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

func newBalancer(client kubernetes.Interface, blocks []block, put func(context.Context, string, netip.Addr, bool) error, logf func(string, ...any)) *balancer {
	factory := informers.NewSharedInformerFactory(client, 0)
	return &balancer{
		client: client, blocks: blocks, put: put, logf: logf,
		services: factory.Core().V1().Services().Informer(),
		slices:   factory.Discovery().V1().EndpointSlices().Informer(),
		nodes:    factory.Core().V1().Nodes().Informer(),
		dirty:    make(chan struct{}, 1), placed: map[netip.Addr]string{},
	}
}

// start starts the controller and waits until it knows the cluster.
func (b *balancer) start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.cancel = cancel
	touch := func(any) { b.touch() }
	var synced []cache.InformerSynced
	for _, i := range []cache.SharedIndexInformer{b.services, b.slices, b.nodes} {
		handle, err := i.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: touch, UpdateFunc: func(_, o any) { touch(o) }, DeleteFunc: touch})
		if err != nil {
			cancel()
			return err
		}
		synced = append(synced, handle.HasSynced)
		b.done.Go(func() { i.Run(run.Done()) })
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		b.stop()
		return errors.New("the load balancer's controller does not get the cluster's Services")
	}
	b.done.Go(func() { b.loop(run) })
	return nil
}

func (b *balancer) stop() {
	b.cancel()
	b.done.Wait()
}

func (b *balancer) touch() {
	select {
	case b.dirty <- struct{}{}:
	default: // it will be looked at anyway
	}
}

func (b *balancer) loop(ctx context.Context) {
	defer runtime.HandleCrashWithContext(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.dirty:
		}
		if err := b.reconcile(ctx); err != nil && ctx.Err() == nil {
			b.logf("load balancer: %v", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(retryAfter):
				b.touch()
			}
		}
	}
}

// reconcile looks at all Services: there are few in a cluster for tests.
func (b *balancer) reconcile(ctx context.Context) error {
	var failed error
	all := typed[corev1.Service](b.services)
	slices.SortFunc(all, func(a, b *corev1.Service) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	assigned, err := b.assignAll(all)
	failed = errors.Join(failed, err)

	wanted := map[netip.Addr]string{}
	for s, addresses := range assigned {
		node := b.nodeFor(s, addresses)
		for _, a := range addresses {
			wanted[a] = node
		}
	}
	failed = errors.Join(failed, b.place(ctx, wanted))
	for _, s := range all {
		if err := b.publish(ctx, s, assigned[s]); err != nil {
			failed = errors.Join(failed, fmt.Errorf("Service %s/%s: %w", s.Namespace, s.Name, err))
		}
	}
	return failed
}

// assignAll gives every Service that is balanced its addresses. What one has
// already it keeps, so those go first.
func (b *balancer) assignAll(all []*corev1.Service) (map[*corev1.Service][]netip.Addr, error) {
	var failed error
	taken := map[netip.Addr]bool{}
	kept := map[*corev1.Service][]netip.Addr{}
	for _, s := range all {
		if !balanced(s) {
			continue
		}
		for _, a := range b.own(s) {
			if !taken[a] {
				taken[a] = true
				kept[s] = append(kept[s], a)
			}
		}
	}
	out := map[*corev1.Service][]netip.Addr{}
	for _, s := range all {
		if !balanced(s) {
			continue
		}
		addresses, err := b.assign(s, kept[s], taken)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("Service %s/%s: %w", s.Namespace, s.Name, err))
			continue
		}
		out[s] = addresses
	}
	return out, failed
}

// balanced reports whether a Service is this controller's: those with a class
// are others' (https://kubernetes.io/docs/concepts/services-networking/service/#load-balancer-class).
func balanced(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeLoadBalancer && s.Spec.LoadBalancerClass == nil && s.DeletionTimestamp == nil
}

// own are the addresses of this controller that a Service's status has.
func (b *balancer) own(s *corev1.Service) []netip.Addr {
	var out []netip.Addr
	for _, i := range s.Status.LoadBalancer.Ingress {
		a, err := netip.ParseAddr(i.IP)
		if err == nil && slices.ContainsFunc(b.blocks, func(b block) bool { return b.contains(a) }) {
			out = append(out, a)
		}
	}
	return out
}

// assign gives a Service one address for each of its families, and takes them.
func (b *balancer) assign(s *corev1.Service, kept []netip.Addr, taken map[netip.Addr]bool) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, f := range s.Spec.IPFamilies {
		six := f == corev1.IPv6Protocol
		if i := slices.IndexFunc(kept, func(a netip.Addr) bool { return a.Is6() == six }); i >= 0 {
			out = append(out, kept[i])
			continue
		}
		i := slices.IndexFunc(b.blocks, func(b block) bool { return b.first.Is6() == six })
		if i < 0 {
			return nil, fmt.Errorf("the node network has no %s addresses", f)
		}
		a, err := b.blocks[i].requested(s.Spec.LoadBalancerIP, taken)
		if err != nil {
			return nil, err
		}
		taken[a] = true
		out = append(out, a)
	}
	return out, nil
}

// requested is the address that a Service asks for if it can be had, else a free one.
func (b block) requested(want string, taken map[netip.Addr]bool) (netip.Addr, error) {
	if a, err := netip.ParseAddr(want); err == nil && b.contains(a) && !taken[a] {
		return a, nil
	}
	return b.free(func(a netip.Addr) bool { return taken[a] })
}

// nodeFor is the node that takes a Service's traffic in: with
// externalTrafficPolicy Local one that runs a ready pod of it, since others
// drop the traffic; the one that has it already as long as that will do.
func (b *balancer) nodeFor(s *corev1.Service, assigned []netip.Addr) string {
	var able []string
	for _, n := range typed[corev1.Node](b.nodes) {
		_, excluded := n.Labels[corev1.LabelNodeExcludeBalancers]
		if nodeReady(n) && !excluded {
			able = append(able, n.Name)
		}
	}
	if s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		with := b.nodesWithPods(s)
		able = slices.DeleteFunc(able, func(n string) bool { return !with[n] })
	}
	if len(able) == 0 {
		return ""
	}
	slices.Sort(able)
	for _, a := range assigned {
		if slices.Contains(able, b.placed[a]) {
			return b.placed[a]
		}
	}
	return able[0]
}

func (b *balancer) nodesWithPods(s *corev1.Service) map[string]bool {
	out := map[string]bool{}
	of := labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: s.Name})
	for _, slice := range typed[discoveryv1.EndpointSlice](b.slices) {
		if slice.Namespace != s.Namespace || !of.Matches(labels.Set(slice.Labels)) {
			continue
		}
		for _, e := range slice.Endpoints {
			if e.NodeName != nil && (e.Conditions.Ready == nil || *e.Conditions.Ready) {
				out[*e.NodeName] = true
			}
		}
	}
	return out
}

// place moves addresses to the nodes that are to have them.
func (b *balancer) place(ctx context.Context, wanted map[netip.Addr]string) error {
	var failed error
	for _, a := range slices.SortedFunc(maps.Keys(b.placed), netip.Addr.Compare) {
		if node := b.placed[a]; wanted[a] != node {
			if err := b.put(ctx, node, a, false); err != nil {
				failed = errors.Join(failed, err)
			}
			delete(b.placed, a)
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(wanted), netip.Addr.Compare) {
		node := wanted[a]
		if node == "" || b.placed[a] == node {
			continue
		}
		if err := b.put(ctx, node, a, true); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		b.placed[a] = node
	}
	return failed
}

// publish writes a Service's addresses into its status, once a node has had
// them. One that is no load balancer any more loses those of this controller.
func (b *balancer) publish(ctx context.Context, s *corev1.Service, assigned []netip.Addr) error {
	own := b.own(s)
	if s.DeletionTimestamp != nil || !balanced(s) && len(own) == 0 {
		return nil
	}
	var want []corev1.LoadBalancerIngress
	for _, a := range assigned {
		if b.placed[a] != "" || slices.Contains(own, a) {
			vip := corev1.LoadBalancerIPModeVIP
			want = append(want, corev1.LoadBalancerIngress{IP: a.String(), IPMode: &vip})
		}
	}
	if slices.EqualFunc(want, s.Status.LoadBalancer.Ingress, func(a, b corev1.LoadBalancerIngress) bool { return a.IP == b.IP }) {
		return nil
	}
	s = s.DeepCopy()
	s.Status.LoadBalancer.Ingress = want
	_, err := b.client.CoreV1().Services(s.Namespace).UpdateStatus(ctx, s, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // it has changed, so it comes again
	}
	return err
}

func typed[T any](i cache.SharedIndexInformer) []*T {
	var out []*T
	for _, o := range i.GetStore().List() {
		if t, ok := o.(*T); ok {
			out = append(out, t)
		}
	}
	return out
}

// putAddress adds an address to a node's interface in the node network, or
// takes it away. Both may be so already.
func putAddress(ctx context.Context, node string, a netip.Addr, on bool) error {
	verb := "del"
	if on {
		verb = "replace"
	}
	args := []string{"exec", "--privileged", node, "ip", "address", verb, netip.PrefixFrom(a, a.BitLen()).String(), "dev", "eth0"}
	if on && a.Is6() {
		args = append(args, "nodad") // nobody else has it, and waiting would take a second
	}
	_, err := docker(ctx, args...)
	if !on {
		return nil // the node may be gone, and the address with it
	}
	return err
}

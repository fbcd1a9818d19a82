//go:build linux

// Package agent is the node of an embedded cluster: it takes every pod, runs
// its containers as local programs, and keeps the pod's status. It stands in
// for scheduler and kubelet. How a program is run is package runtime's
// business, which program that is the table of package image's.
//
// It covers what gateways and their tests use: init containers and sidecars,
// restarts with back-off, the four kinds of probes, hooks, environment, volumes
// of ConfigMaps, Secrets, projections and emptyDir, logs, exec and port
// forwarding. It ignores resource limits and users, and refuses volumes that
// would show a pod this machine's files.
package agent

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// Options say where the node's things are.
type Options struct {
	Node          string       // the node's name
	IP            netip.Addr   // the node's address, which is in Pods
	Pods          netip.Prefix // the addresses of pods
	Work          string       // a folder for volumes and roots
	Logs          string       // a folder for the logs of pods
	Images        *image.Table
	Certificate   Certificate
	DNS           netip.Addr // of the cluster's names
	APIServer     netip.Addr // as pods reach it
	APIServerPort int
}

// agent is the node.
type agent struct {
	Options
	client client.Client // reads pods from the cache
	live   client.Reader // reads what pods refer to
	tokens kubernetes.Interface
	events events.EventRecorder
	base   context.Context // of all workers; ends with the manager
	root   string          // the folder that roots of containers are put on
	ips    *addresses
	pods   pods
}

// Add adds the node to a manager.
func Add(m ctrl.Manager, o Options) error {
	tokens, err := kubernetes.NewForConfig(m.GetConfig())
	if err != nil {
		return err
	}
	a := &agent{
		Options: o,
		client:  m.GetClient(), live: m.GetAPIReader(), tokens: tokens,
		events: m.GetEventRecorder("causeway"),
		root:   o.Work + "/root",
		ips:    newAddresses(o.Pods, o.IP),
		pods:   pods{running: map[client.ObjectKey]*worker{}},
	}
	for _, dir := range []string{a.root, o.Logs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	var cancel context.CancelFunc
	a.base, cancel = context.WithCancel(context.Background())
	for _, r := range []func(context.Context) error{
		func(ctx context.Context) error { <-ctx.Done(); cancel(); return nil },
		a.register,
		a.serve,
	} {
		if err := m.Add(runnable(r)); err != nil {
			return err
		}
	}
	return ctrl.NewControllerManagedBy(m).Named("pods").
		For(&corev1.Pod{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(a)
}

// runnable is a function that a manager runs.
type runnable func(context.Context) error

// Start implements manager.Runnable.
func (r runnable) Start(ctx context.Context) error { return r(ctx) }

// Reconcile brings one pod nearer to what is wanted of it: to this node, to a
// worker, to its end.
func (a *agent) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	var pod corev1.Pod
	err := a.client.Get(ctx, r.NamespacedName, &pod)
	if apierrors.IsNotFound(err) {
		if w := a.pods.get(r.NamespacedName); w != nil {
			w.stop(0) // deleted by force
		}
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if pod.Spec.NodeName == "" {
		return reconcile.Result{}, a.bind(ctx, &pod)
	}
	if pod.Spec.NodeName != a.Node {
		return reconcile.Result{}, nil
	}
	w := a.pods.get(r.NamespacedName)
	switch {
	case w != nil && w.uid != pod.UID:
		w.stop(0) // one of the same name came after it; its end brings this one up again
		return reconcile.Result{RequeueAfter: requeue}, nil
	case w != nil && pod.DeletionTimestamp != nil:
		w.stop(grace(&pod))
	case w != nil:
		w.update(&pod)
	case pod.DeletionTimestamp != nil:
		return reconcile.Result{}, a.remove(ctx, &pod)
	case !ended(pod.Status.Phase):
		w := newWorker(a, &pod)
		a.pods.put(r.NamespacedName, w)
		go func() {
			w.run(a.base)
			a.pods.drop(r.NamespacedName, w)
		}()
	}
	return reconcile.Result{}, nil
}

// bind gives a pod to this node, the only one.
func (a *agent) bind(ctx context.Context, pod *corev1.Pod) error {
	if pod.DeletionTimestamp != nil {
		return a.remove(ctx, pod)
	}
	if len(pod.Spec.SchedulingGates) > 0 {
		return nil
	}
	binding := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: a.Node}}
	err := a.client.SubResource("binding").Create(ctx, pod, binding)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // bound or deleted meanwhile
	}
	return err
}

// remove deletes a pod of which nothing runs.
func (a *agent) remove(ctx context.Context, pod *corev1.Pod) error {
	err := a.client.Delete(ctx, pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID})
	if apierrors.IsConflict(err) { // another pod of that name
		return nil
	}
	return client.IgnoreNotFound(err)
}

// find returns the worker of a pod, for the node's API.
func (a *agent) find(namespace, name string, uid types.UID) (*worker, error) {
	w := a.pods.get(client.ObjectKey{Namespace: namespace, Name: name})
	if w == nil || uid != "" && uid != w.uid {
		return nil, fmt.Errorf("pod %s/%s is not on this node", namespace, name)
	}
	return w, nil
}

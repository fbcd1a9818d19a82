package control

import (
	"context"
	"errors"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// reading is how the reference settles what the specification leaves open: it
// does what the specification recommends.
var reading = routing.Reading{DetectMisdirected: true}

// reconciler brings everything in line at once. There is one at a time.
type reconciler struct {
	client  client.Client
	scheme  *runtime.Scheme
	options Options
	kinds   []client.Object
	plane   dataPlane
	ports   *ports
	ready   sync.Once
}

// Reconcile compiles the cluster, serves it, and says so in the status: in this
// order, so that what a status promises is true.
func (r *reconciler) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	s, err := r.snapshot(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	res := compile.Compile(s.objects, compile.Options{Reading: reading, Separate: true, Complete: true})
	f := &findings{controller: r.options.controllerName(), snapshot: s, result: res}
	if r.options.Mesh != nil {
		err = r.serveMesh(s, res)
	} else {
		err = r.serveGateways(ctx, s, res, f)
	}
	err = errors.Join(err, r.write(ctx, f))
	if err == nil && r.options.Ready != nil {
		r.ready.Do(r.options.Ready)
	}
	return reconcile.Result{}, err
}

func (r *reconciler) serveMesh(s *snapshot, res *compile.Result) error {
	config, targets := r.meshConfig(s, res)
	if err := r.plane.Apply(config); err != nil {
		return err
	}
	return r.options.Mesh.Redirect(targets)
}

func (r *reconciler) serveGateways(ctx context.Context, s *snapshot, res *compile.Result, f *findings) error {
	f.refused = map[routing.ObjectRef]*refusal{}
	for _, g := range s.gateways {
		if x := refuse(g); x != nil {
			f.refused[refOf(g)] = x
		}
	}
	config, open, err := r.gatewayConfig(s, res, f.refused)
	err = errors.Join(err, r.plane.Apply(config), r.infrastructure(ctx, s, open))
	services := map[string]*corev1.Service{}
	for _, svc := range s.services {
		services[nameOf(svc)] = svc
	}
	f.addresses = map[routing.ObjectRef]assignment{}
	for _, g := range s.gateways {
		f.addresses[refOf(g)] = assigned(g, services)
	}
	return err
}

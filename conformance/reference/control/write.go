package control

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writers is how many statuses are written at a time.
const writers = 8

// write brings the status of every object in line. One that was changed by
// someone else in the meantime is left to the event of that change.
func (r *reconciler) write(ctx context.Context, f *findings) error {
	f.index()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	put := func(before, after client.Object) {
		if equality.Semantic.DeepEqual(before, after) {
			return
		}
		g.Go(func() error {
			err := r.client.Status().Update(ctx, after)
			if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("status of %s: %w", refOf(before), err)
			}
			return nil
		})
	}
	s := f.snapshot
	for _, o := range s.classes {
		if x := o.DeepCopy(); f.class(x) {
			put(o, x)
		}
	}
	for _, o := range s.meshes {
		if x := o.DeepCopy(); f.mesh(x) {
			put(o, x)
		}
	}
	for _, o := range s.gateways {
		x := o.DeepCopy()
		f.gateway(x)
		put(o, x)
	}
	for _, o := range s.sets {
		if x := o.DeepCopy(); f.listenerSet(x) {
			put(o, x)
		}
	}
	for _, o := range s.routes {
		x, ok := o.DeepCopyObject().(client.Object)
		if !ok {
			continue
		}
		if _, status := routeParts(x); status != nil {
			f.route(x)
			put(o, x)
		}
	}
	gateways := gatewaysOf(f.result.Policies)
	for _, o := range s.policies {
		x := o.DeepCopy()
		f.policy(x, gateways[refOf(o)])
		put(o, x)
	}
	return g.Wait()
}

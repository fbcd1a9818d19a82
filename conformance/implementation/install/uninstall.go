package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// goneTimeout bounds the waiting for what is deleted to be gone. Namespaces
// take ten seconds.
const goneTimeout = 2 * time.Minute

// Uninstall takes away what was created, last first, and waits until it is
// gone. It goes on after an error and returns all of them. The CRDs of the
// Gateway API stay.
func (in *Installation) Uninstall(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, goneTimeout)
	defer cancel()
	var errs []error
	for _, r := range slices.Backward(in.releases) {
		in.installer.options.Progress("uninstalling release " + r.name)
		if err := in.installer.uninstallRelease(r, goneTimeout); err != nil {
			errs = append(errs, fmt.Errorf("uninstalling release %s/%s: %w", r.namespace, r.name, err))
		}
	}
	for _, o := range slices.Backward(in.created) {
		in.installer.options.Progress("deleting " + o.String())
		err := in.installer.client.Delete(ctx, o.reference(), client.PropagationPolicy(metav1.DeletePropagationForeground))
		if err != nil && !gone(err) {
			errs = append(errs, fmt.Errorf("deleting %s: %w", o, err))
		}
	}
	for _, o := range slices.Backward(in.created) {
		if err := in.installer.awaitGone(ctx, o); err != nil {
			errs = append(errs, err)
			break // the others are in the same state for the same reason
		}
	}
	if len(errs) == 0 {
		in.created, in.releases = nil, nil
	}
	return errors.Join(errs...)
}

func (o object) reference() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(o.gvk)
	u.SetNamespace(o.namespace)
	u.SetName(o.name)
	return u
}

// gone reports whether an error means that an object is not there, or that not
// even its kind is any more.
func gone(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

func (i *Installer) awaitGone(ctx context.Context, o object) error {
	ticker := time.NewTicker(i.options.Poll)
	defer ticker.Stop()
	for {
		u := o.reference()
		err := i.client.Get(ctx, client.ObjectKeyFromObject(u), u)
		switch {
		case err != nil && gone(err):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s is still there, with finalizers %v: %w", o, u.GetFinalizers(), ctx.Err())
		case err != nil:
			return fmt.Errorf("reading %s: %w", o, err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

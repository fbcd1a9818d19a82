package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/conformance/implementation"
	"github.com/causeway-gateway/causeway/conformance/implementation/crds"
	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/internal/parallel"
)

// crdTimeout bounds the waiting for CRDs to be served, which takes an idle API
// server two seconds.
const crdTimeout = time.Minute

func isGatewayCRD(o *unstructured.Unstructured) bool {
	return o.GetKind() == "CustomResourceDefinition" &&
		(strings.HasSuffix(o.GetName(), ".gateway.networking.k8s.io") || strings.HasSuffix(o.GetName(), ".gateway.networking.x-k8s.io"))
}

// crds applies the CRDs of the Gateway API. In a cluster that was not made for
// the test, those that are there are kept when they are of the very same
// release and channel, and are a mistake otherwise: objects of other teams may
// depend on them.
func (in *Installation) crds(ctx context.Context, channel gatewayapi.Channel) error {
	i := in.installer
	bundle, err := crds.Bundle(i.options.GatewayAPI, channel)
	if err != nil {
		return err
	}
	missing, others, err := i.compareCRDs(ctx, bundle)
	if err != nil {
		return err
	}
	if len(others) > 0 && i.options.Provider == implementation.Existing && !i.options.ReplaceCRDs {
		return fmt.Errorf("the cluster has %s: allow them to be replaced, or choose that release and channel", strings.Join(others, ", "))
	}
	apply := bundle
	if len(others) == 0 {
		apply = missing
	}
	if len(apply) > 0 {
		i.options.Progress(fmt.Sprintf("applying the CRDs of Gateway API %s, channel %s", i.options.GatewayAPI, channel))
	}
	for _, o := range missing {
		in.CRDs = append(in.CRDs, o.GetName())
	}
	errs := make([]error, len(apply))
	parallel.Chunks(ctx, len(apply), 1, func(_, from, to int) {
		for n := from; n < to; n++ {
			errs[n] = i.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(apply[n]), client.FieldOwner(FieldManager), client.ForceOwnership)
		}
	})
	if err := errors.Join(ctx.Err(), errors.Join(errs...)); err != nil {
		return err
	}
	return i.established(ctx, bundle)
}

// compareCRDs finds those of a bundle that the cluster lacks, and names those
// that it has in another release or channel.
func (i *Installer) compareCRDs(ctx context.Context, bundle []*unstructured.Unstructured) (missing []*unstructured.Unstructured, others []string, err error) {
	for _, want := range bundle {
		have := &metav1.PartialObjectMetadata{}
		have.SetGroupVersionKind(want.GroupVersionKind())
		err := i.client.Get(ctx, client.ObjectKeyFromObject(want), have)
		if apierrors.IsNotFound(err) {
			missing = append(missing, want)
			continue
		} else if err != nil {
			return nil, nil, err
		}
		if a, b := indicators(want), indicators(have); a != b {
			others = append(others, fmt.Sprintf("%s of %s", want.GetName(), b))
		}
	}
	slices.Sort(others)
	return missing, others, nil
}

// indicators say what a CRD is part of: "v1.6.3 (standard)".
func indicators(o client.Object) string {
	a := o.GetAnnotations()
	version, channel := a[crds.BundleAnnotation], a[crds.ChannelAnnotation]
	if version == "" {
		return "an unknown release"
	}
	return version + " (" + channel + ")"
}

// established waits until the kinds of CRDs are served.
func (i *Installer) established(ctx context.Context, list []*unstructured.Unstructured) error {
	var waits []implementation.Wait
	for _, o := range list {
		waits = append(waits, implementation.Wait{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Name: o.GetName(), Condition: "Established"})
	}
	return i.waitFor(ctx, "the API server", waits, nil, nil, crdTimeout)
}

// firstCreate is for how long after a CRD is established an API server takes two
// seconds for each object of its kind that is created, so that other API servers
// can learn of it (apiextensions-apiserver, pkg/apiserver/customresource_handler.go).
const firstCreate = 2 * time.Second

// settle waits until objects of the CRDs that were applied can be created without
// that delay: what creates them in turn would wait longer, and not know for what.
func (in *Installation) settle(ctx context.Context) error {
	var latest time.Time
	for _, name := range in.CRDs {
		found, err := in.installer.find(ctx, implementation.Wait{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: name})
		if err != nil {
			return fmt.Errorf("reading CustomResourceDefinition %s: %w", name, err)
		}
		for _, c := range conditions(found[0]) {
			if c.Type == "Established" && c.LastTransitionTime.After(latest) {
				latest = c.LastTransitionTime.Time
			}
		}
	}
	select {
	case <-time.After(min(time.Until(latest.Add(firstCreate)), firstCreate)): // the server's clock may be ahead of ours
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

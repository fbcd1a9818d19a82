// Package install puts an implementation into a cluster as its descriptor says,
// waits until it can be tested, and takes it away again. Whatever it waits for
// is bounded, and ends in a [NotReadyError] that says which condition of which
// object was not reached and what its pods were doing. It makes no cluster and
// runs no suite.
package install

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/action"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/conformance/implementation"
	"github.com/causeway-gateway/causeway/gatewayapi"
)

// FieldManager owns the fields that are applied.
const FieldManager = "causeway"

// Options say where and how.
type Options struct {
	// Provider is the kind of cluster, which decides the way of installation.
	Provider implementation.Provider
	// GatewayAPI is the release whose CRDs are installed; gatewayapi.Default
	// when empty. The channel is the descriptor's.
	GatewayAPI gatewayapi.Version
	// ReplaceCRDs allows CRDs of another release or channel to be replaced in a
	// cluster that was not made for the test.
	ReplaceCRDs bool
	// Timeout bounds the waiting for the implementation; the descriptor's when 0.
	Timeout time.Duration
	// Poll is the time between two looks at what is waited for; 100 ms when 0.
	Poll time.Duration
	// Cache is the folder for charts; a folder of the user's cache when empty.
	Cache string
	// HTTP fetches manifests; a client with a timeout of a minute when nil.
	HTTP *http.Client
	// Progress is told what is being done, one short line at a time.
	Progress func(string)
}

// Installer works on one cluster.
type Installer struct {
	options Options
	client  client.Client
	pods    kubernetes.Interface // logs, which are no objects
	helm    func(namespace string) (*action.Configuration, error)
}

// New prepares for a cluster. It fails where the cluster cannot be reached.
func New(config *rest.Config, o Options) (*Installer, error) {
	// client-go's own limit is for controllers that never end; the server's
	// priority and fairness protects it from this one.
	config = rest.CopyConfig(config)
	config.QPS = -1
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	pods, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return newInstaller(c, pods, func(namespace string) (*action.Configuration, error) { return helmConfiguration(config, namespace) }, o), nil
}

func newInstaller(c client.Client, pods kubernetes.Interface, helm func(string) (*action.Configuration, error), o Options) *Installer {
	if o.GatewayAPI == "" {
		o.GatewayAPI = gatewayapi.Default
	}
	if o.Poll == 0 {
		o.Poll = 100 * time.Millisecond
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: time.Minute}
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return &Installer{options: o, client: c, pods: pods, helm: helm}
}

// Installation is what was put into the cluster.
type Installation struct {
	installer *Installer
	created   []object  // in the order of creation
	releases  []release // of Helm
	// CRDs are the names of the Gateway API's CRDs that were not there before.
	// Uninstall leaves them: removing one removes every object of its kind.
	CRDs []string
}

// object names an object that was created.
type object struct {
	gvk             schema.GroupVersionKind
	namespace, name string
}

func (o object) String() string {
	if o.namespace == "" {
		return o.gvk.Kind + " " + o.name
	}
	return o.gvk.Kind + " " + o.namespace + "/" + o.name
}

type release struct{ namespace, name string }

// Install installs and waits. The installation is returned even with an error,
// for what was done until then to be taken away.
func (i *Installer) Install(ctx context.Context, d *implementation.Descriptor) (*Installation, error) {
	in := &Installation{installer: i}
	m, err := d.MethodFor(i.options.Provider)
	if err != nil {
		return in, err
	}
	if err := in.crds(ctx, gatewayapi.Channel(d.Channel)); err != nil {
		return in, fmt.Errorf("installing the CRDs of Gateway API %s: %w", i.options.GatewayAPI, err)
	}
	if len(m.Steps) > 0 {
		if err := in.apply(ctx, namespace(m.Namespace)); err != nil {
			return in, fmt.Errorf("installing %s: %w", d.Name, err)
		}
	}
	for n := range m.Steps {
		if err := in.step(ctx, d, m, &m.Steps[n]); err != nil {
			return in, fmt.Errorf("installing %s, step %d of %d: %w", d.Name, n+1, len(m.Steps), err)
		}
	}
	class, err := d.GatewayClass.Object()
	if err == nil && class != nil {
		err = in.apply(ctx, class)
	}
	if err != nil {
		return in, fmt.Errorf("installing %s: %w", d.Name, err)
	}
	if err = i.Wait(ctx, d); err == nil {
		err = in.settle(ctx)
	}
	return in, err
}

func (in *Installation) step(ctx context.Context, d *implementation.Descriptor, m *implementation.Method, s *implementation.Step) error {
	progress := in.installer.options.Progress
	folder := filepath.Dir(d.Origin())
	switch {
	case s.Local != nil:
		progress("starting " + s.Local.Image)
		objects, err := s.Local.Objects(m.Namespace)
		if err != nil {
			return err
		}
		return in.applyAll(ctx, objects)
	case s.Manifests != nil:
		progress("applying manifests of " + d.Name)
		objects, err := in.installer.manifests(ctx, s.Manifests, folder, m.Namespace)
		if err != nil {
			return err
		}
		return in.applyAll(ctx, objects)
	case s.Helm != nil:
		progress(strings.TrimSpace("installing chart " + s.Helm.Chart + " " + s.Helm.Version))
		return in.helm(ctx, s.Helm, folder, m.Namespace)
	}
	return errors.New("the step is empty")
}

func namespace(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{implementation.ManagedByLabel: implementation.ManagedBy}},
	}}
}

// applyAll applies objects in order, CRDs first and waiting for them, since
// what follows may be of their kinds.
func (in *Installation) applyAll(ctx context.Context, objects []*unstructured.Unstructured) error {
	var defined, rest []*unstructured.Unstructured
	for _, o := range objects {
		switch {
		case isGatewayCRD(o):
			// Those of the chosen release are there already.
			in.installer.options.Progress("leaving out " + o.GetName() + " of another release")
		case o.GetKind() == "CustomResourceDefinition":
			defined = append(defined, o)
		default:
			rest = append(rest, o)
		}
	}
	for _, o := range defined {
		if err := in.apply(ctx, o); err != nil {
			return err
		}
	}
	if err := in.installer.established(ctx, defined); err != nil {
		return err
	}
	for _, o := range rest {
		if err := in.apply(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// apply writes one object by server-side apply and remembers it when it was
// not there before: only that is taken away again. Namespaces and classes that
// somebody else made stay as they are.
func (in *Installation) apply(ctx context.Context, o *unstructured.Unstructured) error {
	c := in.installer.client
	have := &unstructured.Unstructured{}
	have.SetGroupVersionKind(o.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(o), have)
	id := object{o.GroupVersionKind(), o.GetNamespace(), o.GetName()}
	switch {
	case apierrors.IsNotFound(err):
		in.created = append(in.created, id)
	case err != nil:
		return fmt.Errorf("reading %s: %w", id, err)
	case have.GetDeletionTimestamp() != nil:
		return fmt.Errorf("%s is being deleted; wait until it is gone", id)
	case o.GetKind() == "Namespace":
		return nil
	case in.installer.options.Provider == implementation.Existing && have.GetLabels()[implementation.ManagedByLabel] != implementation.ManagedBy:
		return fmt.Errorf("%s is there already and is not ours: take it away, or describe the implementation as installed (a way of installation without steps)", id)
	}
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(withLabel(o)), client.FieldOwner(FieldManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("applying %s: %w", id, err)
	}
	return nil
}

// withLabel marks an object as ours, unless it says otherwise itself.
func withLabel(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	if labels[implementation.ManagedByLabel] == "" {
		labels[implementation.ManagedByLabel] = implementation.ManagedBy
	}
	o.SetLabels(labels)
	return o
}

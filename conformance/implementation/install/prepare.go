package install

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// Prepare does what a descriptor asks for between the suite's set-up and its
// tests, and waits. What it makes in the suite's namespaces goes with them.
func (i *Installer) Prepare(ctx context.Context, d *implementation.Descriptor) error {
	if d.Prepare == nil {
		return nil
	}
	m, err := d.MethodFor(i.options.Provider)
	if err != nil {
		return err
	}
	in := &Installation{installer: i}
	for n, s := range d.Prepare.Steps {
		if err := in.prepare(ctx, d, m, &s); err != nil {
			return fmt.Errorf("preparing %s, step %d of %d (%s): %w", d.Name, n+1, len(d.Prepare.Steps), s.Why, err)
		}
	}
	timeout := i.options.Timeout
	if timeout == 0 {
		timeout = m.WaitTimeout()
	}
	return i.waitFor(ctx, d.Name, d.Prepare.Wait, nil, m.Logs, timeout)
}

func (in *Installation) prepare(ctx context.Context, d *implementation.Descriptor, m *implementation.Method, s *implementation.PrepareStep) error {
	in.installer.options.Progress("preparing: " + s.Why)
	if s.Labels != nil {
		return in.installer.label(ctx, s.Labels)
	}
	objects, err := in.installer.manifests(ctx, s.Manifests, filepath.Dir(d.Origin()), m.Namespace)
	if err != nil {
		return err
	}
	return in.applyAll(ctx, objects)
}

// label changes labels of an object that is there, and no others.
func (i *Installer) label(ctx context.Context, l *implementation.Labels) error {
	labels := map[string]any{}
	for name, value := range l.Set {
		labels[name] = value
	}
	for _, name := range l.Remove {
		labels[name] = nil // JSON Merge Patch, RFC 7396: null removes
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		return err
	}
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(l.APIVersion)
	o.SetKind(l.Kind)
	o.SetNamespace(l.Namespace)
	o.SetName(l.Name)
	if err := i.client.Patch(ctx, o, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldManager)); err != nil {
		return fmt.Errorf("labels of %s: %w", object{o.GroupVersionKind(), l.Namespace, l.Name}, err)
	}
	return nil
}

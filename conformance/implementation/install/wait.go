package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// Wait waits until an implementation can be tested: everything its descriptor
// names, and that its GatewayClass is accepted by its controller. The error is
// a [*NotReadyError] unless the cluster cannot be asked.
func (i *Installer) Wait(ctx context.Context, d *implementation.Descriptor) error {
	m, err := d.MethodFor(i.options.Provider)
	if err != nil {
		return err
	}
	timeout := i.options.Timeout
	if timeout == 0 {
		timeout = m.WaitTimeout()
	}
	waits := m.Wait
	if d.GatewayClass != nil {
		waits = append(waits[:len(waits):len(waits)], implementation.Wait{
			APIVersion: "gateway.networking.k8s.io/v1", Kind: "GatewayClass", Name: d.GatewayClass.Name, Condition: "Accepted",
		})
	}
	return i.waitFor(ctx, d.Name, waits, d.GatewayClass, m.Logs, timeout)
}

// waitFor looks at everything that is waited for until all of it is so.
func (i *Installer) waitFor(ctx context.Context, who string, waits []implementation.Wait, class *implementation.GatewayClass, logs []implementation.Logs, timeout time.Duration) error {
	if len(waits) == 0 {
		return ctx.Err()
	}
	begun := time.Now()
	ticker := time.NewTicker(i.options.Poll)
	defer ticker.Stop()
	said := ""
	var unmet []Unmet
	for {
		now, final := i.look(ctx, waits, class)
		if len(now) == 0 {
			return nil
		}
		if ctx.Err() == nil || unmet == nil {
			unmet = now // else the states are that nothing could be asked any more
		}
		if err := ctx.Err(); errors.Is(err, context.Canceled) {
			return fmt.Errorf("waiting for %s: %w", who, err) // the caller gave up, which is no verdict
		}
		// A deadline of the caller's is a timeout like ours.
		if after := time.Since(begun); final || after >= timeout || ctx.Err() != nil {
			e := &NotReadyError{Implementation: who, After: after.Round(time.Millisecond), Final: final, Unmet: unmet}
			i.diagnose(context.WithoutCancel(ctx), e, logs)
			return e
		}
		if first := unmet[0].Object + ": " + unmet[0].State; first != said {
			said = first
			i.options.Progress("waiting for " + first)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// lookTimeout bounds one look: an API server that does not answer is a state
// like others.
const lookTimeout = 10 * time.Second

// look checks everything once. final is true when waiting cannot help.
func (i *Installer) look(ctx context.Context, waits []implementation.Wait, class *implementation.GatewayClass) (unmet []Unmet, final bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	for _, w := range waits {
		objects, err := i.find(ctx, w)
		if err != nil {
			unmet = append(unmet, Unmet{Object: describe(w), Want: want(w), State: err.Error()})
			continue
		}
		for _, o := range objects {
			if class != nil && w.Kind == "GatewayClass" {
				if have, _, _ := unstructured.NestedString(o.Object, "spec", "controllerName"); have != class.ControllerName {
					// The field is immutable, so no controller will mend it.
					unmet = append(unmet, Unmet{Object: describe(w), Want: "controller " + class.ControllerName, State: "it asks for controller " + have, object: o})
					final = true
					continue
				}
			}
			if state, ok := reached(o, w.Condition); !ok {
				u := Unmet{Object: name(o), Want: want(w), State: state, Conditions: conditions(o), object: o}
				if class != nil && w.Kind == "GatewayClass" {
					u.Want += " by controller " + class.ControllerName
				}
				unmet = append(unmet, u)
			}
		}
	}
	return unmet, final
}

// find gets the object of a wait, or all that its selector matches.
func (i *Installer) find(ctx context.Context, w implementation.Wait) ([]*unstructured.Unstructured, error) {
	gvk := schema.FromAPIVersionAndKind(w.APIVersion, w.Kind)
	if w.Name != "" {
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(gvk)
		if err := i.client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: w.Name}, o); err != nil {
			return nil, absent(err)
		}
		return []*unstructured.Unstructured{o}, nil
	}
	selector, err := labels.Parse(w.Selector)
	if err != nil {
		return nil, err
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk)
	if err := i.client.List(ctx, list, client.InNamespace(w.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, absent(err)
	}
	if len(list.Items) == 0 {
		return nil, fmt.Errorf("nothing matches %s", w.Selector)
	}
	out := make([]*unstructured.Unstructured, len(list.Items))
	for n := range list.Items {
		out[n] = &list.Items[n]
	}
	return out, nil
}

// absent puts the errors that mean "not yet" into plain words.
func absent(err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return errAbsent
	case meta.IsNoMatchError(err):
		return errNoKind
	}
	return err
}

// reached reports whether an object is as it should be, and how it is.
func reached(o *unstructured.Unstructured, condition string) (state string, ok bool) {
	if condition == "" {
		r, err := status.Compute(o)
		if err != nil {
			return err.Error(), false
		}
		return fmt.Sprintf("%s, %s", r.Status, r.Message), r.Status == status.CurrentStatus
	}
	// Controllers that write status.observedGeneration, as Deployments have,
	// mean it for all their conditions.
	if seen, found, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration"); found && seen < o.GetGeneration() {
		return "its controller has not seen the latest generation", false
	}
	for _, c := range conditions(o) {
		if c.Type != condition {
			continue
		}
		if c.ObservedGeneration != 0 && c.ObservedGeneration < o.GetGeneration() {
			return fmt.Sprintf("condition %s is of an older generation", condition), false
		}
		return fmt.Sprintf("condition %s is %s%s", condition, c.Status, because(c)), c.Status == metav1.ConditionTrue
	}
	return fmt.Sprintf("there is no condition %s", condition), false
}

func because(c metav1.Condition) string {
	switch {
	case c.Reason != "" && c.Message != "":
		return fmt.Sprintf(" (%s: %s)", c.Reason, c.Message)
	case c.Reason != "" || c.Message != "":
		return " (" + c.Reason + c.Message + ")"
	}
	return ""
}

// conditions reads status.conditions, of whatever kind they are.
func conditions(o *unstructured.Unstructured) []metav1.Condition {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	var out []metav1.Condition
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		var c metav1.Condition
		if runtime.DefaultUnstructuredConverter.FromUnstructured(m, &c) == nil && c.Type != "" {
			out = append(out, c)
		}
	}
	return out
}

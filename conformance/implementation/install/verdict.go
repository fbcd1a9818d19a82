package install

import (
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

var (
	errAbsent = errors.New("it is not there")
	errNoKind = errors.New("the cluster does not know its kind")
)

// NotReadyError is the verdict over an implementation that cannot be tested.
// Its JSON form is an artifact of a run.
type NotReadyError struct {
	Implementation string `json:"implementation"`
	// After is how long was waited.
	After time.Duration `json:"after"`
	// Final says that waiting longer could not have helped.
	Final bool    `json:"final,omitempty"`
	Unmet []Unmet `json:"unmet"`
}

// Unmet is one thing that was waited for in vain.
type Unmet struct {
	// Object is "Deployment traefik/traefik".
	Object string `json:"object"`
	// Want is what should have become so.
	Want string `json:"want"`
	// State is how it was at the end.
	State string `json:"state"`
	// Conditions are all that the object has.
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Pods are those behind the object.
	Pods []Pod `json:"pods,omitempty"`
	// Events are warnings about the object and its pods, the last ones last.
	Events []string `json:"events,omitempty"`

	object *unstructured.Unstructured
}

// Pod is the state of a pod.
type Pod struct {
	Name       string      `json:"name"`
	Phase      string      `json:"phase"`
	Reason     string      `json:"reason,omitempty"`
	Ready      bool        `json:"ready"`
	Containers []Container `json:"containers,omitempty"`
}

// Container is the state of one that is not ready, or of one that should have
// done something.
type Container struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Restarts int32  `json:"restarts,omitempty"`
	// Log holds the last lines it wrote.
	Log []string `json:"log,omitempty"`
}

// Error lists everything, one line for each thing, with its pods below.
func (e *NotReadyError) Error() string {
	var b strings.Builder
	// What others wrote stays on one line and moves no cursor.
	text := func(s string) string { return printable(strings.Join(strings.Fields(s), " ")) }
	fmt.Fprintf(&b, "%s is not ready after %s", e.Implementation, e.After)
	if e.Final {
		b.WriteString(", and waiting cannot help")
	}
	for _, u := range e.Unmet {
		fmt.Fprintf(&b, "\n- %s: %s; wanted %s", u.Object, text(u.State), u.Want)
		for _, p := range u.Pods {
			if p.Ready && len(p.Containers) == 0 {
				continue
			}
			fmt.Fprintf(&b, "\n    pod %s: %s", p.Name, p.Phase)
			if p.Reason != "" {
				b.WriteString(", " + text(p.Reason))
			}
			for _, c := range p.Containers {
				fmt.Fprintf(&b, "\n      container %s: %s", c.Name, text(c.State))
				if c.Restarts > 0 {
					fmt.Fprintf(&b, ", restarted %d times", c.Restarts)
				}
				for _, line := range c.Log {
					b.WriteString("\n      | " + line)
				}
			}
		}
		for _, event := range u.Events {
			b.WriteString("\n    event " + text(event))
		}
	}
	return b.String()
}

// describe names what a wait is about before it is found.
func describe(w implementation.Wait) string {
	at := w.Name
	if at == "" {
		at = "(" + w.Selector + ")"
	}
	if w.Namespace != "" {
		at = w.Namespace + "/" + at
	}
	return w.Kind + " " + at
}

func name(o *unstructured.Unstructured) string {
	return object{o.GroupVersionKind(), o.GetNamespace(), o.GetName()}.String()
}

func want(w implementation.Wait) string {
	if w.Condition == "" {
		return "that it is current"
	}
	return "condition " + w.Condition + " True"
}

package output

import (
	"fmt"
	"maps"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// serverFields are what the API server fills in below metadata: they describe
// storage, not intent, and applying them again fails or means nothing.
// https://kubernetes.io/docs/reference/using-api/api-concepts/
var serverFields = []string{"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	"generation", "managedFields", "resourceVersion", "selfLink", "uid"}

// plainObject returns the object as JSON types, without status and without what
// the API server fills in. The object itself is not changed.
func plainObject(o client.Object) (map[string]any, error) {
	if isNil(o) {
		return nil, fmt.Errorf("write: one of the objects is nil (%T)", o)
	}
	m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("write %T %s/%s: %w", o, o.GetNamespace(), o.GetName(), err)
	}
	for _, f := range []string{"apiVersion", "kind"} {
		if s, _ := m[f].(string); s == "" {
			return nil, fmt.Errorf("write %T %s/%s: %s is not set", o, o.GetNamespace(), o.GetName(), f)
		}
	}
	// Unstructured objects hand out their own map: copy the two levels changed.
	m = maps.Clone(m)
	delete(m, "status")
	if meta, ok := m["metadata"].(map[string]any); ok {
		meta = maps.Clone(meta)
		for _, f := range serverFields {
			delete(meta, f)
		}
		m["metadata"] = meta
	}
	return m, nil
}

// isNil also finds a nil pointer inside the interface.
func isNil(o client.Object) bool {
	v := reflect.ValueOf(o)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

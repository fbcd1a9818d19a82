//go:build linux

package agent

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// placed is a pod with what it learns from its node.
type placed struct {
	*corev1.Pod
	podIP, nodeIP netip.Addr
}

// environ returns a container's variables as NAME=value, the later ones
// winning: the image's, the cluster's, envFrom, env. It reads ConfigMaps and
// Secrets; one that is missing and not optional is an error that may pass.
func environ(ctx context.Context, r client.Reader, p placed, c *corev1.Container, first []string) ([]string, error) {
	known := map[string]string{}
	var names []string
	set := func(name, value string) {
		if _, ok := known[name]; !ok {
			names = append(names, name)
		}
		known[name] = value
	}
	for _, kv := range first {
		name, value, _ := strings.Cut(kv, "=")
		set(name, value)
	}
	for _, from := range c.EnvFrom {
		values, err := valuesFrom(ctx, r, p.Namespace, from)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			set(from.Prefix+name, values[name])
		}
	}
	for _, e := range c.Env {
		value := expand(e.Value, known)
		if e.ValueFrom != nil {
			var ok bool
			var err error
			if value, ok, err = valueFrom(ctx, r, p, c, e.ValueFrom); err != nil {
				return nil, fmt.Errorf("variable %s: %w", e.Name, err)
			}
			if !ok {
				continue
			}
		}
		set(e.Name, value)
	}
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, name+"="+known[name])
	}
	return out, nil
}

func valuesFrom(ctx context.Context, r client.Reader, namespace string, from corev1.EnvFromSource) (map[string]string, error) {
	switch {
	case from.ConfigMapRef != nil:
		data, err := configMap(ctx, r, namespace, from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
		return texts(data), err
	case from.SecretRef != nil:
		data, err := secret(ctx, r, namespace, from.SecretRef.Name, from.SecretRef.Optional)
		return texts(data), err
	}
	return nil, nil
}

func valueFrom(ctx context.Context, r client.Reader, p placed, c *corev1.Container, from *corev1.EnvVarSource) (value string, ok bool, err error) {
	switch {
	case from.FieldRef != nil:
		value, err = field(p, from.FieldRef.FieldPath)
		return value, true, err
	case from.ResourceFieldRef != nil:
		value, err = resourceField(p.Pod, c, from.ResourceFieldRef)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		data, err := configMap(ctx, r, p.Namespace, ref.Name, ref.Optional)
		return keyOf(data, "ConfigMap", ref.Name, ref.Key, ref.Optional, err)
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		data, err := secret(ctx, r, p.Namespace, ref.Name, ref.Optional)
		return keyOf(data, "Secret", ref.Name, ref.Key, ref.Optional, err)
	}
	return "", false, fmt.Errorf("valueFrom has none of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef")
}

func keyOf(data map[string][]byte, kind, name, key string, optional *bool, err error) (string, bool, error) {
	if err != nil {
		return "", false, err
	}
	value, ok := data[key]
	if !ok && (optional == nil || !*optional) {
		return "", false, fmt.Errorf("%s %s has no key %q", kind, name, key)
	}
	return string(value), ok, nil
}

// configMap returns the content of a ConfigMap, empty if it is optional and missing.
func configMap(ctx context.Context, r client.Reader, namespace, name string, optional *bool) (map[string][]byte, error) {
	var m corev1.ConfigMap
	if err := get(ctx, r, namespace, name, optional, &m); err != nil {
		return nil, err
	}
	out := maps.Clone(m.BinaryData)
	for k, v := range m.Data {
		if out == nil {
			out = map[string][]byte{}
		}
		out[k] = []byte(v)
	}
	return out, nil
}

// secret returns the content of a Secret, empty if it is optional and missing.
func secret(ctx context.Context, r client.Reader, namespace, name string, optional *bool) (map[string][]byte, error) {
	var s corev1.Secret
	err := get(ctx, r, namespace, name, optional, &s)
	return s.Data, err
}

func get(ctx context.Context, r client.Reader, namespace, name string, optional *bool, into client.Object) error {
	err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
	if apierrors.IsNotFound(err) && optional != nil && *optional {
		return nil
	}
	return err
}

func texts(data map[string][]byte) map[string]string {
	out := make(map[string]string, len(data))
	for k, v := range data {
		out[k] = string(v)
	}
	return out
}

// fields are the paths of the downward API
// (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/).
var fields = map[string]func(placed) string{
	"metadata.name":           func(p placed) string { return p.Name },
	"metadata.namespace":      func(p placed) string { return p.Namespace },
	"metadata.uid":            func(p placed) string { return string(p.UID) },
	"metadata.labels":         func(p placed) string { return listed(p.Labels) },
	"metadata.annotations":    func(p placed) string { return listed(p.Annotations) },
	"spec.nodeName":           func(p placed) string { return p.Spec.NodeName },
	"spec.serviceAccountName": func(p placed) string { return p.Spec.ServiceAccountName },
	"status.podIP":            func(p placed) string { return p.podIP.String() },
	"status.podIPs":           func(p placed) string { return p.podIP.String() },
	"status.hostIP":           func(p placed) string { return p.nodeIP.String() },
	"status.hostIPs":          func(p placed) string { return p.nodeIP.String() },
}

// field is the value of a path of the downward API.
func field(p placed, path string) (string, error) {
	if of, ok := fields[path]; ok {
		return of(p), nil
	}
	for prefix, of := range map[string]map[string]string{"metadata.labels['": p.Labels, "metadata.annotations['": p.Annotations} {
		if key, ok := strings.CutPrefix(path, prefix); ok && strings.HasSuffix(key, "']") {
			return of[strings.TrimSuffix(key, "']")], nil
		}
	}
	return "", fmt.Errorf("fieldPath %q is not supported", path)
}

// listed is a map in the form of a downward API file.
func listed(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+strconv.Quote(m[k]))
	}
	return strings.Join(out, "\n")
}

// resourceField is a limit or request in the unit asked for. What has no limit
// has that of the node in Kubernetes; here nothing is limited, so it is the
// request, or one unit.
func resourceField(pod *corev1.Pod, c *corev1.Container, ref *corev1.ResourceFieldSelector) (string, error) {
	if ref.ContainerName != "" {
		for i := range pod.Spec.Containers {
			if pod.Spec.Containers[i].Name == ref.ContainerName {
				c = &pod.Spec.Containers[i]
			}
		}
	}
	kind, name, _ := strings.Cut(ref.Resource, ".")
	lists := map[string][]corev1.ResourceList{
		"limits":   {c.Resources.Limits, c.Resources.Requests},
		"requests": {c.Resources.Requests},
	}[kind]
	if lists == nil || name == "" {
		return "", fmt.Errorf("resource %q is not supported", ref.Resource)
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	for _, list := range lists {
		if q, ok := list[corev1.ResourceName(name)]; ok {
			whole := (q.MilliValue() + divisor.MilliValue() - 1) / divisor.MilliValue()
			return strconv.FormatInt(whole, 10), nil
		}
	}
	return "1", nil
}

// expand replaces $(NAME) by the value of a variable that is known, and $$ by
// $. What is not known stays as it is
// (https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/).
func expand(text string, known map[string]string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		text = after
		switch {
		case strings.HasPrefix(text, "$"):
			out.WriteByte('$')
			text = text[1:]
		case strings.HasPrefix(text, "("):
			name, rest, closed := strings.Cut(text[1:], ")")
			value, ok := known[name]
			if !closed || !ok {
				out.WriteByte('$')
				continue
			}
			out.WriteString(value)
			text = rest
		default:
			out.WriteByte('$')
		}
	}
}

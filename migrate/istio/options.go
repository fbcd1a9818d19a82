package istio

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Options say what the input does not: how the mesh and its gateways run.
type Options struct {
	// Domain of the cluster's Services; "cluster.local" when empty.
	Domain string
	// Root is the namespace of the mesh's root configuration, "istio-system"
	// when empty.
	Root string
	// Workload are the labels of the gateway's pods of which [Result.Edge]
	// speaks first; empty takes the default installation's.
	Workload map[string]string
}

func (o Options) complete() Options {
	o.Domain = cmp.Or(o.Domain, "cluster.local")
	o.Root = cmp.Or(o.Root, "istio-system")
	return o
}

// defaultWorkload are the labels of the ingress gateway of the default
// installation (manifests/charts/gateways/istio-ingress/values.yaml).
var defaultWorkload = map[string]string{"istio": "ingressgateway", "app": "istio-ingressgateway"}

// subset reports whether all labels of a selector are among those of a workload
// (pkg/config/labels, Instance.SubsetOf).
func subset(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// labelText writes labels as kubectl does.
func labelText(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}

package compile

import (
	"encoding/json"
	"sort"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// inputs are the objects by kind, each list by age, then namespace and name.
type inputs struct {
	gateways   []*gwv1.Gateway
	sets       []*gwv1.ListenerSet
	http       []*gwv1.HTTPRoute
	grpc       []*gwv1.GRPCRoute
	streams    []*streamRoute
	grants     []*referenceGrant
	policies   []*gwv1.BackendTLSPolicy
	services   map[string]*corev1.Service // nil when unknown
	namespaces map[string]map[string]string
	secrets    map[string]*corev1.Secret    // nil when unknown
	configMaps map[string]*corev1.ConfigMap // nil when unknown
}

// streamRoute is what TLSRoute, TCPRoute and UDPRoute of every version share.
type streamRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		gwv1.CommonRouteSpec `json:",inline"`
		Hostnames            []gwv1.Hostname `json:"hostnames"`
		Rules                []struct {
			BackendRefs []gwv1.BackendRef `json:"backendRefs"`
		} `json:"rules"`
	} `json:"spec"`
}

// referenceGrant is what ReferenceGrant of every version shares.
type referenceGrant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		From []struct {
			Group, Kind, Namespace string
		} `json:"from"`
		To []struct {
			Group, Kind string
			Name        *string
		} `json:"to"`
	} `json:"spec"`
}

func sortInputs(objs []client.Object, complete bool) *inputs {
	in := &inputs{}
	if complete {
		in.services, in.secrets, in.configMaps = map[string]*corev1.Service{}, map[string]*corev1.Secret{}, map[string]*corev1.ConfigMap{}
	}
	for _, o := range objs {
		gvk := o.GetObjectKind().GroupVersionKind()
		switch gvk.Kind {
		case "Gateway":
			in.gateways = keep(in.gateways, o, gvk.Group)
		case "ListenerSet", "XListenerSet":
			in.sets = keep(in.sets, o, gwv1.GroupName)
		case "HTTPRoute":
			in.http = keep(in.http, o, gvk.Group)
		case "GRPCRoute":
			in.grpc = keep(in.grpc, o, gvk.Group)
		case "TLSRoute", "TCPRoute", "UDPRoute":
			in.streams = keep(in.streams, o, gvk.Group)
		case "ReferenceGrant":
			in.grants = keep(in.grants, o, gvk.Group)
		case "BackendTLSPolicy":
			in.policies = keep(in.policies, o, gvk.Group)
		case "Service":
			if s := decode[corev1.Service](o); s != nil {
				if in.services == nil {
					in.services = map[string]*corev1.Service{}
				}
				in.services[o.GetNamespace()+"/"+o.GetName()] = s
			}
		case "Secret":
			if s := decode[corev1.Secret](o); s != nil && complete {
				in.secrets[o.GetNamespace()+"/"+o.GetName()] = s
			}
		case "ConfigMap":
			if m := decode[corev1.ConfigMap](o); m != nil && complete {
				in.configMaps[o.GetNamespace()+"/"+o.GetName()] = m
			}
		case "Namespace":
			if in.namespaces == nil {
				in.namespaces = map[string]map[string]string{}
			}
			in.namespaces[o.GetName()] = o.GetLabels()
		}
	}
	byAge(in.gateways)
	byAge(in.sets)
	byAge(in.http)
	byAge(in.grpc)
	byAge(in.streams)
	byAge(in.policies)
	return in
}

func keep[T any](list []*T, o client.Object, group string) []*T {
	if group != gwv1.GroupName {
		return list
	}
	if x := decode[T](o); x != nil {
		return append(list, x)
	}
	return list
}

// decode returns the object as T, by way of JSON when it is of another type or
// version; nil when it does not fit.
func decode[T any](o client.Object) *T {
	if x, ok := any(o).(*T); ok {
		return x
	}
	b, err := json.Marshal(o)
	if err != nil {
		return nil
	}
	x := new(T)
	if json.Unmarshal(b, x) != nil {
		return nil
	}
	return x
}

// byAge sorts as conflicts are resolved: the oldest first, then by "namespace/
// name" (guides/implementers, "Conflicts").
func byAge[T any, P interface {
	*T
	metav1.Object
}](list []P) {
	sort.SliceStable(list, func(i, j int) bool { return older(list[i], list[j]) })
}

func older(a, b metav1.Object) bool {
	if x, y := age(a), age(b); x != y {
		return x < y
	}
	if x, y := a.GetNamespace(), b.GetNamespace(); x != y {
		return x < y
	}
	return a.GetName() < b.GetName()
}

func age(o metav1.Object) int64 {
	if t := o.GetCreationTimestamp(); !t.IsZero() {
		return t.UnixNano()
	}
	return 0
}

func refOf(kind string, o metav1.Object) routing.ObjectRef {
	ns := o.GetNamespace()
	if ns == "" {
		ns = metav1.NamespaceDefault
	}
	return routing.ObjectRef{Kind: kind, Namespace: ns, Name: o.GetName()}
}

func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

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
	// cookiePaths are those of sessions in the form that v1.7 gave them.
	cookiePaths map[*gwv1.SessionPersistence]string
	// filtered are the listeners with filters, by their owners and index.
	filtered map[routing.ObjectRef]map[int]bool
	unread   []Problem
}

// streamRoute is what TLSRoute, TCPRoute and UDPRoute of every version share.
type streamRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		gwv1.CommonRouteSpec `json:",inline"`
		Hostnames            []gwv1.Hostname `json:"hostnames"`
		Rules                []streamRule    `json:"rules"`
	} `json:"spec"`
}

type streamRule struct {
	BackendRefs []gwv1.BackendRef `json:"backendRefs"`
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
			in.gateways = keep(in, in.gateways, o)
		case "ListenerSet":
			in.sets = keep(in, in.sets, o)
		case "HTTPRoute":
			in.http = keep(in, in.http, o)
		case "GRPCRoute":
			in.grpc = keep(in, in.grpc, o)
		case "TLSRoute", "TCPRoute", "UDPRoute":
			in.streams = keep(in, in.streams, o)
		case "ReferenceGrant":
			in.grants = keep(in, in.grants, o)
		case "BackendTLSPolicy":
			in.policies = keep(in, in.policies, o)
		case "Service":
			if s, err := decode[corev1.Service](o); err == nil {
				if in.services == nil {
					in.services = map[string]*corev1.Service{}
				}
				in.services[o.GetNamespace()+"/"+o.GetName()] = s
			}
		case "Secret":
			if s, err := decode[corev1.Secret](o); err == nil && complete {
				in.secrets[o.GetNamespace()+"/"+o.GetName()] = s
			}
		case "ConfigMap":
			if m, err := decode[corev1.ConfigMap](o); err == nil && complete {
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

// keep adds an object to those of its kind. One that does not fit the type has no
// effect, as the API server would not take it.
func keep[T any](in *inputs, list []*T, o client.Object) []*T {
	gvk := o.GetObjectKind().GroupVersionKind()
	if gvk.Group != gwv1.GroupName {
		return list
	}
	x, err := decode[T](o)
	if err != nil {
		in.unread = append(in.unread, Problem{refOf(gvk.Kind, o), "", "Accepted", "Invalid", "the object cannot be read: " + err.Error()})
		return list
	}
	in.laterSessions(x, o)
	in.laterFilters(o)
	return append(list, x)
}

// decode returns the object as T, by way of JSON when it is of another type or
// version.
func decode[T any](o client.Object) (*T, error) {
	if x, ok := any(o).(*T); ok {
		return x, nil
	}
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	x := new(T)
	return x, json.Unmarshal(b, x)
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
	x, y := refOf("", a), refOf("", b)
	return x.Namespace+"/"+x.Name < y.Namespace+"/"+y.Name
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

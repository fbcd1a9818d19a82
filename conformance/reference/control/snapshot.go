package control

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwxv1alpha1 "sigs.k8s.io/gateway-api/apisx/v1alpha1"

	"github.com/causeway-gateway/causeway/routing"
)

// snapshot is the cluster as the cache has it.
type snapshot struct {
	objects  []client.Object // what the compiler reads
	classes  []*gwv1.GatewayClass
	meshes   []*gwxv1alpha1.XMesh
	gateways []*gwv1.Gateway // of our classes
	sets     []*gwv1.ListenerSet
	routes   []client.Object
	policies []*gwv1.BackendTLSPolicy
	services []*corev1.Service
	slices   []*discoveryv1.EndpointSlice
	pods     []*corev1.Pod
}

// snapshot reads every watched kind. Gateways of other controllers' classes are
// left out, so that nothing is said about them.
func (r *reconciler) snapshot(ctx context.Context) (*snapshot, error) {
	s := &snapshot{}
	var gateways []*gwv1.Gateway
	for _, kind := range r.kinds {
		gvk, err := apiutil.GVKForObject(kind, r.scheme)
		if err != nil {
			return nil, err
		}
		o, err := r.scheme.New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		if err != nil {
			return nil, err
		}
		list, ok := o.(client.ObjectList)
		if !ok {
			return nil, fmt.Errorf("%T is no list", o)
		}
		if err := r.client.List(ctx, list); err != nil {
			return nil, fmt.Errorf("list %s: %w", gvk.Kind, err)
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			x, ok := item.(client.Object)
			if !ok {
				return fmt.Errorf("%T is no object", item)
			}
			// Lists come without the kind of their items.
			x.GetObjectKind().SetGroupVersionKind(gvk)
			if g, ok := x.(*gwv1.Gateway); ok {
				gateways = append(gateways, g)
				return nil
			}
			s.add(x)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	ours := map[string]bool{}
	for _, c := range s.classes {
		ours[c.Name] = string(c.Spec.ControllerName) == r.options.controllerName()
	}
	for _, g := range gateways {
		if ours[string(g.Spec.GatewayClassName)] && g.DeletionTimestamp.IsZero() {
			s.gateways = append(s.gateways, g)
			s.objects = append(s.objects, g)
		}
	}
	return s, nil
}

func (s *snapshot) add(o client.Object) {
	switch x := o.(type) {
	case *gwv1.GatewayClass:
		s.classes = append(s.classes, x)
		return
	case *gwxv1alpha1.XMesh:
		s.meshes = append(s.meshes, x)
		return
	case *discoveryv1.EndpointSlice:
		s.slices = append(s.slices, x)
		return
	case *corev1.Pod:
		s.pods = append(s.pods, x)
		return
	case *gwv1.ListenerSet:
		s.sets = append(s.sets, x)
	case *gwv1.BackendTLSPolicy:
		s.policies = append(s.policies, x)
	case *gwv1.HTTPRoute, *gwv1.GRPCRoute, *gwv1.TLSRoute, *gwv1.TCPRoute, *gwv1.UDPRoute:
		s.routes = append(s.routes, x)
	case *corev1.Service:
		s.services = append(s.services, x)
	}
	s.objects = append(s.objects, o)
}

func nameOf(o client.Object) string { return o.GetNamespace() + "/" + o.GetName() }

func refOf(o client.Object) routing.ObjectRef {
	return routing.ObjectRef{Kind: o.GetObjectKind().GroupVersionKind().Kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

package control

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// routeParts are the parts that all kinds of routes have; nil for an object
// that is none.
func routeParts(o client.Object) (*gwv1.CommonRouteSpec, *gwv1.RouteStatus) {
	switch r := o.(type) {
	case *gwv1.HTTPRoute:
		return &r.Spec.CommonRouteSpec, &r.Status.RouteStatus
	case *gwv1.GRPCRoute:
		return &r.Spec.CommonRouteSpec, &r.Status.RouteStatus
	case *gwv1.TLSRoute:
		return &r.Spec.CommonRouteSpec, &r.Status.RouteStatus
	case *gwv1.TCPRoute:
		return &r.Spec.CommonRouteSpec, &r.Status.RouteStatus
	case *gwv1.UDPRoute:
		return &r.Spec.CommonRouteSpec, &r.Status.RouteStatus
	}
	return nil, nil
}

// route writes our entries into the status of a route: one for each parent of
// ours. Entries of other controllers stay where they are (RouteStatus.Parents:
// "the controller must only … update entries with its own controllerName").
func (f *findings) route(o client.Object) {
	spec, status := routeParts(o)
	ref := refOf(o)
	before := status.Parents
	status.Parents = []gwv1.RouteParentStatus{}
	for _, p := range before {
		if string(p.ControllerName) != f.controller {
			status.Parents = append(status.Parents, p)
		}
	}
	for _, p := range f.parents[ref] {
		parent, path := parentOf(p, spec)
		if !f.ours(p, parent) {
			continue
		}
		var old []metav1.Condition
		for _, b := range before {
			if string(b.ControllerName) == f.controller && sameParent(b.ParentRef, parent) {
				old = b.Conditions
			}
		}
		c := conditions{&old, o.GetGeneration()}
		accepted := c.holds(string(gwv1.RouteConditionAccepted), f.problem(ref, path, "Accepted"))
		c.holds(string(gwv1.RouteConditionResolvedRefs), f.problem(ref, "spec.rules", "ResolvedRefs"))
		partial := string(gwv1.RouteConditionPartiallyInvalid)
		if bad := f.problem(ref, "spec.rules", "Accepted"); bad != nil && accepted {
			c.set(partial, true, bad.Reason, f.dropped(ref))
		} else {
			c.drop(partial) // "MUST NOT be set if a Route is fully valid, fully invalid, or not accepted"
		}
		status.Parents = append(status.Parents, gwv1.RouteParentStatus{
			ParentRef: parent, ControllerName: gwv1.GatewayController(f.controller), Conditions: old,
		})
	}
}

// parentOf is the reference to a parent, and where the route makes it: "When a
// defaulted Route is claimed by a default Gateway, the Gateway MUST use
// `status.parents` to announce that it has claimed the Route" (GEP-3793).
func parentOf(p compile.Parent, spec *gwv1.CommonRouteSpec) (gwv1.ParentReference, string) {
	if p.Index >= 0 {
		return spec.ParentRefs[p.Index], fmt.Sprintf("spec.parentRefs[%d]", p.Index)
	}
	return gwv1.ParentReference{
		Group: new(gwv1.Group(gwv1.GroupName)), Kind: new(gwv1.Kind(p.Parent.Kind)),
		Namespace: new(gwv1.Namespace(p.Parent.Namespace)), Name: gwv1.ObjectName(p.Parent.Name),
	}, "spec.useDefaultGateways"
}

// maxDropped is how many invalid parts of a route its status tells of.
const maxDropped = 8

// dropped says which parts of a route's rules have no effect: "The message for
// this condition MUST start with the prefix "Dropped Rule" and include information
// about which Rules have been dropped" (RouteConditionPartiallyInvalid). Some of
// them still answer, with an error.
func (f *findings) dropped(route routing.ObjectRef) string {
	var parts []string
	for _, p := range f.byObject[route] {
		if p.Condition == "Accepted" && strings.HasPrefix(p.Path, "spec.rules[") && len(parts) < maxDropped {
			parts = append(parts, p.Path+": "+p.Message)
		}
	}
	return "Dropped Rule " + strings.Join(parts, "; ")
}

// ours reports whether a parent is for this controller to answer for. One that
// leaves out the group of a Service means nothing that exists.
func (f *findings) ours(p compile.Parent, ref gwv1.ParentReference) bool {
	if p.Parent.Kind == "Service" {
		return f.controller == MeshController && ref.Group != nil && *ref.Group == ""
	}
	return f.controller == GatewayController && p.Gateway.Name != ""
}

func sameParent(a, b gwv1.ParentReference) bool {
	return same(a.Group, b.Group) && same(a.Kind, b.Kind) && same(a.Namespace, b.Namespace) && a.Name == b.Name &&
		same(a.SectionName, b.SectionName) && same(a.Port, b.Port)
}

func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

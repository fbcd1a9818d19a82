package control

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// findings are all that a status is made of.
type findings struct {
	controller string
	snapshot   *snapshot
	result     *compile.Result
	refused    map[routing.ObjectRef]*refusal
	addresses  map[routing.ObjectRef]assignment

	byObject  map[routing.ObjectRef][]compile.Problem
	listeners map[routing.ObjectRef][]*compile.Listener // by owner
	parents   map[routing.ObjectRef][]compile.Parent    // by route
}

// index sorts what the compiler found by object.
func (f *findings) index() {
	f.byObject = map[routing.ObjectRef][]compile.Problem{}
	for _, p := range f.result.Problems {
		f.byObject[p.Object] = append(f.byObject[p.Object], p)
	}
	f.listeners = map[routing.ObjectRef][]*compile.Listener{}
	for _, l := range f.result.Listeners {
		f.listeners[l.Owner] = append(f.listeners[l.Owner], l)
	}
	f.parents = map[routing.ObjectRef][]compile.Parent{}
	for _, p := range f.result.Parents {
		f.parents[p.Route] = append(f.parents[p.Route], p)
	}
}

// problem is the first one of an object at a path, or below it, that is of a
// condition; nil when there is none.
func (f *findings) problem(o routing.ObjectRef, path, condition string) *compile.Problem {
	for i, p := range f.byObject[o] {
		below, ok := strings.CutPrefix(p.Path, path)
		if ok && p.Condition == condition && (below == "" || below[0] == '.' || below[0] == '[') {
			return &f.byObject[o][i]
		}
	}
	return nil
}

// conditions are those of one status, for one generation of its object.
// Conditions of types that are not set here stay as they are: they are
// somebody else's.
type conditions struct {
	list       *[]metav1.Condition
	generation int64
}

func (c conditions) set(kind string, ok bool, reason, message string) {
	status := metav1.ConditionFalse
	if ok {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition(c.list, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: c.generation,
	})
}

// holds sets a condition that is true unless there is a problem.
func (c conditions) holds(kind string, p *compile.Problem) bool {
	if p == nil {
		// "Accepted" and "ResolvedRefs" are also their reasons when true.
		c.set(kind, true, kind, "")
		return true
	}
	c.set(kind, false, p.Reason, p.Message)
	return false
}

// drop takes a condition of ours away.
func (c conditions) drop(kind string) { meta.RemoveStatusCondition(c.list, kind) }

// refusal is why a Gateway is not accepted as a whole.
type refusal struct{ reason, message string }

// refuse says why a Gateway is not accepted, whatever its listeners; nil when
// it is. There are no parameters, and addresses are IP addresses
// (GatewayReasonInvalidParameters, GatewayReasonUnsupportedAddress).
func refuse(g *gwv1.Gateway) *refusal {
	if i := g.Spec.Infrastructure; i != nil && i.ParametersRef != nil {
		return &refusal{string(gwv1.GatewayReasonInvalidParameters), "the reference implementation takes no parameters"}
	}
	for _, a := range g.Spec.Addresses {
		if a.Type != nil && *a.Type != gwv1.IPAddressType {
			return &refusal{string(gwv1.GatewayReasonUnsupportedAddress), "addresses of type " + string(*a.Type) + " are not supported"}
		}
	}
	return nil
}

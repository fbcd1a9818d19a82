package control

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// maxAncestors is the API's limit (PolicyStatus.Ancestors).
const maxAncestors = 16

// policy writes our entries into the status of a BackendTLSPolicy: one for each
// Gateway with a route to what the policy targets.
func (f *findings) policy(p *gwv1.BackendTLSPolicy, gateways []routing.ObjectRef) {
	ref := refOf(p)
	before := p.Status.Ancestors
	p.Status.Ancestors = []gwv1.PolicyAncestorStatus{}
	for _, a := range before {
		if string(a.ControllerName) != f.controller {
			p.Status.Ancestors = append(p.Status.Ancestors, a)
		}
	}
	for _, g := range gateways {
		if len(p.Status.Ancestors) == maxAncestors {
			break
		}
		ancestor := gwv1.ParentReference{
			Group: new(gwv1.Group(gwv1.GroupName)), Kind: new(gwv1.Kind("Gateway")), Namespace: new(gwv1.Namespace(g.Namespace)), Name: gwv1.ObjectName(g.Name),
		}
		var old []metav1.Condition
		for _, b := range before {
			if string(b.ControllerName) == f.controller && sameParent(b.AncestorRef, ancestor) {
				old = b.Conditions
			}
		}
		c := conditions{&old, p.Generation}
		c.holds(string(gwv1.PolicyConditionAccepted), f.problem(ref, "spec", "Accepted"))
		c.holds(string(gwv1.BackendTLSPolicyConditionResolvedRefs), f.problem(ref, "spec.validation", "ResolvedRefs"))
		p.Status.Ancestors = append(p.Status.Ancestors, gwv1.PolicyAncestorStatus{
			AncestorRef: ancestor, ControllerName: gwv1.GatewayController(f.controller), Conditions: old,
		})
	}
}

func gatewaysOf(policies []compile.Policy) map[routing.ObjectRef][]routing.ObjectRef {
	out := map[routing.ObjectRef][]routing.ObjectRef{}
	for _, p := range policies {
		out[p.Policy] = p.Gateways
	}
	return out
}

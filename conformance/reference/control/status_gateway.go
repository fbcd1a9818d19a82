package control

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
)

// gateway writes the status of a Gateway into g.
func (f *findings) gateway(g *gwv1.Gateway) {
	ref := refOf(g)
	st := &g.Status
	refused, address := f.refused[ref], f.addresses[ref]

	before := st.Listeners
	st.Listeners = nil
	var accepted, serving int
	for _, l := range f.listeners[ref] {
		var old []metav1.Condition
		for _, b := range before {
			if string(b.Name) == l.Name {
				old = b.Conditions
			}
		}
		x := f.listener(l, g.Generation, old, refused == nil)
		if x.accepted {
			accepted++
		}
		if x.programmed {
			serving++
		}
		st.Listeners = append(st.Listeners, gwv1.ListenerStatus{
			Name: gwv1.SectionName(l.Name), SupportedKinds: routeKinds(l.Kinds), AttachedRoutes: int32(l.Routes), Conditions: x.conditions,
		})
	}
	sets := 0
	for _, s := range f.snapshot.sets {
		if valid, served := f.validListeners(refOf(s)); valid > 0 && f.gatewayOf(s) == ref {
			sets++
			serving += served
		}
	}
	st.AttachedListenerSets = new(int32(sets))

	st.Addresses = nil
	if refused == nil {
		for _, a := range address.given {
			st.Addresses = append(st.Addresses, gwv1.GatewayStatusAddress{Type: new(gwv1.IPAddressType), Value: a})
		}
	}

	c := conditions{&st.Conditions, g.Generation}
	c.holds(string(gwv1.GatewayConditionResolvedRefs), f.problem(ref, "spec.tls", "ResolvedRefs"))
	if insecure(g) {
		c.set(string(gwv1.GatewayConditionInsecureFrontendValidationMode), true, string(gwv1.GatewayReasonConfigurationChanged), "clients may connect without a valid certificate")
	} else {
		c.drop(string(gwv1.GatewayConditionInsecureFrontendValidationMode))
	}
	switch own := len(f.listeners[ref]); {
	case refused != nil:
		c.set(string(gwv1.GatewayConditionAccepted), false, refused.reason, refused.message)
	case own > 0 && accepted == 0 && sets == 0:
		c.set(string(gwv1.GatewayConditionAccepted), false, string(gwv1.GatewayReasonListenersNotValid), "none of the listeners is valid")
	case accepted < own:
		// "Accepted: True, ListenersNotValid" says that "one or more Listeners
		// have an invalid or unsupported configuration" while others hold
		// (GatewayReasonListenersNotValid).
		c.set(string(gwv1.GatewayConditionAccepted), true, string(gwv1.GatewayReasonListenersNotValid), fmt.Sprintf("%d of %d listeners are valid", accepted, own))
	default:
		c.set(string(gwv1.GatewayConditionAccepted), true, string(gwv1.GatewayReasonAccepted), "")
	}
	programmed := string(gwv1.GatewayConditionProgrammed)
	switch {
	case refused != nil:
		c.set(programmed, false, string(gwv1.GatewayReasonInvalid), refused.message)
	case serving == 0:
		c.set(programmed, false, string(gwv1.GatewayReasonInvalid), "no listener can be served")
	case len(address.unusable) > 0:
		c.set(programmed, false, string(gwv1.GatewayReasonAddressNotUsable), "the cluster does not give "+strings.Join(address.unusable, ", "))
	case address.pending:
		c.set(programmed, false, string(gwv1.GatewayReasonAddressNotAssigned), "waiting for the address of the Service")
	default:
		c.set(programmed, true, string(gwv1.GatewayReasonProgrammed), "")
	}
}

// insecure reports whether a port of the Gateway takes clients without a valid
// certificate although it asks for one
// (GatewayConditionInsecureFrontendValidationMode, GEP-91).
func insecure(g *gwv1.Gateway) bool {
	if g.Spec.TLS == nil || g.Spec.TLS.Frontend == nil {
		return false
	}
	falls := func(v *gwv1.FrontendTLSValidation) bool { return v != nil && v.Mode == gwv1.AllowInsecureFallback }
	for _, p := range g.Spec.TLS.Frontend.PerPort {
		if falls(p.TLS.Validation) {
			return true
		}
	}
	return falls(g.Spec.TLS.Frontend.Default.Validation)
}

// listenerStatus is what a Gateway's and a ListenerSet's listeners have in
// common.
type listenerStatus struct {
	conditions           []metav1.Condition
	accepted, programmed bool
}

// listener is the status of a listener. Accepted, Conflicted and ResolvedRefs
// are the compiler's words; what serves is programmed.
func (f *findings) listener(l *compile.Listener, generation int64, old []metav1.Condition, owner bool) listenerStatus {
	out := listenerStatus{conditions: old}
	path := fmt.Sprintf("spec.listeners[%d]", l.Index)
	conflict := f.problem(l.Owner, path, "Conflicted")
	accept := f.problem(l.Owner, path, "Accepted")
	if accept == nil {
		accept = conflict
	}
	c := conditions{&out.conditions, generation}
	out.accepted = c.holds(string(gwv1.ListenerConditionAccepted), accept)
	c.holds(string(gwv1.ListenerConditionResolvedRefs), f.problem(l.Owner, path, "ResolvedRefs"))
	if conflict != nil {
		c.set(string(gwv1.ListenerConditionConflicted), true, conflict.Reason, conflict.Message)
	} else {
		c.set(string(gwv1.ListenerConditionConflicted), false, string(gwv1.ListenerReasonNoConflicts), "")
	}
	out.programmed = l.Serves && owner
	switch {
	case out.programmed:
		c.set(string(gwv1.ListenerConditionProgrammed), true, string(gwv1.ListenerReasonProgrammed), "")
	case conflict != nil:
		c.set(string(gwv1.ListenerConditionProgrammed), false, conflict.Reason, conflict.Message)
	default:
		c.set(string(gwv1.ListenerConditionProgrammed), false, string(gwv1.ListenerReasonInvalid), "it cannot be served")
	}
	return out
}

func routeKinds(kinds []string) []gwv1.RouteGroupKind {
	out := []gwv1.RouteGroupKind{}
	for _, k := range kinds {
		out = append(out, gwv1.RouteGroupKind{Group: new(gwv1.Group(gwv1.GroupName)), Kind: gwv1.Kind(k)})
	}
	return out
}

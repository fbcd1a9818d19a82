package control

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// gateway writes the status of a Gateway into g.
func (f *findings) gateway(g *gwv1.Gateway) {
	ref := refOf(g)
	st := &g.Status
	refused, address := f.refused[ref], f.addresses[ref]

	var accepted, serving int
	st.Listeners, accepted, serving = f.listenerStatuses(ref, g.Generation, st.Listeners, refused == nil)
	sets := 0
	for _, s := range f.snapshot.sets {
		if valid := f.validListeners(refOf(s)); valid > 0 && f.gatewayOf(s) == ref && refused == nil {
			sets++ // it is accepted
			serving += valid
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
	unresolved := f.problem(ref, "spec.tls", "ResolvedRefs")
	if p := f.problem(ref, "spec.listeners", "ResolvedRefs"); p != nil && unresolved == nil {
		// The condition "also provides a positive-polarity summary of Listener's
		// "ResolvedRefs" condition" (GatewayConditionResolvedRefs).
		unresolved = &compile.Problem{Reason: string(gwv1.GatewayReasonListenersNotResolved), Message: p.Path + ": " + p.Message}
	}
	c.holds(string(gwv1.GatewayConditionResolvedRefs), unresolved)
	if insecure(g) {
		c.set(string(gwv1.GatewayConditionInsecureFrontendValidationMode), true, string(gwv1.GatewayReasonConfigurationChanged), "clients may connect without a valid certificate")
	} else {
		c.drop(string(gwv1.GatewayConditionInsecureFrontendValidationMode))
	}
	// "It MUST update its own `status` with a `condition` of type `DefaultGateway`",
	// and without a scope "it MUST NOT set" it (GEP-3793).
	if g.Spec.DefaultScope == gwv1.GatewayDefaultScopeAll {
		c.set(defaultGateway, true, defaultGateway, "Gateway has default scope All")
	} else {
		c.drop(defaultGateway)
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
		//
		// "That Condition SHOULD clearly indicate in the Message which Listeners
		// are conflicted, and which are Accepted" (GatewaySpec.Listeners).
		c.set(string(gwv1.GatewayConditionAccepted), true, string(gwv1.GatewayReasonListenersNotValid), fmt.Sprintf("%d of %d listeners are valid; not valid: %s", accepted, own, invalidListeners(st.Listeners)))
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

// defaultGateway is a condition that the types of the API do not name (GEP-3793).
const defaultGateway = "DefaultGateway"

// invalidListeners names the listeners that are not accepted.
func invalidListeners(list []gwv1.ListenerStatus) string {
	var names []string
	for _, l := range list {
		if meta.IsStatusConditionFalse(l.Conditions, string(gwv1.ListenerConditionAccepted)) {
			names = append(names, string(l.Name))
		}
	}
	return strings.Join(names, ", ")
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

// listenerStatuses are those of the listeners of a Gateway or ListenerSet, whose
// Gateway is accepted or not, with the numbers of listeners that are accepted
// and programmed. What others wrote into those before stays.
func (f *findings) listenerStatuses(owner routing.ObjectRef, generation int64, before []gwv1.ListenerStatus, gateway bool) (out []gwv1.ListenerStatus, accepted, programmed int) {
	for _, l := range f.listeners[owner] {
		x := gwv1.ListenerStatus{Name: gwv1.SectionName(l.Name), SupportedKinds: routeKinds(l.Kinds), AttachedRoutes: int32(l.Routes)}
		for _, b := range before {
			if b.Name == x.Name {
				x.Conditions = b.Conditions
			}
		}
		holds, serves := f.listener(l, conditions{&x.Conditions, generation}, gateway)
		if holds {
			accepted++
		}
		if serves {
			programmed++
		}
		out = append(out, x)
	}
	return out, accepted, programmed
}

// listener sets the conditions of a listener. Accepted, Conflicted and
// ResolvedRefs are the compiler's words; what serves is programmed.
func (f *findings) listener(l *compile.Listener, c conditions, gateway bool) (accepted, programmed bool) {
	path := fmt.Sprintf("spec.listeners[%d]", l.Index)
	conflict := f.problem(l.Owner, path, "Conflicted")
	accept := f.problem(l.Owner, path, "Accepted")
	if accept == nil {
		accept = conflict
	}
	accepted = c.holds(string(gwv1.ListenerConditionAccepted), accept)
	c.holds(string(gwv1.ListenerConditionResolvedRefs), f.problem(l.Owner, path, "ResolvedRefs"))
	if conflict != nil {
		c.set(string(gwv1.ListenerConditionConflicted), true, conflict.Reason, conflict.Message)
	} else {
		c.set(string(gwv1.ListenerConditionConflicted), false, string(gwv1.ListenerReasonNoConflicts), "")
	}
	// "This is a negative polarity condition and MUST NOT be set when it is False"
	// (ListenerConditionOverlappingTLSConfig).
	if overlapping := string(gwv1.ListenerConditionOverlappingTLSConfig); l.Overlaps {
		c.set(overlapping, true, string(gwv1.ListenerReasonOverlappingHostnames), "another listener of the port has some of the names; a connection that is used again for one of them gets a 421")
	} else {
		c.drop(overlapping)
	}
	programmed = l.Serves && gateway
	switch {
	case programmed:
		c.set(string(gwv1.ListenerConditionProgrammed), true, string(gwv1.ListenerReasonProgrammed), "")
	case conflict != nil:
		c.set(string(gwv1.ListenerConditionProgrammed), false, conflict.Reason, conflict.Message)
	default:
		c.set(string(gwv1.ListenerConditionProgrammed), false, string(gwv1.ListenerReasonInvalid), "it cannot be served")
	}
	return accepted, programmed
}

func routeKinds(kinds []string) []gwv1.RouteGroupKind {
	out := []gwv1.RouteGroupKind{}
	for _, k := range kinds {
		out = append(out, gwv1.RouteGroupKind{Group: new(gwv1.Group(gwv1.GroupName)), Kind: gwv1.Kind(k)})
	}
	return out
}

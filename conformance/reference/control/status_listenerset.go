package control

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// gatewayOf is the Gateway that a ListenerSet names.
func (f *findings) gatewayOf(s *gwv1.ListenerSet) routing.ObjectRef {
	out := routing.ObjectRef{Kind: "Gateway", Namespace: s.Namespace, Name: string(s.Spec.ParentRef.Name)}
	if s.Spec.ParentRef.Namespace != nil {
		out.Namespace = string(*s.Spec.ParentRef.Namespace)
	}
	return out
}

// validListeners counts the listeners of a ListenerSet that hold, and those
// that are served.
func (f *findings) validListeners(set routing.ObjectRef) (valid, served int) {
	for _, l := range f.listeners[set] {
		if l.Serves {
			valid++
			if f.refused[l.Gateway] == nil {
				served++
			}
		}
	}
	return valid, served
}

// listenerSet writes the status of a ListenerSet into s. ours is false where
// its Gateway is another controller's, or none at all: then nothing is said.
func (f *findings) listenerSet(s *gwv1.ListenerSet) (ours bool) {
	ref, gateway := refOf(s), f.gatewayOf(s)
	if _, ours := f.addresses[gateway]; !ours {
		return false
	}
	before := s.Status.Listeners
	s.Status.Listeners = nil
	refused := f.refused[gateway]
	for _, l := range f.listeners[ref] {
		var old []metav1.Condition
		for _, b := range before {
			if string(b.Name) == l.Name {
				old = b.Conditions
			}
		}
		x := f.listener(l, s.Generation, old, refused == nil)
		s.Status.Listeners = append(s.Status.Listeners, gwv1.ListenerEntryStatus{
			Name: gwv1.SectionName(l.Name), SupportedKinds: routeKinds(l.Kinds), AttachedRoutes: int32(l.Routes), Conditions: x.conditions,
		})
	}
	accepted, programmed := string(gwv1.ListenerSetConditionAccepted), string(gwv1.ListenerSetConditionProgrammed)
	c := conditions{&s.Status.Conditions, s.Generation}
	both := func(reason, message string) {
		c.set(accepted, false, reason, message)
		c.set(programmed, false, reason, message)
	}
	valid, served := f.validListeners(ref)
	switch p := f.problem(ref, "spec.parentRef", "Accepted"); {
	case p != nil:
		both(p.Reason, p.Message)
	case refused != nil:
		both(string(gwv1.ListenerSetReasonParentNotAccepted), refused.message)
	case valid == 0:
		both(string(gwv1.ListenerSetReasonListenersNotValid), "none of the listeners is valid")
	case valid < len(f.listeners[ref]):
		c.set(accepted, true, string(gwv1.ListenerSetReasonListenersNotValid), "some of the listeners are not valid")
		c.set(programmed, served > 0, string(gwv1.ListenerSetReasonProgrammed), "")
	default:
		c.set(accepted, true, string(gwv1.ListenerSetReasonAccepted), "")
		c.set(programmed, served > 0, string(gwv1.ListenerSetReasonProgrammed), "")
	}
	return true
}

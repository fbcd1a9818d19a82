package control

import (
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

// validListeners counts the listeners of a ListenerSet that can be served.
func (f *findings) validListeners(set routing.ObjectRef) (n int) {
	for _, l := range f.listeners[set] {
		if l.Serves {
			n++
		}
	}
	return n
}

// listenerSet writes the status of a ListenerSet into s. ours is false where
// its Gateway is another controller's, or none at all: then nothing is said.
func (f *findings) listenerSet(s *gwv1.ListenerSet) (ours bool) {
	ref, gateway := refOf(s), f.gatewayOf(s)
	if _, ours := f.addresses[gateway]; !ours {
		return false
	}
	refused := f.refused[gateway]
	var before []gwv1.ListenerStatus
	for _, l := range s.Status.Listeners {
		before = append(before, gwv1.ListenerStatus(l))
	}
	after, _, valid := f.listenerStatuses(ref, s.Generation, before, refused == nil)
	s.Status.Listeners = nil
	for _, l := range after {
		s.Status.Listeners = append(s.Status.Listeners, gwv1.ListenerEntryStatus(l))
	}
	accepted, programmed := string(gwv1.ListenerSetConditionAccepted), string(gwv1.ListenerSetConditionProgrammed)
	c := conditions{&s.Status.Conditions, s.Generation}
	both := func(reason, message string) {
		c.set(accepted, false, reason, message)
		c.set(programmed, false, reason, message)
	}
	switch p := f.problem(ref, "spec.parentRef", "Accepted"); {
	case p != nil:
		both(p.Reason, p.Message)
	case refused != nil:
		both(string(gwv1.ListenerSetReasonParentNotAccepted), refused.message)
	case valid == 0:
		both(string(gwv1.ListenerSetReasonListenersNotValid), "none of the listeners is valid")
	default:
		reason, message := string(gwv1.ListenerSetReasonAccepted), ""
		if valid < len(after) {
			reason, message = string(gwv1.ListenerSetReasonListenersNotValid), "some of the listeners are not valid"
		}
		c.set(accepted, true, reason, message)
		c.set(programmed, true, string(gwv1.ListenerSetReasonProgrammed), "")
	}
	return true
}

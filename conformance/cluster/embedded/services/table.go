package services

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// Target is an address that a Service is reached at.
type Target struct {
	Addr     netip.Addr
	Protocol corev1.Protocol // TCP or UDP
	Port     uint16
}

// Rule sends what goes to a target to one of its endpoints, each as likely as
// the others. Without endpoints it is refused.
type Rule struct {
	Target    Target
	Endpoints []netip.AddrPort
}

// Table returns the rules of all Services, sorted by target. node is the
// address that node ports are served at.
func Table(services []corev1.Service, endpoints []discoveryv1.EndpointSlice, node netip.Addr) []Rule {
	byService := map[[2]string][]discoveryv1.EndpointSlice{}
	for _, s := range endpoints {
		key := [2]string{s.Namespace, s.Labels[discoveryv1.LabelServiceName]}
		byService[key] = append(byService[key], s)
	}
	var rules []Rule
	for _, s := range services {
		if s.Spec.ClusterIP == corev1.ClusterIPNone || s.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		for _, p := range s.Spec.Ports {
			if p.Protocol != corev1.ProtocolTCP && p.Protocol != corev1.ProtocolUDP {
				continue
			}
			to := endpointsOf(byService[[2]string{s.Namespace, s.Name}], p)
			for _, t := range targets(s, p, node) {
				rules = append(rules, Rule{Target: t, Endpoints: to})
			}
		}
	}
	slices.SortFunc(rules, func(a, b Rule) int {
		return cmp.Or(a.Target.Addr.Compare(b.Target.Addr), cmp.Compare(a.Target.Protocol, b.Target.Protocol), cmp.Compare(a.Target.Port, b.Target.Port))
	})
	// Two Services may claim one external address; the first one has it.
	return slices.CompactFunc(rules, func(a, b Rule) bool { return a.Target == b.Target })
}

// targets are the addresses at which a port of a Service is reached.
func targets(s corev1.Service, p corev1.ServicePort, node netip.Addr) []Target {
	texts := slices.Concat(s.Spec.ClusterIPs, s.Spec.ExternalIPs)
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		texts = append(texts, ingress.IP)
	}
	var out []Target
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil && addr.Is4() {
			out = append(out, Target{addr, p.Protocol, uint16(p.Port)})
		}
	}
	if p.NodePort != 0 {
		out = append(out, Target{node, p.Protocol, uint16(p.NodePort)})
	}
	return out
}

// endpointsOf are the ready endpoints of a Service's port, or, while there are
// none, those that still serve while they end, as kube-proxy has it
// (KEP-1669).
func endpointsOf(all []discoveryv1.EndpointSlice, p corev1.ServicePort) []netip.AddrPort {
	var ready, ending []netip.AddrPort
	for _, s := range all {
		for _, port := range s.Ports {
			if port.Port == nil || deref(port.Name, "") != p.Name || deref(port.Protocol, corev1.ProtocolTCP) != p.Protocol {
				continue
			}
			for _, e := range s.Endpoints {
				if len(e.Addresses) == 0 {
					continue
				}
				addr, err := netip.ParseAddr(e.Addresses[0])
				if err != nil || !addr.Is4() {
					continue
				}
				at := netip.AddrPortFrom(addr, uint16(*port.Port))
				switch {
				case deref(e.Conditions.Ready, true):
					ready = append(ready, at)
				case deref(e.Conditions.Serving, false) && deref(e.Conditions.Terminating, false):
					ending = append(ending, at)
				}
			}
		}
	}
	if len(ready) == 0 {
		ready = ending
	}
	slices.SortFunc(ready, netip.AddrPort.Compare)
	return slices.Compact(ready)
}

func deref[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

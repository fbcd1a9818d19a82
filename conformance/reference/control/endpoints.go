package control

import (
	"net/netip"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// endpoints are the ready endpoints of each port of each Service, by
// "namespace/name:port" as backends are called. Services without selectors and
// without a cluster address have them, too. Linear in Services, their ports and
// the endpoints.
func endpoints(services []*corev1.Service, all []*discoveryv1.EndpointSlice) map[string][]netip.AddrPort {
	bySvc := map[string][]*discoveryv1.EndpointSlice{}
	for _, s := range all {
		if s.AddressType == discoveryv1.AddressTypeIPv4 {
			key := s.Namespace + "/" + s.Labels[discoveryv1.LabelServiceName]
			bySvc[key] = append(bySvc[key], s)
		}
	}
	out := map[string][]netip.AddrPort{}
	for _, svc := range services {
		for _, p := range svc.Spec.Ports {
			key := nameOf(svc) + ":" + strconv.Itoa(int(p.Port))
			for _, s := range bySvc[nameOf(svc)] {
				out[key] = append(out[key], ready(s, p)...)
			}
		}
	}
	return out
}

// ready are the addresses of a slice for a port of its Service: slices name
// ports as Services do (EndpointSlice.ports).
func ready(s *discoveryv1.EndpointSlice, p corev1.ServicePort) []netip.AddrPort {
	var out []netip.AddrPort
	for _, sp := range s.Ports {
		name, protocol := "", corev1.ProtocolTCP
		if sp.Name != nil {
			name = *sp.Name
		}
		if sp.Protocol != nil {
			protocol = *sp.Protocol
		}
		want := p.Protocol
		if want == "" {
			want = corev1.ProtocolTCP
		}
		if sp.Port == nil || name != p.Name || protocol != want {
			continue
		}
		for _, e := range s.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			for _, a := range e.Addresses {
				if addr, err := netip.ParseAddr(a); err == nil {
					out = append(out, netip.AddrPortFrom(addr, uint16(*sp.Port)))
				}
			}
		}
	}
	return out
}

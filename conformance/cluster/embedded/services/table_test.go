package services

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTable(t *testing.T) {
	node := netip.MustParseAddr("198.18.0.1")
	service := func(spec corev1.ServiceSpec, balancers ...string) corev1.Service {
		s := corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"}, Spec: spec}
		for _, ip := range balancers {
			s.Status.LoadBalancer.Ingress = append(s.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: ip})
		}
		return s
	}
	slice := func(port int32, name string, protocol corev1.Protocol, endpoints ...discoveryv1.Endpoint) discoveryv1.EndpointSlice {
		return discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Labels: map[string]string{discoveryv1.LabelServiceName: "s"}},
			Ports:      []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
			Endpoints:  endpoints,
		}
	}
	endpoint := func(ip string, ready, serving, terminating bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{ip},
			Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating}}
	}
	rule := func(ip string, protocol corev1.Protocol, port uint16, endpoints ...string) Rule {
		r := Rule{Target: Target{netip.MustParseAddr(ip), protocol, port}}
		for _, e := range endpoints {
			r.Endpoints = append(r.Endpoints, netip.MustParseAddrPort(e))
		}
		return r
	}
	http := corev1.ServicePort{Name: "http", Protocol: corev1.ProtocolTCP, Port: 80}
	dns := corev1.ServicePort{Name: "dns", Protocol: corev1.ProtocolUDP, Port: 53}
	withNodePort := http
	withNodePort.NodePort = 30080

	for name, tc := range map[string]struct {
		reason    string
		services  []corev1.Service
		endpoints []discoveryv1.EndpointSlice
		want      []Rule
	}{
		"ClusterIP": {
			reason:   "ports are matched by name and protocol, endpoints sorted and each once",
			services: []corev1.Service{service(corev1.ServiceSpec{ClusterIPs: []string{"198.19.0.9"}, Ports: []corev1.ServicePort{http, dns}})},
			endpoints: []discoveryv1.EndpointSlice{
				slice(8080, "http", corev1.ProtocolTCP, endpoint("198.18.0.3", true, true, false), endpoint("198.18.0.2", true, true, false)),
				slice(8080, "http", corev1.ProtocolTCP, endpoint("198.18.0.3", true, true, false)),
				slice(5353, "dns", corev1.ProtocolUDP, endpoint("198.18.0.2", true, true, false)),
			},
			want: []Rule{
				rule("198.19.0.9", corev1.ProtocolTCP, 80, "198.18.0.2:8080", "198.18.0.3:8080"),
				rule("198.19.0.9", corev1.ProtocolUDP, 53, "198.18.0.2:5353"),
			},
		},
		"EveryAddress": {
			reason:    "a LoadBalancer is reached at its cluster address, its own, external ones and the node's port",
			services:  []corev1.Service{service(corev1.ServiceSpec{ClusterIPs: []string{"198.19.0.9"}, ExternalIPs: []string{"203.0.113.5"}, Ports: []corev1.ServicePort{withNodePort}}, "198.19.128.1")},
			endpoints: []discoveryv1.EndpointSlice{slice(8080, "http", corev1.ProtocolTCP, endpoint("198.18.0.2", true, true, false))},
			want: []Rule{
				rule("198.18.0.1", corev1.ProtocolTCP, 30080, "198.18.0.2:8080"),
				rule("198.19.0.9", corev1.ProtocolTCP, 80, "198.18.0.2:8080"),
				rule("198.19.128.1", corev1.ProtocolTCP, 80, "198.18.0.2:8080"),
				rule("203.0.113.5", corev1.ProtocolTCP, 80, "198.18.0.2:8080"),
			},
		},
		"NotReady": {
			reason:    "an endpoint that is not ready gets nothing, and the address stays to refuse",
			services:  []corev1.Service{service(corev1.ServiceSpec{ClusterIPs: []string{"198.19.0.9"}, Ports: []corev1.ServicePort{http}})},
			endpoints: []discoveryv1.EndpointSlice{slice(8080, "http", corev1.ProtocolTCP, endpoint("198.18.0.2", false, false, false))},
			want:      []Rule{rule("198.19.0.9", corev1.ProtocolTCP, 80)},
		},
		"Ending": {
			reason:   "pods that end still serve while there is no other",
			services: []corev1.Service{service(corev1.ServiceSpec{ClusterIPs: []string{"198.19.0.9"}, Ports: []corev1.ServicePort{http}})},
			endpoints: []discoveryv1.EndpointSlice{
				slice(8080, "http", corev1.ProtocolTCP, endpoint("198.18.0.2", false, true, true), endpoint("198.18.0.3", false, false, true)),
			},
			want: []Rule{rule("198.19.0.9", corev1.ProtocolTCP, 80, "198.18.0.2:8080")},
		},
		"EndingBesideReady": {
			reason:   "pods that end get nothing once there is another",
			services: []corev1.Service{service(corev1.ServiceSpec{ClusterIPs: []string{"198.19.0.9"}, Ports: []corev1.ServicePort{http}})},
			endpoints: []discoveryv1.EndpointSlice{
				slice(8080, "http", corev1.ProtocolTCP, endpoint("198.18.0.2", false, true, true), endpoint("198.18.0.3", true, true, false)),
			},
			want: []Rule{rule("198.19.0.9", corev1.ProtocolTCP, 80, "198.18.0.3:8080")},
		},
		"Headless": {
			reason:   "a headless Service is names only",
			services: []corev1.Service{service(corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, ClusterIPs: []string{corev1.ClusterIPNone}, Ports: []corev1.ServicePort{http}})},
		},
		"IPv6": {
			reason:   "the cluster has no IPv6",
			services: []corev1.Service{service(corev1.ServiceSpec{ClusterIPs: []string{"2001:db8::1"}, Ports: []corev1.ServicePort{http}})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Table(tc.services, tc.endpoints, node)
			if diff := cmp.Diff(tc.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

//go:build linux

package services

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Whoever reads an address from the status of a Service can use it at once: its
// rules are in the kernel before the status says so, and stay there while the
// proxy's cache is behind.
func TestAddressesWorkBeforeTheyAreSaid(t *testing.T) {
	name, port := "tcp", int32(30053)
	tcp := corev1.ProtocolTCP
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "dns"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, ClusterIPs: []string{"198.19.0.10"},
			Ports: []corev1.ServicePort{{Name: name, Protocol: tcp, Port: 53}},
		},
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: "dns-1", Labels: map[string]string{discoveryv1.LabelServiceName: "dns"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"198.18.0.7"}}},
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &tcp}},
	}
	target := Target{netip.MustParseAddr("198.19.128.1"), tcp, 53}
	var rules []Rule
	served := func() bool {
		return slices.ContainsFunc(rules, func(r Rule) bool { return r.Target == target && len(r.Endpoints) == 1 })
	}
	said := 0
	api := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(svc, slice).WithStatusSubresource(svc).
		WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, _ client.Client, _ string, o client.Object, _ client.Patch, _ ...client.SubResourcePatchOption) error {
			said++
			if got := o.(*corev1.Service).Status.LoadBalancer.Ingress[0].IP; got != target.Addr.String() {
				t.Errorf("the status says %s", got)
			}
			if !served() {
				t.Errorf("the status says an address that is not served: %v", rules)
			}
			return nil // as a cache that is behind
		}}).Build()
	p := &proxy{client: api, write: func(r []Rule, _ Options) error { rules = r; return nil }, given: map[client.ObjectKey]netip.Addr{}}
	b := &balancer{client: api, pool: netip.MustParsePrefix("198.19.128.0/24"), proxy: p}
	r := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(svc)}
	if _, err := b.Reconcile(t.Context(), r); err != nil || said != 1 {
		t.Fatalf("%d changes of the status, %v", said, err)
	}
	rewrite := func() {
		if _, err := p.Reconcile(t.Context(), reconcile.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	if rewrite(); !served() {
		t.Error("the rules were taken away while the cache is behind")
	}
	if err := api.Delete(t.Context(), svc); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reconcile(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if rewrite(); len(rules) != 0 || len(p.given) != 0 {
		t.Errorf("after the end of the Service: %v %v", rules, p.given)
	}
}

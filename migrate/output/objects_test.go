package output

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// testRoute is an HTTPRoute as the converter makes them: two paths, a timeout.
func testRoute(namespace, name string) *gatewayv1.HTTPRoute {
	r := &gatewayv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: "gateway.networking.k8s.io/v1", Kind: "HTTPRoute"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
	}
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "shared", Namespace: ptr(gatewayv1.Namespace("gateways"))}}
	r.Spec.Hostnames = []gatewayv1.Hostname{"*.example.com"}
	for _, p := range []string{"/cart", `(?i)/item/\d+`} {
		r.Spec.Rules = append(r.Spec.Rules, gatewayv1.HTTPRouteRule{
			Matches:  []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: ptr(gatewayv1.PathMatchPathPrefix), Value: ptr(p)}}},
			Timeouts: &gatewayv1.HTTPRouteTimeouts{Request: ptr(gatewayv1.Duration("60s"))},
			BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
				BackendObjectReference: gatewayv1.BackendObjectReference{Name: "cart", Port: ptr(gatewayv1.PortNumber(80))}, Weight: ptr(int32(1))}}},
		})
	}
	return r
}

func testClass() *gatewayv1.GatewayClass {
	return &gatewayv1.GatewayClass{
		TypeMeta:   metav1.TypeMeta{APIVersion: "gateway.networking.k8s.io/v1", Kind: "GatewayClass"},
		ObjectMeta: metav1.ObjectMeta{Name: "any"},
		Spec:       gatewayv1.GatewayClassSpec{ControllerName: "example.com/gateway"},
	}
}

func testUnstructured(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind,
		"metadata": map[string]any{"namespace": namespace, "name": name}, "spec": map[string]any{"port": int64(80)}}}
}

func testRoutes(n int) []client.Object {
	objs := make([]client.Object, n)
	for i := range objs {
		objs[i] = testRoute(fmt.Sprintf("team-%d", i/20), fmt.Sprintf("route-%d", i))
	}
	return objs
}

func fromSelf(o client.Object) []routing.ObjectRef {
	return []routing.ObjectRef{{Kind: "Ingress", Namespace: o.GetNamespace(), Name: o.GetName()}}
}

func ptr[T any](v T) *T { return &v }

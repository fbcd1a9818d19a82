package control

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwxv1alpha1 "sigs.k8s.io/gateway-api/apisx/v1alpha1"
)

// TestXMesh holds the status to what GEP-3949 asks of controllers.
func TestXMesh(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		spec   gwxv1alpha1.MeshSpec
		ours   bool
		why    string // of condition Accepted
	}{
		"Ours":       {"a Mesh of its controller is accepted", gwxv1alpha1.MeshSpec{ControllerName: MeshController}, true, "Accepted"},
		"Others":     {"one of another controller is left alone", gwxv1alpha1.MeshSpec{ControllerName: "example.com/mesh"}, false, ""},
		"Gateways":   {"the gateway's controller has no mesh", gwxv1alpha1.MeshSpec{ControllerName: GatewayController}, false, ""},
		"Parameters": {"there are none", gwxv1alpha1.MeshSpec{ControllerName: MeshController, ParametersRef: &gwv1.ParametersReference{Name: "x"}}, true, "InvalidParameters"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &gwxv1alpha1.XMesh{Spec: tc.spec}
			m.Generation = 3
			if ours := (&findings{controller: MeshController}).mesh(m); ours != tc.ours {
				t.Fatalf("%s: ours is %t", tc.reason, ours)
			}
			c := meta.FindStatusCondition(m.Status.Conditions, "Accepted")
			if !tc.ours {
				if c != nil || m.Status.SupportedFeatures != nil {
					t.Errorf("%s: %v", tc.reason, m.Status)
				}
				return
			}
			if c == nil || c.Reason != tc.why || c.ObservedGeneration != 3 {
				t.Errorf("%s: %v", tc.reason, c)
			}
		})
	}
	sorted := slices.IsSortedFunc(meshSupported, func(a, b gwv1.SupportedFeature) int {
		return slices.Compare([]byte(a.Name), []byte(b.Name))
	})
	if !sorted || len(meshSupported) > 64 {
		t.Errorf("features MUST be sorted by name, and at most 64 (MeshStatus.SupportedFeatures): %v", meshSupported)
	}
}

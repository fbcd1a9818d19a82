package control

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwxv1alpha1 "sigs.k8s.io/gateway-api/apisx/v1alpha1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// mesh writes the status of an XMesh into m (GEP-3949). ours is false where it
// is another controller's.
func (f *findings) mesh(m *gwxv1alpha1.XMesh) (ours bool) {
	if string(m.Spec.ControllerName) != f.controller {
		return false
	}
	conditions{&m.Status.Conditions, m.Generation}.acceptWithout(m.Spec.ParametersRef)
	m.Status.SupportedFeatures = meshSupported
	return true
}

// meshSupported are the features that the reference has as a mesh, sorted by
// name: all of meshes, and those of routes that the suite tests in a mesh.
var meshSupported = func() []gwv1.SupportedFeature {
	names := []features.FeatureName{
		features.SupportHTTPRoute, features.SupportGRPCRoute,
		features.SupportHTTPRoute303RedirectStatusCode, features.SupportHTTPRoute307RedirectStatusCode,
		features.SupportHTTPRoute308RedirectStatusCode, features.SupportHTTPRouteParentRefPort,
		features.SupportHTTPRouteResponseHeaderModification,
	}
	for f := range features.MeshCoreFeatures.Union(features.MeshExtendedFeatures) {
		names = append(names, f.Name)
	}
	return supportedFeatures(names)
}()

package control

import (
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// class writes the status of a GatewayClass into c. ours is false where it is
// another controller's.
func (f *findings) class(c *gwv1.GatewayClass) (ours bool) {
	if string(c.Spec.ControllerName) != f.controller {
		return false
	}
	conditions{&c.Status.Conditions, c.Generation}.acceptWithout(c.Spec.ParametersRef)
	c.Status.SupportedFeatures = supported
	return true
}

// acceptWithout accepts a GatewayClass or Mesh that brings no parameters; the
// words are the same for both.
func (c conditions) acceptWithout(parameters *gwv1.ParametersReference) {
	if parameters != nil {
		c.set(string(gwv1.GatewayClassConditionStatusAccepted), false, string(gwv1.GatewayClassReasonInvalidParameters), "the reference implementation takes no parameters")
	} else {
		c.set(string(gwv1.GatewayClassConditionStatusAccepted), true, string(gwv1.GatewayClassReasonAccepted), "")
	}
}

// later are features of releases of the API after the one that this program is
// built with, which it has as well. A suite that does not know one ignores it.
var later = []features.FeatureName{
	"GRPCRouteRequestHeaderModifier",             // v1.7
	"GatewayRouteHostnameIntersectionPrecedence", // v1.7, HTTPRouteSpec.Hostnames
	"HTTPRouteBackendURLRewrite",                 // v1.7
	"HTTPRouteRetryCodes",                        // v1.7, HTTPRouteRetry until then
}

// supported are the features that the reference has, sorted by name: all that
// are for gateways, of both channels.
var supported = func() []gwv1.SupportedFeature {
	names := slices.Clone(later)
	for _, f := range features.AllFeatures.UnsortedList() {
		if !features.MeshCoreFeatures.Has(f) && !features.MeshExtendedFeatures.Has(f) {
			names = append(names, f.Name)
		}
	}
	return supportedFeatures(names)
}()

// supportedFeatures are features as a status lists them: "sorted in ascending
// alphabetical order" (GatewayClassStatus.SupportedFeatures).
func supportedFeatures(names []features.FeatureName) []gwv1.SupportedFeature {
	slices.Sort(names)
	var out []gwv1.SupportedFeature
	for _, n := range slices.Compact(names) {
		out = append(out, gwv1.SupportedFeature{Name: gwv1.FeatureName(n)})
	}
	return out
}

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
	set := conditions{&c.Status.Conditions, c.Generation}
	if c.Spec.ParametersRef != nil {
		set.set(string(gwv1.GatewayClassConditionStatusAccepted), false, string(gwv1.GatewayClassReasonInvalidParameters), "the reference implementation takes no parameters")
	} else {
		set.set(string(gwv1.GatewayClassConditionStatusAccepted), true, string(gwv1.GatewayClassReasonAccepted), "")
	}
	c.Status.SupportedFeatures = supported
	return true
}

// unsupported are the features of gateways that the reference does not have:
// none of the standard channel.
var unsupported = []features.FeatureName{}

// supported are the features that the reference has, sorted by name: all that
// are for gateways, of both channels.
var supported = func() []gwv1.SupportedFeature {
	var names []features.FeatureName
	for _, f := range features.AllFeatures.UnsortedList() {
		if !slices.Contains(unsupported, f.Name) && !features.MeshCoreFeatures.Has(f) && !features.MeshExtendedFeatures.Has(f) {
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

package gatewayapi

// Feature is a part of the API whose availability depends on the release and
// the channel.
type Feature string

// Features that not every release and channel has.
const (
	FeatureCORS               Feature = "HTTPRoute CORS filter"
	FeatureListenerSet        Feature = "ListenerSet"
	FeatureTLSRoute           Feature = "TLSRoute"
	FeatureTCPRoute           Feature = "TCPRoute"
	FeatureUDPRoute           Feature = "UDPRoute"
	FeatureBackendTLSPolicy   Feature = "BackendTLSPolicy"
	FeatureClientCertificates Feature = "Gateway client certificate validation"
	FeatureReferenceGrantV1   Feature = "ReferenceGrant v1"
	FeatureRetry              Feature = "HTTPRoute retry"
	FeatureSessionPersistence Feature = "HTTPRoute session persistence"
	FeatureExternalAuth       Feature = "HTTPRoute ExternalAuth filter"
	FeatureRedirectCodes      Feature = "HTTPRoute redirect codes 303, 307 and 308"
)

// Graduation says since which release a feature is in a channel; "" is never.
type Graduation struct {
	Experimental, Standard Version
	// ExperimentalVersion is the apiVersion suffix of a kind while it is
	// experimental, v1 when empty.
	ExperimentalVersion string
	Source              string
}

// graduations lists when each feature entered which channel. Sources are files of
// sigs.k8s.io/gateway-api.
var graduations = map[Feature]Graduation{
	FeatureCORS:               {"v1.4", "v1.5", "", "CHANGELOG/1.5-CHANGELOG.md, New Features: GEP-1767"},
	FeatureListenerSet:        {"", "v1.5", "", "CHANGELOG/1.5-CHANGELOG.md, New Features: GEP-1713; v1.4 has XListenerSet only"},
	FeatureTLSRoute:           {"v1.4", "v1.5", "v1alpha2", "CHANGELOG/1.5-CHANGELOG.md, New Features: GEP-2643"},
	FeatureTCPRoute:           {"v1.4", "v1.6", "v1alpha2", "CHANGELOG/1.6-CHANGELOG.md, GEP & API Graduation"},
	FeatureUDPRoute:           {"v1.4", "v1.6", "v1alpha2", "CHANGELOG/1.6-CHANGELOG.md, GEP & API Graduation"},
	FeatureBackendTLSPolicy:   {"v1.4", "v1.4", "", "CHANGELOG/1.4-CHANGELOG.md, New Features: GEP-1897"},
	FeatureClientCertificates: {"v1.5", "v1.5", "", "CHANGELOG/1.5-CHANGELOG.md, New Features: GEP-91, GEP-3567"},
	FeatureReferenceGrantV1:   {"v1.5", "v1.5", "", "CHANGELOG/1.5-CHANGELOG.md: ReferenceGrant moves to v1"},
	FeatureRetry:              {"v1.4", "v1.7", "", "CHANGELOG/1.2-CHANGELOG.md: HTTPRoute Retry support; apis/v1/httproute_types.go marks retry experimental in v1.6"},
	FeatureSessionPersistence: {"v1.4", "", "", "apis/v1/httproute_types.go marks sessionPersistence experimental"},
	FeatureExternalAuth:       {"v1.4", "", "", "CHANGELOG/1.4-CHANGELOG.md, New Features: GEP-1494"},
	FeatureRedirectCodes:      {"v1.5", "v1.5", "", "apis/v1/httproute_types.go, HTTPRequestRedirectFilter.StatusCode; v1.4 is taken to have 301 and 302 only"},
}

// GraduationOf returns when a feature entered which channel.
func GraduationOf(f Feature) (Graduation, bool) {
	g, ok := graduations[f]
	return g, ok
}

// Has reports whether a feature is in the CRDs of a release and channel. The
// experimental channel holds everything of the standard one.
func Has(v Version, c Channel, f Feature) bool {
	g := graduations[f]
	if g.Standard != "" && v.AtLeast(g.Standard) {
		return true
	}
	return c == Experimental && g.Experimental != "" && v.AtLeast(g.Experimental)
}

// APIVersion returns the version of a kind that a release serves in a channel.
func APIVersion(v Version, f Feature) string {
	g := graduations[f]
	if g.ExperimentalVersion != "" && (g.Standard == "" || !v.AtLeast(g.Standard)) {
		return g.ExperimentalVersion
	}
	return "v1"
}

package gatewayapi

import "testing"

func TestHas(t *testing.T) {
	for _, c := range []struct {
		reason  string
		version Version
		channel Channel
		feature Feature
		want    bool
	}{
		{"CORS is experimental in v1.4", "v1.4", Standard, FeatureCORS, false},
		{"the experimental channel has it", "v1.4", Experimental, FeatureCORS, true},
		{"CORS graduated in v1.5", "v1.5", Standard, FeatureCORS, true},
		{"ListenerSet is new in v1.5", "v1.4", Experimental, FeatureListenerSet, false},
		{"retry is experimental in v1.6", "v1.6", Standard, FeatureRetry, false},
		{"retry graduates in v1.7", "v1.7", Standard, FeatureRetry, true},
		{"session persistence never graduated", "v1.7", Standard, FeatureSessionPersistence, false},
		{"an unknown feature is nowhere", "v1.7", Experimental, "x", false},
	} {
		if got := Has(c.version, c.channel, c.feature); got != c.want {
			t.Errorf("%s: Has(%s, %s, %s) = %v", c.reason, c.version, c.channel, c.feature, got)
		}
	}
}

func TestEveryFeatureCitesItsSource(t *testing.T) {
	for f, g := range graduations {
		if g.Source == "" {
			t.Errorf("%s has no source", f)
		}
	}
}

func TestAPIVersion(t *testing.T) {
	if got := APIVersion("v1.4", FeatureTLSRoute); got != "v1alpha2" {
		t.Errorf("TLSRoute of v1.4: %s", got)
	}
	if got := APIVersion("v1.5", FeatureTLSRoute); got != "v1" {
		t.Errorf("TLSRoute of v1.5: %s", got)
	}
}

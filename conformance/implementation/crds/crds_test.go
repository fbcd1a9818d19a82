package crds

import (
	"slices"
	"testing"

	"github.com/causeway-gateway/causeway/gatewayapi"
)

func TestBundles(t *testing.T) {
	for _, r := range Releases {
		for _, channel := range Channels {
			t.Run(string(r.Version)+" "+channel, func(t *testing.T) {
				list, err := Bundle(r.Version, gatewayapi.Channel(channel))
				if err != nil {
					t.Fatal(err)
				}
				var kinds []string
				for _, o := range list {
					if a := o.GetAnnotations(); a[BundleAnnotation] != r.Module || a[ChannelAnnotation] != channel {
						t.Errorf("%s says it is of %s (%s)", o.GetName(), a[BundleAnnotation], a[ChannelAnnotation])
					}
					kind := nested(o.Object, "spec", "names", "kind")
					kinds = append(kinds, kind)
				}
				for _, kind := range []string{"GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute", "ReferenceGrant"} {
					if !slices.Contains(kinds, kind) {
						t.Errorf("there is no %s among %v", kind, kinds)
					}
				}
				if channel == string(gatewayapi.Experimental) && !slices.Contains(kinds, "TCPRoute") {
					t.Errorf("the experimental channel has no TCPRoute: %v", kinds)
				}
			})
		}
	}
}

func nested(m map[string]any, path ...string) string {
	for _, p := range path[:len(path)-1] {
		m, _ = m[p].(map[string]any)
	}
	text, _ := m[path[len(path)-1]].(string)
	return text
}

func TestUnknownBundles(t *testing.T) {
	if _, err := Bundle("v0.8", gatewayapi.Standard); err == nil {
		t.Error("there is no v0.8")
	}
	if _, err := Bundle("v1.6", "../v1.6-standard"); err == nil {
		t.Error("there is no such channel")
	}
}

// TestEveryReleaseIsThere holds the list against the releases that are written for.
func TestEveryReleaseIsThere(t *testing.T) {
	for _, v := range gatewayapi.Versions {
		if _, err := Exact(v); err != nil {
			t.Error(err)
		}
	}
}

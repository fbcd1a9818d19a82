// Package crds holds the CRDs of each supported release and channel of the
// Gateway API, whole and unchanged, for clusters that are made for a test. It
// knows what a release contains, not how to apply it.
package crds

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/causeway-gateway/causeway/gatewayapi"
)

//go:embed bundles/*.json.gz
var bundles embed.FS

// Annotations by which a CRD of the Gateway API tells what it is part of
// (https://gateway-api.sigs.k8s.io/concepts/versioning/#version-indicators).
const (
	BundleAnnotation  = "gateway.networking.k8s.io/bundle-version"
	ChannelAnnotation = "gateway.networking.k8s.io/channel"
)

// Release is a release that can be installed.
type Release struct {
	// Version is what users name, "v1.6".
	Version gatewayapi.Version
	// Module is the exact release, "v1.6.3".
	Module string
}

// Releases are those that can be installed, oldest first.
var Releases = []Release{
	{"v1.4", "v1.4.1"},
	{"v1.5", "v1.5.1"},
	{"v1.6", "v1.6.3"},
	{"v1.7", "v1.7.0"},
}

// Channels are the channels of every release.
var Channels = []string{string(gatewayapi.Standard), string(gatewayapi.Experimental)}

// Exact is the exact release behind a version, "v1.6.3" for "v1.6".
func Exact(v gatewayapi.Version) (string, error) {
	for _, r := range Releases {
		if r.Version == v {
			return r.Module, nil
		}
	}
	return "", fmt.Errorf("there are no CRDs of Gateway API %s; there are those of %v", v, gatewayapi.Versions)
}

// Bundle returns the CustomResourceDefinitions of a release and channel, sorted
// by name.
func Bundle(v gatewayapi.Version, channel gatewayapi.Channel) ([]*unstructured.Unstructured, error) {
	if _, err := Exact(v); err != nil {
		return nil, err
	}
	data, err := bundles.ReadFile("bundles/" + string(v) + "-" + string(channel) + ".json.gz")
	if err != nil {
		return nil, fmt.Errorf("channel %q does not exist: use %s or %s", channel, gatewayapi.Standard, gatewayapi.Experimental)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("CRDs of %s: %w", v, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("CRDs of %s: %w", v, err)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(plain, &raw); err != nil {
		return nil, fmt.Errorf("CRDs of %s: %w", v, err)
	}
	out := make([]*unstructured.Unstructured, len(raw))
	for i := range raw {
		out[i] = &unstructured.Unstructured{}
		if err := out[i].UnmarshalJSON(raw[i]); err != nil {
			return nil, fmt.Errorf("CRDs of %s: %w", v, err)
		}
	}
	return out, nil
}

package image

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookup(t *testing.T) {
	table, err := NewTable(map[string]Program{
		"registry.k8s.io/gateway-api/echo-basic":        {Path: "/any"},
		"registry.k8s.io/gateway-api/echo-basic:v1.0.0": {Path: "/old"},
		"traefik":                {Path: "/traefik"},
		"localhost:5000/mine":    {Path: "/mine"},
		"envoyproxy/gateway":     {Path: "/envoy"},
		"example.com/a@sha256:1": {Path: "/digest"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		reason, image, want string
	}{
		"Tag":         {reason: "a row without a tag is every version", image: "registry.k8s.io/gateway-api/echo-basic:v1.5.1", want: "/any"},
		"OwnTag":      {reason: "a row with the tag wins", image: "registry.k8s.io/gateway-api/echo-basic:v1.0.0", want: "/old"},
		"TagDigest":   {reason: "tag and digest both go", image: "registry.k8s.io/gateway-api/echo-basic:v9@sha256:abc", want: "/any"},
		"Short":       {reason: "docker.io/library is what a bare name means", image: "docker.io/library/traefik:v3.7", want: "/traefik"},
		"DockerShort": {reason: "docker.io/traefik is docker.io/library/traefik", image: "docker.io/traefik", want: "/traefik"},
		"Port":        {reason: "a colon before the slash is a port, no tag", image: "localhost:5000/mine", want: "/mine"},
		"PortTag":     {reason: "port and tag", image: "localhost:5000/mine:v2", want: "/mine"},
		"Organised":   {reason: "a first part without a dot is no registry", image: "docker.io/envoyproxy/gateway:v1", want: "/envoy"},
		"Digest":      {reason: "a digest of its own", image: "example.com/a@sha256:1", want: "/digest"},
		"OtherDigest": {reason: "another digest is another image", image: "example.com/a@sha256:2"},
		"Unknown":     {reason: "nothing is pulled", image: "nginx"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := table.Lookup(tc.image)
			if (tc.want == "") != errors.Is(err, ErrUnknown) {
				t.Fatalf("%s: error %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got.Path); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		p      Program
		ok     bool
	}{
		"Whole":        {reason: "all fields as they should be", p: Program{Path: "/x/y", Name: "z", Files: map[string]string{"/etc/z": "/tmp/z"}}, ok: true},
		"RelativePath": {reason: "relative to what?", p: Program{Path: "y"}},
		"Name":         {reason: "the name is a file of the root folder", p: Program{Path: "/y", Name: "../y"}},
		"FileEscapes":  {reason: "paths in the container are clean", p: Program{Path: "/y", Files: map[string]string{"/a/../../b": "/tmp"}}},
		"FileRoot":     {reason: "the root is the cluster's to make", p: Program{Path: "/y", Files: map[string]string{"/": "/tmp"}}},
		"FileRelative": {reason: "relative to what?", p: Program{Path: "/y", Files: map[string]string{"/a": "tmp"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.p.Validate(); (err == nil) != tc.ok {
				t.Errorf("%s: error %v", tc.reason, err)
			}
		})
	}
}

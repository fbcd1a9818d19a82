package install

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

const manifest = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gateways.gateway.networking.k8s.io}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}}
---
# nothing
---
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "placed", "namespace": "other"}}
`

func TestManifests(t *testing.T) {
	folder := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	for path, text := range map[string]string{filepath.Join(folder, "in.yaml"): manifest, filepath.Join(folder, "bad.yaml"): "a: b", outside: manifest} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/in.yaml" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(manifest))
	}))
	t.Cleanup(server.Close)
	const sum = "6de75d4b2f6a0c8d3b0cd1d80e3a3a38a9d9d1f7bbd0ac3a2c93d1d41f1b9f2a" // of something else
	for name, c := range map[string]struct {
		reason string
		give   implementation.Manifests
		says   string
	}{
		"file":             {"", implementation.Manifests{Files: []string{"in.yaml"}}, ""},
		"address":          {"", implementation.Manifests{URLs: []implementation.URL{{URL: server.URL + "/in.yaml"}}}, ""},
		"missing":          {"", implementation.Manifests{Files: []string{"none.yaml"}}, "none.yaml"},
		"link out":         {"a descriptor from elsewhere reads no files of the user's", implementation.Manifests{Files: []string{"link.yaml"}}, "path escapes"},
		"no manifest":      {"", implementation.Manifests{Files: []string{"bad.yaml"}}, "bad.yaml: a document without apiVersion and kind is no manifest"},
		"changed":          {"what was checked is what is applied", implementation.Manifests{URLs: []implementation.URL{{URL: server.URL + "/in.yaml", SHA256: sum}}}, "has changed"},
		"not found":        {"", implementation.Manifests{URLs: []implementation.URL{{URL: server.URL + "/x"}}}, "answers 404"},
		"nobody listening": {"", implementation.Manifests{URLs: []implementation.URL{{URL: "https://127.0.0.1:1/x"}}}, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			i := world{conditions: healthy()}.installer(t, Options{Provider: implementation.KindCluster, HTTP: server.Client()})
			objects, err := i.manifests(t.Context(), &c.give, folder, "acme")
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: got %v, want %q", c.reason, err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, o.GetKind()+" "+client.ObjectKeyFromObject(o).String())
			}
			want := "CustomResourceDefinition /gateways.gateway.networking.k8s.io, ConfigMap acme/listed, ConfigMap other/placed"
			if strings.Join(got, ", ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
			in := &Installation{installer: i}
			if err := in.applyAll(t.Context(), objects); err != nil {
				t.Fatal(err)
			}
			if len(in.created) != 2 {
				t.Errorf("created %v; CRDs of the Gateway API come with the release that is tested", in.created)
			}
		})
	}
}

package install

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	kubefake "helm.sh/helm/v4/pkg/kube/fake"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// helmWorld keeps releases in memory and sends nothing anywhere.
func helmWorld(t *testing.T) (*Installer, *storage.Storage) {
	t.Helper()
	memory := storage.Init(driver.NewMemory())
	i := world{conditions: healthy()}.installer(t, Options{Provider: implementation.KindCluster, Cache: t.TempDir()})
	i.helm = func(string) (*action.Configuration, error) {
		cfg := action.NewConfiguration()
		cfg.Releases, cfg.KubeClient, cfg.Capabilities = memory, &kubefake.PrintingKubeClient{Out: io.Discard, LogOutput: io.Discard}, common.DefaultCapabilities
		return cfg, nil
	}
	return i, memory
}

// repository serves the chart of testdata as a chart repository does.
func repository(t *testing.T) string {
	t.Helper()
	c, err := loader.LoadDir("testdata/acme")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := chartutil.Save(c, dir); err != nil {
		t.Fatal(err)
	}
	index := fmt.Sprintf("apiVersion: v1\nentries:\n  acme:\n  - {apiVersion: v2, name: acme, version: 1.2.3, urls: [acme-%s.tgz]}\n", c.Metadata.Version)
	if err := os.WriteFile(filepath.Join(dir, "index.yaml"), []byte(index), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return server.URL
}

func TestCharts(t *testing.T) {
	address := repository(t)
	for name, c := range map[string]struct {
		reason string
		give   implementation.Helm
		sends  string
		says   string
	}{
		"beside the descriptor": {"", implementation.Helm{Release: "ours", Chart: "acme"}, `greeting: "hello"`, ""},
		"with values":           {"", implementation.Helm{Release: "ours", Chart: "acme", Values: map[string]any{"greeting": "moin"}}, `greeting: "moin"`, ""},
		"another namespace":     {"", implementation.Helm{Release: "ours", Chart: "acme", Namespace: "kube-system"}, "namespace: kube-system", ""},
		"from a repository":     {"", implementation.Helm{Release: "ours", Chart: "acme", Repository: address, Version: "1.2.3"}, `greeting: "hello"`, ""},
		"no such version":       {"", implementation.Helm{Release: "ours", Chart: "acme", Repository: address, Version: "9.9.9"}, "", "chart acme: chart \"acme\" version \"9.9.9\" not found"},
		"no such chart":         {"", implementation.Helm{Release: "ours", Chart: "none"}, "", "chart none: "},
		"no repository":         {"", implementation.Helm{Release: "ours", Chart: "acme", Repository: "http://127.0.0.1:1", Version: "1.2.3"}, "", "connection refused"},
		"refused by the chart":  {"", implementation.Helm{Release: "ours", Chart: "acme", Values: map[string]any{"greeting": nil}}, "", "a greeting is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			i, releases := helmWorld(t)
			in := &Installation{installer: i}
			err := in.helm(t.Context(), &c.give, "testdata", "acme-system")
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: got %v, want %q", c.reason, err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			installed, err := releases.Last("ours")
			if err != nil {
				t.Fatal(err)
			}
			if r, ok := installed.(*releasev1.Release); !ok || !strings.Contains(r.Manifest, c.sends) {
				t.Errorf("installed %+v, which has no %q", installed, c.sends)
			}
			if err := in.Uninstall(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left, err := releases.ListReleases(); err != nil || len(left) > 0 {
				t.Errorf("%d releases left, %v", len(left), err)
			}
		})
	}
}

func TestAReleaseOfSomebodyElseStays(t *testing.T) {
	i, releases := helmWorld(t)
	theirs := &Installation{installer: i}
	h := &implementation.Helm{Release: "shared", Chart: "acme"}
	if err := theirs.helm(t.Context(), h, "testdata", "acme-system"); err != nil {
		t.Fatal(err)
	}
	ours := &Installation{installer: i}
	if err := ours.helm(t.Context(), h, "testdata", "acme-system"); err == nil || !strings.Contains(err.Error(), "release acme-system/shared is there already") {
		t.Fatalf("got %v", err)
	}
	if err := ours.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := releases.ListReleases(); err != nil || len(left) != 1 {
		t.Errorf("%d releases left, %v; theirs should be", len(left), err)
	}
}

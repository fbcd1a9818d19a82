package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProviders(t *testing.T) {
	if diff := cmp.Diff([]string{Embedded, Existing, Kind}, Providers()); diff != "" {
		t.Error(diff)
	}
	if _, err := New(Options{Provider: "unheard-of"}); err == nil || !strings.Contains(err.Error(), "embedded, existing, kind") {
		t.Errorf("an unknown provider gets the known ones, not %v", err)
	}
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Destroy(t.Context()); err != nil {
		t.Errorf("a cluster that is not up is down: %v", err)
	}
	if err := p.Command(t.Context(), "true").Run(); err == nil {
		t.Error("nothing runs in a cluster that is down")
	}
}

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: c, user: u}}]
`

func TestExisting(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		reason, context, want, err string
	}{
		"Current": {reason: "the file's own context", want: "one"},
		"Named":   {reason: "the context asked for", context: "two", want: "two"},
		"Unknown": {reason: "a context that is not there", context: "three", err: `no context "three"`},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := New(Options{Provider: Existing, Kubeconfig: file, Context: tc.context})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%s: error %v", tc.reason, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := p.GetKubectlContext(); got != tc.want {
				t.Errorf("%s: context %q", tc.reason, got)
			}
			if _, err := p.Create(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") {
				t.Errorf("%s: a cluster that is not there: %v", tc.reason, err)
			}
		})
	}
}

package cmd

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// runImplementations executes one command as if it were the root.
func runImplementations(t *testing.T, args ...string) (string, error) {
	t.Helper()
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	c := newImplementations(streams)
	c.SetArgs(args)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestImplementations(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte("apiVersion: causeway/v1alpha1\nkind: Implementation\nnam: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reason string
		args   []string
		out    string // begins so
		says   string // the error
	}{
		"table":      {"", nil, "NAME                  VERSION", ""},
		"one":        {"", []string{"traefik"}, "NAME     VERSION  PROFILES       TESTED ON\ntraefik  v3.7.13  http,grpc,tls", ""},
		"wide":       {"", []string{"linkerd", "-o", "wide"}, "NAME     VERSION       PROFILES        TESTED ON  INSTALLS ON", ""},
		"as shipped": {"comments help whoever starts from it", []string{"traefik", "-o", "yaml"}, "# Traefik Proxy, https://", ""},
		"names":      {"", []string{"-o", "name"}, "cilium\ncontour\n", ""},
		"misspelt":   {"", []string{"trafik"}, "", "did you mean traefik?"},
		"broken":     {"", []string{broken}, "", "broken.yaml:3: there is no field \"nam\"; did you mean name?"},
		"no form":    {"", []string{"-o", "xml"}, "", "-o xml is not known"},
		"schema of":  {"", []string{"--schema", "traefik"}, "", "--schema goes without arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := runImplementations(t, c.args...)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Fatalf("%s: error %v, want %q", c.reason, err, c.says)
			}
			if !strings.HasPrefix(out, c.out) {
				t.Errorf("%s: got\n%s", c.reason, out)
			}
			if name == "table" {
				for line := range strings.Lines(out) {
					if utf8.RuneCountInString(line) > columns+1 {
						t.Errorf("longer than %d columns: %s", columns, line)
					}
				}
			}
		})
	}
}

func TestImplementationsForPrograms(t *testing.T) {
	out, err := runImplementations(t, "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var list []implementation.Descriptor
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != len(implementation.Names()) {
		t.Errorf("%d entries, %v", len(list), err)
	}
	out, err = runImplementations(t, "--schema")
	if err != nil || !bytes.Equal([]byte(out), implementation.Schema()) {
		t.Errorf("the schema is not what was printed: %v", err)
	}
}

package nginx

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

func configMap(data map[string]string) *source.ConfigMap {
	cm := &source.ConfigMap{ConfigMap: &corev1.ConfigMap{Data: data}}
	cm.Namespace, cm.Name = "ing", "config"
	return cm
}

// TestConfigClaims: every key of the controller's ConfigMap has a fate of its
// own.
func TestConfigClaims(t *testing.T) {
	for _, c := range []struct {
		reason, key, value string
		status             ledger.Status
		says               string
	}{
		{"read by the front end", "ssl-redirect", "false", ledger.Converted, "every Ingress"},
		{"the default", "proxy-connect-timeout", "5", ledger.Ignored, "default"},
		{"a policy of the target", "custom-http-errors", "404", ledger.Extension, "not carried over"},
		{"expressible, but not written", "add-headers", "ing/headers", ledger.Unsupported, "not carried over"},
		{"raw configuration", "server-snippet", "deny all;", ledger.Unsupported, "not carried over"},
		{"misspelt", "ssl-redirekt", "false", ledger.Ignored, "does not know"},
		{"removed before the release", "global-rate-limit-memcached-host", "m", ledger.Ignored, "does not know"},
	} {
		n := 0
		for claim := range ConfigClaims(configMap(map[string]string{c.key: c.value}), Options{}) {
			n++
			if claim.Path != "data."+c.key || claim.Status != c.status || !strings.Contains(claim.Message, c.says) {
				t.Errorf("%s: %+v, want %s: %q", c.reason, claim, c.status, c.says)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d claims", c.reason, n)
		}
	}
}

// TestModelledKeysAreThoseThatAreRead: the ledger's word that a key counts is
// held to the sources of this package.
func TestModelledKeysAreThoseThatAreRead(t *testing.T) {
	reads := regexp.MustCompile(`\b(?:c|cfg)\.(?:flag|str|number)\("([a-z-]+)"|\br\.list\("[a-z-]+", "([a-z-]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	read := map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reads.FindAllStringSubmatch(string(text), -1) {
			read[m[1]+m[2]] = true
		}
	}
	if d := cmp.Diff(read, modelled); d != "" {
		t.Errorf("(-read +modelled):\n%s", d)
	}
}

// TestEveryModelledKeyIsKnown: the front end reads no key that the table lacks.
func TestEveryModelledKeyIsKnown(t *testing.T) {
	for k := range modelled {
		for claim := range ConfigClaims(configMap(map[string]string{k: "x"}), Options{}) {
			if claim.Status != ledger.Converted {
				t.Errorf("%s: %+v", k, claim)
			}
		}
	}
}

func TestUnreadConfig(t *testing.T) {
	global := map[string]string{"whitelist-source-range": "10.0.0.0/8"}
	ports := map[string]string{"5432": "data/postgres:5432"}
	for _, c := range []struct {
		reason string
		data   map[string]string
		o      Options
		remedy string // empty where nothing is said
	}{
		{"settings of the controller", global, Options{}, "--nginx-configmap ing/config"},
		{"another one is the controller's", global, Options{ConfigMap: "ing/other"}, ""},
		{"its data was given", global, Options{Config: map[string]string{"hsts": "false"}}, ""},
		{"of an application", map[string]string{"app.yaml": "x: y", "debug": "1"}, Options{}, ""},
		{"ports with Services", ports, Options{}, "--tcp-services-configmap"},
		{"they are read", ports, Options{TCPServices: "ing/config"}, ""},
		{"ports of an application", map[string]string{"5432": "on"}, Options{}, ""},
		{"empty", nil, Options{}, ""},
	} {
		message, remedy := UnreadConfig(configMap(c.data), c.o)
		if (message == "") != (c.remedy == "") || !strings.Contains(remedy, c.remedy) {
			t.Errorf("%s: %q → %q, want %q", c.reason, message, remedy, c.remedy)
		}
	}
}

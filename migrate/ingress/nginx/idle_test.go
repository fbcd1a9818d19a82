package nginx_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// settled stands for a claim that waits for what becomes of its features.
const settled = ledger.Status("by its features")

// TestClaimsOfIdleAnnotations: what does nothing today is not claimed to become
// something.
func TestClaimsOfIdleAnnotations(t *testing.T) {
	primary := manifest{name: "main", host: "a.test", paths: "Prefix / web\nPrefix /b web"}
	for _, c := range []struct {
		reason string
		ing    manifest
		path   string // of the leaf; a bare name is an annotation's
		status ledger.Status
		says   string
	}{
		{"a value that the controller ignores alone", manifest{annotations: "rewrite-target: /a b"}, "rewrite-target", ledger.Ignored, "ignores the value"},
		{"a number where words are needed", manifest{annotations: "backend-protocol: TCP"}, "backend-protocol", ledger.Ignored, "ignores the value"},
		{"a value that is used", manifest{annotations: "rewrite-target: /a"}, "rewrite-target", settled, "URLRewrite"},
		{"a URL as target redirects", manifest{annotations: "rewrite-target: https://new.test/"}, "rewrite-target", settled, "RequestRedirect 302"},
		{"it needs another annotation", manifest{annotations: "session-cookie-name: x"}, "session-cookie-name", ledger.Ignored, "needs affinity"},
		{"it needs another one whose value is ignored", manifest{annotations: "enable-cors: on\ncors-max-age: 5"}, "cors-max-age", ledger.Ignored, "needs enable-cors"},
		{"it needs a switch that is off", manifest{annotations: "enable-cors: false\ncors-max-age: 5"}, "cors-max-age", ledger.Ignored, "while enable-cors is off"},
		{"another one goes before", manifest{annotations: "temporal-redirect: https://a.test/\npermanent-redirect: https://b.test/"}, "permanent-redirect", ledger.Ignored, "temporal-redirect goes before it"},
		{"the alias of an annotation that is set", manifest{annotations: "allowlist-source-range: 10.0.0.0/8\nwhitelist-source-range: 10.1.0.0/16"}, "whitelist-source-range", ledger.Ignored, "allowlist-source-range is set"},
		{"the alias alone", manifest{annotations: "whitelist-source-range: 10.1.0.0/16"}, "whitelist-source-range", settled, ""},
		{"a switch that is off", manifest{annotations: "ssl-redirect: false"}, "ssl-redirect", ledger.Converted, "nothing is written"},
		{"a switch that is on", manifest{annotations: "ssl-redirect: true"}, "ssl-redirect", settled, ""},
		{"no limit", manifest{annotations: "proxy-body-size: 0"}, "proxy-body-size", ledger.Converted, "nothing is written"},
		{"no target in Gateway API", manifest{annotations: "auth-tls-secret: default/ca\nauth-tls-verify-depth: 2"}, "auth-tls-verify-depth", ledger.Unsupported, "no form for it"},
		{"snippets are off by default", manifest{annotations: "configuration-snippet: return 403;"}, "configuration-snippet", ledger.Ignored, "allow-snippet-annotations is off"},
		{"a canary's own", manifest{annotations: "canary: true\ncanary-weight: 5", paths: "Prefix / api"}, "canary-weight", settled, "weight"},
		{"a canary takes the rest from its primary", manifest{annotations: "canary: true\ncanary-weight: 5\nwhitelist-source-range: 10.0.0.0/8", paths: "Prefix / api"}, "whitelist-source-range", ledger.Ignored, "of its primary"},
		{"a canary's TLS section", manifest{annotations: "canary: true", tls: "a.test", paths: "Prefix / api"}, "spec.tls[0].secretName", ledger.Ignored, "no effect"},
		{"a canary without primary", manifest{annotations: "canary: true\ncanary-weight: 5", paths: "Exact /x api"}, "canary-weight", ledger.Ignored, "no path of the canary gets traffic"},
		{"its path", manifest{annotations: "canary: true\ncanary-weight: 5", paths: "Exact /x api"}, "spec.rules[0].http.paths[0].path", ledger.Ignored, "no primary"},
		{"a canary with one path of two", manifest{annotations: "canary: true\ncanary-weight: 5", paths: "Prefix / api\nExact /x cart"}, "canary-weight", settled, "weight"},
		{"a path that an older Ingress has", manifest{paths: "Prefix /b api"}, "spec.rules[0].http.paths[0].backend.service.name", ledger.Ignored, "already has"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			m := c.ing
			m.name, m.host, m.age = "asked", "a.test", 9
			if m.paths == "" {
				m.paths = "Prefix /in api"
			}
			set, problems, err := source.Read(t.Context(), source.Options{Files: []string{"-"}, Stdin: bytes.NewReader([]byte(services() + primary.yaml() + m.yaml()))})
			if err != nil || len(problems) > 0 {
				t.Fatal(err, problems)
			}
			res, err := nginx.Compile(set, nginx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			path := c.path
			if !strings.Contains(path, ".") {
				path = "metadata.annotations['nginx.ingress.kubernetes.io/" + path + "']"
			}
			for _, ing := range set.Ingresses {
				if ing.Name != "asked" {
					continue
				}
				for claim := range nginx.Claims(ing, nginx.Options{}, res.Idle[ing]) {
					if claim.Path != path {
						continue
					}
					status := claim.Status
					if len(claim.Features) > 0 {
						status = settled
					}
					if status != c.status || !strings.Contains(claim.Message, c.says) {
						t.Errorf("%s: %q, want %s: %q", status, claim.Message, c.status, c.says)
					}
					return
				}
			}
			t.Error("no claim")
		})
	}
}

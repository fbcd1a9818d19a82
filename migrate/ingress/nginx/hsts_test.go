package nginx_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// The controller sends Strict-Transport-Security from its locations, over HTTPS,
// for names that have a certificate (lua_ingress.lua, header; measured in the
// case ssl-redirect-default).
func TestStrictTransportSecurity(t *testing.T) {
	const usual = "max-age=31536000; includeSubDomains"
	var text bytes.Buffer
	for _, m := range []manifest{
		{name: "a", host: "a.test", tls: "a.test", annotations: "ssl-redirect: false\nserver-alias: alias.test", paths: "Prefix / api\nPrefix /foo/ web"},
		{name: "moved", host: "moved.test", tls: "moved.test", annotations: "permanent-redirect: https://new.test/", paths: "Prefix / api"},
		{name: "root", host: "root.test", tls: "root.test", annotations: "app-root: /in", paths: "Prefix / api"},
		{name: "plain", host: "plain.test", paths: "Prefix / api"},
		{name: "wild", host: "*.wild.test", tls: "*.wild.test", paths: "Prefix / api"},
		{name: "below", host: "below.wild.test", paths: "Prefix / web"},
		{name: "deeper", host: "x.below.wild.test", paths: "Prefix / web"},
	} {
		text.WriteString(m.yaml())
	}
	text.WriteString(services())
	set, problems, err := source.Read(t.Context(), source.Options{Files: []string{"-"}, Stdin: &text})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	for _, c := range []struct {
		reason, ask string
		config      map[string]string
		want        string
	}{
		{reason: "by default", ask: "https://a.test/x", want: usual},
		{reason: "never over plain HTTP (RFC 6797 section 7.2)", ask: "http://a.test/x"},
		{reason: "nginx's own redirect comes from the location, too", ask: "https://a.test/foo", want: usual},
		{reason: "an alias has no certificate", ask: "https://alias.test/x"},
		{reason: "redirects of a location have it", ask: "https://moved.test/x", want: usual},
		{reason: "app-root leaves before a location is found", ask: "https://root.test/"},
		{reason: "without a certificate there is none", ask: "https://plain.test/"},
		{reason: "the wildcard's certificate is that of names below it (certificate.lua, get_pem_cert_uid)", ask: "https://below.wild.test/", want: usual},
		{reason: "by one label", ask: "https://x.below.wild.test/"},
		{reason: "hsts is off", ask: "https://a.test/x", config: map[string]string{"hsts": "false"}},
		{reason: "as the ConfigMap has it", ask: "https://a.test/x", want: "max-age=60; preload",
			config: map[string]string{"hsts-max-age": "60", "hsts-include-subdomains": "false", "hsts-preload": "true"}},
	} {
		r, err := nginx.Compile(set, nginx.Options{Config: c.config})
		if err != nil {
			t.Fatal(err)
		}
		var want []routing.Header
		if c.want != "" {
			want = []routing.Header{{Name: "Strict-Transport-Security", Value: c.want}}
		}
		if d := cmp.Diff(want, r.Table.Route(ask(t, c.ask)).ResponseHeaders.Set); d != "" {
			t.Errorf("%s: %s (-want +got):\n%s", c.ask, c.reason, d)
		}
	}
}

package nginx

import (
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// hsts is the Strict-Transport-Security header that the controller sends by
// default, "" when it is off (rootfs/etc/nginx/lua/lua_ingress.lua, header; as
// measured: max-age=31536000; includeSubDomains).
func (c config) hsts() string {
	if !c.flag("hsts", true) {
		return ""
	}
	value := "max-age=" + c.str("hsts-max-age", "31536000")
	if c.flag("hsts-include-subdomains", true) {
		value += "; includeSubDomains"
	}
	if c.flag("hsts-preload", false) {
		value += "; preload"
	}
	return value
}

// sendsHSTS reports whether a server sends the header over HTTPS, which it does
// for names that have a certificate.
func (c *compiler) sendsHSTS(srv *server) bool { return srv.hasCert && c.cfg.hsts() != "" }

// transportSecurity adds the header to what the locations of a server answer over
// HTTPS, in place of any that the backend sends. Redirects of the server itself,
// for app-root and from-to-www-redirect, leave before a location is found and go
// without (nginx.tmpl, header_filter_by_lua_file).
func (c *compiler) transportSecurity(rules []*routing.Rule) {
	header := routing.Header{Name: "Strict-Transport-Security", Value: c.cfg.hsts()}
	for _, r := range rules {
		a := *r.Action // others may share it with plain HTTP
		a.ResponseHeaders.Set = append(slices.Clone(a.ResponseHeaders.Set), header)
		r.Action = &a
	}
}

// inheritCertificates gives hosts without a certificate that of the wildcard host
// above them: one label is replaced by "*" when nothing is configured for the
// name itself (rootfs/etc/nginx/lua/certificate.lua, get_pem_cert_uid). They are
// redirected to HTTPS like hosts that have their own.
func (c *compiler) inheritCertificates() {
	for host, srv := range c.servers {
		if srv.hasCert || host == catchAll {
			continue
		}
		if above := c.servers[wildcardOf(host)]; above != nil && above.hasCert {
			srv.hasCert, srv.cert = true, above.cert
		}
	}
}

// wildcardOf is a name with "*" for its first label.
func wildcardOf(host string) string {
	_, rest, _ := strings.Cut(host, ".")
	return "*." + rest
}

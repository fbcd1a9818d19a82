package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

// Defaults are those of internal/ingress/controller/config/config.go NewDefault
// (v1.11), which the documentation table does not always repeat rightly.

const (
	wordsAsAnnotation = "as the annotation of the same name on every ingress without it"
	wordsForwarded    = "set which proxies are trusted in the implementation's client IP settings"
	wordsController   = "decides what the controller serves; the migration follows it"
	wordsTCP          = "TCP and UDP services become TCPRoute and UDPRoute; set timeouts in the implementation"
)

var routingKeys = []Key{
	{Name: "add-headers", Type: String, Affects: Routing, Becomes: ledger.Converted, Words: "ResponseHeaderModifier on every rule, from the ConfigMap it names"},
	{Name: "allow-backend-server-header", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Approximated, Words: "backends' Server header passes in Gateway API; remove it with ResponseHeaderModifier if it must not"},
	{Name: "annotation-value-word-blocklist", Type: List, Affects: Routing, Becomes: ledger.Ignored, Words: wordsController + ": ingresses with such a word are skipped"},
	{Name: "app-root", Type: String, Affects: None, Becomes: ledger.Ignored, Words: "the controller reads it but never uses it; set the annotation", Row: "app-root"},
	{Name: "compute-full-forwarded-for", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Extension, Words: wordsForwarded},
	{Name: "custom-http-errors", Type: List, Affects: Routing, Becomes: ledger.Extension, Words: "the target's own custom error responses", Row: "custom-http-errors"},
	{Name: "default-type", Type: String, Default: "text/html", Affects: Routing, Becomes: ledger.Ignored, Words: "type of answers nginx writes itself"},
	{Name: "disable-proxy-intercept-errors", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Ignored, Words: "Gateway API does not replace the answers of backends", Row: "disable-proxy-intercept-errors"},
	{Name: "enable-real-ip", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Extension, Words: wordsForwarded},
	{Name: "enable-underscores-in-headers", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Extension, Words: "see how the implementation treats header names with underscores"},
	{Name: "force-ssl-redirect", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Converted, Words: wordsAsAnnotation, Row: "force-ssl-redirect"},
	{Name: "forwarded-for-header", Type: String, Default: "X-Forwarded-For", Affects: Routing, Becomes: ledger.Extension, Words: wordsForwarded},
	{Name: "generate-request-id", Type: Bool, Default: "true", Affects: Routing, Becomes: ledger.Extension, Words: "X-Request-ID is the implementation's; some send it by default"},
	{Name: "global-allowed-response-headers", Type: List, Affects: Routing, Becomes: ledger.Converted, Words: "limits custom-headers: an ingress with another header answers 503", Row: "custom-headers", Since: "v1.11"},
	{Name: "hide-headers", Type: List, Affects: Routing, Becomes: ledger.Converted, Words: "ResponseHeaderModifier remove on every rule"},
	{Name: "http-redirect-code", Type: Int, Default: "308", Affects: Routing, Becomes: ledger.Converted, Words: "RequestRedirect.statusCode of HTTPS and www redirects; 301, 302, 307 or 308, else the default"},
	{Name: "ignore-invalid-headers", Type: Bool, Default: "true", Affects: Routing, Becomes: ledger.Extension, Words: "see how the implementation treats malformed header names"},
	{Name: "load-balance", Type: String, Affects: Routing, Becomes: ledger.Extension, Words: "the target's own load balancer policy; empty is round_robin", Row: "load-balance"},
	{Name: "location-snippet", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: wordsSnippet, Row: "configuration-snippet"},
	{Name: "main-snippet", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: wordsSnippet},
	{Name: "http-snippet", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: wordsSnippet},
	{Name: "server-snippet", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: wordsSnippet, Row: "server-snippet"},
	{Name: "stream-snippet", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: wordsSnippet, Row: "stream-snippet"},
	{Name: "no-tls-redirect-locations", Type: List, Default: "/.well-known/acme-challenge", Affects: Routing, Becomes: ledger.Converted, Words: "rules below these paths are not redirected to HTTPS"},
	{Name: "plugins", Type: List, Affects: Access, Becomes: ledger.Unsupported, Words: "Lua plugins: express what they do with the implementation's filters", Removed: "v1.12"},
	{Name: "preserve-trailing-slash", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Converted, Words: wordsAsAnnotation, Row: "preserve-trailing-slash"},
	{Name: "proxy-add-original-uri-header", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Unsupported, Words: "X-Original-Uri cannot be computed per request: let the backend read the path it gets"},
	{Name: "proxy-cookie-domain", Type: String, Default: "off", Affects: Routing, Becomes: ledger.Unsupported, Words: remedyResponse, Row: "proxy-cookie-domain"},
	{Name: "proxy-cookie-path", Type: String, Default: "off", Affects: Routing, Becomes: ledger.Unsupported, Words: remedyResponse, Row: "proxy-cookie-path"},
	{Name: "proxy-http-version", Type: String, Default: "1.1", Affects: Routing, Becomes: ledger.Approximated, Words: "HTTP/1.1 is what implementations speak", Row: "proxy-http-version"},
	{Name: "proxy-next-upstream", Type: String, Default: "error timeout", Affects: Routing, Becomes: ledger.Approximated, Words: "HTTPRoute retry", Row: "proxy-next-upstream"},
	{Name: "proxy-next-upstream-timeout", Type: Int, Default: "0", Affects: Routing, Becomes: ledger.Approximated, Words: "HTTPRoute timeouts.request", Row: "proxy-next-upstream-timeout"},
	{Name: "proxy-next-upstream-tries", Type: Int, Default: "3", Affects: Routing, Becomes: ledger.Approximated, Words: "HTTPRoute retry.attempts", Row: "proxy-next-upstream-tries"},
	{Name: "proxy-real-ip-cidr", Type: List, Default: "0.0.0.0/0", Affects: Access, Becomes: ledger.Extension, Words: wordsForwarded},
	{Name: "proxy-redirect-from", Type: String, Default: "off", Affects: Routing, Becomes: ledger.Unsupported, Words: remedyResponse, Row: "proxy-redirect-from"},
	{Name: "proxy-redirect-to", Type: String, Default: "off", Affects: Routing, Becomes: ledger.Unsupported, Words: remedyResponse, Row: "proxy-redirect-to"},
	{Name: "proxy-set-headers", Type: String, Affects: Routing, Becomes: ledger.Approximated, Words: "RequestHeaderModifier on every rule, from the ConfigMap it names; nginx variables cannot be kept"},
	{Name: "relative-redirects", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Approximated, Words: "implementations answer an absolute Location", Row: "relative-redirects", Since: "v1.13"},
	{Name: "retry-non-idempotent", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Extension, Words: "see which methods the implementation retries"},
	{Name: "server-tokens", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Ignored, Words: "nginx's own Server header"},
	{Name: "service-upstream", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Extension, Words: "the target's own routing to the Service's address", Row: "service-upstream"},
	{Name: "ssl-redirect", Type: Bool, Default: "true", Affects: Routing, Becomes: ledger.Converted, Words: wordsAsAnnotation, Row: "ssl-redirect"},
	{Name: "strict-validate-path-type", Type: Bool, Default: "true", Before: "false", Changed: "v1.12", Affects: Routing, Becomes: ledger.Ignored, Words: wordsController},
	{Name: "upstream-hash-by", Type: String, Affects: Routing, Becomes: ledger.Extension, Words: "the target's own consistent hash policy", Row: "upstream-hash-by"},
	{Name: "upstream-hash-by-subset", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Unsupported, Words: "use a consistent hash without subsets", Row: "upstream-hash-by-subset"},
	{Name: "upstream-hash-by-subset-size", Type: Int, Affects: Routing, Becomes: ledger.Unsupported, Words: "use a consistent hash without subsets", Row: "upstream-hash-by-subset-size"},
	{Name: "use-forwarded-headers", Type: Bool, Default: "false", Affects: Access, Becomes: ledger.Extension, Words: wordsForwarded + "; allow lists and HTTPS redirects depend on it"},
	{Name: "use-port-in-redirects", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Approximated, Words: "RequestRedirect.port", Row: "use-port-in-redirects"},
	{Name: "use-proxy-protocol", Type: Bool, Default: "false", Affects: Routing, Becomes: ledger.Extension, Words: "switch PROXY protocol on in the implementation, together with the load balancer"},
}

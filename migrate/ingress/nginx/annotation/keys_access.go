package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const (
	wordsGlobalAuth = "one external authorization policy of the implementation for the Gateway; routes stay closed until then"
	wordsBlock      = "deny in the implementation's policy or before the Gateway; routes are open to them until then"
	wordsSnippet    = "read the snippet: express what it does with the API or the implementation's policies; routes go without it until then"
	wordsListener   = "the listener's TLS options or client TLS policy of the implementation"
)

var accessKeys = []Key{
	{Name: "allow-cross-namespace-resources", Type: Bool, Default: "false", Before: "true", Changed: "v1.12", Affects: Access, Becomes: ledger.Ignored, Words: wordsController + ": Secrets of other namespaces answer 503 without it"},
	{Name: "allow-snippet-annotations", Type: Bool, Default: "false", Affects: Access, Becomes: ledger.Ignored, Words: wordsController + ": snippets count only with it"},
	{Name: "annotations-risk-level", Type: String, Default: "High", Before: "Critical", Changed: "v1.12", Affects: Access, Becomes: ledger.Ignored, Words: wordsController + ": ingresses with riskier annotations are skipped"},
	{Name: "block-cidrs", Type: List, Affects: Access, Becomes: ledger.Extension, Words: "the target's own IP deny list; routes stay closed until then"},
	{Name: "block-referers", Type: List, Affects: Access, Becomes: ledger.Extension, Words: wordsBlock},
	{Name: "block-user-agents", Type: List, Affects: Access, Becomes: ledger.Extension, Words: wordsBlock},
	{Name: "denylist-source-range", Type: List, Affects: Access, Becomes: ledger.Extension, Words: "the target's own IP deny list; routes stay closed until then", Row: "denylist-source-range"},
	{Name: "enable-modsecurity", Type: Bool, Default: "false", Affects: Access, Becomes: ledger.Unsupported, Words: remedyModSecurity, Row: "enable-modsecurity"},
	{Name: "enable-owasp-modsecurity-crs", Type: Bool, Default: "false", Affects: Access, Becomes: ledger.Unsupported, Words: remedyModSecurity, Row: "enable-owasp-core-rules"},
	{Name: "global-auth-always-set-cookie", Type: Bool, Default: "false", Affects: Access, Becomes: ledger.Unsupported, Words: wordsGlobalAuth, Row: "auth-always-set-cookie"},
	{Name: "global-auth-cache-duration", Type: List, Affects: Access, Becomes: ledger.Extension, Words: wordsGlobalAuth, Row: "auth-cache-duration"},
	{Name: "global-auth-cache-key", Type: String, Affects: Access, Becomes: ledger.Extension, Words: wordsGlobalAuth, Row: "auth-cache-key"},
	{Name: "global-auth-method", Type: String, Affects: Access, Becomes: ledger.Extension, Words: wordsGlobalAuth, Row: "auth-method"},
	{Name: "global-auth-request-redirect", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: wordsGlobalAuth, Row: "auth-request-redirect"},
	{Name: "global-auth-response-headers", Type: List, Affects: Access, Becomes: ledger.Extension, Words: wordsGlobalAuth, Row: "auth-response-headers"},
	{Name: "global-auth-signin", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: "let the authorization server answer with the redirect to its login page", Row: "auth-signin"},
	{Name: "global-auth-signin-redirect-param", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: "configure the parameter in the authorization server", Row: "auth-signin-redirect-param"},
	{Name: "global-auth-snippet", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: remedySnippet, Row: "auth-snippet"},
	{Name: "global-auth-url", Type: String, Affects: Access, Becomes: ledger.Extension, Words: wordsGlobalAuth, Row: "auth-url"},
	{Name: "global-rate-limit-memcached-connect-timeout", Type: Int, Default: "50", Affects: Access, Becomes: ledger.Ignored, Words: "of no use without global-rate-limit", Removed: "v1.12"},
	{Name: "global-rate-limit-memcached-host", Type: String, Affects: Access, Becomes: ledger.Extension, Words: targetRateLimit, Row: "global-rate-limit", Removed: "v1.12"},
	{Name: "global-rate-limit-memcached-max-idle-timeout", Type: Int, Default: "10000", Affects: Access, Becomes: ledger.Ignored, Words: "of no use without global-rate-limit", Removed: "v1.12"},
	{Name: "global-rate-limit-memcached-pool-size", Type: Int, Default: "50", Affects: Access, Becomes: ledger.Ignored, Words: "of no use without global-rate-limit", Removed: "v1.12"},
	{Name: "global-rate-limit-memcached-port", Type: Int, Default: "11211", Affects: Access, Becomes: ledger.Ignored, Words: "of no use without global-rate-limit", Removed: "v1.12"},
	{Name: "global-rate-limit-status-code", Type: Int, Default: "429", Affects: Access, Becomes: ledger.Extension, Words: targetRateLimit, Removed: "v1.12"},
	{Name: "limit-conn-status-code", Type: Int, Default: "503", Affects: Access, Becomes: ledger.Extension, Words: targetRateLimit},
	{Name: "limit-conn-zone-variable", Type: String, Default: "$binary_remote_addr", Affects: Access, Becomes: ledger.Extension, Words: "the key of the target's own connection limit"},
	{Name: "limit-rate", Type: Int, Default: "0", Affects: Tuning, Becomes: ledger.Unsupported, Words: "limit the bandwidth of answers in the application", Row: "limit-rate"},
	{Name: "limit-rate-after", Type: Int, Default: "0", Affects: Tuning, Becomes: ledger.Unsupported, Words: "limit the bandwidth of answers in the application", Row: "limit-rate-after"},
	{Name: "limit-req-status-code", Type: Int, Default: "503", Affects: Access, Becomes: ledger.Extension, Words: targetRateLimit + "; most answer 429"},
	{Name: "modsecurity-snippet", Type: String, Affects: Access, Becomes: ledger.Unsupported, Words: remedyModSecurity, Row: "modsecurity-snippet"},
	{Name: "nginx-status-ipv4-whitelist", Type: List, Default: "127.0.0.1", Affects: None, Becomes: ledger.Ignored, Words: "nginx's own status page"},
	{Name: "nginx-status-ipv6-whitelist", Type: List, Default: "::1", Affects: None, Becomes: ledger.Ignored, Words: "nginx's own status page"},
	{Name: "no-auth-locations", Type: List, Default: "/.well-known/acme-challenge", Affects: Access, Becomes: ledger.Extension, Words: "leave these paths out of the authentication policy"},
	{Name: "whitelist-source-range", Type: List, Affects: Access, Becomes: ledger.Extension, Words: "the target's own IP allow list; routes stay closed until then", Row: "allowlist-source-range"},
}

var tlsKeys = []Key{
	{Name: "enable-ocsp", Type: Bool, Default: "false", Affects: TLS, Becomes: ledger.Extension, Words: wordsListener},
	{Name: "hsts", Type: Bool, Default: "true", Affects: TLS, Becomes: ledger.Converted, Words: "ResponseHeaderModifier Strict-Transport-Security on the HTTPS listeners' routes"},
	{Name: "hsts-include-subdomains", Type: Bool, Default: "true", Affects: TLS, Becomes: ledger.Converted, Words: "part of Strict-Transport-Security"},
	{Name: "hsts-max-age", Type: String, Default: "31536000", Affects: TLS, Becomes: ledger.Converted, Words: "part of Strict-Transport-Security"},
	{Name: "hsts-preload", Type: Bool, Default: "false", Affects: TLS, Becomes: ledger.Converted, Words: "part of Strict-Transport-Security"},
	{Name: "proxy-ssl-location-only", Type: Bool, Default: "false", Affects: TLS, Becomes: ledger.Ignored, Words: "BackendTLSPolicy is per Service"},
	{Name: "ssl-buffer-size", Type: String, Default: "4k", Affects: Tuning, Becomes: ledger.Ignored, Words: wordsResources},
	{Name: "ssl-ciphers", Type: String, Default: "a list of TLS 1.2 suites with forward secrecy", Affects: TLS, Becomes: ledger.Extension, Words: wordsListener, Row: "ssl-ciphers"},
	{Name: "ssl-dh-param", Type: String, Affects: TLS, Becomes: ledger.Extension, Words: wordsListener},
	{Name: "ssl-early-data", Type: Bool, Default: "false", Affects: TLS, Becomes: ledger.Extension, Words: wordsListener},
	{Name: "ssl-ecdh-curve", Type: String, Default: "auto", Affects: TLS, Becomes: ledger.Extension, Words: wordsListener},
	{Name: "ssl-protocols", Type: String, Default: "TLSv1.2 TLSv1.3", Affects: TLS, Becomes: ledger.Extension, Words: wordsListener},
	{Name: "ssl-reject-handshake", Type: Bool, Default: "false", Affects: TLS, Becomes: ledger.Converted, Words: "no listener without hostname: unknown names get no certificate"},
	{Name: "ssl-session-cache", Type: Bool, Default: "true", Affects: Tuning, Becomes: ledger.Ignored, Words: wordsResources},
	{Name: "ssl-session-cache-size", Type: String, Default: "10m", Affects: Tuning, Becomes: ledger.Ignored, Words: wordsResources},
	{Name: "ssl-session-ticket-key", Type: String, Affects: TLS, Becomes: ledger.Extension, Words: wordsListener},
	{Name: "ssl-session-tickets", Type: Bool, Default: "false", Affects: TLS, Becomes: ledger.Extension, Words: wordsListener},
	{Name: "ssl-session-timeout", Type: String, Default: "10m", Affects: Tuning, Becomes: ledger.Ignored, Words: wordsResources},
	{Name: "use-http2", Type: Bool, Default: "true", Affects: TLS, Becomes: ledger.Extension, Words: wordsListener + "; implementations speak HTTP/2"},
}

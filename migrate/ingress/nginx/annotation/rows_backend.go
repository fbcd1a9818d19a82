package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const (
	groupBackend     Group = "Backends"
	groupUpstreamTLS Group = "TLS to backends"
)

const (
	whyProxySSL    = "proxyssl/main.go Parse uses the default"
	remedyProxySSL = "write a BackendTLSPolicy for the Service by hand"
)

var upstreamTLSRows = []Row{
	{
		Name: "backend-protocol", Group: groupUpstreamTLS, Parser: "backendprotocol", Scope: Location, Risk: Low,
		Rule:    options(false, "auto_http", "http", "https", "grpc", "grpcs", "fcgi"),
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "backendprotocol/main.go Parse uses HTTP",
		Becomes: ledger.Converted, Target: "GRPCRoute, BackendTLSPolicy and appProtocol of the Service",
		Remedy: "FCGI: put a web server beside the application; AUTO_HTTP: say HTTP or HTTPS",
	},
	{
		Name: "proxy-ssl-secret", Group: groupUpstreamTLS, Parser: "proxyssl", Scope: Ingress, Risk: Medium, Rule: basic,
		Invalid: DropIngress, Empty: IgnoreGroup, Content: namespacedName, Malformed: DenyLocation,
		Why:     "proxyssl/main.go Parse returns the error; it denies for a name without namespace, another namespace or a missing Secret",
		Becomes: ledger.Approximated, Target: "Gateway spec.tls.backend client certificate and BackendTLSPolicy validation",
		Remedy: "the client certificate is the Gateway's, for all backends: give backends with another one a Gateway of their own; copy ca.crt into a ConfigMap",
	},
	{
		Name: "proxy-ssl-ciphers", Group: groupUpstreamTLS, Parser: "proxyssl", Scope: Ingress, Risk: Medium, Needs: "proxy-ssl-secret",
		Rule: class("cipher names", "+:_-!", true), Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Why: whyProxySSL + " (DEFAULT)",
		Becomes: ledger.Extension, Target: "the target's own upstream TLS settings",
		Remedy: "leave the choice to the implementation unless the backend is restricted",
	},
	{
		Name: "proxy-ssl-protocols", Group: groupUpstreamTLS, Parser: "proxyssl", Scope: Ingress, Risk: Low, Needs: "proxy-ssl-secret",
		Rule: pattern("TLSv1.2 and TLSv1.3", `^(TLSv1\.2|TLSv1\.3| )*$`, true), Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     whyProxySSL + " (TLSv1.2)",
		Becomes: ledger.Extension, Target: "the target's own upstream TLS settings",
		Remedy: "leave the choice to the implementation unless the backend is restricted",
	},
	{
		Name: "proxy-ssl-name", Group: groupUpstreamTLS, Parser: "proxyssl", Scope: Ingress, Risk: High, Rule: serverName, Needs: "proxy-ssl-secret",
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Why: whyProxySSL + " (the upstream's name)",
		Becomes: ledger.Converted, Target: "BackendTLSPolicy validation.hostname", Remedy: remedyProxySSL,
	},
	{
		Name: "proxy-ssl-verify", Group: groupUpstreamTLS, Parser: "proxyssl", Scope: Ingress, Risk: Low, Rule: onOff, Needs: "proxy-ssl-secret",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxySSL + " (off)",
		Becomes: ledger.Approximated, Target: "BackendTLSPolicy, which always verifies",
		Remedy: "off cannot be expressed: give the backend a certificate that a known authority signed",
	},
	{
		Name: "proxy-ssl-verify-depth", Group: groupUpstreamTLS, Parser: "proxyssl", Scope: Ingress, Risk: Low, Rule: integer, Needs: "proxy-ssl-secret",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxySSL + " (1)",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "trust only the authorities whose chains you mean to accept",
	},
	{
		Name: "proxy-ssl-server-name", Group: groupUpstreamTLS, Parser: "proxyssl", Scope: Ingress, Risk: Low, Rule: onOff, Needs: "proxy-ssl-secret",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxySSL + " (off)",
		Becomes: ledger.Approximated, Target: "BackendTLSPolicy, which always sends the name", Remedy: remedyProxySSL,
	},
}

var backendRows = []Row{
	{
		Name: "upstream-vhost", Group: groupBackend, Parser: "upstreamvhost", Scope: Location, Risk: Low, Rule: serverName,
		Invalid: DropIngress, Empty: IgnoreValue, Why: "upstreamvhost/main.go Parse returns the error; the template quotes the value",
		Becomes: ledger.Converted, Target: "HTTPRoute filter URLRewrite.hostname",
		Remedy: "a value with nginx variables or that is no hostname must be fixed by hand",
	},
	{
		Name: "service-upstream", Group: groupBackend, Parser: "serviceupstream", Scope: Ingress, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     "serviceupstream/main.go Parse uses false for a bad value, whatever the ConfigMap says",
		Becomes: ledger.Extension, Target: "the target's own routing to the Service's address",
		Remedy: "most implementations balance over endpoints; some can be told to use the Service's address",
	},
	{
		Name: "load-balance", Group: groupBackend, Parser: "loadbalancing", Scope: Location, Risk: Low,
		Rule:    options(true, "round_robin", "chash", "chashsubset", "sticky_balanced", "sticky_persistent", "ewma"),
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     "loadbalancing/main.go Parse returns the error; without validation the balancer takes round_robin for an unknown word",
		Becomes: ledger.Extension, Target: "the target's own load balancer policy",
		Remedy: "set the algorithm in the implementation's policy; round_robin needs nothing",
	},
	{
		Name: "upstream-hash-by", Group: groupBackend, Parser: "upstreamhashby", Scope: Location, Risk: High, Rule: variables,
		Invalid: DropIngress, Empty: IgnoreGroup, Why: "upstreamhashby/main.go Parse returns the error",
		Becomes: ledger.Extension, Target: "the target's own consistent hash policy",
		Remedy: "hash by header, cookie or source address in the implementation's policy",
	},
	{
		Name: "upstream-hash-by-subset", Group: groupBackend, Parser: "upstreamhashby", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: DropIngress, Unvalidated: IgnoreGroup, Empty: IgnoreGroup, Why: "upstreamhashby/main.go Parse returns the error",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "use a consistent hash without subsets",
	},
	{
		Name: "upstream-hash-by-subset-size", Group: groupBackend, Parser: "upstreamhashby", Scope: Location, Risk: Low, Rule: integer,
		Invalid: DropIngress, Unvalidated: IgnoreGroup, Empty: IgnoreGroup, Why: "upstreamhashby/main.go Parse returns the error",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "use a consistent hash without subsets",
	},
	{
		Name: "default-backend", Group: groupBackend, Parser: "defaultbackend", Scope: Location, Risk: Low, Rule: service,
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     "defaultbackend/main.go Parse returns the error; a Service that does not exist is ignored",
		Becomes: ledger.Unsupported, Target: "nothing: it answers only while the backend has no endpoints",
		Remedy: "some implementations have a failover policy; else accept their 503",
	},
	{
		Name: "custom-http-errors", Group: groupBackend, Parser: "customhttperrors", Scope: Location, Risk: Low,
		Rule:    pattern("list of status codes 400 to 599", `^(?:[,45]\d{2},?)*$`, true),
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue, Content: statusList, Malformed: IgnoreValue,
		Why:     "customhttperrors/main.go Parse returns the error; spaces and a trailing comma pass the validator but lose the list",
		Becomes: ledger.Extension, Target: "the target's own custom error responses",
		Remedy: "use the implementation's custom responses or let the application write its error pages",
	},
	{
		Name: "disable-proxy-intercept-errors", Group: groupBackend, Parser: "disableproxyintercepterrors", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "disableproxyintercepterrors/main.go Parse uses false",
		Becomes: ledger.Ignored, Target: "nothing: Gateway API does not replace the answers of backends",
		Remedy: "none, unless the implementation's custom responses are used",
	},
	{
		Name: "custom-headers", Group: groupBackend, Parser: "customheaders", Scope: Location, Risk: Medium, Rule: basic, Since: "v1.11",
		Invalid: IgnoreValue, Empty: IgnoreValue,
		Why:     "customheaders/main.go Parse ignores the validator's error, and denies for a missing ConfigMap, a bad header or one not in global-allowed-response-headers",
		Becomes: ledger.Converted, Target: "HTTPRoute filter ResponseHeaderModifier",
		Remedy: "give the ConfigMap to the migration, since its entries are the headers",
	},
	{
		Name: "connection-proxy-header", Group: groupBackend, Parser: "connection", Scope: Location, Risk: Low, Rule: pattern("close or keep-alive", `^(close|keep-alive)$`, true),
		Invalid: DropIngress, Empty: IgnoreValue, Raw: true, Why: "connection/main.go Parse returns the error",
		Becomes: ledger.Ignored, Target: "nothing: Connection is the implementation's affair",
		Remedy: "none; a backend that needs close must ask for it in its answer",
	},
	{
		Name: "mirror-target", Group: groupBackend, Parser: "mirror", Scope: Ingress, Risk: High, Rule: serverName,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Why: "mirror/main.go Parse uses none, though it keeps the name of the mirror's location",
		Becomes: ledger.Converted, Target: "HTTPRoute filter RequestMirror, for a Service of the cluster",
		Remedy: "for a target outside the cluster make a Service for it (ExternalName where the implementation allows it); a mirror by path or query cannot be told",
	},
	{
		Name: "mirror-host", Group: groupBackend, Parser: "mirror", Scope: Ingress, Risk: High, Rule: serverName,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Why: "mirror/main.go Parse uses the target's host",
		Becomes: ledger.Unsupported, Target: "nothing: a mirrored request keeps its Host",
		Remedy: "let the mirror accept the original Host",
	},
	{
		Name: "mirror-request-body", Group: groupBackend, Parser: "mirror", Scope: Ingress, Risk: Low, Rule: onOff,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "mirror/main.go Parse uses on",
		Becomes: ledger.Approximated, Target: "RequestMirror, which always sends the body",
		Remedy: "off: make sure that the mirror can take the bodies",
	},
	{
		Name: "fastcgi-index", Group: groupBackend, Parser: "fastcgi", Scope: Location, Risk: Medium, Rule: pattern("file name", `^[A-Za-z0-9._-]+$`, true),
		Invalid: DropIngress, Empty: IgnoreValue, Raw: true, Why: "fastcgi/main.go Parse returns the error",
		Becomes: ledger.Unsupported, Target: "nothing: Gateway API speaks HTTP to backends",
		Remedy: "put a web server that speaks FastCGI beside the application",
	},
	{
		Name: "fastcgi-params-configmap", Group: groupBackend, Parser: "fastcgi", Scope: Location, Risk: Medium, Rule: basic,
		Invalid: DropIngress, Empty: IgnoreValue, Content: objectKey, Malformed: DenyLocation,
		Why:     "fastcgi/main.go Parse returns the error; it denies for a missing ConfigMap, and drops the ingress for a bad entry of it",
		Becomes: ledger.Unsupported, Target: "nothing: Gateway API speaks HTTP to backends",
		Remedy: "put a web server that speaks FastCGI beside the application",
	},
}

package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const (
	groupServer        Group = "Servers and TLS"
	groupObservability Group = "Logs and traces"
	groupModSecurity   Group = "ModSecurity"
	groupSnippets      Group = "Snippets"
)

const (
	remedyObservability = "configure logs and traces in the implementation; the answers do not change"
	remedyModSecurity   = "put a web application firewall before the Gateway or use the implementation's; the route stays closed until you say it may go without"
	remedySnippet       = "read the snippet: express what it does with the API or the implementation's policies; the route stays closed until you say it may go without"
	whySnippet          = "the parser returns the text as it is; the risk level decides whether the ingress is served"
)

var serverRows = []Row{
	{
		Name: "server-alias", Group: groupServer, Parser: "alias", Scope: Ingress, Risk: High, Rule: names,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true,
		Why:     "measured on v1.15.1: a bad value is dropped alone (alias/main.go Parse of v1.11 returned the error)",
		Becomes: ledger.Converted, Target: "HTTPRoute hostnames and listeners",
		Remedy: "a regular expression must be spelt out as hostnames or a wildcard",
	},
	{
		Name: "ssl-passthrough", Group: groupServer, Parser: "sslpassthrough", Scope: Ingress, Risk: Low, Rule: boolean,
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     "sslpassthrough/main.go Parse returns the error; without the flag --enable-ssl-passthrough it does nothing",
		Becomes: ledger.Converted, Target: "TLSRoute on a listener with TLS mode Passthrough",
		Remedy: "all other annotations of the host have no effect on passed connections",
	},
	{
		Name: "ssl-ciphers", Group: groupServer, Parser: "sslcipher", Scope: Ingress, Risk: Low,
		Rule: pattern("cipher list", `^([A-Za-z0-9!:+_-]|@STRENGTH|@SECLEVEL=[0-5])*$`, true),
		// changelog controller-1.13.0 (13110)
		Earlier: []EarlierRule{{"v1.13", pattern("cipher list without underscores", `^([A-Za-z0-9!:+-]|@STRENGTH|@SECLEVEL=[0-5])*$`, true)}},
		Invalid: DropIngress, Empty: IgnoreValue, Raw: true, Why: "sslcipher/main.go Parse returns the validator's error only",
		Becomes: ledger.Extension, Target: "the listener's TLS options of the implementation",
		Remedy: "set it as a listener TLS option or in the implementation's client TLS policy",
	},
	{
		Name: "ssl-prefer-server-ciphers", Group: groupServer, Parser: "sslcipher", Scope: Ingress, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "sslcipher/main.go Parse uses the ConfigMap's value",
		Becomes: ledger.Ignored, Target: "nothing: without effect in TLS 1.3",
		Remedy: "set it in the implementation's client TLS policy if TLS 1.2 clients need it",
	},
	{
		Name: "http2-push-preload", Group: groupServer, Parser: "http2pushpreload", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "http2pushpreload/main.go Parse returns the error",
		Becomes: ledger.Ignored, Target: "nothing: browsers no longer take HTTP/2 pushes",
		Remedy: "answer with 103 Early Hints or Link headers from the application",
	},
}

var observabilityRows = []Row{
	{
		Name: "enable-access-log", Group: groupObservability, Parser: "log", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "log/main.go Parse uses true",
		Becomes: ledger.Ignored, Target: "nothing: logs are the implementation's", Remedy: remedyObservability,
	},
	{
		Name: "enable-rewrite-log", Group: groupObservability, Parser: "log", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "log/main.go Parse uses false",
		Becomes: ledger.Ignored, Target: "nothing: logs are the implementation's", Remedy: remedyObservability,
	},
	{
		Name: "enable-opentelemetry", Group: groupObservability, Parser: "opentelemetry", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreGroup, Unvalidated: IgnoreGroup, Empty: IgnoreGroup, Why: "opentelemetry/main.go Parse stops at a bad value; the ConfigMap decides then",
		Becomes: ledger.Extension, Target: "the target's own tracing policy", Remedy: remedyObservability,
	},
	{
		Name: "opentelemetry-trust-incoming-span", Group: groupObservability, Parser: "opentelemetry", Scope: Location, Risk: Low, Rule: boolean,
		Needs: "enable-opentelemetry", Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "opentelemetry/main.go Parse uses the ConfigMap's value",
		Becomes: ledger.Extension, Target: "the target's own tracing policy", Remedy: remedyObservability,
	},
	{
		Name: "opentelemetry-operation-name", Group: groupObservability, Parser: "opentelemetry", Scope: Location, Risk: Medium,
		Rule: class("letters, digits, - and _", "-_", true), Needs: "enable-opentelemetry", Invalid: DropIngress, Empty: IgnoreValue, Raw: true,
		Why:     "opentelemetry/main.go Parse returns the error, but only while tracing is enabled by the annotation",
		Becomes: ledger.Extension, Target: "the target's own tracing policy", Remedy: remedyObservability,
	},
}

var modSecurityRows = []Row{
	{
		Name: "enable-modsecurity", Group: groupModSecurity, Parser: "modsecurity", Scope: Ingress, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: "modsecurity/main.go Parse: the ConfigMap decides then",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyModSecurity,
	},
	{
		Name: "enable-owasp-core-rules", Group: groupModSecurity, Parser: "modsecurity", Scope: Ingress, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: "modsecurity/main.go Parse uses false",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyModSecurity,
	},
	{
		Name: "modsecurity-transaction-id", Group: groupModSecurity, Parser: "modsecurity", Scope: Ingress, Risk: High, Rule: variables,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Access: true, Why: "modsecurity/main.go Parse uses none",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyModSecurity,
	},
	{
		Name: "modsecurity-snippet", Group: groupModSecurity, Parser: "modsecurity", Scope: Ingress, Risk: Critical, Rule: anything,
		Empty: IgnoreValue, Snippet: true, Access: true, Why: "modsecurity/main.go Parse; " + whySnippet,
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyModSecurity,
	},
}

var snippetRows = []Row{
	{
		Name: "configuration-snippet", Group: groupSnippets, Parser: "snippet", Scope: Location, Risk: Critical, Rule: anything,
		Empty: IgnoreValue, Snippet: true, Access: true, Why: "snippet/main.go: " + whySnippet,
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedySnippet,
	},
	{
		Name: "server-snippet", Group: groupSnippets, Parser: "serversnippet", Scope: Ingress, Risk: Critical, Rule: anything,
		Empty: IgnoreValue, Snippet: true, Access: true, Why: "serversnippet/main.go: " + whySnippet + "; it acts on the whole server",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedySnippet,
	},
	{
		Name: "stream-snippet", Group: groupSnippets, Parser: "streamsnippet", Scope: Ingress, Risk: Critical, Rule: anything,
		Empty: IgnoreValue, Snippet: true, Access: true, Why: "streamsnippet/main.go: " + whySnippet + "; it acts outside HTTP",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "write a TCPRoute, UDPRoute or TLSRoute for what the snippet forwards",
	},
	{
		Name: "auth-snippet", Group: groupSnippets, Parser: "authreq", Scope: Location, Risk: Critical, Rule: anything, Needs: "auth-url",
		Empty: IgnoreValue, Snippet: true, Access: true, Why: "authreq/main.go: " + whySnippet,
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedySnippet,
	},
}

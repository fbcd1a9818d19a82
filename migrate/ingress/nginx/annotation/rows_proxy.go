package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const (
	groupTimeouts  Group = "Timeouts and retries"
	groupBuffering Group = "Bodies and buffers"
	groupResponse  Group = "Rewriting of responses"
)

const (
	whyProxy        = "proxy/main.go Parse uses the ConfigMap's value"
	remedyTimeout   = "nginx counts the time between two reads or writes, Gateway API the whole request: leave room for long answers"
	remedyBuffering = "tune the implementation if it buffers; the answers themselves do not change"
	remedyResponse  = "let the application send the right value; Gateway API cannot rewrite parts of a response header"
)

var proxyRows = []Row{
	{
		Name: "proxy-connect-timeout", Group: groupTimeouts, Parser: "proxy", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Extension, Target: "the target's own connect timeout",
		Remedy: "set the connect timeout in the implementation's backend policy",
	},
	{
		Name: "proxy-send-timeout", Group: groupTimeouts, Parser: "proxy", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Approximated, Target: "HTTPRoute timeouts.backendRequest", Remedy: remedyTimeout,
	},
	{
		Name: "proxy-read-timeout", Group: groupTimeouts, Parser: "proxy", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Approximated, Target: "HTTPRoute timeouts.backendRequest", Remedy: remedyTimeout,
	},
	{
		Name: "proxy-next-upstream", Group: groupTimeouts, Parser: "proxy", Scope: Location, Risk: Medium,
		Rule:    pattern("list of conditions", `^((error|timeout|invalid_header|http_500|http_502|http_503|http_504|http_403|http_404|http_429|non_idempotent|off)\s?)+$`, false),
		Invalid: IgnoreValue, Unvalidated: BreakConfiguration, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Approximated, Target: "HTTPRoute retry.codes (experimental before v1.7)",
		Remedy: "in the standard channel use the implementation's own retry policy",
	},
	{
		Name: "proxy-next-upstream-timeout", Group: groupTimeouts, Parser: "proxy", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Approximated, Target: "HTTPRoute timeouts.request over all tries", Remedy: remedyTimeout,
	},
	{
		Name: "proxy-next-upstream-tries", Group: groupTimeouts, Parser: "proxy", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Approximated, Target: "HTTPRoute retry.attempts (experimental before v1.7)",
		Remedy: "in the standard channel use the implementation's own retry policy",
	},
	{
		Name: "proxy-body-size", Group: groupBuffering, Parser: "proxy", Scope: Location, Risk: Medium, Rule: size,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy + "; units are k, m and g, so 1Ki is a bad value",
		Becomes: ledger.Extension, Target: "the target's own request size limit",
		Remedy: "set the limit in the implementation's policy or in the application: many implementations have none by default",
	},
	{
		Name: "client-body-buffer-size", Group: groupBuffering, Parser: "clientbodybuffersize", Scope: Location, Risk: Low, Rule: size,
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "clientbodybuffersize/main.go Parse returns the error",
		Becomes: ledger.Ignored, Target: "nothing: a matter of memory, not of routing", Remedy: remedyBuffering,
	},
	{
		Name: "proxy-request-buffering", Group: groupBuffering, Parser: "proxy", Scope: Location, Risk: Low, Rule: options(true, "on", "off"),
		Invalid: IgnoreValue, Unvalidated: BreakConfiguration, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Extension, Target: "the target's own buffering",
		Remedy: "on protects slow backends from slow clients: use the implementation's buffer policy where that matters",
	},
	{
		Name: "proxy-buffering", Group: groupBuffering, Parser: "proxy", Scope: Location, Risk: Low, Rule: options(true, "on", "off"),
		Invalid: IgnoreValue, Unvalidated: BreakConfiguration, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Ignored, Target: "nothing: implementations stream answers", Remedy: remedyBuffering,
	},
	{
		Name: "proxy-buffers-number", Group: groupBuffering, Parser: "proxy", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Ignored, Target: "nothing: a matter of memory, not of routing", Remedy: remedyBuffering,
	},
	{
		Name: "proxy-buffer-size", Group: groupBuffering, Parser: "proxy", Scope: Location, Risk: Low, Rule: size,
		Invalid: IgnoreValue, Unvalidated: BreakConfiguration, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Extension, Target: "the target's own limit of response headers",
		Remedy: "where it was raised for large response headers, raise the implementation's header limit",
	},
	{
		Name: "proxy-busy-buffers-size", Group: groupBuffering, Parser: "proxy", Scope: Location, Risk: Low, Rule: size, Since: "v1.13",
		Invalid: IgnoreValue, Unvalidated: BreakConfiguration, Empty: IgnoreValue,
		Why:     "pull request 12433; a size that does not fit proxy-buffer-size and proxy-buffers-number breaks the configuration (issue 13598)",
		Becomes: ledger.Ignored, Target: "nothing: a matter of memory, not of routing", Remedy: remedyBuffering,
	},
	{
		Name: "proxy-max-temp-file-size", Group: groupBuffering, Parser: "proxy", Scope: Location, Risk: Low, Rule: size,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Ignored, Target: "nothing: a matter of memory, not of routing", Remedy: remedyBuffering,
	},
	{
		Name: "proxy-http-version", Group: groupBackend, Parser: "proxy", Scope: Location, Risk: Low, Rule: options(true, "1.0", "1.1"),
		Invalid: IgnoreValue, Unvalidated: BreakConfiguration, Empty: IgnoreValue, Why: whyProxy,
		Becomes: ledger.Approximated, Target: "HTTP/1.1, what implementations speak by default",
		Remedy: "1.0: make the backend accept HTTP/1.1",
	},
	{
		Name: "proxy-cookie-domain", Group: groupResponse, Parser: "proxy", Scope: Location, Risk: Medium,
		Rule: pattern("off or two domains", `^(off|[A-Za-z0-9._~:/-]+ +[A-Za-z0-9._~:/-]+)$`, false),
		// changelog controller-1.15.0 (14536)
		Earlier: []EarlierRule{{"v1.15", basic}},
		Invalid: IgnoreValue, Empty: IgnoreValue, Content: offOrPair, Malformed: BreakConfiguration, Raw: true, Why: whyProxy + "; before v1.15 a single domain breaks the configuration",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyResponse,
	},
	{
		Name: "proxy-cookie-path", Group: groupResponse, Parser: "proxy", Scope: Location, Risk: Medium, Rule: urlCharsSpaced, Earlier: urlSpacedBefore,
		Invalid: IgnoreValue, Empty: IgnoreValue, Content: offOrPair, Malformed: BreakConfiguration, Raw: true, Why: whyProxy + "; a single path breaks the configuration",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyResponse,
	},
	{
		Name: "proxy-redirect-from", Group: groupResponse, Parser: "proxy", Scope: Location, Risk: Medium, Rule: urlCharsSpaced, Earlier: urlSpacedBefore,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Why: whyProxy,
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyResponse,
	},
	{
		Name: "proxy-redirect-to", Group: groupResponse, Parser: "proxy", Scope: Location, Risk: Medium, Rule: urlCharsSpaced, Earlier: urlSpacedBefore,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Why: whyProxy,
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyResponse,
	},
}

package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupExternalAuth Group = "External authentication"

const (
	whyExternalAuth    = "authreq/main.go Parse drops a bad value alone"
	whyExternalLost    = "authreq/main.go Parse wraps the error, so Extract takes it for none and serves the route without authentication"
	targetExternalAuth = "HTTPRoute filter ExternalAuth (experimental) or the target's own policy"
	remedyExternalAuth = "use the implementation's external authorization policy; the route stays closed until then"
	remedyAuthTuning   = "set it in the implementation's external authorization policy if it has the setting; it only changes cost, not who enters"
)

var method = "GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE"

var externalAuthRows = []Row{
	{
		Name: "auth-url", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: High, Rule: urlVariables,
		Invalid: DropIngress, Empty: IgnoreGroup, Content: absoluteURL, Malformed: DenyLocation, Raw: true, Access: true,
		Why:     "authreq/main.go Parse returns the validator's error, and denies for what is no absolute URL; empty means no authentication",
		Becomes: ledger.Extension, Target: targetExternalAuth, Remedy: remedyExternalAuth,
	},
	{
		Name: "auth-method", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Low, Needs: "auth-url",
		Rule: pattern("HTTP method", `^(`+method+`)$`, true),
		// changelogs controller-1.14.3 and 1.15.0 (14504), backported to v1.13.7
		Earlier: []EarlierRule{{"v1.13.7", pattern("contains an HTTP method", method, true)}},
		Invalid: DenyLocation, Empty: IgnoreValue, Raw: true, Access: true,
		Why:     "authreq/main.go Parse denies",
		Becomes: ledger.Extension, Target: targetExternalAuth, Remedy: remedyExternalAuth,
	},
	{
		Name: "auth-response-headers", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Medium, Rule: headerList, Needs: "auth-url",
		Invalid: DenyLocation, Empty: IgnoreValue, Content: headerNames, Malformed: DenyLocation, Access: true,
		Why:     "authreq/main.go Parse denies; the backend trusts these headers",
		Becomes: ledger.Extension, Target: "ExternalAuth allowed response headers, or the target's own policy", Remedy: remedyExternalAuth,
	},
	{
		Name: "auth-proxy-set-headers", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Medium, Rule: basic, Needs: "auth-url",
		Invalid: IgnoreValue, Empty: IgnoreValue, Content: objectKey, Malformed: DenyLocation, Access: true,
		Why:     "authreq/main.go Parse ignores the validator's error, and denies for a bad name, a missing ConfigMap or another namespace",
		Becomes: ledger.Extension, Target: "the target's own policy",
		Remedy: "send the headers from the implementation's external authorization policy, or let the authorization server read the original ones",
	},
	{
		Name: "auth-request-redirect", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Medium, Needs: "auth-url",
		Rule: urlCharsSpaced, Earlier: urlSpacedBefore, Invalid: IgnoreGroup, Empty: IgnoreValue, Raw: true, Access: true,
		Why:     whyExternalLost,
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "configure the return address in the authorization server",
	},
	{
		Name: "auth-always-set-cookie", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Low, Rule: boolean, Needs: "auth-url",
		Invalid: IgnoreGroup, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: whyExternalLost,
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "let the application set the cookie on error answers, or see whether the implementation passes the authorization server's cookies on",
	},
	{
		Name: "auth-signin", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: High, Rule: urlVariables, Needs: "auth-url",
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Access: true, Why: whyExternalAuth + " (401 without redirect)",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "let the authorization server answer with the redirect to its login page: implementations pass its answer on",
	},
	{
		Name: "auth-signin-redirect-param", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Medium, Needs: "auth-url",
		Rule: urlCharsSpaced, Earlier: urlSpacedBefore, Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Access: true,
		Why:     whyExternalAuth + " (rd)",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "configure the parameter in the authorization server",
	},
	{
		Name: "auth-cache-key", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Medium, Rule: variables, Needs: "auth-url",
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Access: true, Why: whyExternalAuth + " (no caching)",
		Becomes: ledger.Extension, Target: "the target's own policy", Remedy: remedyAuthTuning,
	},
	{
		Name: "auth-cache-duration", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Medium, Rule: extended, Needs: "auth-url",
		Invalid: IgnoreGroup, Empty: IgnoreValue, Content: cacheDurations, Malformed: DenyLocation, Access: true,
		Why:     whyExternalLost + "; a value of allowed characters that is no list of times denies",
		Becomes: ledger.Extension, Target: "the target's own policy", Remedy: remedyAuthTuning,
	},
	{
		Name: "auth-keepalive", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Low, Rule: integer, Needs: "auth-url",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: whyExternalAuth + " (0)",
		Becomes: ledger.Ignored, Target: "nothing: implementations keep connections to the authorization server", Remedy: remedyAuthTuning,
	},
	{
		Name: "auth-keepalive-share-vars", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Low, Rule: boolean, Needs: "auth-url",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: whyExternalAuth + " (false)",
		Becomes: ledger.Ignored, Target: "nothing: nginx variables do not exist elsewhere", Remedy: remedyAuthTuning,
	},
	{
		Name: "auth-keepalive-requests", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Low, Rule: integer, Needs: "auth-url",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: whyExternalAuth + " (1000)",
		Becomes: ledger.Ignored, Target: "nothing: implementations manage these connections", Remedy: remedyAuthTuning,
	},
	{
		Name: "auth-keepalive-timeout", Group: groupExternalAuth, Parser: "authreq", Scope: Location, Risk: Low, Rule: integer, Needs: "auth-url",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: whyExternalAuth + " (60)",
		Becomes: ledger.Ignored, Target: "nothing: implementations manage these connections", Remedy: remedyAuthTuning,
	},
	{
		Name: "enable-global-auth", Group: groupExternalAuth, Parser: "authreqglobal", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true,
		Why:     "authreqglobal/main.go Parse uses true, so global authentication stays",
		Becomes: ledger.Extension, Target: "leave the route out of the target's own policy", Remedy: remedyExternalAuth,
	},
}

package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupAffinity Group = "Session affinity"

const (
	whyAffinity    = "sessionaffinity/main.go Parse replaces each bad value by its default"
	remedyAffinity = "set the attribute in the implementation's own session policy, or in the application's cookie"
)

var cookieSeconds = pattern("seconds", `(^0|-?[1-9]\d*$)`, true)

var affinityRows = []Row{
	{
		Name: "affinity", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Low, Rule: options(true, "cookie"),
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity,
		Becomes: ledger.Approximated, Target: "sessionPersistence of type Cookie (XBackendTrafficPolicy or the rule, experimental)",
		Remedy: "in the standard channel use the implementation's own session policy",
	},
	{
		Name: "affinity-mode", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Medium,
		Rule: options(true, "balanced", "persistent"), Needs: "affinity",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (balanced)",
		Becomes: ledger.Approximated, Target: "sessionPersistence; whether sessions move on scaling is the implementation's choice",
		Remedy: remedyAffinity,
	},
	{
		Name: "affinity-canary-behavior", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Low,
		Rule: options(true, "sticky", "legacy"), Needs: "affinity",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (sticky)",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "sessionPersistence on the rule keeps a client on its backend; check how the implementation combines it with weights",
	},
	{
		Name: "session-cookie-name", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Medium, Rule: basic, Needs: "affinity",
		Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (INGRESSCOOKIE)",
		Becomes: ledger.Converted, Target: "sessionPersistence.sessionName", Remedy: remedyAffinity,
	},
	{
		Name: "session-cookie-path", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Medium, Needs: "affinity",
		Rule: urlCharsSpaced, Earlier: urlSpacedBefore,
		Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (the location's path)",
		Becomes: ledger.Unsupported, Target: "nothing: the implementation derives the path from the route", Remedy: remedyAffinity,
	},
	{
		Name: "session-cookie-domain", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Medium, Rule: basic, Needs: "affinity",
		Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (none)",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyAffinity,
	},
	{
		Name: "session-cookie-secure", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Low, Rule: boolean, Needs: "affinity",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (as the request)",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyAffinity,
	},
	{
		Name: "session-cookie-samesite", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Low, Needs: "affinity",
		Rule: options(false, "none", "lax", "strict"), Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (none)",
		Becomes: ledger.Unsupported, Target: "nothing", Remedy: remedyAffinity,
	},
	{
		Name: "session-cookie-conditional-samesite-none", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Low, Rule: boolean,
		Needs: "affinity", Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (false)",
		Becomes: ledger.Ignored, Target: "nothing: it served browsers older than 2020",
		Remedy: "none needed for browsers still in use",
	},
	{
		Name: "session-cookie-expires", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Medium, Rule: cookieSeconds,
		Needs: "affinity", Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (a session cookie)",
		Becomes: ledger.Approximated, Target: "sessionPersistence.absoluteTimeout with a permanent cookie", Remedy: remedyAffinity,
	},
	{
		Name: "session-cookie-max-age", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Medium,
		Rule: pattern("seconds", `(^0|-?[1-9]\d*$)`, false), Needs: "affinity",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (a session cookie)",
		Becomes: ledger.Approximated, Target: "sessionPersistence.absoluteTimeout with a permanent cookie", Remedy: remedyAffinity,
	},
	{
		Name: "session-cookie-change-on-failure", Group: groupAffinity, Parser: "sessionaffinity", Scope: Ingress, Risk: Low, Rule: boolean,
		Needs: "affinity", Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyAffinity + " (false)",
		Becomes: ledger.Unsupported, Target: "nothing: implementations move a session when its backend is gone", Remedy: remedyAffinity,
	},
}

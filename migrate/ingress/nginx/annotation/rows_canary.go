package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupCanary Group = "Canary"

const whyCanary = "canary/main.go Parse replaces each bad value by its default; without canary all of them are dropped"

const remedyCanary = "give the canary's rule the header or weight by hand in the primary's HTTPRoute"

var canaryRows = []Row{
	{
		Name: "canary", Group: groupCanary, Parser: "canary", Scope: Ingress, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     "canary/main.go Parse: not enabled; the ingress is then an ordinary one",
		Becomes: ledger.Converted, Target: "rules and backendRefs in the primary's HTTPRoute",
		Remedy: "a canary without a primary of the same host, path and type serves nothing: remove it",
	},
	{
		Name: "canary-weight", Group: groupCanary, Parser: "canary", Scope: Ingress, Risk: Low, Rule: integer, Needs: "canary",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyCanary + " (0)",
		Becomes: ledger.Converted, Target: "backendRefs weight", Remedy: remedyCanary,
	},
	{
		Name: "canary-weight-total", Group: groupCanary, Parser: "canary", Scope: Ingress, Risk: Low, Rule: integer, Needs: "canary",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyCanary + " (100); totals below 100 count as 100 (measured)",
		Becomes: ledger.Converted, Target: "backendRefs weight", Remedy: remedyCanary,
	},
	{
		Name: "canary-by-header", Group: groupCanary, Parser: "canary", Scope: Ingress, Risk: Medium, Rule: basic, Needs: "canary",
		Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyCanary + " (no header)",
		Becomes: ledger.Converted, Target: "HTTPRoute match on the header", Remedy: remedyCanary,
	},
	{
		Name: "canary-by-header-value", Group: groupCanary, Parser: "canary", Scope: Ingress, Risk: Medium, Rule: basic, Needs: "canary",
		Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyCanary + " (always and never)",
		Becomes: ledger.Converted, Target: "HTTPRoute match on the header's value", Remedy: remedyCanary,
	},
	{
		Name: "canary-by-header-pattern", Group: groupCanary, Parser: "canary", Scope: Ingress, Risk: Medium, Rule: regexChars, Needs: "canary",
		Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyCanary + " (no pattern); the pattern is unanchored PCRE",
		Becomes: ledger.Approximated, Target: "HTTPRoute header match RegularExpression",
		Remedy: "RegularExpression is implementation specific: prefer an exact value",
	},
	{
		Name: "canary-by-cookie", Group: groupCanary, Parser: "canary", Scope: Ingress, Risk: Medium, Rule: basic, Needs: "canary",
		Invalid: IgnoreValue, Empty: IgnoreValue, Why: whyCanary + " (no cookie)",
		Becomes: ledger.Approximated, Target: "HTTPRoute match on the Cookie header with RegularExpression",
		Remedy: "where the implementation has no regular expressions on headers, switch the canary to canary-by-header",
	},
}

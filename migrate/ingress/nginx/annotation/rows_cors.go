package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupCORS Group = "CORS"

const (
	whyCORS    = "cors/main.go Parse replaces each bad value by its default"
	remedyCORS = "where the implementation has no CORS filter, let the application answer preflights"
)

var corsRows = []Row{
	{
		Name: "enable-cors", Group: groupCORS, Parser: "cors", Scope: Ingress, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyCORS + " (false)",
		Becomes: ledger.Converted, Target: "HTTPRoute filter CORS",
		Remedy: remedyCORS,
	},
	{
		Name: "cors-allow-origin", Group: groupCORS, Parser: "cors", Scope: Ingress, Risk: Medium, Needs: "enable-cors",
		Rule: pattern("list of origins", `^(((([a-z]+://)?(\*\.)?[A-Za-z0-9.-]*(:\d+)?,?|null)+)|\*)?$`, true),
		// changelog controller-1.12.0-beta.0 (11153) allowed other schemes
		Earlier: []EarlierRule{{"v1.12", pattern("list of http(s) origins", `^((((https?://)?(\*\.)?[A-Za-z0-9.-]*(:\d+)?,?)+)|\*)?$`, true)}},
		Invalid: IgnoreValue, Empty: IgnoreValue,
		Why:     "cors/main.go Parse uses *, which opens CORS to every origin; single origins of another form are skipped",
		Becomes: ledger.Converted, Target: "CORS allowOrigins", Remedy: remedyCORS,
	},
	{
		Name: "cors-allow-methods", Group: groupCORS, Parser: "cors", Scope: Ingress, Risk: Medium, Needs: "enable-cors",
		Rule: pattern("list of methods", `^([A-Za-z]+,?\s?)+$`, true), Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     whyCORS + " (GET, PUT, POST, DELETE, PATCH, OPTIONS)",
		Becomes: ledger.Converted, Target: "CORS allowMethods", Remedy: remedyCORS,
	},
	{
		Name: "cors-allow-headers", Group: groupCORS, Parser: "cors", Scope: Ingress, Risk: Medium, Rule: headerList, Needs: "enable-cors",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyCORS + " (a list of ten)",
		Becomes: ledger.Converted, Target: "CORS allowHeaders", Remedy: remedyCORS,
	},
	{
		Name: "cors-allow-credentials", Group: groupCORS, Parser: "cors", Scope: Ingress, Risk: Low, Rule: boolean, Needs: "enable-cors",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyCORS + " (true)",
		Becomes: ledger.Converted, Target: "CORS allowCredentials",
		Remedy: "browsers refuse * with credentials: list the origins",
	},
	{
		Name: "cors-expose-headers", Group: groupCORS, Parser: "cors", Scope: Ingress, Risk: Medium, Needs: "enable-cors",
		Rule: pattern("list of headers or *", `^(([A-Za-z0-9_-]+|\*),?\s?)+$`, true), Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     whyCORS + " (none)",
		Becomes: ledger.Converted, Target: "CORS exposeHeaders", Remedy: remedyCORS,
	},
	{
		Name: "cors-max-age", Group: groupCORS, Parser: "cors", Scope: Ingress, Risk: Low, Rule: integer, Needs: "enable-cors",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyCORS + " (1728000)",
		Becomes: ledger.Converted, Target: "CORS maxAge", Remedy: remedyCORS,
	},
}

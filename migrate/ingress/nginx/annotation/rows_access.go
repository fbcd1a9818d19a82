package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const (
	groupAccess    Group = "Access lists"
	groupRateLimit Group = "Rate limits"
)

const (
	whyRateLimit    = "ratelimit/main.go Parse returns the error"
	targetRateLimit = "the target's own rate limit policy"
	remedyRateLimit = "use the implementation's rate limit policy; nginx counts in each replica, so divide or multiply by the replicas"
	remedyGlobal    = "use the implementation's global rate limit policy; the annotation does nothing from v1.12 on"
)

var accessRows = []Row{
	{
		Name: "allowlist-source-range", Aliases: []string{"whitelist-source-range"}, Group: groupAccess, Parser: "ipallowlist", Scope: Location, Risk: Medium,
		Rule: cidrs, Invalid: DenyLocation, Unvalidated: DenyLocation, Empty: DenyLocation, Access: true,
		Why:     "ipallowlist/main.go Parse denies for any bad entry; it replaces the ConfigMap's list; the alias counts only when this is absent or empty",
		Becomes: ledger.Extension, Target: "the target's own IP allow list",
		Remedy: "use the implementation's policy or the load balancer's source ranges; the route stays closed until then",
	},
	{
		Name: "denylist-source-range", Group: groupAccess, Parser: "ipdenylist", Scope: Location, Risk: Medium,
		Rule: cidrs, Invalid: DenyLocation, Unvalidated: DenyLocation, Empty: DenyLocation, Access: true,
		Why:     "ipdenylist/main.go Parse denies for any bad entry",
		Becomes: ledger.Extension, Target: "the target's own IP deny list",
		Remedy: "use the implementation's policy or a firewall rule; the route stays closed until then",
	},
	{
		Name: "satisfy", Group: groupAccess, Parser: "satisfy", Scope: Location, Risk: Low, Rule: options(true, "any", "all"),
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: "satisfy/main.go Parse uses all, the stricter one",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "any: decide which one check should guard the route, or express both in the implementation's authorization policy",
	},
}

var rateLimitRows = []Row{
	{
		Name: "limit-rps", Group: groupRateLimit, Parser: "ratelimit", Scope: Location, Risk: Low, Rule: integer,
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyRateLimit,
		Becomes: ledger.Extension, Target: targetRateLimit, Remedy: remedyRateLimit,
	},
	{
		Name: "limit-rpm", Group: groupRateLimit, Parser: "ratelimit", Scope: Location, Risk: Low, Rule: integer,
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyRateLimit,
		Becomes: ledger.Extension, Target: targetRateLimit, Remedy: remedyRateLimit,
	},
	{
		Name: "limit-connections", Group: groupRateLimit, Parser: "ratelimit", Scope: Location, Risk: Low, Rule: integer,
		Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyRateLimit,
		Becomes: ledger.Extension, Target: "the target's own connection limit",
		Remedy: "use the implementation's connection limit; few have one for each client address",
	},
	{
		Name: "limit-burst-multiplier", Group: groupRateLimit, Parser: "ratelimit", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "ratelimit/main.go Parse uses 5",
		Becomes: ledger.Extension, Target: targetRateLimit, Remedy: remedyRateLimit,
	},
	{
		Name: "limit-rate", Group: groupRateLimit, Parser: "ratelimit", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "ratelimit/main.go Parse uses the ConfigMap's value",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "limit the bandwidth of an answer in the application or with the implementation's bandwidth filter",
	},
	{
		Name: "limit-rate-after", Group: groupRateLimit, Parser: "ratelimit", Scope: Location, Risk: Low, Rule: integer,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "ratelimit/main.go Parse uses the ConfigMap's value",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "limit the bandwidth of an answer in the application or with the implementation's bandwidth filter",
	},
	{
		Name: "limit-allowlist", Aliases: []string{"limit-whitelist"}, Group: groupRateLimit, Parser: "ratelimit", Scope: Location, Risk: Low, Rule: cidrs,
		Invalid: DropIngress, Unvalidated: IgnoreGroup, Empty: IgnoreValue,
		Why:     whyRateLimit + "; without validation a bad list loses all limits of the ingress",
		Becomes: ledger.Extension, Target: targetRateLimit,
		Remedy: "exempt the addresses in the implementation's rate limit policy",
	},
	{
		Name: "global-rate-limit", Group: groupRateLimit, Parser: "globalratelimit", Scope: Ingress, Risk: Low, Rule: integer, Removed: "v1.12",
		Invalid: IgnoreGroup, Unvalidated: IgnoreGroup, Empty: IgnoreGroup, Why: "globalratelimit/main.go Parse: without a limit there is none",
		Becomes: ledger.Extension, Target: targetRateLimit, Remedy: remedyGlobal,
	},
	{
		Name: "global-rate-limit-window", Group: groupRateLimit, Parser: "globalratelimit", Scope: Ingress, Risk: Low, Rule: duration, Removed: "v1.12",
		Invalid: DenyLocation, Unvalidated: DenyLocation, Empty: IgnoreGroup,
		Why:     "globalratelimit/main.go Parse denies; without validation only where global-rate-limit is set",
		Becomes: ledger.Extension, Target: targetRateLimit, Remedy: remedyGlobal,
	},
	{
		Name: "global-rate-limit-key", Group: groupRateLimit, Parser: "globalratelimit", Scope: Ingress, Risk: High, Rule: variables, Removed: "v1.12",
		Needs: "global-rate-limit", Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true,
		Why:     "globalratelimit/main.go Parse uses $remote_addr",
		Becomes: ledger.Extension, Target: targetRateLimit, Remedy: remedyGlobal,
	},
	{
		Name: "global-rate-limit-ignored-cidrs", Group: groupRateLimit, Parser: "globalratelimit", Scope: Ingress, Risk: Medium, Rule: cidrs, Removed: "v1.12",
		Needs: "global-rate-limit", Invalid: IgnoreValue, Unvalidated: IgnoreGroup, Empty: IgnoreGroup,
		Why:     "globalratelimit/main.go Parse ignores only the validator's error",
		Becomes: ledger.Extension, Target: targetRateLimit, Remedy: remedyGlobal,
	},
}

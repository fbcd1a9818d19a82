package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupRedirect Group = "Redirects"

const whyRedirect = "redirect/redirect.go Parse returns every error but a missing annotation"

var redirectRows = []Row{
	{
		Name: "permanent-redirect", Group: groupRedirect, Parser: "redirect", Scope: Location, Risk: Medium,
		Rule: urlChars, Earlier: urlCharsBefore12, Unless: "temporal-redirect",
		Invalid: DropIngress, Empty: IgnoreGroup, Raw: true,
		Why:     whyRedirect + "; nginx variables are no URL characters, so they drop the ingress",
		Becomes: ledger.Converted, Target: "HTTPRoute filter RequestRedirect",
		Remedy: "a target with a query or with nginx variables has no RequestRedirect: let an application answer, or use the implementation's own redirect",
	},
	{
		Name: "permanent-redirect-code", Group: groupRedirect, Parser: "redirect", Scope: Location, Risk: Low, Rule: integer,
		Unless: "temporal-redirect", Invalid: DropIngress, Unvalidated: IgnoreGroup, Empty: IgnoreGroup,
		Why:     whyRedirect + "; it is read without permanent-redirect too; numbers outside 300 to 308 mean 301",
		Becomes: ledger.Converted, Target: "RequestRedirect.statusCode",
		Remedy: "codes other than 301, 302, 303, 307 and 308 are not in the API: use the nearest",
	},
	{
		Name: "temporal-redirect", Group: groupRedirect, Parser: "redirect", Scope: Location, Risk: Medium,
		Rule: urlChars, Earlier: urlCharsBefore12, Invalid: DropIngress, Empty: IgnoreGroup,
		Content: httpURL, Malformed: IgnoreGroup, Raw: true,
		Why:     whyRedirect + "; a URL that is not http(s) loses all redirects of the ingress",
		Becomes: ledger.Converted, Target: "HTTPRoute filter RequestRedirect 302",
		Remedy: "a target with a query or with nginx variables has no RequestRedirect: let an application answer, or use the implementation's own redirect",
	},
	{
		Name: "temporal-redirect-code", Group: groupRedirect, Parser: "redirect", Scope: Location, Risk: Low, Rule: integer,
		Since: "v1.12", Invalid: DropIngress, Unvalidated: IgnoreGroup, Empty: IgnoreGroup,
		Why:     "changelog controller-1.12.0-beta.0 (10651); bad values taken to go as those of permanent-redirect-code, not measured",
		Becomes: ledger.Converted, Target: "RequestRedirect.statusCode",
		Remedy: "codes other than 301, 302, 303, 307 and 308 are not in the API: use the nearest",
	},
	{
		Name: "from-to-www-redirect", Group: groupRedirect, Parser: "redirect", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: DropIngress, Unvalidated: IgnoreGroup, Empty: IgnoreGroup, Why: whyRedirect,
		Becomes: ledger.Converted, Target: "HTTPRoute for the other hostname with filter RequestRedirect",
		Remedy: "the other hostname needs a listener and, for HTTPS, a certificate that names it",
	},
	{
		Name: "relative-redirects", Group: groupRedirect, Parser: "redirect", Scope: Location, Risk: Low, Rule: boolean,
		Since: "v1.13", Invalid: DropIngress, Unvalidated: IgnoreGroup, Empty: IgnoreGroup,
		Why:     "pull request 12161; bad values taken to go as those of from-to-www-redirect, not measured; measured: it only makes nginx's own 301 relative",
		Becomes: ledger.Approximated, Target: "RequestRedirect without hostname; implementations answer an absolute Location",
		Remedy: "clients must accept an absolute Location; check those behind a proxy that renames hosts",
	},
	{
		Name: "use-port-in-redirects", Group: groupRedirect, Parser: "portinredirect", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: "portinredirect/main.go Parse uses the ConfigMap's value",
		Becomes: ledger.Approximated, Target: "RequestRedirect.port",
		Remedy: "set the port of the redirect where clients reach the Gateway by another port than its listener's",
	},
}

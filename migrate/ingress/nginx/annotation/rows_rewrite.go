package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupRewrite Group = "Paths and rewrites"

const whyRewrite = "rewrite/main.go Parse replaces each bad value by its default"

var rewriteRows = []Row{
	{
		Name: "app-root", Group: groupRewrite, Parser: "rewrite", Scope: Location, Risk: Medium, Rule: pathCaptures,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true, Content: rootedPath, Malformed: IgnoreValue,
		Why:     "rewrite/main.go Parse: a value that is no absolute path is dropped alone; it acts on the server's / only",
		Becomes: ledger.Converted, Target: "HTTPRoute rule Exact / with filter RequestRedirect 302",
		Remedy: "a value with nginx variables needs the application to send the redirect",
	},
	{
		Name: "preserve-trailing-slash", Group: groupRewrite, Parser: "rewrite", Scope: Location, Risk: Medium, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyRewrite,
		Becomes: ledger.Converted, Target: "the redirect to HTTPS keeps the path as it is, which Gateway API does by itself",
		Remedy: "without it nginx cut one trailing slash off; expect requests to arrive with the slash",
	},
	{
		Name: "rewrite-target", Group: groupRewrite, Parser: "rewrite", Scope: Ingress, Risk: Medium, Rule: pathCaptures,
		Invalid: IgnoreValue, Empty: IgnoreValue, Raw: true,
		Why:     whyRewrite + "; without validation a space or semicolon lands in the file",
		Becomes: ledger.Converted, Target: "HTTPRoute filter URLRewrite (full path or prefix), else the target's regex rewrite",
		Remedy: "where the captures are not the rest of the path, use the implementation's regex rewrite or let the application take the original path",
	},
	{
		Name: "use-regex", Group: groupRewrite, Parser: "rewrite", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue,
		Why:     whyRewrite + "; one such path turns every path of its host into a case-insensitive regex",
		Becomes: ledger.Approximated, Target: "HTTPRoute path match RegularExpression",
		Remedy: "prefer PathPrefix or Exact where the expression only spells one; RegularExpression is implementation specific",
	},
	{
		Name: "ssl-redirect", Group: groupRewrite, Parser: "rewrite", Scope: Location, Risk: Low, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyRewrite + " (ConfigMap ssl-redirect, true)",
		Becomes: ledger.Converted, Target: "HTTPRoute on the HTTP listener with filter RequestRedirect to https",
		Remedy: "choose a redirect code the implementation supports: 301, 302, 303, 307 or 308",
	},
	{
		Name: "force-ssl-redirect", Group: groupRewrite, Parser: "rewrite", Scope: Location, Risk: Medium, Rule: boolean,
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Why: whyRewrite + " (ConfigMap force-ssl-redirect, false)",
		Becomes: ledger.Converted, Target: "HTTPRoute on the HTTP listener with filter RequestRedirect to https",
		Remedy: "behind a proxy that ends TLS, redirect there instead: Gateway API has no match on X-Forwarded-Proto of a trusted hop",
	},
	{
		Name: "x-forwarded-prefix", Group: groupRewrite, Parser: "xforwardedprefix", Scope: Location, Risk: Medium,
		Rule: class("path with captures", captureSet, true), Invalid: DropIngress, Empty: IgnoreValue,
		Why:     "xforwardedprefix/main.go Parse returns the error; the header is sent only where the path is rewritten",
		Becomes: ledger.Converted, Target: "HTTPRoute filter RequestHeaderModifier set X-Forwarded-Prefix",
		Remedy: "a value with captures cannot be computed per request: set a fixed prefix for each path",
	},
}

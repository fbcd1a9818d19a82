package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupClientCertificate Group = "Client certificates"

const (
	whyAuthTLS    = "authtls/main.go Parse returns the error"
	remedyAuthTLS = "put the hosts that ask for client certificates on a Gateway port of their own, or use the implementation's policy; the route stays closed until then"
)

var clientCertificateRows = []Row{
	{
		Name: "auth-tls-secret", Group: groupClientCertificate, Parser: "authtls", Scope: Location, Risk: Medium, Rule: basic,
		Invalid: DropIngress, Empty: IgnoreGroup, Content: namespacedName, Malformed: DenyLocation, Access: true,
		Why:     whyAuthTLS + "; it denies for a name without namespace, another namespace or a missing Secret; it acts on the whole server",
		Becomes: ledger.Approximated, Target: "Gateway spec.tls.frontend validation, for a port rather than a host", Remedy: remedyAuthTLS,
	},
	{
		Name: "auth-tls-verify-client", Group: groupClientCertificate, Parser: "authtls", Scope: Location, Risk: Medium, Needs: "auth-tls-secret",
		Rule: pattern("on, off, optional or optional_no_ca", `^(on|off|optional|optional_no_ca)$`, true),
		// changelog controller-1.12.0-beta.0 (11717)
		Earlier: []EarlierRule{{"v1.12", pattern("contains on, off or optional", `on|off|optional`, true)}},
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true,
		Why:     "authtls/main.go Parse uses on",
		Becomes: ledger.Approximated, Target: "frontend validation mode AllowValidOnly or AllowInsecureFallback", Remedy: remedyAuthTLS,
	},
	{
		Name: "auth-tls-verify-depth", Group: groupClientCertificate, Parser: "authtls", Scope: Location, Risk: Low, Rule: integer, Needs: "auth-tls-secret",
		Invalid: IgnoreValue, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: "authtls/main.go Parse uses 1",
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "give the Gateway only the authorities whose chains you mean to accept",
	},
	{
		Name: "auth-tls-error-page", Group: groupClientCertificate, Parser: "authtls", Scope: Location, Risk: High, Needs: "auth-tls-secret",
		Rule: pattern("redirect target", `^(@[A-Za-z0-9_-]+|((https?://)?[A-Za-z0-9.-]+(:\d+)?)?(/[A-Za-z0-9_.-]+)*/?)$`, true),
		Earlier: []EarlierRule{
			{"v1.12", pattern("redirect target", `^((https?://)?[A-Za-z0-9.-]*(:\d+)?/[A-Za-z0-9.-]*)?$`, true)},
			// changelogs controller-1.14.0 and 1.13.2 (13752) added named locations
			{"v1.13.2", pattern("redirect target", `^(((https?://)?[A-Za-z0-9.-]+(:\d+)?)?(/[A-Za-z0-9_.-]+)*/?)$`, true)},
		},
		Invalid: DropIngress, Empty: IgnoreValue, Raw: true, Access: true, Why: whyAuthTLS,
		Becomes: ledger.Unsupported, Target: "nothing: the handshake or the request is refused",
		Remedy: "tell clients how to get a certificate elsewhere: implementations refuse without a page",
	},
	{
		Name: "auth-tls-pass-certificate-to-upstream", Group: groupClientCertificate, Parser: "authtls", Scope: Location, Risk: Low, Rule: boolean,
		Needs: "auth-tls-secret", Invalid: DropIngress, Unvalidated: IgnoreValue, Empty: IgnoreValue, Access: true, Why: whyAuthTLS,
		Becomes: ledger.Extension, Target: "the target's own client certificate forwarding",
		Remedy: "have the backend read the header that the implementation forwards; ssl-client-cert is nginx's own name",
	},
	{
		Name: "auth-tls-match-cn", Group: groupClientCertificate, Parser: "authtls", Scope: Location, Risk: High, Rule: commonName,
		Needs: "auth-tls-secret", Invalid: DropIngress, Empty: IgnoreValue, Raw: true, Access: true, Why: whyAuthTLS,
		Becomes: ledger.Unsupported, Target: "nothing",
		Remedy: "check the subject in the backend or in the implementation's authorization policy; the route stays closed until then",
	},
}

package annotation

import "github.com/causeway-gateway/causeway/migrate/ledger"

const groupBasicAuth Group = "Basic and digest authentication"

const (
	targetBasicAuth = "the target's own authentication policy"
	remedyBasicAuth = "use the implementation's basic authentication policy, or move the check into the application; the route stays closed until then"
)

var basicAuthRows = []Row{
	{
		Name: "auth-type", Group: groupBasicAuth, Parser: "auth", Scope: Location, Risk: Low, Rule: pattern("contains basic or digest", `basic|digest`, true),
		Invalid: DropIngress, Unvalidated: DenyLocation, Empty: IgnoreGroup, Access: true,
		Why:     "auth/main.go Parse returns the error; without validation its own check denies; empty means no authentication",
		Becomes: ledger.Extension, Target: targetBasicAuth, Remedy: remedyBasicAuth,
	},
	{
		Name: "auth-secret", Group: groupBasicAuth, Parser: "auth", Scope: Location, Risk: Medium, Rule: basic, Needs: "auth-type",
		Invalid: DenyLocation, Empty: DenyLocation, Content: objectKey, Malformed: DenyLocation, Access: true,
		Why:     "auth/main.go Parse denies for any error, a missing annotation or Secret too",
		Becomes: ledger.Extension, Target: targetBasicAuth, Remedy: remedyBasicAuth,
	},
	{
		Name: "auth-secret-type", Group: groupBasicAuth, Parser: "auth", Scope: Location, Risk: Low, Needs: "auth-type",
		Rule:    pattern("contains auth-file or auth-map", `auth-file|auth-map`, true),
		Invalid: DropIngress, Unvalidated: DenyLocation, Empty: IgnoreValue, Access: true,
		Why:     "auth/main.go Parse returns the error; without validation an unknown type denies; empty means auth-file",
		Becomes: ledger.Extension, Target: targetBasicAuth, Remedy: remedyBasicAuth,
	},
	{
		Name: "auth-realm", Group: groupBasicAuth, Parser: "auth", Scope: Location, Risk: Medium, Rule: words, Needs: "auth-type",
		Invalid: DropIngress, Empty: IgnoreValue, Access: true,
		Why:     "auth/main.go Parse returns the error, but only once the Secret was found; the template quotes the realm",
		Becomes: ledger.Extension, Target: targetBasicAuth, Remedy: remedyBasicAuth,
	},
}

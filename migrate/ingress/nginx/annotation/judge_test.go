package annotation

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

type judged struct {
	name, value string
	want        Effect
	reason      string
}

func judgeAll(t *testing.T, version string, validation bool, cases []judged) {
	t.Helper()
	rel := release(t, version)
	for _, c := range cases {
		row, ok := Lookup(c.name)
		if !ok {
			t.Errorf("%s: unknown", c.name)
			continue
		}
		got, err := row.Judge(rel, validation, c.value)
		if got != c.want {
			t.Errorf("%s: %q on %s: %v (%v), want %v: %s", c.name, c.value, version, got, err, c.want, c.reason)
		}
		if (got == UseValue) != (err == nil) {
			t.Errorf("%s: %q: effect %v with error %v", c.name, c.value, got, err)
		}
	}
}

// Measured on the last release, v1.15.1.
func TestValuesMeasuredOnV1_15(t *testing.T) {
	judgeAll(t, "1.15.1", true, []judged{
		{"backend-protocol", "SPDY", IgnoreValue, "HTTP was spoken and the rest of the ingress stood"},
		{"backend-protocol", "Grpc", UseValue, "case does not matter"},
		{"limit-rps", "fast", DropIngress, "its paths answered 404"},
		{"rewrite-target", "/a;b", IgnoreValue, "requests went on without a rewrite"},
		{"rewrite-target", "/a b", IgnoreValue, "requests went on without a rewrite"},
		{"force-ssl-redirect", "maybe", IgnoreValue, "no redirect"},
		{"use-regex", "1", UseValue, "paths were expressions"},
		{"use-regex", "True", UseValue, "paths were expressions"},
		{"use-regex", "yes", IgnoreValue, "paths were plain"},
		{"app-root", "home", IgnoreValue, "no redirect for /"},
		{"permanent-redirect", "https://new.example.net$request_uri", DropIngress, "its paths answered 404"},
		{"permanent-redirect", "https://new.example.net/$1", DropIngress, "its paths answered 404"},
		{"permanent-redirect", "not a url", DropIngress, "its paths answered 404"},
		{"permanent-redirect", "new.example.net", UseValue, "the Location is that word"},
		{"permanent-redirect-code", "999", UseValue, "a number: read as 301"},
		{"permanent-redirect-code", "200", UseValue, "a number: read as 301"},
		{"proxy-body-size", "1Ki", IgnoreValue, "the default of 1m held"},
		{"whitelist-source-range", "198.18.0.100/32, nonsense", DenyLocation, "503 for every address, the good one too"},
		{"server-alias", `~^www\d+\.example\.com$`, UseValue, "www1 was served"},
		{"server-alias", "*.wild.example.net", UseValue, "x.wild was served"},
		{"server-alias", "a;b", IgnoreValue, "the ingress stood without the alias"},
	})
}

// Measured on v1.11, where annotation validation is off.
func TestValuesMeasuredOnV1_11(t *testing.T) {
	judgeAll(t, "1.11", false, []judged{
		{"limit-rps", "fast", IgnoreValue, "the ingress stood without the limit"},
		{"rewrite-target", "/a;b", BreakConfiguration, "unknown directive b"},
		{"rewrite-target", "/a b", BreakConfiguration, "invalid number of arguments"},
		{"permanent-redirect", "https://new.example.net$request_uri", UseValue, "Location with the path and query"},
		{"permanent-redirect", "not a url", BreakConfiguration, "invalid number of arguments in return"},
	})
}

func TestInvalidRewriteTargetDropsOnlyItself(t *testing.T) {
	judgeAll(t, "1.12", true, []judged{
		{"rewrite-target", "/$2?x=1", IgnoreValue, "a question mark is no path character"},
		{"rewrite-target", "/api/$1", UseValue, "captures are"},
	})
}

func TestInvalidAuthTypeDropsTheIngress(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"auth-type", "ldap", DropIngress, "the parser returns the validation error"},
		{"auth-type", "Basic", DropIngress, "case matters"},
		{"auth-type", "basic", UseValue, ""},
	})
	judgeAll(t, "1.11", false, []judged{{"auth-type", "ldap", DenyLocation, "its own check denies"}})
}

func TestInvalidAuthSecretDeniesTheLocation(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"auth-secret", "a b;c", DenyLocation, "any error denies"},
		{"auth-secret", "a/b/c", DenyLocation, "two slashes"},
		{"auth-secret", "", DenyLocation, "empty is an error too"},
		{"auth-secret", "other/users", UseValue, "a Secret of another namespace is for the caller to judge"},
	})
}

func TestInvalidAuthURL(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"auth-url", "http://auth.example.com/check;x", DropIngress, "a character the validator refuses"},
		{"auth-url", "/check", DenyLocation, "no scheme"},
		{"auth-url", "http://a..b/", DenyLocation, "an empty label"},
		{"auth-url", "", IgnoreGroup, "empty means no authentication"},
		{"auth-url", "https://$host/oauth2/auth", UseValue, "variables are allowed"},
	})
}

// A wrapped validation error is none to Extract, so these leave the route open:
// a migration must not take them for a guard that is in force.
func TestSomeInvalidAuthValuesLoseAuthentication(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"auth-cache-duration", "200;5m", IgnoreGroup, "wrapped error"},
		{"auth-request-redirect", "http://x/$uri", IgnoreGroup, "wrapped error"},
		{"auth-always-set-cookie", "yes", IgnoreGroup, "wrapped error"},
		{"auth-cache-duration", "200 202", DenyLocation, "no time"},
		{"auth-cache-duration", "5m 200", DenyLocation, "a code after a time"},
		{"auth-cache-duration", "200 202 10m, 401 5m", UseValue, ""},
	})
}

func TestInvalidAuthResponseHeadersDeny(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"auth-response-headers", "X-User; X-Mail", DenyLocation, "validator"},
		{"auth-response-headers", "X User", DenyLocation, "a space inside a name passes the validator only"},
		{"auth-response-headers", "X-User, X-Mail,", UseValue, "empty entries are skipped"},
		{"auth-method", "FETCH", DenyLocation, "unknown method"},
	})
}

// Parsers look at the content before the template writes the value.
func TestContentIsCheckedBeforeTheFileIsWritten(t *testing.T) {
	judgeAll(t, "1.11", false, []judged{
		{"app-root", "a;b", IgnoreValue, "no absolute path"},
		{"app-root", "/a;b", BreakConfiguration, "an absolute path, unquoted"},
		{"auth-url", "a;b", DenyLocation, "no absolute URL"},
		{"temporal-redirect", "a;b", IgnoreGroup, "no http URL"},
	})
}

func TestBareNamesInTLSSecretsDeny(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"auth-tls-secret", "ca", DenyLocation, "namespace/name is wanted"},
		{"proxy-ssl-secret", "ca", DenyLocation, "namespace/name is wanted"},
		{"auth-tls-secret", "default/ca", UseValue, ""},
		{"auth-tls-match-cn", "example.com", DropIngress, "no CN="},
		{"auth-tls-verify-client", "maybe", IgnoreValue, "on"},
	})
}

func TestInvalidCORSOriginOpensToAll(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{{"cors-allow-origin", "https://a.example;b", IgnoreValue, "the default is *"}})
}

func TestTemporalRedirectNeedsAnHTTPURL(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"temporal-redirect", "new.example.net", IgnoreGroup, "no scheme: all redirects are lost"},
		{"temporal-redirect", "https://new.example.net/a,b", UseValue, "commas from v1.12"},
		{"temporal-redirect", "https://new.example.net/$uri", DropIngress, "variables"},
	})
}

func TestASingleCookieDomainBreaksTheConfigurationBeforeV1_15(t *testing.T) {
	judgeAll(t, "1.14", true, []judged{{"proxy-cookie-domain", "example.com", BreakConfiguration, "nginx wants two words"}})
	judgeAll(t, "1.15", true, []judged{
		{"proxy-cookie-domain", "example.com", IgnoreValue, "the validator wants two words"},
		{"proxy-cookie-domain", "a.example b.example", UseValue, ""},
		{"proxy-cookie-domain", "off", UseValue, ""},
	})
}

func TestAnEmptyListDenies(t *testing.T) {
	judgeAll(t, "1.15", true, []judged{
		{"allowlist-source-range", "", DenyLocation, "any error but a missing annotation denies"},
		{"allowlist-source-range", " ", DenyLocation, "blank is empty"},
		{"denylist-source-range", "", DenyLocation, "the same"},
		{"canary", "", IgnoreValue, "not enabled"},
	})
	judgeAll(t, "1.11", false, []judged{
		{"auth-type", "  ", IgnoreGroup, "blank is empty: no authentication"},
		{"auth-secret-type", "  ", IgnoreValue, "auth-file"},
	})
}

func TestJudgeNeverPanicsAndIsStable(t *testing.T) {
	all := All()
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SampledFrom(all).Draw(t, "row")
		rel := rapid.SampledFrom(Releases()).Draw(t, "release")
		value := rapid.String().Draw(t, "value")
		validation := rapid.Bool().Draw(t, "validation")
		first, err := row.Judge(rel, validation, value)
		second, _ := row.Judge(rel, validation, value)
		if first != second || (first == UseValue) != (err == nil) {
			t.Fatalf("%s %q: %v, %v, %v", row.Name, value, first, second, err)
		}
		if err != nil && !utf8.ValidString(err.Error()) {
			t.Fatalf("error is no text: %q", err)
		}
	})
}

func TestLongValuesMakeShortErrors(t *testing.T) {
	for _, long := range []string{strings.Repeat("a,1/", 200_000), strings.Repeat("a", 500_000), "CN=" + strings.Repeat("(", 1000)} {
		for _, row := range All() {
			if _, err := row.Judge(nil, true, long); err != nil && len(err.Error()) > 1024 {
				t.Errorf("%s: an error of %d bytes", row.Name, len(err.Error()))
			}
		}
	}
}

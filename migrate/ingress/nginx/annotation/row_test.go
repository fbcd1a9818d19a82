package annotation

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

// The names come from three places: the documentation table of v1.11 has 119,
// its code 20 more, and releases after it added 3.
var (
	onlyInCode = strings.Fields(`allowlist-source-range auth-method auth-request-redirect auth-response-headers auth-signin
		auth-signin-redirect-param auth-always-set-cookie disable-proxy-intercept-errors fastcgi-index fastcgi-params-configmap
		limit-allowlist limit-whitelist limit-burst-multiplier limit-rate limit-rate-after limit-rpm opentelemetry-operation-name
		upstream-hash-by-subset upstream-hash-by-subset-size use-port-in-redirects`)
	addedLater = []string{"temporal-redirect-code", "relative-redirects", "proxy-busy-buffers-size"}
	gone       = []string{"global-rate-limit", "global-rate-limit-ignored-cidrs", "global-rate-limit-key", "global-rate-limit-window"}
)

func TestTableHas142Names(t *testing.T) {
	all := Names()
	if len(all) != 142 {
		t.Errorf("%d names, want 142", len(all))
	}
	documented := slices.DeleteFunc(slices.Clone(all), func(n string) bool {
		return slices.Contains(onlyInCode, n) || slices.Contains(addedLater, n)
	})
	if len(documented) != 119 || len(onlyInCode) != 20 || len(addedLater) != 3 {
		t.Errorf("%d documented + %d only in code + %d added later, want 119 + 20 + 3", len(documented), len(onlyInCode), len(addedLater))
	}
	// Two of the names are aliases, which share their canonical row.
	aliases := 0
	for _, row := range All() {
		aliases += len(row.Aliases)
	}
	if len(All()) != 140 || aliases != 2 {
		t.Errorf("%d rows and %d aliases, want 140 and 2", len(All()), aliases)
	}
	if !slices.IsSorted(all) || !slices.IsSortedFunc(All(), func(a, b Row) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted")
	}
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Error("a name stands twice")
	}
}

func TestReleasesAddAndRemoveNames(t *testing.T) {
	old, newest := release(t, "1.11"), release(t, "1.15.1")
	var added, removed []string
	for _, row := range All() {
		switch {
		case !row.In(old) && row.In(newest):
			added = append(added, row.Name)
		case row.In(old) && !row.In(newest):
			removed = append(removed, row.Name)
		}
	}
	want := slices.Sorted(slices.Values(addedLater))
	if diff := cmp.Diff(want, added); diff != "" {
		t.Errorf("added after v1.11 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(gone, removed); diff != "" {
		t.Errorf("removed after v1.11 (-want +got):\n%s", diff)
	}
}

func TestEveryRowIsComplete(t *testing.T) {
	for _, row := range All() {
		if row.Rule.check == nil || row.Rule.Name == "" {
			t.Errorf("%s: no rule", row.Name)
		}
		if row.Group == "" || row.Parser == "" || row.Scope == "" || row.Why == "" || row.Target == "" {
			t.Errorf("%s: group, parser, scope, why or target is missing", row.Name)
		}
		if !slices.Contains(ledger.Order, row.Becomes) {
			t.Errorf("%s: status %q", row.Name, row.Becomes)
		}
		if row.Remedy == "" {
			t.Errorf("%s: no remedy", row.Name)
		}
		for _, other := range []string{row.Needs, row.Unless} {
			if _, ok := Lookup(other); other != "" && !ok {
				t.Errorf("%s refers to %s, which does not exist", row.Name, other)
			}
		}
		if row.Invalid == UseValue && !row.Snippet {
			t.Errorf("%s: what does a bad value do?", row.Name)
		}
		if row.Content != nil && row.Malformed == UseValue {
			t.Errorf("%s: what does a malformed value do?", row.Name)
		}
		if row.Snippet && (!row.Access || row.Risk != Critical) {
			t.Errorf("%s: a snippet may deny access and is Critical", row.Name)
		}
		for _, e := range row.Earlier {
			if _, _, err := parseRelease(e.Before); err != nil {
				t.Errorf("%s: %v", row.Name, err)
			}
		}
	}
}

func TestCountOfRisks(t *testing.T) {
	// The published table of risks (annotations-risk.md) of the last releases,
	// and v1.11's code for the four that are gone.
	got := map[Risk][]string{}
	for _, row := range All() {
		if row.Risk >= High {
			got[row.Risk] = append(got[row.Risk], row.Name)
		}
	}
	want := map[Risk][]string{
		High: {"auth-signin", "auth-tls-error-page", "auth-tls-match-cn", "auth-url", "global-rate-limit-key", "mirror-host", "mirror-target",
			"modsecurity-transaction-id", "proxy-ssl-name", "server-alias", "upstream-hash-by"},
		Critical: {"auth-snippet", "configuration-snippet", "modsecurity-snippet", "server-snippet", "stream-snippet"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnAliasFindsItsCanonicalRow(t *testing.T) {
	for alias, name := range map[string]string{"whitelist-source-range": "allowlist-source-range", "limit-whitelist": "limit-allowlist"} {
		row, ok := Lookup(alias)
		if !ok || row.Name != name {
			t.Errorf("Lookup(%s) = %v, %v; want %s", alias, row, ok, name)
		}
	}
	if _, ok := Lookup("no-such"); ok {
		t.Error("found an annotation that does not exist")
	}
}

func TestLookupReturnsACopy(t *testing.T) {
	row, _ := Lookup("canary")
	row.Risk = Critical
	again, _ := Lookup("canary")
	if again.Risk != Low {
		t.Error("a caller changed the table")
	}
}

func TestRiskyNamesStandAboveTheLevel(t *testing.T) {
	names := []string{"server-snippet", "auth-url", "auth-url", "canary", "whitelist-source-range", "made-up"}
	for _, c := range []struct {
		level Risk
		want  []string
	}{
		{Critical, nil},
		{High, []string{"server-snippet"}},
		{Medium, []string{"auth-url", "server-snippet"}},
		{Low, []string{"auth-url", "server-snippet", "whitelist-source-range"}},
	} {
		if diff := cmp.Diff(c.want, Risky(names, c.level)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.level, diff)
		}
	}
}

func TestParseRiskTakesUnknownForLow(t *testing.T) {
	for in, want := range map[string]Risk{"High": High, "critical": Critical, "MEDIUM": Medium, "": Low, "none": Low} {
		if got := ParseRisk(in); got != want {
			t.Errorf("ParseRisk(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestAccessAnnotationsAreMarked(t *testing.T) {
	for _, row := range All() {
		guard := strings.HasPrefix(row.Name, "auth-") || strings.Contains(row.Name, "modsecurity") || row.Snippet ||
			slices.Contains([]string{"satisfy", "allowlist-source-range", "denylist-source-range", "enable-global-auth", "enable-owasp-core-rules"}, row.Name)
		if row.Access != guard {
			t.Errorf("%s: Access is %v, want %v", row.Name, row.Access, guard)
		}
	}
}

func release(t *testing.T, s string) *ReleaseInfo {
	t.Helper()
	r, err := Release(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

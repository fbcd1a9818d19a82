package annotation

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

func TestReleaseSpellings(t *testing.T) {
	for in, want := range map[string]string{
		"v1.9": "v1.9.6", "1.15": "v1.15.1", "1.15.1": "v1.15.1", "v1.15.0": "v1.15.0", "1.11": "v1.11.8", "controller-v1.12.3": "v1.12.3",
	} {
		if r := release(t, in); r.Name != want {
			t.Errorf("Release(%q) is %s, want %s", in, r.Name, want)
		}
	}
	for _, in := range []string{"", "1", "v2.0", "1.8", "1.16", "1.12.x", "latest", "1.12.3.4", "1.-1", "1.999"} {
		if r, err := Release(in); err == nil {
			t.Errorf("Release(%q) is %s, want an error", in, r.Name)
		}
	}
}

func TestV1_12TurnsSecurityDefaultsOn(t *testing.T) {
	old := &ReleaseInfo{Name: "v1.11.8", Minor: 11, Patch: 8, AllowCrossNamespaceResources: true, AnnotationsRiskLevel: Critical,
		PermanentRedirectVariables: true, CustomHeaders: true, GlobalRateLimit: true}
	if diff := cmp.Diff(old, release(t, "1.11")); diff != "" {
		t.Errorf("v1.11 (-want +got):\n%s", diff)
	}
	newer := &ReleaseInfo{Name: "v1.12.0", Minor: 12, AnnotationValidation: true, StrictValidatePathType: true, AnnotationsRiskLevel: High,
		TemporalRedirectCode: true, WWWRedirectPort: true, CustomHeaders: true}
	if diff := cmp.Diff(newer, release(t, "1.12.0")); diff != "" {
		t.Errorf("v1.12.0 (-want +got):\n%s", diff)
	}
	last := &ReleaseInfo{Name: "v1.15.1", Minor: 15, Patch: 1, AnnotationValidation: true, StrictValidatePathType: true, DotInStrictPaths: true,
		AnnotationsRiskLevel: High, AliasesRisked: true, TemporalRedirectCode: true, RelativeRedirects: true, WWWRedirectPort: true,
		QuotedLocations: true, CustomHeaders: true}
	if diff := cmp.Diff(last, release(t, "1.15.1")); diff != "" {
		t.Errorf("v1.15.1 (-want +got):\n%s", diff)
	}
}

func TestBackportsCountFromTheirPatchOn(t *testing.T) {
	for in, want := range map[string]bool{"1.12": false, "1.13.6": false, "1.13.7": true, "1.14.0": false, "1.14.2": false, "1.14.3": true, "1.15.0": true} {
		if got := release(t, in).QuotedLocations; got != want {
			t.Errorf("QuotedLocations of %s is %v, want %v", in, got, want)
		}
	}
}

func TestReleasesAreInOrder(t *testing.T) {
	all := Releases()
	if len(all) != 7 {
		t.Fatalf("%d releases, want 7", len(all))
	}
	for i := 1; i < len(all); i++ {
		if !all[i-1].Before(all[i].Name) || all[i].Before(all[i-1].Name) {
			t.Errorf("%s and %s are out of order", all[i-1].Name, all[i].Name)
		}
	}
}

func TestEveryConfigKeyIsComplete(t *testing.T) {
	keys := Keys()
	for i, k := range keys {
		if i > 0 && keys[i-1].Name >= k.Name {
			t.Errorf("%s after %s", k.Name, keys[i-1].Name)
		}
		if k.Type == "" || k.Affects == "" || k.Words == "" || !slices.Contains(ledger.Order, k.Becomes) {
			t.Errorf("%s: type, affects, words or status is missing", k.Name)
		}
		if _, ok := Lookup(k.Row); k.Row != "" && !ok {
			t.Errorf("%s is the default of %s, which does not exist", k.Name, k.Row)
		}
		if got, ok := ConfigKey(k.Name); !ok || got.Name != k.Name {
			t.Errorf("ConfigKey(%s) = %v, %v", k.Name, got, ok)
		}
	}
	if _, ok := ConfigKey("no-such"); ok {
		t.Error("found a key that does not exist")
	}
}

func TestDefaultsOfConfigKeysFollowTheRelease(t *testing.T) {
	for _, c := range []struct{ key, version, want string }{
		{"annotations-risk-level", "1.11", "Critical"},
		{"annotations-risk-level", "1.12", "High"},
		{"strict-validate-path-type", "1.11", "false"},
		{"allow-cross-namespace-resources", "1.15", "false"},
		{"proxy-body-size", "1.9", "1m"},
	} {
		key, ok := ConfigKey(c.key)
		if !ok || key.DefaultIn(release(t, c.version)) != c.want {
			t.Errorf("%s on %s is not %s", c.key, c.version, c.want)
		}
	}
	plugins, _ := ConfigKey("plugins")
	if !plugins.In(release(t, "1.11")) || plugins.In(release(t, "1.12")) || plugins.In(nil) {
		t.Error("plugins left with v1.12")
	}
}

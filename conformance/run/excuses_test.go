package run

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/semver"
)

func TestExcusesOfASuite(t *testing.T) {
	all := Excuses{
		{Name: "Always", Reason: "a"},
		{Name: "Both", Reason: "old", Suites: []string{"v1.6"}},
		{Name: "Both", Reason: "new", Suites: []string{"v1.7", "v1.8"}},
	}
	for release, want := range map[string]map[string]string{
		"v1.5.1":      {"Always": "a"},
		"v1.6.3":      {"Always": "a", "Both": "old"},
		"v1.7.0-rc.1": {"Always": "a", "Both": "new"},
	} {
		got := map[string]string{}
		for _, name := range []string{"Always", "Both", "Never"} {
			if why, ok := all.reason(name, release); ok {
				got[name] = why
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", release, diff)
		}
	}
}

func TestPlanIgnoresExcusesOfOtherSuites(t *testing.T) {
	l := fakeListing()
	plan := func(suites ...string) *Plan {
		t.Helper()
		p, err := NewPlan(l, &Options{Profiles: []string{"GATEWAY-HTTP"}, Implementation: Implementation{
			GatewayClass: "x",
			SkipTests:    Excuses{{Name: "GatewayBasics", Reason: "a", Suites: suites}},
			KnownToFail:  Excuses{{Name: "Gone", Reason: "b", Suites: suites}},
		}}, []string{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := plan("v0.1"); !slices.Contains(p.names(), "GatewayBasics") || len(p.Warnings) > 0 {
		t.Errorf("tests %v, warnings %v: the excuses are for another suite", p.names(), p.Warnings)
	}
	if p := plan(semver.MajorMinor(l.Version)); slices.Contains(p.names(), "GatewayBasics") || len(p.Warnings) != 1 {
		t.Errorf("tests %v, warnings %v: the excuses are for this suite, which has no test Gone", p.names(), p.Warnings)
	}
}

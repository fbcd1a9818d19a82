package cmd

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/causeway-gateway/causeway/conformance/implementation"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

func TestDescribed(t *testing.T) {
	d := &implementation.Descriptor{
		Name: "acme",
		Implementation: implementation.Identity{
			Organization: "acme", Project: "gateway", URL: "https://acme.example", Contact: []string{"@acme"}, Version: "v1.2.3",
		},
		GatewayClass: &implementation.GatewayClass{Name: "acme", ControllerName: "acme.example/c"},
		Mesh:         &implementation.Mesh{Name: "mesh", NamespaceLabels: map[string]string{"inject": "yes"}},
		Profiles:     []string{"GATEWAY-HTTP"},
		Features:     &implementation.Features{Supported: []string{"Gateway"}, Exempt: []string{"HTTPRouteCORS"}},
		Timeouts:     map[string]string{"requestTimeout": "30s"},
		Addresses:    &implementation.Addresses{Usable: []implementation.Address{{Type: "IPAddress", Value: "198.51.100.1"}}},
		Tests: &implementation.Tests{
			Skip:        []implementation.Excuse{{Name: "A", Reason: "a"}},
			KnownToFail: []implementation.Excuse{{Name: "B", Reason: "b", Suites: []string{"v1.7"}}},
		},
	}
	m := &implementation.Method{Logs: []implementation.Logs{{Namespace: "acme", Selector: "app=acme"}}}
	want := &conformance.Implementation{
		Name: "acme", Organization: "acme", Project: "gateway", URL: "https://acme.example", Contact: []string{"@acme"}, Version: "v1.2.3",
		Mode: "default", GatewayClass: "acme", Controller: "acme.example/c",
		Mesh: "mesh", NamespaceLabels: map[string]string{"inject": "yes"},
		Profiles: []string{"GATEWAY-HTTP"}, Features: []string{"Gateway"}, Exempt: []string{"HTTPRouteCORS"},
		Timeouts:        map[string]string{"requestTimeout": "30s"},
		UsableAddresses: []conformance.Address{{Type: "IPAddress", Value: "198.51.100.1"}},
		SkipTests:       conformance.Excuses{{Name: "A", Reason: "a"}}, KnownToFail: conformance.Excuses{{Name: "B", Reason: "b", Suites: []string{"v1.7"}}},
		Logs: []conformance.LogSource{{Namespace: "acme", Selector: "app=acme"}},
	}
	got := described(d, m, implementation.Embedded, time.Minute)
	if got.Install == nil {
		t.Error("nothing installs it")
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(conformance.Implementation{}, "Install")); diff != "" {
		t.Errorf("a descriptor's word does not arrive (-want +got):\n%s", diff)
	}
}

func TestWaitWithin(t *testing.T) {
	for _, tc := range []struct {
		reason            string
		wait, limit, want time.Duration
	}{
		{"the descriptor's time is shorter", time.Minute, 10 * time.Minute, time.Minute},
		{"the installer gives up before the run does", 5 * time.Minute, 20 * time.Second, 19 * time.Second},
	} {
		if got := waitWithin(tc.wait, tc.limit); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
		}
	}
}

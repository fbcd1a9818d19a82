package cmd

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// TestDescribedKeepsWhatADescriptorSays: what the suite runs against is what the
// descriptor claims, for every entry of the catalogue and every cluster it can be
// installed in.
func TestDescribedKeepsWhatADescriptorSays(t *testing.T) {
	installed := 0
	for _, name := range implementation.Names() {
		d, err := implementation.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []implementation.Provider{implementation.Embedded, implementation.Existing} {
			if _, err := d.MethodFor(p); err != nil {
				continue // it says itself that it cannot
			}
			installed++
			got, err := described(d, p, time.Minute)
			if err != nil {
				t.Errorf("%s on %s: %v", name, p, err)
				continue
			}
			if diff := cmp.Diff([]any{d.Name, d.Implementation.Version, d.Profiles}, []any{got.Name, got.Version, got.Profiles}); diff != "" {
				t.Errorf("%s on %s (-descriptor +run):\n%s", name, p, diff)
			}
			if got.Install == nil || d.GatewayClass != nil && (got.GatewayClass != d.GatewayClass.Name || got.Controller != d.GatewayClass.ControllerName) {
				t.Errorf("%s on %s: installation or class is lost: %+v", name, p, got)
			}
			if d.Tests != nil && len(got.SkipTests)+len(got.KnownToFail) != len(d.Tests.Skip)+len(d.Tests.KnownToFail) {
				t.Errorf("%s on %s: tests are lost", name, p)
			}
		}
	}
	if installed < 8 {
		t.Errorf("only %d ways to install were tried", installed)
	}
}

package oracle

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// manifests are the folders of Istio's module that hold what users are shown,
// and what its own conversion of the Gateway API is tested with.
var manifests = []string{"samples", "pilot/pkg/config/kube/gateway/testdata", "tests/integration/pilot/testdata"}

// TestIstioManifests converts the manifests that Istio ships: nothing crashes,
// the output is valid, every leaf has an entry, and verification finds nothing
// that the ledger does not announce.
func TestIstioManifests(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, files, routed := strings.TrimSpace(string(dir)), 0, 0
	for _, folder := range manifests {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			name := strings.TrimSuffix(path, ".golden")
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".json") {
				return err
			}
			files++
			t.Run(strings.TrimPrefix(path, root+"/"), func(t *testing.T) {
				// Templates and other documents that are no objects are named as
				// problems; what is readable of the file is converted.
				set, _, err := source.Read(t.Context(), source.Options{Files: []string{path}})
				if err != nil {
					t.Fatal(err)
				}
				if len(set.Others) > 0 {
					routed++
				}
				holdManifest(t, set)
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if routed < 100 {
		t.Errorf("only %d of %d files hold objects", routed, files)
	}
}

func holdManifest(t *testing.T, set *source.Set) {
	res, err := migrate.Run(t.Context(), set, migrate.Options{Emit: emit.Options{Version: gatewayapi.Default, Channel: gatewayapi.Standard}, Validate: validate.Full})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range res.Issues {
		t.Errorf("invalid output: %v", i)
	}
	v, problems, err := migrate.Check(t.Context(), res)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", problems, err)
	}
	for _, d := range v.Surprises() {
		t.Errorf("%s: %v:\n%s\n%s", name(&d.Request), d.Aspects, show(d.Before), show(d.After))
	}
	for _, o := range set.Others {
		a := &ledger.Account{Tree: o.Tree()}
		for _, e := range res.Ledger.Entries {
			if e.Object == o.Ref {
				a.Add(e)
			}
		}
		if left := a.Uncovered(); len(left) > 0 {
			t.Errorf("%s: no entry for %q", o.Ref, left)
		}
	}
}

package output

import (
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// The folder is a kustomization as it stands: kubectl apply -k DIR takes it.
func TestDirBuildsWithKustomize(t *testing.T) {
	for _, format := range []string{YAML, JSON} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			mustWrite(t, Options{Dir: dir, Format: format}, testClass(), testRoute("shop", "a"), testRoute("shop", "b"), testRoute("pay", "a"))
			m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if m.Size() != 4 {
				t.Errorf("%d objects, want 4", m.Size())
			}
		})
	}
}

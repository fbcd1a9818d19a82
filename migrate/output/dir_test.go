package output

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// tree returns the content of every file below dir, without the marker.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		if rel != markerFile {
			files[filepath.ToSlash(rel)] = string(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func names(files map[string]string) []string {
	out := []string{}
	for n := range files {
		out = append(out, n)
	}
	return out
}

func mustWrite(t *testing.T, o Options, objs ...client.Object) *Summary {
	t.Helper()
	s, err := WriteDir(t.Context(), objs, o, fromSelf)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if d := cmp.Diff(want, got, sorted, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestDirOneFilePerNamespaceAndKind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "out")
	s := mustWrite(t, Options{Dir: dir}, testRoute("shop", "b"), testClass(), testRoute("pay", "a"), testRoute("shop", "a"),
		testUnstructured("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", "shop", "p"))
	want := []string{"_cluster/gatewayclass.yaml", "kustomization.yaml", "pay/httproute.yaml",
		"shop/httproute.yaml", "shop/securitypolicy.gateway.envoyproxy.io.yaml"}
	files := tree(t, dir)
	same(t, "files", want, names(files))
	same(t, "summary", &Summary{Written: want}, s)
	if f := files["shop/httproute.yaml"]; strings.Count(f, "kind: HTTPRoute") != 2 || strings.Index(f, "name: b") > strings.Index(f, "name: a") {
		t.Errorf("shop/httproute.yaml does not hold both routes in the given order:\n%s", f)
	}
	var k struct{ Resources []string }
	if err := yaml.Unmarshal([]byte(files["kustomization.yaml"]), &k); err != nil {
		t.Fatal(err)
	}
	same(t, "resources", []string{"_cluster/gatewayclass.yaml", "pay/httproute.yaml", "shop/httproute.yaml",
		"shop/securitypolicy.gateway.envoyproxy.io.yaml"}, k.Resources)
}

func TestDirJSON(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, Options{Dir: dir, Format: JSON}, testRoute("shop", "a"))
	files := tree(t, dir)
	same(t, "files", []string{"kustomization.yaml", "shop/httproute.json"}, names(files))
	if !json.Valid([]byte(files["shop/httproute.json"])) {
		t.Error("shop/httproute.json is no JSON")
	}
}

func TestDirSecondRunChangesNothing(t *testing.T) {
	dir := t.TempDir()
	first := mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"))
	same(t, "summary", &Summary{Unchanged: first.Written}, mustWrite(t, Options{Dir: dir}, testRoute("shop", "a")))
}

func TestDirOverwritesWhatItWrote(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"))
	s := mustWrite(t, Options{Dir: dir}, testRoute("shop", "b"))
	same(t, "summary", &Summary{Written: []string{"shop/httproute.yaml"}, Unchanged: []string{"kustomization.yaml"}}, s)
	if f := tree(t, dir)["shop/httproute.yaml"]; !strings.Contains(f, "name: b") {
		t.Errorf("not overwritten:\n%s", f)
	}
}

func TestDirConflictsWriteNothing(t *testing.T) {
	cases := map[string]struct {
		reason  string
		prepare func(t *testing.T, dir string)
		want    []string
	}{
		"foreign file": {"it belongs to somebody else", func(t *testing.T, dir string) {
			put(t, dir, "shop/httproute.yaml", "mine\n")
		}, []string{"shop/httproute.yaml"}},
		"foreign kustomization": {"a folder in use by kustomize", func(t *testing.T, dir string) {
			put(t, dir, "kustomization.yaml", "resources: []\n")
		}, []string{"kustomization.yaml"}},
		"edited since": {"a hand-made change would be lost", func(t *testing.T, dir string) {
			mustWrite(t, Options{Dir: dir}, testRoute("shop", "old"))
			put(t, dir, "shop/httproute.yaml", "edited\n")
		}, []string{"shop/httproute.yaml"}},
		"two": {"each one is named", func(t *testing.T, dir string) {
			put(t, dir, "kustomization.yaml", "x\n")
			put(t, dir, "pay/httproute.yaml", "y\n")
		}, []string{"kustomization.yaml", "pay/httproute.yaml"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.prepare(t, dir)
			before := tree(t, dir)
			objs := []client.Object{testRoute("shop", "a"), testRoute("pay", "a")}
			for _, dry := range []bool{true, false} {
				_, err := WriteDir(t.Context(), objs, Options{Dir: dir, DryRun: dry}, fromSelf)
				var conflict *ConflictError
				if !errors.As(err, &conflict) {
					t.Fatalf("%s: error %v", c.reason, err)
				}
				same(t, "files named", c.want, conflict.Files)
				same(t, "folder", before, tree(t, dir))
			}
			mustWrite(t, Options{Dir: dir, Force: true}, objs...)
			if f := tree(t, dir)["shop/httproute.yaml"]; !strings.Contains(f, "name: a") {
				t.Errorf("force did not overwrite:\n%s", f)
			}
		})
	}
}

func TestDirRemovesWhatIsNoLongerProduced(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"), testRoute("pay", "a"), testRoute("old", "a"))
	put(t, dir, "old/httproute.yaml", "edited\n")
	put(t, dir, "pay/notes.txt", "foreign\n")
	for _, force := range []bool{false, true} { // an edited file is kept even by force, and reported each time
		s := mustWrite(t, Options{Dir: dir, Force: force}, testRoute("shop", "a"))
		same(t, "kept", []string{"old/httproute.yaml"}, s.Kept)
		if !force {
			same(t, "removed", []string{"pay/httproute.yaml"}, s.Removed)
		}
		same(t, "files", []string{"kustomization.yaml", "old/httproute.yaml", "pay/notes.txt", "shop/httproute.yaml"}, names(tree(t, dir)))
	}
}

func TestDirRemovesEmptiedFolder(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"), testRoute("pay", "a"))
	mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"))
	if _, err := os.Stat(filepath.Join(dir, "pay")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("pay is still there: %v", err)
	}
}

func TestDirDryRun(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	s := mustWrite(t, Options{Dir: missing, DryRun: true}, testRoute("shop", "a"))
	same(t, "written", []string{"kustomization.yaml", "shop/httproute.yaml"}, s.Written)
	if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a dry run created the folder")
	}
	mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"), testRoute("pay", "a"))
	before := tree(t, dir)
	s = mustWrite(t, Options{Dir: dir, DryRun: true}, testRoute("shop", "b"))
	same(t, "summary", &Summary{Written: []string{"kustomization.yaml", "shop/httproute.yaml"}, Removed: []string{"pay/httproute.yaml"}}, s)
	same(t, "folder", before, tree(t, dir))
}

func TestDirNamesCannotEscape(t *testing.T) {
	for _, evil := range []string{"..", ".", "../../etc", "/etc", "a/b", `a\b`, "C:", "_cluster", "A", "a\x00b", strings.Repeat("a", 300), "kustomization.yaml"} {
		t.Run(evil, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "x", "out")
			mustWrite(t, Options{Dir: dir}, testUnstructured("v1", "Service", evil, "a"), testUnstructured("v1", evil, "shop", "a"),
				testUnstructured("a.example/v1", "Policy", "shop", "b"), testClass())
			for name := range tree(t, parent) {
				if !strings.HasPrefix(name, "x/out/") || strings.Count(name, "/") > 3 || len(name) > 150 {
					t.Errorf("wrote %q", name)
				}
			}
			if n := len(tree(t, dir)); n != 5 {
				t.Errorf("%d files: %q", n, names(tree(t, dir)))
			}
			// The marker of such a run is readable again.
			if s := mustWrite(t, Options{Dir: dir}, testClass()); len(s.Removed) != 3 || len(s.Kept) != 0 {
				t.Errorf("second run: %+v", s)
			}
		})
	}
}

func TestDirLinksAreNotFollowed(t *testing.T) {
	for name, link := range map[string]string{"namespace folder": "shop", "file": "kustomization.yaml"} {
		t.Run(name, func(t *testing.T) {
			dir, outside := t.TempDir(), t.TempDir()
			put(t, outside, "target", "untouched\n")
			target := outside
			if name == "file" {
				target = filepath.Join(outside, "target")
			}
			if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
				t.Skip(err)
			}
			if _, err := WriteDir(t.Context(), []client.Object{testRoute("shop", "a")}, Options{Dir: dir, Force: true}, nil); err == nil {
				t.Error("written through a link")
			}
			same(t, "outside", map[string]string{"target": "untouched\n"}, tree(t, outside))
		})
	}
}

func TestDirHostileMarker(t *testing.T) {
	for name, marker := range map[string]string{
		"parent":     `{"version":1,"files":{"../victim.yaml":"sha256:"}}`,
		"absolute":   `{"version":1,"files":{"/etc/passwd":"x"}}`,
		"hidden":     `{"version":1,"files":{".git/config.yaml":"x"}}`,
		"not yaml":   `{"version":1,"files":{"shop/main.go":"x"}}`,
		"no JSON":    `{`,
		"new format": `{"version":99}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, markerFile, marker)
			_, err := WriteDir(t.Context(), []client.Object{testRoute("shop", "a")}, Options{Dir: dir}, nil)
			if err == nil || !strings.Contains(err.Error(), markerFile) || !strings.Contains(err.Error(), "--force") {
				t.Errorf("error %v", err)
			}
			mustWrite(t, Options{Dir: dir, Force: true}, testRoute("shop", "a"))
		})
	}
}

func TestDirLeavesNoTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "shop/.causeway-httproute.yaml.tmp", "left by an interrupted run")
	mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"))
	same(t, "files", []string{"kustomization.yaml", "shop/httproute.yaml"}, names(tree(t, dir)))
}

// A context that ends while files are staged leaves the folder as it was.
func TestDirCanceled(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, Options{Dir: dir}, testRoute("shop", "a"))
	before := tree(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	d := &canceledAfter{Context: ctx, left: 5, cancel: cancel} // three files compared, one staged
	_, err := WriteDir(d, []client.Object{testRoute("shop", "b"), testRoute("pay", "b")}, Options{Dir: dir}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	same(t, "folder", before, tree(t, dir))
}

type canceledAfter struct {
	context.Context
	left   int
	cancel func()
}

func (c *canceledAfter) Err() error {
	if c.left--; c.left <= 0 {
		c.cancel()
	}
	return c.Context.Err()
}

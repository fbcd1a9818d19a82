package components

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// checkout is a working tree with a component of the real table's layout that
// builds in a moment: the echo server's module, with a program of its own.
func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.mod", "module "+buildcache.Module+"\n\ngo 1.26.0\n")
	write(t, root, "hack/components/go.mod", "module example.com/components\n\ngo 1.26.0\n")
	write(t, root, "hack/components/go.sum", "")
	write(t, root, "hack/components/controlplane/main.go", "package main\n\nfunc main() { println(\"built\") }\n")
	return root
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestFindBeside(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ControlPlane, "")
	got, err := Finder{Beside: dir, Checkout: "/nowhere", Cache: "/nowhere"}.Find(t.Context(), ControlPlane)
	if err != nil || got != filepath.Join(dir, ControlPlane) {
		t.Errorf("got %s, %v: a release has its programs beside it", got, err)
	}
}

func TestFindErrors(t *testing.T) {
	if _, err := (Finder{}).Find(t.Context(), "unheard-of"); err == nil || !strings.Contains(err.Error(), ControlPlane) {
		t.Errorf("an unknown name gets the known ones, not %v", err)
	}
	t.Chdir(t.TempDir())
	if _, err := (Finder{Beside: "/nowhere"}).Find(t.Context(), ControlPlane); err == nil || !errors.Is(err, buildcache.ErrNoSource) {
		t.Errorf("without a checkout the error says so, not %v", err)
	}
}

func TestBuildOnce(t *testing.T) {
	root, cache := checkout(t), t.TempDir()
	var mu sync.Mutex
	var said []string
	f := Finder{Beside: "/nowhere", Checkout: root, Cache: cache, Logf: func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprintf(format, args...))
	}}
	paths := make([]string, 4)
	var all sync.WaitGroup
	for i := range paths {
		all.Go(func() {
			var err error
			if paths[i], err = f.Find(t.Context(), ControlPlane); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if diff := cmp.Diff([]string{paths[0], paths[0], paths[0], paths[0]}, paths); diff != "" || paths[0] == "" {
		t.Fatalf("all get the same program: %s", diff)
	}
	if n := strings.Count(strings.Join(said, "\n"), "built "); n != 1 {
		t.Errorf("it was built %d times:\n%s", n, strings.Join(said, "\n"))
	}
	left, err := filepath.Glob(filepath.Join(cache, "*.tmp*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the cache: %v, %v", left, err)
	}

	write(t, root, "hack/components/controlplane/main.go", "package main\n\nfunc main() { println(\"other\") }\n")
	other, err := f.Find(t.Context(), ControlPlane)
	if err != nil || other == paths[0] {
		t.Errorf("got %s, %v: other sources are another program", other, err)
	}
	write(t, root, "hack/components/controlplane/main.go", "package main\n\nfunc main() { nonsense }\n")
	if _, err := f.Find(t.Context(), ControlPlane); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("the compiler's words are in the error, not %v", err)
	}
}

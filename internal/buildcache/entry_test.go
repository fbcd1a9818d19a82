package buildcache

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
)

// The keys of builds in these tests.
const (
	mine  = "00000000000000aa"
	other = "00000000000000bb"
)

func age(t *testing.T, path string) {
	t.Helper()
	old := time.Now().Add(-2 * keep)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

// folders are those in dir.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		if f.IsDir() {
			out = append(out, f.Name())
		}
	}
	return out
}

func TestPruneRemovesOnlyUnusedBuildsOfTheComponent(t *testing.T) {
	dir := t.TempDir()
	kept := map[string]string{
		"tool-" + mine:            "it was just built",
		"tool-client-" + other:    "it is another component's",
		"tool-00000000000000cc":   "somebody asked for it lately",
		"tool-notes":              "it is no build",
		"tool-" + other + "00":    "its key is of another length",
		"other-" + other:          "it is another component's",
		"tool-00000000000000dd":   "somebody has its lock",
		"tool-00000000000000ee":   "a build that takes long has its lock",
		"tool-" + other + ".lock": "a lock file stays",
	}
	removed := []string{"tool-" + other, "tool-00000000000000ff" + ending + "123"}
	for name := range kept {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, lockEnding) {
			write(t, path, "")
		} else {
			write(t, filepath.Join(path, "tool"), "")
		}
		if name != "tool-00000000000000cc" {
			age(t, path)
		}
	}
	for _, name := range removed {
		write(t, filepath.Join(dir, name, "tool"), "")
		age(t, filepath.Join(dir, name))
	}
	locks := map[string]func(*flock.Flock) (bool, error){"tool-00000000000000dd": (*flock.Flock).TryRLock, "tool-00000000000000ee": (*flock.Flock).TryLock}
	for name, take := range locks {
		lock := flock.New(filepath.Join(dir, name+lockEnding))
		if ok, err := take(lock); !ok || err != nil {
			t.Fatal(ok, err)
		}
		t.Cleanup(func() { _ = lock.Close() })
	}

	entry{Component: Component{Name: "tool"}, family: dir, prefix: "tool-", key: mine}.prune(time.Now().Add(-keep))

	for name, why := range kept {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone, although %s", name, why)
		}
	}
	for _, name := range removed {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}

// A build prunes, asking for a build keeps it, and both hold in each layout.
func TestBuildsPruneWhatNobodyAsksFor(t *testing.T) {
	for name, tc := range map[string]struct {
		prefix string
		folder func(cache string) string
	}{
		"of a suite":     {"", func(string) string { return "" }},
		"of a component": {"tool-", func(cache string) string { return filepath.Join(cache, "components") }},
	} {
		t.Run(name, func(t *testing.T) {
			cache, key := t.TempDir(), mine
			t.Setenv("XDG_CACHE_HOME", cache)
			c := Component{
				Name: "tool", Executable: true, Beside: []string{}, Dir: t.TempDir(), Folder: tc.folder(cache),
				Key:   func(context.Context) (string, error) { return key, nil },
				Build: func(_ context.Context, out string, _ io.Writer) error { return os.WriteFile(out, nil, 0o755) },
			}
			find := func(k string) string {
				t.Helper()
				key = k
				path, err := Find(t.Context(), c, nil)
				if err != nil {
					t.Fatal(err)
				}
				return filepath.Dir(path)
			}
			used, unused := find(mine), find(other)
			age(t, used)
			age(t, unused)
			killed := filepath.Join(filepath.Dir(used), tc.prefix+"00000000000000cc"+ending+"1") // of a build of what is asked for last
			write(t, filepath.Join(killed, "tool"), "half")
			find(mine)
			last := find("00000000000000cc")
			want := []string{tc.prefix + mine, tc.prefix + "00000000000000cc"}
			if diff := cmp.Diff(want, folders(t, filepath.Dir(last))); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if find(other) != unused {
				t.Error("what was pruned is built again in the same place")
			}
		})
	}
}

func TestAReadOnlyCacheServes(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("nothing is read-only to root")
	}
	dir := t.TempDir()
	e := entry{Component: Component{Name: "tool"}, family: dir, prefix: "tool-", key: mine}
	write(t, e.path(), "")
	for path, mode := range map[string]os.FileMode{dir: 0o555, e.dir(): 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
	}
	if !e.used() {
		t.Error("a build is there, and is not found")
	}
}

func TestOnlyProgramsAreExecutable(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "folder", "x"), "")
	write(t, filepath.Join(dir, "text"), "")
	for _, name := range []string{"folder", "text"} {
		if !(Component{Name: name}).isAt(filepath.Join(dir, name)) {
			t.Errorf("%s is there", name)
		}
		if (Component{Name: name, Executable: true}).isAt(filepath.Join(dir, name)) {
			t.Errorf("%s cannot be run", name)
		}
	}
}

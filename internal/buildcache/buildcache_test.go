package buildcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(text string, calls *atomic.Int32) func(context.Context, string, io.Writer) error {
	return func(_ context.Context, out string, _ io.Writer) error {
		calls.Add(1)
		return os.WriteFile(out, []byte(text), 0o755)
	}
}

func TestFindLooksBesideThenInTheCacheThenBuilds(t *testing.T) {
	src, beside, cache := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	write(t, filepath.Join(src, "go.mod"), "module x\n")
	var calls atomic.Int32
	c := Component{Name: "tool", Dir: src, Inputs: []string{"go.mod"}, Beside: []string{beside}, Build: content("built", &calls)}
	find := func() (string, error) { return Find(t.Context(), c, nil) }

	first, err := find()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(first); string(got) != "built" {
		t.Fatalf("content %q", got)
	}
	second, err := find()
	if err != nil || second != first || calls.Load() != 1 {
		t.Fatalf("second time: %s, %v, %d builds; want %s from the cache", second, err, calls.Load(), first)
	}
	write(t, filepath.Join(src, "go.mod"), "module y\n")
	third, err := find()
	if err != nil || third == first || calls.Load() != 2 {
		t.Fatalf("changed input: %s, %v, %d builds; want a new entry", third, err, calls.Load())
	}
	write(t, filepath.Join(beside, "tool"), "shipped")
	if got, err := find(); err != nil || got != filepath.Join(beside, "tool") {
		t.Fatalf("a program beside causeway is not preferred: %s, %v", got, err)
	}
}

func TestFindBuildsOnceForAll(t *testing.T) {
	src := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	write(t, filepath.Join(src, "in"), "1")
	var calls atomic.Int32
	release := make(chan struct{})
	c := Component{Name: "tool", Dir: src, Inputs: []string{"in"}, Build: func(_ context.Context, out string, _ io.Writer) error {
		calls.Add(1)
		<-release
		return os.WriteFile(out, nil, 0o755)
	}}
	var wg sync.WaitGroup
	waiting := &signalWriter{want: "waiting for another process", seen: release}
	for range 4 {
		wg.Go(func() {
			if _, err := Find(t.Context(), c, waiting); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if calls.Load() != 1 {
		t.Errorf("%d builds; the others should have waited for the first", calls.Load())
	}
}

// signalWriter closes a channel once it is told what it waits for.
type signalWriter struct {
	want string
	seen chan struct{}
	once sync.Once
}

func (w *signalWriter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.want) {
		w.once.Do(func() { close(w.seen) })
	}
	return len(p), nil
}

func TestFailedBuildsLeaveNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		build  func(context.Context, string, io.Writer) error
		want   string
		reason string
	}{
		"fails": {
			build: func(_ context.Context, out string, _ io.Writer) error {
				_ = os.WriteFile(out, []byte("half"), 0o755)
				return errors.New("compiler says no")
			},
			want: "tool: building: compiler says no", reason: "half a program is never found later",
		},
		"writes nothing": {
			build: func(context.Context, string, io.Writer) error { return nil },
			want:  "nothing was written", reason: "success without a program is a mistake of the caller",
		},
	} {
		t.Run(name, func(t *testing.T) {
			src, cache := t.TempDir(), t.TempDir()
			t.Setenv("XDG_CACHE_HOME", cache)
			_, err := Find(t.Context(), Component{Name: "tool", Dir: src, Build: tc.build}, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("%s: error %v, want %q", tc.reason, err, tc.want)
			}
			left, err := filepath.Glob(filepath.Join(cache, "causeway", "build", "tool", "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range left {
				if !strings.HasSuffix(f, ".lock") {
					t.Errorf("%s: left %s", tc.reason, f)
				}
			}
		})
	}
}

func TestWithoutACheckoutTheRemedyIsNamed(t *testing.T) {
	_, err := Find(t.Context(), Component{Name: "tool", Beside: []string{t.TempDir()}}, nil)
	if !errors.Is(err, ErrNoSource) || !strings.Contains(err.Error(), "release archive") {
		t.Errorf("error %v", err)
	}
}

func TestNamesAndInputsStayInside(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "../x"} {
		if _, err := Find(t.Context(), Component{Name: name, Dir: t.TempDir()}, nil); err == nil {
			t.Errorf("name %q was accepted", name)
		}
	}
	for _, in := range []string{"../x", "/etc/passwd"} {
		if _, err := hashInputs(Component{Name: "tool", Dir: t.TempDir(), Inputs: []string{in}}); err == nil {
			t.Errorf("input %q was accepted", in)
		}
	}
}

func TestKeyDependsOnEverything(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "1")
	write(t, filepath.Join(dir, "d", "b"), "2")
	base := Component{Name: "tool", Dir: dir, Inputs: []string{"a", "d"}, Salt: []string{"x", "y"}}
	key := func(c Component) string {
		t.Helper()
		k, err := hashInputs(c)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	was := key(base)
	if key(base) != was {
		t.Fatal("the key is not stable")
	}
	seen := map[string]string{was: "base"}
	for name, change := range map[string]func(c *Component){
		"name":  func(c *Component) { c.Name = "tool2" },
		"salt":  func(c *Component) { c.Salt = []string{"xy", ""} },
		"input": func(c *Component) { c.Inputs = []string{"a"} },
		"file":  func(*Component) { write(t, filepath.Join(dir, "d", "b"), "3") },
	} {
		c := base
		change(&c)
		k := key(c)
		if other, ok := seen[k]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[k] = name
	}
}

func TestCheckoutIsFoundFromBelow(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module "+Module+"\n\ngo 1.26.0\n")
	below := filepath.Join(dir, "conformance", "suites", "v1.6")
	write(t, filepath.Join(below, "go.mod"), "module "+Module+"/conformance/suites/v1.6\n")
	if got := checkoutAbove(below); got != dir {
		t.Errorf("checkout %q, want %q: a module inside the checkout is not its root", got, dir)
	}
	if got := checkoutAbove(t.TempDir()); got != "" {
		t.Errorf("checkout %q where there is none", got)
	}
}

func TestGoCommandBuildsAndQuotesErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/x\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() {}\n")
	out := filepath.Join(dir, "prog")
	g := GoCommand{Dir: dir, Args: []string{"build", "-o", out, "."}}
	if err := g.Run(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(out); err != nil {
		t.Error("nothing was built")
	}
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() { undefinedThing() }\n")
	if err := g.Run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "undefined: undefinedThing") {
		t.Errorf("error %v; want the compiler's words", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Run(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want that it was cancelled", err)
	}
}

func TestFollowKeepsTheLastLines(t *testing.T) {
	var in bytes.Buffer
	for i := range tail + 5 {
		fmt.Fprintf(&in, "k8s.io/api/v%d\n./x.go:%d: broken\n", i, i)
	}
	var f follower
	f.read(&in)
	if len(f.last) != tail || f.last[tail-1] != fmt.Sprintf("./x.go:%d: broken", tail+4) || f.packages != tail+5 {
		t.Errorf("last lines %q after %d packages", f.last, f.packages)
	}
}

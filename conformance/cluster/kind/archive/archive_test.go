package archive

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// program builds a static program.
func program(t *testing.T, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() { println(1) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-o", out, filepath.Join(dir, "main.go"))
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux"), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// contents are the files of an image: mode, name and link or size.
func contents(t *testing.T, img v1.Image) map[string]int64 {
	t.Helper()
	r := mutate.Extract(img)
	defer r.Close()
	out := map[string]int64{}
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = h.Mode
	}
}

func TestFromProgram(t *testing.T) {
	path := program(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	img, err := FromProgram(image.Program{Path: path, Name: "server", Args: []string{"--a"}, Env: []string{"X=y"}, Files: map[string]string{"/usr/share/x/file": file}})
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := Write(&buf, map[string]v1.Image{"example.com/one:v1": img, "two:v2": img}); err != nil {
		t.Fatal(err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	for _, ref := range []string{"example.com/one:v1", "two:v2"} {
		tag, err := name.NewTag(ref)
		if err != nil {
			t.Fatal(err)
		}
		read, err := tarball.Image(open, &tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(read); err != nil {
			t.Error(err)
		}
		config, err := read.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.OS != "linux" || config.Architecture != runtime.GOARCH {
			t.Errorf("platform %s/%s", config.OS, config.Architecture)
		}
		if diff := cmp.Diff([]string{"/server", "--a"}, config.Config.Entrypoint); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(strings.Join(config.Config.Env, " "), "X=y") {
			t.Errorf("environment %q", config.Config.Env)
		}
		want := map[string]int64{"etc": 0o755, "etc/group": 0o644, "etc/passwd": 0o644, "server": 0o755,
			"usr": 0o755, "usr/share": 0o755, "usr/share/x": 0o755, "usr/share/x/file": 0o644}
		if diff := cmp.Diff(want, contents(t, read)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSameEntriesSameLayer: caches and nodes know a layer by its hash.
func TestSameEntriesSameLayer(t *testing.T) {
	entries := []Entry{{Name: "/a/b", Content: []byte("x")}, {Name: "/a/c", Link: "b"}, {Name: "/z", Mode: 0o755}}
	one, err := Layer(entries)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Layer(entries)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := one.Digest()
	second, _ := two.Digest()
	if first != second {
		t.Errorf("%s and %s", first, second)
	}
}

func TestBadEntries(t *testing.T) {
	for _, bad := range []string{"", "/", "relative", "/a/../b", "/a/"} {
		if _, err := Layer([]Entry{{Name: bad}}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := Layer([]Entry{{Name: "/dir", From: t.TempDir()}}); err == nil {
		t.Error("a folder is taken for a file")
	}
	var buf bytes.Buffer
	img, err := Image(v1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&buf, map[string]v1.Image{"Not A Name": img}); err == nil {
		t.Error("a bad name is taken")
	}
}

func TestProgramsThatWouldNotStart(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	foreign := "arm64"
	if runtime.GOARCH == foreign {
		foreign = "amd64"
	}
	cases := map[string]struct{ path, want string }{
		"script":  {script, "not a program for Linux"},
		"foreign": {program(t, "GOARCH="+foreign), "GOARCH=" + runtime.GOARCH},
		"missing": {filepath.Join(t.TempDir(), "none"), "no such file"},
	}
	if sh, err := filepath.EvalSymlinks("/bin/sh"); err == nil && runtime.GOOS == "linux" {
		cases["dynamic"] = struct{ path, want string }{sh, "CGO_ENABLED=0"}
	}
	for name, tc := range cases {
		if _, err := FromProgram(image.Program{Path: tc.path}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

package debian

import (
	"archive/tar"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pack makes a package of files; the value is the content, or with > a link.
func pack(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("packages are made by dpkg-deb, which only Debian has")
	}
	dir := t.TempDir()
	files["DEBIAN/control"] = "Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.com>\nDescription: sample\n"
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if content[0] == '>' {
			if err := os.Symlink(content[1:], path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	deb := filepath.Join(t.TempDir(), "sample_1_all.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", dir, deb).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return deb
}

func TestFilesAreBelowUsr(t *testing.T) {
	deb := pack(t, map[string]string{"bin/tool": "x", "sbin/link": ">../bin/tool", "etc/conf": "y", "usr/lib/z": "z"})
	var names []string
	err := Files(t.Context(), deb, func(h *tar.Header, _ io.Reader) error {
		if h.Typeflag != tar.TypeDir {
			names = append(names, h.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"etc/conf", "usr/bin/tool", "usr/lib/z", "usr/sbin/link"}, names); diff != "" {
		t.Error(diff)
	}
	if Name(deb) != "sample" {
		t.Errorf("name %q", Name(deb))
	}
}

func TestUnpack(t *testing.T) {
	deb := pack(t, map[string]string{"bin/tool": "x", "usr/share/link": ">/etc/passwd"})
	dir := t.TempDir()
	if err := Unpack(t.Context(), dir, []string{deb, deb}); err != nil { // again is no error
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "usr", "bin", "tool"))
	if err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestUnpackStaysInside: a package must not write through a link that leads out.
func TestUnpackStaysInside(t *testing.T) {
	outside := t.TempDir()
	dir := t.TempDir()
	link := pack(t, map[string]string{"usr/share/out": ">" + outside})
	through := pack(t, map[string]string{"usr/share/out/file": "x"})
	if err := Unpack(t.Context(), dir, []string{link, through}); err == nil {
		t.Error("written through the link")
	}
	left, err := os.ReadDir(outside)
	if err != nil || len(left) != 0 {
		t.Errorf("outside is %v, %v", left, err)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{"./bin/sh": "usr/bin/sh", "./": ".", "lib64/x": "usr/lib64/x", "./usr/bin/x": "usr/bin/x", "/etc/x": "etc/x"} {
		if got, err := clean(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, bad := range []string{"../x", "./a/../../x"} {
		if got, err := clean(bad); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

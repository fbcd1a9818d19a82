// Package debian fetches Debian packages by apt, as the machine has it set up,
// and reads what is in them. It installs nothing: no file of the machine
// changes and no program of a package runs.
package debian

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Fetch downloads packages and all that they depend on into a folder and
// returns the files, sorted. With missing it leaves out what the machine has
// installed. Lists of packages that are too old or not there are updated once.
func Fetch(ctx context.Context, dir string, missing bool, packages []string) ([]string, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("packages come from Debian: %w", err)
	}
	err := download(ctx, dir, missing, packages)
	if err != nil {
		if uerr := run(ctx, "apt-get", "update", "-q"); uerr != nil {
			return nil, errors.Join(err, uerr)
		}
		err = download(ctx, dir, missing, packages)
	}
	if err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(dir, "*.deb"))
}

func download(ctx context.Context, dir string, missing bool, packages []string) error {
	if err := os.MkdirAll(filepath.Join(dir, "partial"), 0o755); err != nil {
		return err
	}
	args := []string{
		"install", "-qq", "--yes", "--download-only", "--no-install-recommends",
		"-o", "Dir::Cache::archives=" + dir, "-o", "Debug::NoLocking=1",
		"-o", "APT::Sandbox::User=root", // the folder is not for apt's own user
	}
	if !missing {
		args = append(args, "-o", "Dir::State::status=/dev/null")
	}
	return run(ctx, "apt-get", append(append(args, "--"), packages...)...)
}

func run(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, out)
	}
	return nil
}

// Name is the name of the package of a file NAME_VERSION_ARCHITECTURE.deb.
func Name(deb string) string {
	name, _, _ := strings.Cut(filepath.Base(deb), "_")
	return name
}

// Files calls fn with every file of a package. Names are relative and clean,
// with what belongs below /usr there: Debian's packages still name /bin, /sbin
// and /lib, which are links into it (https://wiki.debian.org/UsrMerge).
func Files(ctx context.Context, deb string, fn func(*tar.Header, io.Reader) error) (err error) {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	var failure strings.Builder
	cmd.Stderr = &failure
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		if err != nil { // dpkg-deb would wait for a reader
			_ = cmd.Process.Kill()
		}
		if werr := cmd.Wait(); err == nil && werr != nil {
			err = fmt.Errorf("%s: %w: %s", deb, werr, failure.String())
		}
	}()
	in := tar.NewReader(out)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, out)
			return err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", deb, err)
		}
		name, err := clean(h.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", deb, err)
		}
		if name == "." {
			continue
		}
		h.Name = name
		if h.Typeflag == tar.TypeLink {
			if h.Linkname, err = clean(h.Linkname); err != nil {
				return fmt.Errorf("%s: %w", deb, err)
			}
		}
		if err := fn(h, in); err != nil {
			return fmt.Errorf("%s: %s: %w", deb, name, err)
		}
	}
}

// Merged are the folders that are links into /usr.
var Merged = []string{"bin", "lib", "lib32", "lib64", "libx32", "sbin"}

func clean(name string) (string, error) {
	name = filepath.Clean(strings.TrimPrefix(name, "/"))
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q leaves the package", name)
	}
	if first, _, _ := strings.Cut(name, "/"); slices.Contains(Merged, first) {
		name = "usr/" + name
	}
	return name, nil
}

// Unpack writes the files of packages below a folder of this machine.
func Unpack(ctx context.Context, dir string, debs []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, deb := range debs {
		if err := Files(ctx, deb, func(h *tar.Header, r io.Reader) error { return unpack(root, h, r) }); err != nil {
			return err
		}
	}
	return nil
}

func unpack(root *os.Root, h *tar.Header, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(h.Name), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(h.Name, 0o755)
	case tar.TypeSymlink:
		_ = root.Remove(h.Name)
		return root.Symlink(h.Linkname, h.Name)
	case tar.TypeLink:
		_ = root.Remove(h.Name)
		return root.Link(h.Linkname, h.Name)
	case tar.TypeReg:
		_ = root.Remove(h.Name)
		f, err := root.OpenFile(h.Name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, os.FileMode(h.Mode).Perm())
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	}
	return nil // devices and the like are no part of programs
}

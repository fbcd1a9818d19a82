//go:build linux

package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Mount is a file or folder of this host that a container sees.
type Mount struct {
	Source   string // absolute path here
	Target   string // absolute path in the container
	ReadOnly bool
	// SubPath, when not empty, is a path in Source to mount instead of it. It
	// may not leave Source, by symbolic links neither: containers write there.
	SubPath string
}

// The system's own folders and files that a container sees, read-only: enough
// to run programs that are linked dynamically, a shell and the like, and none
// of the configuration and data of this machine.
var (
	shared = []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr"}
	etc    = []string{"alternatives", "ca-certificates", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
		"nsswitch.conf", "pki", "protocols", "services", "ssl"}
	devices = []string{"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts"}
)

// accounts are the users that a container knows.
var accounts = map[string]string{ //nolint:gosec // a passwd file has no passwords
	"passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
	"group":  "root:x:0:\nnogroup:x:65534:\n",
}

// old is where the host's root is while a container's is made.
const old = "/.old"

// makeRoot gives the calling thread a mount namespace of its own with a new
// root: at, an empty folder here, which only the new namespace sees used.
func makeRoot(at string, etcFiles map[string]string, mounts []Mount) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	if err := unix.Mount("root", at, "tmpfs", unix.MS_NOSUID, "mode=0755"); err != nil {
		return fmt.Errorf("mount the root folder: %w", err)
	}
	if err := os.Mkdir(at+old, 0o700); err != nil {
		return err
	}
	if err := unix.PivotRoot(at, at+old); err != nil {
		return fmt.Errorf("change the root folder: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	for _, dir := range []string{"/dev", "/etc", "/proc", "/root", "/run", "/sys", "/tmp", "/var/tmp", "/home"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Chmod("/tmp", 0o1777), os.Chmod("/var/tmp", 0o1777), os.Symlink("/run", "/var/run")); err != nil {
		return err
	}
	if err := system(); err != nil {
		return err
	}
	for _, files := range []map[string]string{accounts, etcFiles} {
		for name, content := range files {
			if err := os.WriteFile("/etc/"+name, []byte(content), 0o644); err != nil {
				return err
			}
		}
	}
	// Outer folders first, so that inner ones are not hidden.
	mounts = slices.Clone(mounts)
	slices.SortStableFunc(mounts, func(a, b Mount) int { return strings.Count(a.Target, "/") - strings.Count(b.Target, "/") })
	for _, m := range mounts {
		if err := m.mount(); err != nil {
			return fmt.Errorf("mount %s: %w", m.Target, err)
		}
	}
	if err := unix.Unmount(old, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root folder: %w", err)
	}
	return os.Remove(old)
}

// system mounts what every container has of this host.
func system() error {
	for _, dir := range shared {
		info, err := os.Lstat(old + dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 { // /bin → usr/bin
			to, err := os.Readlink(old + dir)
			if err != nil {
				return err
			}
			if err := os.Symlink(to, dir); err != nil {
				return err
			}
			continue
		}
		if err := bind(old+dir, dir, true); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	for _, name := range etc {
		if _, err := os.Stat(old + "/etc/" + name); err != nil {
			continue // or a link that leads elsewhere
		}
		if err := bind(old+"/etc/"+name, "/etc/"+name, true); err != nil {
			return fmt.Errorf("mount /etc/%s: %w", name, err)
		}
	}
	for _, name := range devices {
		if err := bind(old+"/dev/"+name, "/dev/"+name, false); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("mount /dev/%s: %w", name, err)
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(to, "/dev/"+name); err != nil {
			return err
		}
	}
	if err := os.Mkdir("/dev/shm", 0o1777); err != nil {
		return err
	}
	return errors.Join(bind(old+"/proc", "/proc", false), bind(old+"/sys", "/sys", true))
}

// bind shows a file or folder with what is mounted in it at another place.
func bind(source, target string, readOnly bool) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if err := place(target, info.IsDir()); err != nil {
		return err
	}
	return bindTo(source, target, readOnly)
}

func bindTo(source, target string, readOnly bool) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if !readOnly {
		return nil
	}
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(-1, target, unix.AT_RECURSIVE, attr); err != nil {
		return fmt.Errorf("make it read-only (needs Linux 5.12): %w", err)
	}
	return nil
}

// place makes an empty file or folder to mount over.
func place(target string, dir bool) error {
	if dir {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(path.Dir(target), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

func (m Mount) mount() error {
	source := old + m.Source
	if m.SubPath != "" && m.SubPath != "." {
		f, err := openSubPath(source, m.SubPath)
		if err != nil {
			return fmt.Errorf("subPath %q: %w", m.SubPath, err)
		}
		defer f.Close()
		source = fmt.Sprintf("/proc/thread-self/fd/%d", f.Fd())
	}
	return bind(source, m.Target, m.ReadOnly)
}

// openSubPath opens a path below a folder, making folders that are missing.
// The kernel keeps it from leaving the folder, see openat2(2).
func openSubPath(dir, sub string) (*os.File, error) {
	if !filepath.IsLocal(sub) {
		return nil, errors.New("it leaves the volume")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if _, err := root.Stat(sub); errors.Is(err, fs.ErrNotExist) {
		if err := root.MkdirAll(sub, 0o755); err != nil {
			return nil, err
		}
	}
	return root.Open(sub)
}

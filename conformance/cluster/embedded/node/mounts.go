//go:build linux

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mounts prepares the cluster's own mount namespace. Nothing of it is seen
// outside, and it goes with the namespace.
func (n *node) mounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts private: %w", err)
	}
	// The processes of this namespace, and the network settings of this one. In
	// a container that hides parts of /proc the kernel refuses a new one; the
	// old one still shows the host's processes and then the network's sysctls
	// cannot be set, so that is an error.
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w; does this container hide parts of /proc (docker run --security-opt systempaths=unconfined)?", err)
	}
	if err := os.Mkdir(n.work, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("causeway", n.work, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700"); err != nil {
		return fmt.Errorf("file system in memory: %w", err)
	}
	// Commands in the cluster find its names.
	resolv := filepath.Join(n.work, "resolv.conf")
	if err := os.WriteFile(resolv, []byte(resolvConf), 0o644); err != nil {
		return err
	}
	target, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // and so no name is found at all on this machine
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(resolv, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("replace %s: %w", target, err)
	}
	return nil
}

const resolvConf = "nameserver 198.18.0.1\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"

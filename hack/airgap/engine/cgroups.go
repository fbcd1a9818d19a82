//go:build linux

package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hierarchy is one of control groups, version 1. With version 2 there are none
// of these, and Docker gives each container a namespace by itself.
type hierarchy struct {
	// Mount is where the machine has it, Options what it was mounted with: the
	// controller or name=NAME.
	Mount, Options string
	// Own is the group that was there, Group the new one below it.
	Own, Group string
}

// hierarchies makes a group of the given name in each hierarchy, below that of
// this process.
func hierarchies(name string) ([]hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	own, err := ownGroups()
	if err != nil {
		return nil, err
	}
	var out []hierarchy
	for lines := bufio.NewScanner(bytes.NewReader(mounts)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || f[2] != "cgroup" {
			continue
		}
		h := hierarchy{Mount: f[1], Options: controllers(f[3])}
		h.Own = filepath.Join(h.Mount, own[h.Options])
		h.Group = filepath.Join(h.Own, "causeway-airgap-"+name)
		out = append(out, h)
	}
	for _, h := range out {
		if err := h.make(); err != nil {
			return nil, errors.Join(fmt.Errorf("control group %s: %w", h.Group, err), leave(out))
		}
	}
	return out, nil
}

// controllers keeps of mount options what names a hierarchy.
func controllers(options string) string {
	var out []string
	for o := range strings.SplitSeq(options, ",") {
		switch o {
		case "rw", "ro", "nosuid", "nodev", "noexec", "relatime", "xattr", "clone_children":
			continue
		}
		if !strings.HasPrefix(o, "release_agent=") {
			out = append(out, o)
		}
	}
	return strings.Join(out, ",")
}

// ownGroups are this process's groups by hierarchy, see cgroups(7).
func ownGroups() (map[string]string, error) {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 {
			out[f[1]] = f[2]
		}
	}
	return out, nil
}

func (h hierarchy) make() error {
	if err := os.Mkdir(h.Group, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // an empty set takes no process
		value, err := os.ReadFile(filepath.Join(h.Own, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(h.Group, file), value, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// move moves this process into the groups, or back to where it was.
func move(all []hierarchy, in bool) error {
	for _, h := range all {
		to := h.Own
		if in {
			to = h.Group
		}
		if err := os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
			return fmt.Errorf("entering control group %s: %w", to, err)
		}
	}
	return nil
}

// leave removes the groups and all below them. Processes that were killed may
// take a moment to leave.
func leave(all []hierarchy) error {
	var failed error
	for _, h := range all {
		if err := removeGroup(h.Group); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func removeGroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeGroup(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Rmdir(dir)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return fmt.Errorf("removing control group %s: %w", dir, err)
		}
	}
}

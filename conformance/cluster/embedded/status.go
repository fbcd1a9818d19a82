//go:build linux

package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// List returns the clusters of this user, by name.
func List() ([]Status, error) {
	b, err := base()
	if err != nil {
		return nil, err
	}
	locks, err := filepath.Glob(filepath.Join(b, "*.lock"))
	if err != nil {
		return nil, err
	}
	var all []Status
	for _, l := range locks {
		s, err := statusOf(dir{base: b, name: strings.TrimSuffix(filepath.Base(l), ".lock")})
		if err != nil {
			return nil, err
		}
		if s.State != Absent {
			all = append(all, s)
		}
	}
	return all, nil
}

func statusOf(d dir) (Status, error) {
	s := Status{Name: d.name, State: Absent}
	if _, err := os.Stat(d.path()); err != nil {
		return s, nil //nolint:nilerr // no folder, no cluster
	}
	s.Logs = d.logs()
	if info, err := d.readInfo(); err == nil {
		s.PID, s.Since = info.PID, info.Started
	}
	lock, err := d.lock()
	switch {
	case err == nil:
		lock.Close()
		s.State = Dead
	case !errors.Is(err, errLocked):
		return s, err
	default:
		s.State = Starting
		if _, err := os.Stat(d.kubeconfig()); err == nil {
			s.State, s.Kubeconfig = Running, d.kubeconfig()
		}
	}
	return s, nil
}

// Down ends the cluster of that name, in whatever state it is, and removes
// what it left. It reports whether there was anything to end or remove.
func Down(ctx context.Context, name string) (found bool, err error) {
	d, err := dirOf(name)
	if err != nil {
		return false, err
	}
	s, err := statusOf(d)
	if err != nil || s.State == Absent {
		return false, err
	}
	return true, down(ctx, d)
}

package buildcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// retry is how often a held lock is tried again.
const retry = 100 * time.Millisecond

// keep is how long an unused entry of the cache stays.
const keep = 30 * 24 * time.Hour

// ending is what a folder has behind its name while it is built, before a number,
// and lockEnding what the lock file beside it has.
const (
	ending     = ".tmp"
	lockEnding = ".lock"
)

// entry is one build of a component: family/prefix+key/name. The time of its
// folder is when it was asked for last.
type entry struct {
	Component
	family string
	prefix string // of its folder and those of other builds of the component
	key    string
}

func (e entry) dir() string  { return filepath.Join(e.family, e.prefix+e.key) }
func (e entry) path() string { return filepath.Join(e.dir(), e.Name) }

// used reports whether the entry is there, and marks it as used now. It holds
// the lock for that, with others who ask, so that it is not removed meanwhile.
func (e entry) used() bool {
	lock := flock.New(e.dir() + lockEnding)
	defer func() { _ = lock.Close() }()
	switch ok, err := lock.TryRLock(); {
	case errors.Is(err, fs.ErrNotExist):
		return false // nor is the folder of the lock
	case err == nil && !ok:
		return false // it is built or removed now, which build waits for
	}
	// A cache that cannot be written still serves: nobody removes anything there.
	return e.stamp()
}

// stamp is used without the lock.
func (e entry) stamp() bool {
	if !e.isAt(e.path()) {
		return false
	}
	now := time.Now()
	_ = os.Chtimes(e.dir(), now, now)
	return true
}

// build fills the entry, unless another process did while we waited for the
// lock. The kernel drops the lock of a process that dies.
func (e entry) build(ctx context.Context, progress io.Writer) error {
	if err := os.MkdirAll(e.family, 0o755); err != nil {
		return fmt.Errorf("making the cache: %w", err)
	}
	lock := flock.New(e.dir() + lockEnding)
	defer func() { _ = lock.Close() }()
	if ok, err := lock.TryLock(); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Path(), err)
	} else if !ok {
		fmt.Fprintf(progress, "waiting for another process that builds %s\n", e.Name)
		if _, err := lock.TryLockContext(ctx, retry); err != nil {
			return fmt.Errorf("waiting for %s: %w", lock.Path(), err)
		}
	}
	if e.stamp() {
		return nil
	}
	// Of a crash of the machine. A build that was killed may still have a
	// compiler that writes, so each one has a folder of its own.
	found, err := os.ReadDir(e.family)
	for _, f := range found {
		if f.IsDir() && built(f.Name()) == e.prefix+e.key {
			err = errors.Join(err, os.RemoveAll(filepath.Join(e.family, f.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("clearing the cache: %w", err)
	}
	temp, err := os.MkdirTemp(e.family, e.prefix+e.key+ending)
	if err != nil {
		return fmt.Errorf("making the cache: %w", err)
	}
	defer os.RemoveAll(temp)
	out, start := filepath.Join(temp, e.Name), time.Now()
	fmt.Fprintf(progress, "building %s; this is done once\n", e.Name)
	if err := e.Build(ctx, out, progress); err != nil {
		return fmt.Errorf("building: %w", err)
	}
	if !e.isAt(out) {
		return fmt.Errorf("building: nothing was written to %s", out)
	}
	if err := errors.Join(os.Chmod(temp, 0o755), os.Rename(temp, e.dir())); err != nil {
		return fmt.Errorf("placing what was built: %w", err)
	}
	fmt.Fprintf(progress, "built %s in %s\n", e.Name, time.Since(start).Round(100*time.Millisecond))
	e.prune(time.Now().Add(-keep))
	return nil
}

// prune removes other builds of the component that nobody asked for since the
// given time, and what builds left that were killed. It leaves alone what
// another process has locked, and never waits. Lock files stay: removing one
// would let two processes hold the same lock.
func (e entry) prune(since time.Time) {
	found, err := os.ReadDir(e.family)
	if err != nil {
		return
	}
	for _, f := range found {
		if !f.IsDir() || !e.sibling(built(f.Name())) {
			continue
		}
		dir := filepath.Join(e.family, f.Name())
		if old(dir, since) {
			removeUnlocked(dir, since)
		}
	}
}

// sibling reports whether a folder holds another build of the component. Names
// of components begin with those of others, so the rest must be a key.
func (e entry) sibling(folder string) bool {
	key, ok := strings.CutPrefix(folder, e.prefix)
	return ok && key != e.key && len(key) == len(e.key) && strings.Trim(key, "0123456789abcdef") == ""
}

// built is the name that a folder has, or will have, once it is built.
func built(name string) string {
	name, _, _ = strings.Cut(name, ending)
	return name
}

func old(dir string, since time.Time) bool {
	info, err := os.Stat(dir)
	return err == nil && info.ModTime().Before(since)
}

// removeUnlocked removes a build if nobody holds its lock, and nobody asked for
// it just before.
func removeUnlocked(dir string, since time.Time) {
	lock := flock.New(filepath.Join(filepath.Dir(dir), built(filepath.Base(dir))) + lockEnding)
	defer func() { _ = lock.Close() }()
	if ok, err := lock.TryLock(); err == nil && ok && old(dir, since) {
		_ = os.RemoveAll(dir)
	}
}

// Package buildcache finds programs that Causeway drives but does not contain:
// suite binaries, cluster components. It looks beside the causeway binary,
// where release archives put them, then in the cache, and else builds them from
// a checkout. It owns the key, the lock and the placement; what a program is
// made of and how is the caller's. It knows nothing of Kubernetes.
package buildcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Component is a program, or a folder of programs, that is built from source.
type Component struct {
	// Name is the file's own name, beside causeway and in the cache.
	Name string
	// Dir is the folder that Inputs are relative to; empty when there is no
	// checkout, in which case only a program beside causeway will do.
	Dir string
	// Inputs are the files and folders whose content decides what comes out. A
	// folder stands for every file below it.
	Inputs []string
	// Salt is whatever else decides: versions, toolchain, flags.
	Salt []string
	// Build writes the program to out, which does not exist yet; its folder
	// does, and vanishes if Build fails. Build says on progress what it does.
	Build func(ctx context.Context, out string, progress io.Writer) error
}

// ErrNoSource says that a program is neither beside causeway nor can be built,
// for want of a checkout.
var ErrNoSource = errors.New("not beside causeway, and there is no checkout to build it from")

// retry is how often a held lock is tried again.
const retry = 100 * time.Millisecond

// Find returns the path of a component: beside causeway, else in the cache, else
// built now. Of several processes that miss the same component one builds, and
// the others wait for it. Messages go to progress, which may be nil.
func Find(ctx context.Context, c Component, progress io.Writer) (string, error) {
	return findIn(ctx, c, progress, Beside(), Dir)
}

func findIn(ctx context.Context, c Component, progress io.Writer, beside []string, root func() (string, error)) (string, error) {
	if progress == nil {
		progress = io.Discard
	}
	if filepath.Base(c.Name) != c.Name || c.Name == "." || c.Name == ".." {
		return "", fmt.Errorf("component name %q is not a file name", c.Name)
	}
	for _, dir := range beside {
		if path := filepath.Join(dir, c.Name); exists(path) {
			return path, nil
		}
	}
	if c.Dir == "" {
		return "", fmt.Errorf("%s: %w: install a release archive, which carries it, or run causeway inside a checkout of its source", c.Name, ErrNoSource)
	}
	key, err := keyOf(c)
	if err != nil {
		return "", fmt.Errorf("%s: hashing what it is built from: %w", c.Name, err)
	}
	cache, err := root()
	if err != nil {
		return "", err
	}
	e := entry{family: filepath.Join(cache, "build", c.Name), key: key, name: c.Name}
	if e.used() {
		return e.path(), nil
	}
	if err := e.build(ctx, c, progress); err != nil {
		return "", fmt.Errorf("%s: %w", c.Name, err)
	}
	return e.path(), nil
}

// entry is one component's place in the cache: family/key/name.
type entry struct{ family, key, name string }

func (e entry) dir() string  { return filepath.Join(e.family, e.key) }
func (e entry) path() string { return filepath.Join(e.dir(), e.name) }

// used reports whether the entry is there, and marks it as used now.
func (e entry) used() bool {
	if !exists(e.path()) {
		return false
	}
	now := time.Now()
	_ = os.Chtimes(e.dir(), now, now) // a cache that cannot be written still serves
	return true
}

// build fills the entry, unless another process did while we waited for the
// lock. The kernel drops the lock of a process that dies.
func (e entry) build(ctx context.Context, c Component, progress io.Writer) error {
	if err := os.MkdirAll(e.family, 0o755); err != nil {
		return fmt.Errorf("making the cache: %w", err)
	}
	lock := flock.New(e.dir() + ".lock")
	defer func() { _ = lock.Close() }()
	if ok, err := lock.TryLock(); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Path(), err)
	} else if !ok {
		fmt.Fprintf(progress, "waiting for another process that builds %s\n", c.Name)
		if _, err := lock.TryLockContext(ctx, retry); err != nil {
			return fmt.Errorf("waiting for %s: %w", lock.Path(), err)
		}
	}
	if e.used() {
		return nil
	}
	temp := e.dir() + ".tmp"
	if err := os.RemoveAll(temp); err != nil { // of a build that was killed
		return fmt.Errorf("clearing the cache: %w", err)
	}
	if err := os.Mkdir(temp, 0o755); err != nil {
		return fmt.Errorf("making the cache: %w", err)
	}
	defer os.RemoveAll(temp)
	out, start := filepath.Join(temp, e.name), time.Now()
	fmt.Fprintf(progress, "building %s; this is done once\n", c.Name)
	if err := c.Build(ctx, out, progress); err != nil {
		return fmt.Errorf("building: %w", err)
	}
	if !exists(out) {
		return fmt.Errorf("building: nothing was written to %s", out)
	}
	if err := os.Rename(temp, e.dir()); err != nil {
		return fmt.Errorf("placing what was built: %w", err)
	}
	fmt.Fprintf(progress, "built %s in %s\n", c.Name, time.Since(start).Round(100*time.Millisecond))
	e.prune(time.Now().Add(-keep))
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

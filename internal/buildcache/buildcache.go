// Package buildcache finds programs that Causeway drives but does not contain:
// suite binaries, cluster components. It looks beside the causeway binary,
// where release archives put them, then in the cache, and else builds them from
// a checkout. It owns the key, the lock, the placement, the pruning, and how a
// program of a Go module is built; which programs there are is the caller's. It
// knows nothing of Kubernetes.
package buildcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Component is a program, or a folder of programs, that is built from source.
type Component struct {
	// Name is the file's own name, beside causeway and in the cache.
	Name string
	// Executable says that only a file that can be run counts as the component,
	// beside causeway and in the cache.
	Executable bool
	// Beside are the folders searched first; nil for [Beside].
	Beside []string
	// Dir is the folder that Inputs are relative to; empty when there is no
	// checkout, in which case only a program beside causeway will do.
	Dir string
	// Inputs are the files and folders whose content decides what comes out. A
	// folder stands for every file below it.
	Inputs []string
	// Salt is whatever else decides: versions, toolchain, flags.
	Salt []string
	// Key takes the place of the hash of Inputs and Salt, where the caller knows
	// better; it is a number in hexadecimal of always the same length.
	Key func(ctx context.Context) (string, error)
	// Folder holds the component's builds, a folder NAME-KEY each and perhaps
	// those of others; empty for build/NAME in the cache, with a folder KEY each.
	Folder string
	// Build writes the program to out, which does not exist yet; its folder
	// does, and vanishes if Build fails. Build says on progress what it does.
	Build func(ctx context.Context, out string, progress io.Writer) error
}

// ErrNoSource says that a program is neither beside causeway nor can be built,
// for want of a checkout.
var ErrNoSource = errors.New("not beside causeway, and there is no checkout to build it from")

// Find returns the path of a component: beside causeway, else in the cache, else
// built now. Of several processes that miss the same component one builds, and
// the others wait for it. Messages go to progress, which may be nil.
//
// A build that succeeds removes those builds of the same component that nobody
// asked for in 30 days.
func Find(ctx context.Context, c Component, progress io.Writer) (string, error) {
	if progress == nil {
		progress = io.Discard
	}
	if filepath.Base(c.Name) != c.Name || c.Name == "." || c.Name == ".." {
		return "", fmt.Errorf("component name %q is not a file name", c.Name)
	}
	beside := c.Beside
	if beside == nil {
		beside = Beside()
	}
	for _, dir := range beside {
		if path := filepath.Join(dir, c.Name); c.isAt(path) {
			return path, nil
		}
	}
	if c.Dir == "" {
		return "", fmt.Errorf("%s: %w: install a release archive, which carries it, or run causeway inside a checkout of its source", c.Name, ErrNoSource)
	}
	e, err := c.entry(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.Name, err)
	}
	if e.used() {
		return e.path(), nil
	}
	if err := e.build(ctx, progress); err != nil {
		return "", fmt.Errorf("%s: %w", c.Name, err)
	}
	return e.path(), nil
}

// entry is the component's place in the cache.
func (c Component) entry(ctx context.Context) (entry, error) {
	keyOf := c.Key
	if keyOf == nil {
		keyOf = func(context.Context) (string, error) { return hashInputs(c) }
	}
	key, err := keyOf(ctx)
	if err != nil {
		return entry{}, fmt.Errorf("hashing what it is built from: %w", err)
	}
	if c.Folder != "" {
		return entry{Component: c, family: c.Folder, prefix: c.Name + "-", key: key}, nil
	}
	cache, err := Dir()
	return entry{Component: c, family: filepath.Join(cache, "build", c.Name), key: key}, err
}

// isAt reports whether the component is at path.
func (c Component) isAt(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !c.Executable {
		return err == nil
	}
	// On Windows no file has such a bit.
	return info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || runtime.GOOS == "windows")
}

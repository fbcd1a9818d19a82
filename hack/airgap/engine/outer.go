//go:build linux

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// Options say what to run beside an engine.
type Options struct {
	// Images are archives that the engine loads first.
	Images []string
	// Command is the program and its arguments; Env is added to its environment.
	Command, Env []string
	// Progress receives lines.
	Progress io.Writer
}

// plan is what the inner process is told.
type plan struct {
	Options
	// Dir is the folder of this run; Programs that of the engine's packages.
	Dir, Programs string
	// Runtime is the wrapper around the OCI runtime.
	Runtime string
	// Hierarchies are those of control groups, version 1, that were entered.
	Hierarchies []hierarchy
}

// Exec runs a command beside an engine and returns when nothing of it is left.
// The error of a command that ran is an [exec.ExitError].
func Exec(ctx context.Context, o Options) error {
	if os.Geteuid() != 0 {
		return errors.New("a Docker engine needs root: run this as root, or install Docker")
	}
	programs, err := findPrograms(ctx, o.Progress)
	if err != nil {
		return fmt.Errorf("programs of the engine: %w", err)
	}
	dir, unlock, err := makeDir()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir); unlock() }()
	wrapper := filepath.Join(dir, runtimeName)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := copyFile(self, wrapper); err != nil { // `go run` removes its own when interrupted
		return err
	}
	p := plan{Options: o, Dir: dir, Programs: programs, Runtime: wrapper}
	p.Progress = nil
	return enter(ctx, p)
}

// enter starts the inner process in its namespaces and waits for it.
func enter(ctx context.Context, p plan) (err error) {
	groups, err := hierarchies(filepath.Base(p.Dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave(groups)) }()
	p.Hierarchies = groups
	input, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.Dir, "plan.json"), input, 0o600); err != nil {
		return err
	}
	// The root of a namespace of control groups is where its maker stands, so
	// this process goes there and comes back. Pdeathsig is that of the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, p.Runtime)
	cmd.Args[0] = "airgap"
	cmd.Env = append(os.Environ(), roleVariable+"="+roleInner, planVariable+"="+filepath.Join(p.Dir, "plan.json"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  unix.SIGKILL,
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWCGROUP,
	}
	// The command is told first and has some time to delete its clusters.
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = time.Minute
	if err := move(groups, true); err != nil {
		return err
	}
	err = cmd.Start()
	if merr := move(groups, false); merr != nil {
		return errors.Join(err, merr)
	}
	if err != nil {
		return fmt.Errorf("making namespaces: %w", err)
	}
	return cmd.Wait()
}

// makeDir makes a folder for one run, and removes those of runs that were killed.
func makeDir() (dir string, unlock func(), err error) {
	cache, err := buildcache.Dir()
	if err != nil {
		return "", nil, err
	}
	base := filepath.Join(cache, "airgap")
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", nil, err
	}
	sweep(base)
	dir, err = os.MkdirTemp(base, runPrefix)
	if err != nil {
		return "", nil, err
	}
	lock := flock.New(dir + ".lock")
	if _, err := lock.TryLock(); err != nil {
		return "", nil, err
	}
	return dir, func() { _ = os.Remove(lock.Path()); _ = lock.Unlock() }, nil
}

const runPrefix = "run-"

// sweep removes the folders and control groups of runs whose lock is free.
func sweep(base string) {
	old, _ := filepath.Glob(filepath.Join(base, runPrefix+"*.lock"))
	for _, path := range old {
		lock := flock.New(path)
		if ok, err := lock.TryLock(); err != nil || !ok {
			continue
		}
		dir := path[:len(path)-len(".lock")]
		if groups, err := hierarchies(filepath.Base(dir)); err == nil {
			_ = leave(groups)
		}
		_ = os.RemoveAll(dir)
		_ = os.Remove(path)
		_ = lock.Unlock()
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

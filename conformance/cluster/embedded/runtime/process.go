//go:build linux

package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Spec is a container to start.
type Spec struct {
	Sandbox *Sandbox
	Root    string            // an empty folder to put the root on; containers can share it
	Etc     map[string]string // contents of files in /etc
	Mounts  []Mount
	// Args has the program first: a path in the container, or a name to be
	// looked for in the PATH of Env.
	Args           []string
	Env            []string
	Dir            string // working directory, made if it is missing
	Stdout, Stderr io.Writer
}

// Process is a running container.
type Process struct {
	cmd     *exec.Cmd
	sandbox *Sandbox
	mounts  *os.File // the mount namespace, which names the container's processes
	env     []string
	dir     string
	exited  chan struct{}
	exit    Exit
}

// Exit is how a process ended.
type Exit struct {
	// Code is the exit code, or 128 and the number of the signal.
	Code int
	// Signal is the number of the signal that ended it, or 0.
	Signal int
	// Err is set when the process could not be waited for.
	Err error
}

// drain is how long output is still read from what the main process left.
const drain = time.Second

// Start starts a container. It ends by itself or by [Process.Stop].
func Start(s Spec) (*Process, error) {
	p := &Process{sandbox: s.Sandbox, env: s.Env, dir: s.Dir, exited: make(chan struct{})}
	err := onThread(func() error {
		if err := s.Sandbox.enter(); err != nil {
			return err
		}
		if err := makeRoot(s.Root, s.Etc, s.Mounts); err != nil {
			return err
		}
		if s.Dir != "" {
			if err := os.MkdirAll(s.Dir, 0o755); err != nil {
				return fmt.Errorf("working directory: %w", err)
			}
		}
		var err error
		if p.mounts, err = own("mnt"); err != nil {
			return err
		}
		if p.cmd, err = command(s.Args, s.Env, s.Dir); err != nil {
			return err
		}
		p.cmd.Stdout, p.cmd.Stderr = s.Stdout, s.Stderr
		p.cmd.WaitDelay = drain
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return p.cmd.Start()
	})
	if err != nil {
		if p.mounts != nil {
			p.mounts.Close()
		}
		return nil, err
	}
	go func() {
		err := p.cmd.Wait()
		p.exit = exitOf(err)
		p.killAll()
		close(p.exited)
	}()
	return p, nil
}

// command makes a command on the calling thread, with the thread's root folder.
func command(args, env []string, dir string) (*exec.Cmd, error) {
	if len(args) == 0 {
		return nil, errors.New("there is no command")
	}
	file, err := lookPath(args[0], env, dir)
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{Path: file, Args: args, Env: env, Dir: dir}, nil
}

// lookPath finds a program with the container's PATH rather than this process's.
func lookPath(name string, env []string, dir string) (string, error) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join("/", dir, name)
		}
		_, err := os.Stat(name)
		return name, err
	}
	for i := len(env) - 1; i >= 0; i-- { // the last one counts
		dirs, ok := strings.CutPrefix(env[i], "PATH=")
		if !ok {
			continue
		}
		for _, d := range filepath.SplitList(dirs) {
			file := path.Join("/", d, name)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return file, nil
			}
		}
		break
	}
	return "", fmt.Errorf("%s: %w in the container", name, exec.ErrNotFound)
}

func exitOf(err error) Exit {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return Exit{}
	case !errors.As(err, &exit):
		return Exit{Code: 128, Err: err}
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return Exit{Code: 128 + int(status.Signal()), Signal: int(status.Signal())}
	}
	return Exit{Code: exit.ExitCode()}
}

// Exited is closed once the main process has ended and no other of the
// container is left.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Exit says how the main process ended, once it has.
func (p *Process) Exit() Exit {
	<-p.exited
	return p.exit
}

// Stop asks the main process to end, by SIGTERM, and after the grace period
// ends what is left of the container.
func (p *Process) Stop(grace time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
		return
	case <-timer.C:
	}
	p.killAll()
	<-p.exited
}

// Close lets go of the container, which must have ended.
func (p *Process) Close() error { return p.mounts.Close() }

// killAll ends all processes in the container's mount namespace, whatever
// their parents, groups and sessions. It looks again until there are none, as
// they may fork meanwhile.
func (p *Process) killAll() {
	var ours unix.Stat_t
	if err := unix.Fstat(int(p.mounts.Fd()), &ours); err != nil {
		return // closed: it had ended before
	}
	for {
		processes, _ := filepath.Glob("/proc/[0-9]*")
		found := false
		for _, proc := range processes {
			var its unix.Stat_t
			if unix.Stat(proc+"/ns/mnt", &its) != nil || its.Ino != ours.Ino || its.Dev != ours.Dev {
				continue // zombies have no namespaces any more
			}
			if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil {
				found = true
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		if !found {
			return
		}
		time.Sleep(time.Millisecond) // the kernel takes a moment to end them
	}
}

// Streams are the standard streams of a command; nil ones are empty.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exec runs a command in the container and waits for it. It ends with ctx and
// with the container.
func (p *Process) Exec(ctx context.Context, args []string, s Streams) (Exit, error) {
	cmd, err := p.startExec(args, func(cmd *exec.Cmd) error {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
		cmd.WaitDelay = drain
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd.Start()
	})
	if err != nil {
		return Exit{}, err
	}
	defer killWith(ctx, cmd)()
	return exitOf(cmd.Wait()), nil
}

// startExec calls start on a thread inside the container.
func (p *Process) startExec(args []string, start func(*exec.Cmd) error) (cmd *exec.Cmd, err error) {
	select {
	case <-p.exited:
		return nil, errors.New("the container has ended")
	default:
	}
	err = onThread(func() error {
		if err := p.sandbox.enter(); err != nil {
			return err
		}
		if err := unix.Unshare(unix.CLONE_FS); err != nil { // or the root would change for all threads
			return err
		}
		if err := enter(p.mounts, unix.CLONE_NEWNS); err != nil {
			return err
		}
		var err error
		if cmd, err = command(args, p.env, p.dir); err != nil {
			return err
		}
		return start(cmd)
	})
	return cmd, err
}

// killWith ends a command's session when ctx ends, until stop is called.
func killWith(ctx context.Context, cmd *exec.Cmd) (stop func()) {
	cancel := context.AfterFunc(ctx, func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	return func() { cancel() }
}

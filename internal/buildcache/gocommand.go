package buildcache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// GoCommand is one call of the go command for a [Component.Build].
type GoCommand struct {
	Dir string // the module's folder
	// Toolchain is the version of Go to use ("go1.27.0"), fetched as a module if
	// need be; empty for the one installed.
	Toolchain string
	Env       []string // besides the process's own
	// Args are "build", "-o", out and so on. -v is added to a build, whose
	// progress it makes; to go test it would mean something else.
	Args []string
	// Packages is how many of them a build has to compile, for its progress; 0
	// when that is not known.
	Packages int
}

// every is the least time between two lines of progress.
const every = 5 * time.Second

// tail is how many lines of output an error of the go command quotes.
const tail = 20

// Run runs the command, without a workspace and with CGO_ENABLED=0, and says
// on progress how many packages were compiled. It is interrupted when ctx ends,
// and on Linux when this process does. The error ends in the command's
// last lines.
func (g GoCommand) Run(ctx context.Context, progress io.Writer) error {
	if len(g.Args) == 0 {
		return errors.New("no go command given")
	}
	args := g.Args
	if args[0] == "build" {
		args = append([]string{"build", "-v"}, args[1:]...)
	}
	cmd := g.command(ctx, args)
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	f := follower{total: g.Packages}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.read(out)
	}()
	stop := f.tell(progress)
	err := runMortal(cmd)
	_ = in.Close() // a pipe in memory
	<-done
	stop()
	if ctx.Err() != nil {
		return fmt.Errorf("go %s: %w", g.Args[0], ctx.Err())
	}
	if errors.Is(err, exec.ErrNotFound) {
		return errNoGo(g, err)
	}
	if err != nil {
		return fmt.Errorf("go %s in %s: %w:\n%s", strings.Join(g.Args, " "), g.Dir, err, strings.Join(f.last, "\n"))
	}
	return nil
}

// command is the go command itself, with the caller's environment but for the
// workspace and flags, which are for the user's own code.
func (g GoCommand) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = g.Dir
	// PWD would otherwise name our folder, and the go command believes it.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0", "PWD="+g.Dir)
	if g.Toolchain != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+g.Toolchain)
	}
	cmd.Env = append(cmd.Env, g.Env...)
	// An interrupt lets the go command take its compilers with it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = every
	return cmd
}

func errNoGo(g GoCommand, err error) error {
	return fmt.Errorf("go %s: %w: install Go (https://go.dev/dl), or use a release archive", g.Args[0], err)
}

// follower reads the output of go build -v: a line for each package as it is
// compiled, and whatever goes wrong.
type follower struct {
	total    int // packages to compile; 0 when not known
	mu       sync.Mutex
	packages int
	current  string   // the package compiled last
	last     []string // lines that are no package
}

func (f *follower) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f.line(lines.Text())
	}
	_, _ = io.Copy(io.Discard, r) // a line beyond all measure must not block the command
}

func (f *follower) line(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if isPackage(line) {
		f.packages++
		f.current = line
	} else if f.last = append(f.last, line); len(f.last) > tail {
		f.last = f.last[1:]
	}
}

func (f *follower) state() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.packages == 0 {
		return "compiling and linking"
	}
	if f.total > 0 {
		return fmt.Sprintf("%d of %d packages compiled, the last %s", f.packages, f.total, f.current)
	}
	return fmt.Sprintf("%d packages compiled, the last %s", f.packages, f.current)
}

// tell writes how far the command is, from time to time until the returned
// function is called. Linking says nothing, so silence is told, too.
func (f *follower) tell(progress io.Writer) (stop func()) {
	tick, done := time.NewTicker(every), make(chan struct{})
	start := time.Now()
	go func() {
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				fmt.Fprintf(progress, "  %s: %s\n", time.Since(start).Round(time.Second), f.state())
			}
		}
	}()
	return func() {
		tick.Stop()
		close(done)
	}
}

// isPackage reports whether a line is an import path and nothing else.
func isPackage(line string) bool {
	return line != "" && !strings.ContainsAny(line, " :\t#")
}

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
	"time"
)

// GoCommand is one call of the go command for a [Component.Build].
type GoCommand struct {
	Dir string // the module's folder
	// Toolchain is the version of Go to use ("go1.27.0"), fetched as a module if
	// need be; empty for the one installed.
	Toolchain string
	Env       []string // besides the process's own
	Args      []string // "build", "-o", out, …; -v is added and makes the progress
}

// every is the least time between two lines of progress.
const every = 5 * time.Second

// tail is how many lines of output an error of the go command quotes.
const tail = 20

// Run runs the command, without a workspace and with CGO_ENABLED=0, and says
// on progress how many packages were compiled. The error ends in the command's
// last lines.
func (g GoCommand) Run(ctx context.Context, progress io.Writer) error {
	if len(g.Args) == 0 {
		return errors.New("no go command given")
	}
	args := append([]string{g.Args[0], "-v"}, g.Args[1:]...)
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
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	var last []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		last = follow(out, progress)
	}()
	err := cmd.Run()
	in.Close()
	<-done
	if ctx.Err() != nil {
		return fmt.Errorf("go %s: %w", g.Args[0], ctx.Err())
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("go %s: %w: install Go (https://go.dev/dl), or use a release archive", g.Args[0], err)
	}
	if err != nil {
		return fmt.Errorf("go %s in %s: %w:\n%s", strings.Join(g.Args, " "), g.Dir, err, strings.Join(last, "\n"))
	}
	return nil
}

// follow reads the output of go build -v: a line for each package as it is
// compiled, and whatever goes wrong. It returns the last lines.
func follow(r io.Reader, progress io.Writer) (last []string) {
	var (
		packages int
		start    = time.Now()
		said     = start
		lines    = bufio.NewScanner(r)
	)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if isPackage(line) {
			packages++
		} else if last = append(last, line); len(last) > tail {
			last = last[1:]
		}
		if now := time.Now(); now.Sub(said) >= every {
			said = now
			fmt.Fprintf(progress, "  %d packages compiled, %s: %s\n", packages, now.Sub(start).Round(time.Second), line)
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line beyond all measure must not block the command
	return last
}

// isPackage reports whether a line is an import path and nothing else.
func isPackage(line string) bool {
	return line != "" && !strings.ContainsAny(line, " :\t#")
}

package components

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// tick is how often a build says how far it is.
const tick = 10 * time.Second

// builder builds one component of a checkout.
type builder struct {
	Component
	root string
	logf func(format string, args ...any)
}

func (b builder) dir() string { return filepath.Join(b.root, filepath.FromSlash(b.Module)) }

// command is the go command in the component's module. The workspace and flags
// of the user's environment are for the user's own code.
func (b builder) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.dir()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-buildvcs=false")
	// A build that is given up must not go on in the background.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func (b builder) output(ctx context.Context, args ...string) ([]byte, error) {
	out, err := b.command(ctx, args...).Output()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("building needs Go (https://go.dev/dl): %w", err)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

// key is a hash of all that the program depends on: its module's go.mod,
// go.sum and sources, the flags, and the toolchain with its target.
func (b builder) key(ctx context.Context) (string, error) {
	toolchain, err := b.output(ctx, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s%q %q %q\n", toolchain, b.Package, b.LDFlags, b.Stubs)
	if err := hashModule(h, b.dir()); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// hashModule writes names and contents of a module's files, leaving out tests
// and modules nested in it that it does not take in by a replace directive.
func hashModule(h io.Writer, dir string) error {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	files := os.DirFS(dir)
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, err := fs.Stat(files, path.Join(name, "go.mod"))
			if name != "." && err == nil && !bytes.Contains(mod, []byte("=> ./"+name+"\n")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(content))
		_, err = h.Write(content)
		return err
	})
}

// buildInto builds the program in a folder beside dir and moves it there when
// it is whole.
func (b builder) buildInto(ctx context.Context, dir string) (err error) {
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	flags := []string{"-trimpath", "-ldflags", b.LDFlags}
	if len(b.Stubs) > 0 {
		modfile, err := b.stub(ctx, filepath.Join(tmp, "src"))
		if err != nil {
			return fmt.Errorf("replace packages by stubs: %w", err)
		}
		flags = append(flags, "-modfile", modfile)
	}
	out := filepath.Join(tmp, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	start := time.Now()
	if err := b.compile(ctx, flags, filepath.Join(out, b.Name)); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil { // left by a crash of the machine
		return err
	}
	if err := os.Rename(out, dir); err != nil {
		return err
	}
	b.logf("built %s in %s", b.Name, time.Since(start).Round(time.Second))
	return nil
}

// compile runs `go build -v`, which names each package as it is compiled, and
// reports how many of those that have to be compiled are done.
func (b builder) compile(ctx context.Context, flags []string, out string) error {
	list, err := b.output(ctx, slices.Concat([]string{"list", "-deps", "-f", "{{.Stale}}"}, flags, []string{b.Package})...)
	if err != nil {
		return err
	}
	total := bytes.Count(list, []byte("true"))
	b.logf("building %s: %d packages to compile", b.Name, total)

	cmd := b.command(ctx, slices.Concat([]string{"build", "-v"}, flags, []string{"-o", out, b.Package})...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var done atomic.Int64
	stop := b.report(&done, total)
	defer stop()
	var failure strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if line := lines.Text(); isPackage(line) {
			done.Add(1)
		} else if failure.Len() < 1<<14 {
			failure.WriteString("\n" + line)
		}
	}
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("go build: %w%s", err, failure.String())
	}
	return nil
}

// isPackage tells the names that `go build -v` prints from what went wrong.
func isPackage(line string) bool { return line != "" && !strings.ContainsAny(line, " \t:#") }

// report says every tick how far the build is, until stop is called.
func (b builder) report(done *atomic.Int64, total int) (stop func()) {
	ticker, quit := time.NewTicker(tick), make(chan struct{})
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				b.logf("building %s: %d of %d packages", b.Name, done.Load(), total)
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit) }
}

package buildcache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

// Program is a program of a Go module.
type Program struct {
	// Name is the program's file name.
	Name string
	// Module is the folder of the Go module; empty when there is no checkout.
	Module string
	// Package is the import path or relative path of the main package, as
	// `go build` takes it in Module.
	Package string
	// LDFlags are linker flags, as for -ldflags.
	LDFlags string
	// Stubs are packages of other modules that are replaced by smaller ones.
	Stubs []Stub
}

// Component is the program as [Find] takes it. Its builds lie in folder, each in
// a folder NAME-KEY.
func (p Program) Component(folder string) Component {
	return Component{Name: p.Name, Executable: true, Dir: p.Module, Folder: folder, Key: p.key, Build: p.build}
}

func (p Program) command(args ...string) GoCommand { return GoCommand{Dir: p.Module, Args: args} }

// key is a hash of all that the program depends on: its module's go.mod,
// go.sum and sources, the flags, and the toolchain with its target.
func (p Program) key(ctx context.Context) (string, error) {
	toolchain, err := p.command("env", "GOVERSION", "GOOS", "GOARCH").Output(ctx)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s%q %q %q\n", toolchain, p.Package, p.LDFlags, p.Stubs)
	if err := hashModule(h, p.Module); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// build compiles the program. How many packages have to be compiled is known
// before, and told.
func (p Program) build(ctx context.Context, out string, progress io.Writer) error {
	flags := []string{"-trimpath", "-ldflags", p.LDFlags}
	if len(p.Stubs) > 0 {
		src := out + ".src"
		defer os.RemoveAll(src)
		modfile, err := p.stub(ctx, src, progress)
		if err != nil {
			return fmt.Errorf("replace packages by stubs: %w", err)
		}
		flags = append(flags, "-modfile", modfile)
	}
	stale, err := p.command(slices.Concat([]string{"list", "-deps", "-f", "{{.Stale}}"}, flags, []string{p.Package})...).Output(ctx)
	if err != nil {
		return err
	}
	command := p.command(slices.Concat([]string{"build"}, flags, []string{"-o", out, p.Package})...)
	command.Packages = bytes.Count(stale, []byte("true"))
	fmt.Fprintf(progress, "%s: %d packages to compile\n", p.Name, command.Packages)
	return command.Run(ctx, progress)
}

// Output runs a command that is no build, and returns what it prints.
func (g GoCommand) Output(ctx context.Context) ([]byte, error) {
	out, err := g.command(ctx, g.Args).Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return nil, errNoGo(g, err)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("go %s in %s: %w: %s", g.Args[0], g.Dir, err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

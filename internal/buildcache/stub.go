package buildcache

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Stub replaces a package of another module by one file, because it pulls in
// what a test has no use for.
type Stub struct {
	// Module is the other module as the go command takes it, PATH@VERSION.
	Module string
	// Package is the folder in the other module, with slashes. What lies below
	// goes, too.
	Package string
	// By is the Go file that takes its place, relative to the program's module.
	By string
}

// stub copies the modules that have stubs into dir, puts the stubs in, and
// writes a go.mod there that uses the copies. The go command does not let
// files in its own cache be replaced.
func (p Program) stub(ctx context.Context, dir string, progress io.Writer) (modfile string, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(p.Module, "go.mod"))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(p.Module, "go.sum"))
	if err != nil {
		return "", err
	}
	for i, s := range p.Stubs {
		fmt.Fprintf(progress, "%s: copying %s without %s\n", p.Name, s.Module, s.Package)
		out, err := p.command("mod", "download", "-json", s.Module).Output(ctx)
		if err != nil {
			return "", err
		}
		var info struct{ Dir string }
		if err := json.Unmarshal(out, &info); err != nil {
			return "", err
		}
		to := filepath.Join(dir, fmt.Sprintf("stubbed%d", i))
		if err := p.copyWithStub(info.Dir, to, s); err != nil {
			return "", err
		}
		path, _, _ := strings.Cut(s.Module, "@")
		mod = fmt.Appendf(mod, "\nreplace %s => %s\n", path, to)
	}
	modfile = filepath.Join(dir, "go.mod")
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644); err != nil {
		return "", err
	}
	return modfile, os.WriteFile(modfile, mod, 0o644)
}

func (p Program) copyWithStub(from, to string, s Stub) error {
	files := os.DirFS(from)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(name))
		switch {
		case d.IsDir():
			if err := os.MkdirAll(target, 0o755); err != nil {
				return err
			}
			if name == s.Package {
				return filepath.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
	if err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(p.Module, filepath.FromSlash(s.By)))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, filepath.FromSlash(s.Package), "stub.go"), content, 0o644)
}

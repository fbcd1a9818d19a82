package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// forbiddenModules must not be required, not even indirectly.
var forbiddenModules = map[string]string{
	"istio.io/istio": "Istio's implementation is no library; use istio.io/api and istio.io/client-go",
}

// load asks the go command for the packages of the module, and fails when
// go.mod requires a forbidden module.
func load(ctx context.Context, dir string) (module string, packages []pkg, err error) {
	var mod struct {
		Module  struct{ Path string }
		Require []struct{ Path string }
	}
	text, err := goCommand(ctx, dir, "mod", "edit", "-json")
	if err != nil {
		return "", nil, err
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		return "", nil, fmt.Errorf("reading go.mod: %w", err)
	}
	for _, r := range mod.Require {
		if why := forbiddenModules[r.Path]; why != "" {
			return "", nil, fmt.Errorf("go.mod requires %s: %s", r.Path, why)
		}
	}
	if text, err = goCommand(ctx, dir, "list", "-e", "-json=ImportPath,Imports,Deps,Standard", "./..."); err != nil {
		return "", nil, err
	}
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var p struct {
			ImportPath    string
			Imports, Deps []string
		}
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return mod.Module.Path, packages, nil
		case err != nil:
			return "", nil, fmt.Errorf("reading the output of go list: %w", err)
		}
		packages = append(packages, pkg{Path: p.ImportPath, Imports: p.Imports, Deps: p.Deps})
	}
}

func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	var problem bytes.Buffer
	c.Stderr = &problem
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(problem.String()))
	}
	return out, nil
}

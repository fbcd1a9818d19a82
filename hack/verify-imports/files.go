package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

const (
	// maxLines is how long a file of Go may be before it is worth a word.
	maxLines = 450
	// maxBytes bounds what is looked into; larger files are data.
	maxBytes = 4 << 20
)

// machinePath finds absolute paths of the machine that something was written
// on: they say nothing to anyone else. A path of a URL, which follows a name,
// does not count.
var machinePath = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:,\[<>])(/(?:root|work|home/[a-z][a-z0-9_-]*)/[^\s"'` + "`" + `)]*)`)

// pathsAllowed are files where such a path is data: what nginx serves is not
// where anybody works.
var pathsAllowed = regexp.MustCompile(`(^|/)(testdata|node_modules)/|^fixtures/|^hack/verify-imports/|\.sum$|(^|/)package-lock\.json$`)

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// checkFiles looks at every file that git tracks or would track, in a folder
// without git at every file.
func checkFiles(ctx context.Context, dir string) (violations, warnings []string, err error) {
	names, err := fileNames(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxBytes {
			continue // deleted, a link, or data
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // binary
		}
		violations = append(violations, machinePaths(name, text)...)
		if w := tooLong(name, text); w != "" {
			warnings = append(warnings, w)
		}
	}
	return violations, warnings, nil
}

func machinePaths(name string, text []byte) []string {
	if pathsAllowed.MatchString(name) {
		return nil
	}
	var out []string
	for i, line := range bytes.Split(text, []byte("\n")) {
		if m := machinePath.FindSubmatch(line); m != nil {
			out = append(out, fmt.Sprintf("%s:%d: %s is a path of one machine", name, i+1, m[1]))
		}
	}
	return out
}

func tooLong(name string, text []byte) string {
	if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || generated.Match(text) {
		return ""
	}
	if n := bytes.Count(text, []byte("\n")); n > maxLines {
		return fmt.Sprintf("%s has %d lines; over %d, one file usually holds more than one idea", name, n, maxLines)
	}
	return ""
}

func fileNames(ctx context.Context, dir string) ([]string, error) {
	c := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	c.Dir = dir
	if out, err := c.Output(); err == nil {
		names := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
		sort.Strings(names)
		return names, nil
	}
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	return names, err
}

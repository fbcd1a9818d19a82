package buildcache

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// Module is the path of Causeway's own module, by which a checkout is known.
const Module = "github.com/causeway-gateway/causeway"

// Dir is the folder of everything Causeway caches: $XDG_CACHE_HOME/causeway, or
// what the platform has in its place.
func Dir() (string, error) {
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "causeway"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w: set XDG_CACHE_HOME", err)
	}
	return filepath.Join(dir, "causeway"), nil
}

// Beside are the folders where a release keeps its programs: that of
// the binary, and libexec/causeway next to its bin.
func Beside() []string {
	exe, err := os.Executable()
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	dir := filepath.Dir(exe)
	return []string{dir, filepath.Join(filepath.Dir(dir), "libexec", "causeway")}
}

// Checkout returns the root of the checkout of Causeway's source that the
// working folder, or else the binary, stands in; empty when neither does.
func Checkout() string {
	var from []string
	if wd, err := os.Getwd(); err == nil {
		from = append(from, wd)
	}
	from = append(from, Beside()...)
	for _, dir := range from {
		if root := checkoutAbove(dir); root != "" {
			return root
		}
	}
	return ""
}

var ownModule = regexp.MustCompile(`(?m)^module ` + regexp.QuoteMeta(Module) + `\s*$`)

func checkoutAbove(dir string) string {
	for {
		if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && ownModule.Match(mod) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

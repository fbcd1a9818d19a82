//go:build linux

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/causeway-gateway/causeway/hack/airgap/debian"
	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// packages are those of the engine. What they depend on comes along unless the
// machine has it.
var packages = []string{"docker.io", "iptables"}

// findPrograms returns the folder of the unpacked packages.
func findPrograms(ctx context.Context, progress io.Writer) (string, error) {
	release, err := os.ReadFile("/etc/os-release") // the programs use the machine's libc
	if err != nil {
		return "", err
	}
	return buildcache.Find(ctx, buildcache.Component{
		Name: "docker-engine", Dir: buildcache.Checkout(),
		Inputs: []string{"hack/airgap/debian", "hack/airgap/engine/programs.go"},
		Salt:   []string{runtime.GOARCH, string(release)},
		Build: func(ctx context.Context, out string, _ io.Writer) error {
			debs := filepath.Join(filepath.Dir(out), "debs")
			defer os.RemoveAll(debs)
			files, err := debian.Fetch(ctx, debs, true, packages)
			if err != nil {
				return err
			}
			if err := debian.Unpack(ctx, out, files); err != nil {
				return err
			}
			return alternatives(out)
		},
	}, progress)
}

// alternatives makes the links that update-alternatives would have set. A
// machine that has iptables keeps its own.
func alternatives(programs string) error {
	sbin := filepath.Join(programs, "usr", "sbin")
	const real = "xtables-nft-multi"
	if _, err := os.Stat(filepath.Join(sbin, real)); err != nil {
		return nil //nolint:nilerr // it was not unpacked
	}
	return errors.Join(os.Symlink(real, filepath.Join(sbin, "iptables")), os.Symlink(real, filepath.Join(sbin, "ip6tables")))
}

// program is the path of one of the engine's programs: unpacked, or else the
// machine's.
func program(programs, name string) (string, error) {
	for _, dir := range []string{"sbin", "bin"} {
		path := filepath.Join(programs, "usr", dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("neither Debian's packages nor this machine have %s: %w", name, err)
	}
	return filepath.Abs(path)
}

// environment lets the engine and its children find the unpacked programs
// before those of the machine.
func environment(programs string) []string {
	usr := filepath.Join(programs, "usr")
	libraries, _ := filepath.Glob(filepath.Join(usr, "lib", "*-linux-gnu"))
	library := ""
	if len(libraries) > 0 {
		library = libraries[0]
	}
	env := append(os.Environ(), "PATH="+filepath.Join(usr, "sbin")+":"+filepath.Join(usr, "bin")+":"+os.Getenv("PATH"))
	if library != "" {
		env = append(env, "LD_LIBRARY_PATH="+library)
		if xtables := filepath.Join(library, "xtables"); isDir(xtables) {
			env = append(env, "XTABLES_LIBDIR="+xtables)
		}
	}
	return env
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

//go:build linux

package engine

import (
	"context"
	"io"
	"os"
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
			// What update-alternatives would have set. A machine that has iptables
			// keeps its own, and this link leads nowhere.
			for _, tool := range []string{"iptables", "ip6tables"} {
				link := filepath.Join(out, "usr/sbin", tool)
				if _, err := os.Stat(filepath.Join(out, "usr/sbin/xtables-nft-multi")); err == nil {
					if err := os.Symlink("xtables-nft-multi", link); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}, progress)
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

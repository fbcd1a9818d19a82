package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// Suite is a built suite.
type Suite struct {
	Version string // as asked for: "v1.6", or the path of a binary
	Path    string // of the test binary
}

// DefaultSuite is the version used when none is asked for.
const DefaultSuite = "v1.6"

// source says how the suite of one version is built.
type source struct {
	version   string
	toolchain string // of Go, when the suite asks for a newer one than the root module
}

// sources are the versions that this release of Causeway knows. Each is a module
// of its own under conformance/suites.
var sources = []source{
	{version: "v1.6"},
	{version: "v1.7", toolchain: "go1.27.0"},
}

// SuiteVersions are the versions that [FindSuite] knows, oldest first.
func SuiteVersions() []string {
	var out []string
	for _, s := range sources {
		out = append(out, s.version)
	}
	return out
}

// FindSuite finds a suite's binary: a version of [SuiteVersions], looked up
// beside causeway and in the cache and else built from the checkout, which takes
// minutes once and is told on progress; or the path of a binary.
func FindSuite(ctx context.Context, version string, progress io.Writer) (Suite, error) {
	if strings.ContainsRune(version, filepath.Separator) {
		path, err := filepath.Abs(version)
		if err != nil {
			return Suite{}, fmt.Errorf("suite %s: %w", version, err)
		}
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return Suite{}, fmt.Errorf("suite %s is not a test binary: build one with 'go test -c', or name a version: %s", version, strings.Join(SuiteVersions(), ", "))
		}
		return Suite{Version: version, Path: path}, nil
	}
	for _, s := range sources {
		if s.version == version {
			path, err := buildcache.Find(ctx, s.component(buildcache.Checkout()), progress)
			if err != nil {
				return Suite{}, fmt.Errorf("conformance suite %s: %w", version, err)
			}
			return Suite{Version: version, Path: path}, nil
		}
	}
	return Suite{}, fmt.Errorf("%w: suite %q is not known: use %s, or the path of a suite's test binary", ErrOptions, version, strings.Join(SuiteVersions(), ", "))
}

// component is the suite's binary built from a checkout, which may be empty.
func (s source) component(checkout string) buildcache.Component {
	c := buildcache.Component{
		Name:       "gateway-api-conformance-" + s.version + ".test" + exeSuffix(),
		Executable: true,
		Inputs:     []string{s.version, "harness"},
		Salt:       []string{s.toolchain, runtime.Version()},
	}
	if checkout == "" {
		return c
	}
	c.Dir = filepath.Join(checkout, "conformance", "suites")
	c.Build = func(ctx context.Context, out string, progress io.Writer) error {
		command := buildcache.GoCommand{Dir: filepath.Join(c.Dir, s.version), Toolchain: s.toolchain}
		// go test compiles without a word, so what it needs is built before it.
		command.Args = []string{"build", "-trimpath", buildcache.Module + "/conformance/suites/harness"}
		if err := command.Run(ctx, progress); err != nil {
			return err
		}
		command.Args = []string{"test", "-c", "-trimpath", "-ldflags", "-s -w", "-o", out, "."}
		return command.Run(ctx, progress)
	}
	return c
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// Listing is what a suite holds.
type Listing struct {
	Version        string    `json:"version"` // of the Gateway API, "v1.6.3"
	Profiles       []Profile `json:"profiles"`
	Features       []Feature `json:"features"`
	Tests          []Test    `json:"tests"` // in the order they run
	Images         []string  `json:"images"`
	Namespaces     []string  `json:"namespaces"`     // that its manifests make
	GatewayClasses []string  `json:"gatewayClasses"` // the same
}

// Profile is a conformance profile (GEP-1709): the features that make it up.
type Profile struct {
	Name     string   `json:"name"`
	Core     []string `json:"core"`
	Extended []string `json:"extended"`
}

// Feature is a feature that tests may ask for. Channel is empty for one that no
// list of features knows.
type Feature struct {
	Name    string `json:"name"`
	Channel string `json:"channel,omitempty"`
}

// Test is a test of the suite.
type Test struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Features    []string `json:"features"`
	Parallel    bool     `json:"parallel,omitempty"`
	Provisional bool     `json:"provisional,omitempty"`
	Slow        bool     `json:"slow,omitempty"`
}

// List asks a suite's binary what it holds. That needs no cluster.
func (s Suite) List(ctx context.Context) (*Listing, error) {
	cmd := exec.CommandContext(ctx, s.Path, "-causeway.list")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the tests of suite %s: %w: %s: is %s a suite binary that Causeway built?", s.Version, err, firstLine(errOut.String()), s.Path)
	}
	var l Listing
	if err := json.Unmarshal(out, &l); err != nil {
		return nil, fmt.Errorf("listing the tests of suite %s: %w", s.Version, err)
	}
	return &l, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

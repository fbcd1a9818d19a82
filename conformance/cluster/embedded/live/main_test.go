//go:build cluster && linux

// Package live tests an embedded cluster as its users have it: through
// e2e-framework, client-go and programs inside. `make test-cluster` runs it.
package live

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/envfuncs"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// The images of the tests, besides those of every cluster.
const (
	echo  = "registry.k8s.io/gateway-api/echo-basic:v1.5.1"
	shell = "example.com/shell" // the machine's own /bin/sh
)

var testenv env.Environment

// provider is shared by the tests that do not start clusters of their own.
var provider = embedded.NewProvider(options(fmt.Sprintf("live-%d", os.Getpid())))

func options(name string) embedded.Options {
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		panic(err)
	}
	return embedded.Options{
		Name:   name,
		Images: map[string]image.Program{shell: {Path: sh, Name: "sh"}},
		Logf:   func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
	}
}

func TestMain(m *testing.M) {
	if code, handled := embedded.Main(os.Args); handled {
		os.Exit(code)
	}
	if code, handled := helper(os.Args); handled {
		os.Exit(code)
	}
	if flag.Parse(); flag.Lookup("test.bench").Value.String() != "" {
		os.Exit(m.Run()) // each benchmark starts its own
	}
	testenv = env.NewWithConfig(envconf.New())
	testenv.Setup(envfuncs.CreateCluster(provider, fmt.Sprintf("live-%d", os.Getpid())))
	testenv.Finish(func(ctx context.Context, _ *envconf.Config) (context.Context, error) {
		if dest := os.Getenv("CLUSTER_LOGS"); dest != "" {
			if err := provider.ExportLogs(ctx, filepath.Join(dest, time.Now().Format("150405"))); err != nil {
				return ctx, err
			}
		}
		return ctx, provider.Destroy(ctx)
	})
	os.Exit(testenv.Run(m))
}

//go:build kind && linux

// Package live tests kind clusters as their users have them: through
// e2e-framework, client-go and programs of this machine. It pulls nothing but
// the node image. `make test-kind` runs it.
package live

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/envfuncs"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
)

// The images of the tests, built from programs of this machine.
const (
	echo   = "registry.k8s.io/gateway-api/echo-basic:v1.5.1"
	helper = "example.com/helper:v1" // this test binary
)

var testenv env.Environment

// provider is shared by the tests that do not make clusters of their own.
var provider *kind.Provider

// shared is the name of its cluster.
var shared = fmt.Sprintf("live-%d", os.Getpid())

func options(name string) (kind.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return kind.Options{}, err
	}
	server, err := components.Finder{}.Find(context.Background(), components.EchoBasic)
	return kind.Options{
		Name:   name,
		Images: map[string]image.Program{helper: {Path: self, Name: "helper", Args: []string{helperArg}}, echo: {Path: server}},
		Logf:   func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
	}, err
}

func TestMain(m *testing.M) {
	if code, handled := runHelper(os.Args); handled {
		os.Exit(code)
	}
	o, err := options(shared)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	provider = kind.NewProvider(o)
	testenv = env.NewWithConfig(envconf.New())
	testenv.Setup(envfuncs.CreateCluster(provider, shared))
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

// Package cluster gives the conformance runner and the scenarios a Kubernetes
// cluster, whoever provides it. A provider is what e2e-framework takes for one
// ([types.E2EClusterProviderWithImageLoader]), plus a way to run programs where
// the cluster's addresses can be reached. The package owns the table of
// providers and the small API in front of them; each provider is a package of
// its own below.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/e2e-framework/pkg/types"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/existing"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
)

// Provider makes one cluster, or finds one.
type Provider interface {
	types.E2EClusterProviderWithImageLoader
	// Command is like [exec.CommandContext] for a program of this machine that
	// can reach the cluster's pods, Services and gateways.
	Command(ctx context.Context, name string, args ...string) *exec.Cmd
}

// The providers.
const (
	Embedded = "embedded" // real control plane, pods as local programs; Linux
	Existing = "existing" // what a kubeconfig names; never created nor destroyed
	Kind     = "kind"     // nodes as Docker containers; needs a Docker engine
)

// providers make providers. A new provider is a row here.
var providers = map[string]func(Options) (Provider, error){
	Embedded: func(o Options) (Provider, error) {
		return embedded.NewProvider(embedded.Options{Name: o.Name, Images: o.Images, Logf: o.Logf}), nil
	},
	Existing: func(o Options) (Provider, error) { return existing.NewProvider(o.Kubeconfig, o.Context) },
	Kind: func(o Options) (Provider, error) {
		k := o.Kind
		k.Name, k.Images, k.Logf = o.Name, o.Images, o.Logf
		if err := k.Validate(); err != nil {
			return nil, err
		}
		return kind.NewProvider(k), nil
	},
}

// Providers are the names of the providers, sorted.
func Providers() []string { return slices.Sorted(maps.Keys(providers)) }

// Options say what cluster is wanted. The zero value is an embedded cluster of
// the default name.
type Options struct {
	// Provider is one of [Providers]; empty for [Embedded].
	Provider string
	// Name tells clusters of one provider apart; empty for the provider's default.
	Name string
	// Images map images to programs of this machine. An embedded cluster runs the
	// programs, a kind cluster loads images that are built from them.
	Images map[string]image.Program
	// Kubeconfig and Context name an existing cluster; empty for those that
	// kubectl would use.
	Kubeconfig, Context string
	// Kind is how a kind cluster is made. Name, Images and Logf are those above.
	Kind kind.Options
	// Logf receives progress, one line a call without a line end; nil for none.
	Logf func(format string, args ...any)
}

// New returns a provider that has not done anything yet. Its error names the
// providers that there are.
func New(o Options) (Provider, error) {
	if o.Provider == "" {
		o.Provider = Embedded
	}
	make, ok := providers[o.Provider]
	if !ok {
		return nil, fmt.Errorf("there is no cluster provider %q; there are %s", o.Provider, strings.Join(Providers(), ", "))
	}
	return make(o)
}

// Cluster is a cluster that runs.
type Cluster struct {
	provider Provider
	// Kubeconfig is the path of a kubeconfig and Context the context in it.
	Kubeconfig, Context string
}

// Up brings up a cluster and waits until it takes pods. The caller ends it by
// [Cluster.Down]; an embedded one ends with this process at the latest.
func Up(ctx context.Context, o Options) (*Cluster, error) {
	p, err := New(o)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := p.Create(ctx)
	if err != nil {
		return nil, err
	}
	return &Cluster{provider: p, Kubeconfig: kubeconfig, Context: p.GetKubectlContext()}, nil
}

// RESTConfig is how to reach the API server, from inside and outside.
func (c *Cluster) RESTConfig() (*rest.Config, error) {
	config := c.provider.KubernetesRestConfig()
	if config == nil {
		return nil, errors.New("the cluster is down")
	}
	return config, nil
}

// Command is like [exec.CommandContext] for a program of this machine that can
// reach the cluster's pods, Services and gateways by address and, in an
// embedded cluster, by name. Env, Dir and the standard streams of the command
// work as usual; KUBECONFIG is the caller's to set.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return c.provider.Command(ctx, name, args...)
}

// ExportLogs copies the logs of the control plane and of all pods, those that
// are gone as well, into a folder.
func (c *Cluster) ExportLogs(ctx context.Context, dir string) error {
	return c.provider.ExportLogs(ctx, dir)
}

// Down ends the cluster unless it existed before, and returns once nothing of
// it is left.
func (c *Cluster) Down(ctx context.Context) error { return c.provider.Destroy(ctx) }

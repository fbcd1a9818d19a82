// Package existing is the provider of a cluster that is there already: what a
// kubeconfig names. It creates, loads and destroys nothing.
package existing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/pkg/types"
)

// Provider is an existing cluster.
type Provider struct {
	context string
	path    string // of the kubeconfig that Create wrote
	config  clientcmd.ClientConfig
}

var _ types.E2EClusterProviderWithImageLoader = (*Provider)(nil)

// NewProvider finds the cluster that kubectl would use with --kubeconfig and
// --context. Empty ones are left out, as there.
func NewProvider(kubeconfig, context string) (*Provider, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})
	raw, err := config.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if context == "" {
		context = raw.CurrentContext
	}
	if raw.Contexts[context] == nil {
		return nil, fmt.Errorf("kubeconfig: there is no context %q; name one with --context, or a file with --kubeconfig or KUBECONFIG", context)
	}
	return &Provider{context: context, config: config}, nil
}

// Create checks that the cluster answers and returns the path of a kubeconfig:
// a copy with this one context and the files it names, since not everybody who
// takes a kubeconfig takes several files or a context. [Provider.Destroy]
// removes it.
func (p *Provider) Create(ctx context.Context, _ ...string) (string, error) {
	config, err := p.config.ClientConfig()
	if err != nil {
		return "", fmt.Errorf("context %q: %w", p.context, err)
	}
	client, err := klient.New(config)
	if err != nil {
		return "", fmt.Errorf("context %q: %w", p.context, err)
	}
	if err := p.WaitForControlPlane(ctx, client); err != nil {
		return "", err
	}
	raw, err := p.config.RawConfig()
	if err != nil {
		return "", err
	}
	raw.CurrentContext = p.context
	if err := errors.Join(api.MinifyConfig(&raw), api.FlattenConfig(&raw)); err != nil {
		return "", fmt.Errorf("context %q: %w", p.context, err)
	}
	dir, err := os.MkdirTemp("", "causeway-existing-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(raw, path); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	p.path = path
	return path, nil
}

// CreateWithConfig takes the file for a kubeconfig.
func (p *Provider) CreateWithConfig(ctx context.Context, file string) (string, error) {
	other, err := NewProvider(file, "")
	if err != nil {
		return "", err
	}
	*p = *other
	return p.Create(ctx)
}

// Destroy removes the kubeconfig and leaves the cluster as it is.
func (p *Provider) Destroy(context.Context) error {
	if p.path == "" {
		return nil
	}
	path := p.path
	p.path = ""
	return os.RemoveAll(filepath.Dir(path))
}

// WaitForControlPlane asks the API server once: it is said to exist.
func (p *Provider) WaitForControlPlane(ctx context.Context, client klient.Client) error {
	clientset, err := kubernetes.NewForConfig(client.RESTConfig())
	if err != nil {
		return err
	}
	if err := clientset.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
		return fmt.Errorf("the cluster of context %q does not answer: %w", p.context, err)
	}
	return nil
}

// Command runs a program on this machine, which has to reach the cluster's
// addresses by itself.
func (p *Provider) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

// The rest is what an existing cluster has no use for, or answers as it is.

// WithName changes nothing: the context names the cluster.
func (p *Provider) WithName(string) types.E2EClusterProvider { return p }

// WithVersion changes nothing: the cluster has its version.
func (p *Provider) WithVersion(string) types.E2EClusterProvider { return p }

// WithPath changes nothing: no program is started.
func (p *Provider) WithPath(string) types.E2EClusterProvider { return p }

// WithOpts applies the options.
func (p *Provider) WithOpts(opts ...types.ClusterOpts) types.E2EClusterProvider {
	for _, o := range opts {
		o(p)
	}
	return p
}

// SetDefaults changes nothing.
func (p *Provider) SetDefaults() types.E2EClusterProvider { return p }

// GetKubeconfig is the path that Create returned.
func (p *Provider) GetKubeconfig() string { return p.path }

// GenerateKubeconfig returns the same path.
func (p *Provider) GenerateKubeconfig(...string) (string, error) { return p.path, nil }

// GetKubectlContext is the context in the kubeconfig.
func (p *Provider) GetKubectlContext() string { return p.context }

// KubernetesRestConfig is nil if the kubeconfig does not say how to connect.
func (p *Provider) KubernetesRestConfig() *rest.Config {
	config, err := p.config.ClientConfig()
	if err != nil {
		return nil
	}
	return config
}

// ExportLogs exports nothing: where an existing cluster keeps its logs is its
// own business.
func (p *Provider) ExportLogs(context.Context, string) error { return nil }

// LoadImage leaves it to the cluster to pull the image.
func (p *Provider) LoadImage(context.Context, string, ...string) error { return nil }

// LoadImageArchive is an error: the archive would be needed, and there is no
// general way into a cluster.
func (p *Provider) LoadImageArchive(_ context.Context, archive string, _ ...string) error {
	return fmt.Errorf("%s cannot be loaded into the existing cluster of context %q: push the images to its registry", archive, p.context)
}

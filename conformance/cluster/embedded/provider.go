package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// Version is the Kubernetes version of an embedded cluster.
const Version = "v1.37.2"

// Provider makes embedded clusters for e2e-framework.
type Provider struct {
	options Options
	version string
	cluster *Cluster
}

var _ types.E2EClusterProviderWithImageLoader = (*Provider)(nil)

// NewProvider returns a provider of one cluster.
func NewProvider(o Options) *Provider { return &Provider{options: o} }

// Config is the file that CreateWithConfig reads: YAML, fields other than
// these are errors.
type Config struct {
	// Images are rows for the table of images.
	Images map[string]image.Program `json:"images"`
}

// Create starts the cluster; see [Up]. It takes no arguments.
func (p *Provider) Create(ctx context.Context, args ...string) (string, error) {
	if len(args) > 0 {
		return "", fmt.Errorf("an embedded cluster takes no arguments, not %q", args)
	}
	if p.version != "" && p.version != Version {
		return "", fmt.Errorf("an embedded cluster is of Kubernetes %s, not %s", Version, p.version)
	}
	c, err := Up(ctx, p.options)
	if err != nil {
		return "", err
	}
	p.cluster = c
	return c.Kubeconfig(), nil
}

// CreateWithConfig starts the cluster with the images of a file, see [Config].
func (p *Provider) CreateWithConfig(ctx context.Context, file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var c Config
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	p.options.Images = c.Images
	return p.Create(ctx)
}

// Destroy ends the cluster.
func (p *Provider) Destroy(ctx context.Context) error {
	if p.cluster == nil {
		return nil
	}
	c := p.cluster
	p.cluster = nil
	return c.Down(ctx)
}

// WithName names the cluster.
func (p *Provider) WithName(name string) types.E2EClusterProvider {
	p.options.Name = name
	return p
}

// WithVersion is checked by Create: there is but one.
func (p *Provider) WithVersion(version string) types.E2EClusterProvider {
	p.version = version
	return p
}

// WithPath names the folder where the control plane's programs are looked for first.
func (p *Provider) WithPath(path string) types.E2EClusterProvider {
	p.options.Components.Beside = path
	return p
}

// WithOpts applies the options.
func (p *Provider) WithOpts(opts ...types.ClusterOpts) types.E2EClusterProvider {
	for _, o := range opts {
		o(p)
	}
	return p
}

// SetDefaults names the cluster if it has no name.
func (p *Provider) SetDefaults() types.E2EClusterProvider {
	if p.options.Name == "" {
		p.options.Name = DefaultName
	}
	return p
}

// GetKubeconfig is the path of the kubeconfig; empty while the cluster is down.
func (p *Provider) GetKubeconfig() string {
	if p.cluster == nil {
		return ""
	}
	return p.cluster.Kubeconfig()
}

var errDown = errors.New("the embedded cluster is down")

// GenerateKubeconfig returns the same path.
func (p *Provider) GenerateKubeconfig(...string) (string, error) {
	if p.cluster == nil {
		return "", errDown
	}
	return p.cluster.Kubeconfig(), nil
}

// GetKubectlContext is the context in the kubeconfig.
func (p *Provider) GetKubectlContext() string {
	if p.cluster == nil {
		return ""
	}
	return p.cluster.Context()
}

// KubernetesRestConfig is nil while the cluster is down.
func (p *Provider) KubernetesRestConfig() *rest.Config {
	if p.cluster == nil {
		return nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", p.cluster.Kubeconfig())
	if err != nil {
		return nil
	}
	return config
}

// WaitForControlPlane has nothing to wait for: Create returns when it is ready.
func (p *Provider) WaitForControlPlane(context.Context, klient.Client) error { return nil }

// ExportLogs copies the logs into a folder, which it makes.
func (p *Provider) ExportLogs(_ context.Context, dest string) error {
	if p.cluster == nil {
		return errDown
	}
	if err := os.MkdirAll(dest, 0o755); err != nil {
		return err
	}
	return os.CopyFS(dest, os.DirFS(p.cluster.Logs()))
}

// LoadImage maps an image to a program of this machine: the first argument is
// its path, the others come before the container's own arguments.
func (p *Provider) LoadImage(ctx context.Context, name string, args ...string) error {
	if p.cluster == nil {
		return errDown
	}
	if len(args) == 0 {
		return fmt.Errorf("image %s: an embedded cluster runs local programs, name one", name)
	}
	return p.cluster.MapImage(ctx, name, image.Program{Path: args[0], Args: args[1:]})
}

// LoadImageArchive is an error: there is nothing that could unpack images.
func (p *Provider) LoadImageArchive(_ context.Context, archive string, _ ...string) error {
	return fmt.Errorf("%s: an embedded cluster runs local programs and no images; use LoadImage, or a kind cluster", archive)
}

// Command runs a program inside the cluster; see [Cluster.Command].
func (p *Provider) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if p.cluster == nil {
		return &exec.Cmd{Err: errDown}
	}
	return p.cluster.Command(ctx, name, args...)
}

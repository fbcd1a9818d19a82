package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/gofrs/flock"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/pkg/types"
	kindcluster "sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
)

// Provider makes one kind cluster for e2e-framework.
type Provider struct {
	options  Options
	kind     *kindcluster.Provider
	state    state
	lock     *flock.Flock
	balancer *balancer
	up       bool
}

var _ types.E2EClusterProviderWithImageLoader = (*Provider)(nil)

// NewProvider returns a provider of one cluster that has not done anything yet.
func NewProvider(o Options) *Provider { return &Provider{options: o} }

// Create makes the cluster and returns the path of its kubeconfig once every
// node is Ready and the images are loaded. It takes no arguments. If it fails,
// or ctx ends, nothing is left of the cluster.
func (p *Provider) Create(ctx context.Context, args ...string) (string, error) {
	if len(args) > 0 {
		return "", fmt.Errorf("a kind cluster takes options and no arguments, not %q", args)
	}
	if p.up {
		return "", fmt.Errorf("kind cluster %q is up already", p.options.Name)
	}
	if err := p.options.complete(); err != nil {
		return "", err
	}
	engine, err := engineInfo(ctx)
	if err != nil {
		return "", err
	}
	config, err := p.options.config(engine)
	if err != nil {
		return "", err
	}
	if p.state, err = stateOf(p.options.Name); err != nil {
		return "", err
	}
	p.kind = kindcluster.NewProvider(kindcluster.ProviderWithDocker(), kindcluster.ProviderWithLogger(logger{p.options.Logf}))
	if err := p.keep(); err != nil {
		return "", err
	}
	start := time.Now()
	err = p.create(ctx, kindcluster.CreateWithV1Alpha4Config(config))
	if err != nil {
		return "", errors.Join(err, p.release(), ctx.Err())
	}
	p.up = true
	if err := p.finish(ctx, start); err != nil {
		return "", errors.Join(err, p.Destroy(context.WithoutCancel(ctx)))
	}
	return p.state.kubeconfig(), nil
}

// keep takes the lock that says that a process keeps the cluster.
func (p *Provider) keep() error {
	p.lock = p.state.keeping()
	ok, err := p.lock.TryLock()
	if err == nil && !ok {
		err = fmt.Errorf("kind cluster %q is up already: end it with `causeway cluster down --name %[1]s`, or use another name", p.options.Name)
	}
	if err == nil {
		err = os.MkdirAll(p.state.dir, 0o700)
	}
	return err
}

// release gives up the lock and the folder.
func (p *Provider) release() error {
	err := p.state.remove()
	if p.lock != nil {
		err = errors.Join(err, os.RemoveAll(p.lock.Path()), p.lock.Unlock())
		p.lock = nil
	}
	return err
}

// create lets kind make the cluster. kind takes no context: when ours ends,
// the containers are taken from under it.
func (p *Provider) create(ctx context.Context, config kindcluster.CreateOption) error {
	name := inDocker(p.options.Name)
	done := make(chan error, 1)
	go func() {
		done <- p.kind.Create(name, config,
			kindcluster.CreateWithKubeconfigPath(p.state.kubeconfig()),
			kindcluster.CreateWithWaitForReady(2*time.Minute),
			kindcluster.CreateWithDisplayUsage(false), kindcluster.CreateWithDisplaySalutation(false))
	}()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("kind cluster %q: %w", p.options.Name, explained(err))
		}
		return nil
	case <-ctx.Done():
		_ = p.kind.Delete(name, p.state.kubeconfig())
		if err := <-done; err == nil {
			p.options.Logf("kind cluster %q was made just before the interrupt", p.options.Name)
		}
		return errors.Join(context.Cause(ctx), p.kind.Delete(name, p.state.kubeconfig()))
	}
}

// finish does what kind leaves undone: images, addresses, every node Ready.
func (p *Provider) finish(ctx context.Context, start time.Time) error {
	if err := p.state.write(details{Created: time.Now().UTC(), LoadBalancer: p.options.LoadBalancer}); err != nil {
		return err
	}
	config := p.KubernetesRestConfig()
	if config == nil {
		return errors.New("kind wrote no kubeconfig")
	}
	if err := waitForNodes(ctx, config); err != nil {
		return err
	}
	p.options.Logf("every node is ready after %s", time.Since(start).Round(100*time.Millisecond))
	if err := p.loadPrograms(ctx); err != nil {
		return err
	}
	return p.balance(ctx)
}

// balance starts whatever gives Services of type LoadBalancer their addresses.
func (p *Provider) balance(ctx context.Context) error {
	switch p.options.LoadBalancer {
	case BuiltIn:
		b, err := startBalancer(ctx, p.options.Name, p.KubernetesRestConfig(), p.options.Logf)
		p.balancer = b
		return err
	case CloudProviderKind:
		return startCloudProvider(ctx, p.options.Name)
	case MetalLB:
		return p.installMetalLB(ctx)
	}
	return nil
}

// CreateWithConfig makes the cluster by a file with a kind configuration.
func (p *Provider) CreateWithConfig(ctx context.Context, file string) (string, error) {
	p.options.Config = file
	return p.Create(ctx)
}

// Destroy deletes the cluster and returns once nothing of it is left.
func (p *Provider) Destroy(ctx context.Context) error {
	if !p.up {
		return nil
	}
	p.up = false
	if p.balancer != nil {
		p.balancer.stop()
		p.balancer = nil
	}
	err := remove(ctx, p.options.Name, p.options.Logf)
	return errors.Join(err, p.release())
}

// remove deletes a cluster's containers and its folder.
func remove(ctx context.Context, name string, logf func(string, ...any)) error {
	s, err := stateOf(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil { // kind locks a file beside the kubeconfig
		return err
	}
	k := kindcluster.NewProvider(kindcluster.ProviderWithDocker(), kindcluster.ProviderWithLogger(logger{logf}))
	if err := k.Delete(inDocker(name), s.kubeconfig()); err != nil {
		return fmt.Errorf("deleting kind cluster %q: %w", name, explained(err))
	}
	if err := stopCloudProvider(ctx, name); err != nil {
		return err
	}
	return s.remove()
}

// WaitForControlPlane waits until every node is Ready.
func (p *Provider) WaitForControlPlane(ctx context.Context, client klient.Client) error {
	return waitForNodes(ctx, client.RESTConfig())
}

// ExportLogs copies the logs of nodes, pods and the container engine into a
// folder, which it makes.
func (p *Provider) ExportLogs(_ context.Context, dest string) error {
	if !p.up {
		return errDown
	}
	if err := os.MkdirAll(dest, 0o755); err != nil {
		return err
	}
	return explained(p.kind.CollectLogs(inDocker(p.options.Name), dest))
}

// Command runs a program on this machine, which reaches the addresses of load
// balancers and nodes where the Docker engine runs on it.
func (p *Provider) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if !p.up {
		return &exec.Cmd{Err: errDown}
	}
	return exec.CommandContext(ctx, name, args...)
}

var errDown = errors.New("the kind cluster is down")

// nodes are those that run pods.
func (p *Provider) nodes() ([]nodes.Node, error) {
	if !p.up {
		return nil, errDown
	}
	return p.kind.ListInternalNodes(inDocker(p.options.Name))
}

// WithName names the cluster.
func (p *Provider) WithName(name string) types.E2EClusterProvider {
	p.options.Name = name
	return p
}

// WithVersion picks kind's published image of a Kubernetes version.
func (p *Provider) WithVersion(version string) types.E2EClusterProvider {
	p.options.KubernetesVersion = version
	return p
}

// WithPath changes nothing: kind is part of this program.
func (p *Provider) WithPath(string) types.E2EClusterProvider { return p }

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
	if !p.up {
		return ""
	}
	return p.state.kubeconfig()
}

// GenerateKubeconfig returns the same path.
func (p *Provider) GenerateKubeconfig(...string) (string, error) {
	if !p.up {
		return "", errDown
	}
	return p.state.kubeconfig(), nil
}

// GetKubectlContext is the context in the kubeconfig.
func (p *Provider) GetKubectlContext() string {
	if !p.up {
		return ""
	}
	return "kind-" + inDocker(p.options.Name)
}

// KubernetesRestConfig is nil while the cluster is down.
func (p *Provider) KubernetesRestConfig() *rest.Config {
	if !p.up {
		return nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", p.state.kubeconfig())
	if err != nil {
		return nil
	}
	return config
}

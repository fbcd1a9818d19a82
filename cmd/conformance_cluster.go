package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/causeway-gateway/causeway/conformance/cluster"
	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/implementation"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

// clusterProvider is a value of --cluster.
type clusterProvider struct {
	name   string
	shared bool // its cluster is there before the run and after it
	open   func(ctx context.Context, f *conformanceFlags, progress io.Writer) (conformance.Clusters, error)
}

// clusterProviders are the values of --cluster; the first is the default.
var clusterProviders = []clusterProvider{
	{name: cluster.Embedded, open: openEmbedded},
	{name: cluster.Existing, shared: true, open: func(_ context.Context, f *conformanceFlags, _ io.Writer) (conformance.Clusters, error) {
		return existingClusters{f.kubeconfig, f.context}, nil
	}},
}

// embeddedClusters are fresh clusters of this process, one at a time or several.
type embeddedClusters struct {
	images   map[string]image.Program
	progress io.Writer
	made     atomic.Int32
}

// openEmbedded finds the programs of the implementation, which takes its time
// where they have to be built.
func openEmbedded(ctx context.Context, f *conformanceFlags, progress io.Writer) (conformance.Clusters, error) {
	e := &embeddedClusters{images: map[string]image.Program{}, progress: progress}
	if f.implementation == "" {
		return e, nil
	}
	d, err := implementation.Load(f.implementation)
	if err != nil {
		return nil, err
	}
	m, err := d.MethodFor(implementation.Embedded)
	if err != nil {
		return nil, err
	}
	for _, l := range m.Locals() {
		path, err := components.Finder{Logf: lines(progress)}.Find(ctx, l.Component)
		if err != nil {
			return nil, err
		}
		e.images[l.Image] = image.Program{Path: path}
	}
	return e, nil
}

// Up makes a cluster of a name that no other run has.
func (e *embeddedClusters) Up(ctx context.Context) (conformance.Cluster, error) {
	name := fmt.Sprintf("run-%d-%d", os.Getpid(), e.made.Add(1))
	c, err := embedded.Up(ctx, embedded.Options{Name: name, Images: e.images, Logf: lines(e.progress)})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func providerNames() string {
	var names []string
	for _, p := range clusterProviders {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

func findProvider(name string) (*clusterProvider, error) {
	for i := range clusterProviders {
		if clusterProviders[i].name == name {
			return &clusterProviders[i], nil
		}
	}
	return nil, usagef("--cluster %s is not known: use %s", name, providerNames())
}

// existingClusters is the one cluster that kubectl would use.
type existingClusters struct{ kubeconfig, context string }

// Up checks that the cluster answers, and writes a kubeconfig of its own, since
// the suite takes neither several files nor a context.
func (e existingClusters) Up(ctx context.Context) (conformance.Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = e.kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: e.context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster: %w: name one with --kubeconfig or --context", err)
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	if err := clients.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
		return nil, fmt.Errorf("the cluster at %s does not answer: %w", config.Host, err)
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, err
	}
	if e.context != "" {
		raw.CurrentContext = e.context
	}
	if err := errors.Join(clientcmdapi.MinifyConfig(&raw), clientcmdapi.FlattenConfig(&raw)); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "causeway-existing-")
	if err != nil {
		return nil, err
	}
	c := &existingCluster{dir: dir}
	if err := clientcmd.WriteToFile(raw, c.Kubeconfig()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// existingCluster holds a copy of the credentials for as long as the run takes.
type existingCluster struct{ dir string }

// Kubeconfig is the copy.
func (c *existingCluster) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// Command runs here: this machine has to reach the cluster's gateways.
func (c *existingCluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

// Down removes the copy, and leaves the cluster as it is.
func (c *existingCluster) Down(context.Context) error { return os.RemoveAll(c.dir) }

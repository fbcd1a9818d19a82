package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/causeway-gateway/causeway/conformance/cluster"
	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/implementation"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// clusterProvider is a value of --cluster.
type clusterProvider struct {
	kind   implementation.Provider
	shared bool // its cluster is there before the run and after it
	open   func(f *conformanceFlags, progress io.Writer) (conformance.Clusters, error)
}

// clusterProviders are the values of --cluster; the first is the default.
var clusterProviders = []clusterProvider{
	{kind: implementation.Embedded, open: openEmbedded},
	{kind: implementation.KindCluster, open: openKind},
	{kind: implementation.Existing, shared: true, open: openExisting},
}

// checkKubernetes says whether a kind of cluster has the wanted version of
// Kubernetes.
func (f *conformanceFlags) checkKubernetes(p *clusterProvider) error {
	switch want := "v" + strings.TrimPrefix(f.kubernetes, "v"); {
	case f.kubernetes == "":
	case p.shared:
		return usagef("--kubernetes-version: an existing cluster has the version that it has; leave it out")
	case p.kind == implementation.Embedded && want != embedded.Version:
		return usagef("--kubernetes-version %s: an embedded cluster has Kubernetes %s; use --cluster kind for others", f.kubernetes, embedded.Version)
	}
	return nil
}

func providerNames() string {
	var names []string
	for _, p := range clusterProviders {
		names = append(names, string(p.kind))
	}
	return strings.Join(names, ", ")
}

func findProvider(name string) (*clusterProvider, error) {
	for i := range clusterProviders {
		if string(clusterProviders[i].kind) == name {
			return &clusterProviders[i], nil
		}
	}
	return nil, usagef("--cluster %s is not known: use %s", name, providerNames())
}

// runCluster is a cluster as the runner takes it.
type runCluster struct{ *cluster.Cluster }

// Kubeconfig is the path of the cluster's kubeconfig.
func (c runCluster) Kubeconfig() string { return c.Cluster.Kubeconfig }

func upCluster(ctx context.Context, o cluster.Options) (conformance.Cluster, error) {
	c, err := cluster.Up(ctx, o)
	if err != nil {
		return nil, err
	}
	return runCluster{c}, nil
}

// existingClusters is the one cluster that kubectl would use.
type existingClusters struct{ cluster.Options }

func openExisting(f *conformanceFlags, _ io.Writer) (conformance.Clusters, error) {
	return existingClusters{cluster.Options{Provider: cluster.Existing, Kubeconfig: f.kubeconfig, Context: f.context}}, nil
}

// Up checks that the cluster answers.
func (e existingClusters) Up(ctx context.Context) (conformance.Cluster, error) {
	return upCluster(ctx, e.Options)
}

// embeddedClusters are as many as are asked for, each with a name of its own.
type embeddedClusters struct{ programs }

// programs stand for images.
type programs struct {
	images map[string]image.Program // that the user mapped
	locals []*implementation.Local  // programs that the implementation is made of
	logf   func(format string, args ...any)
}

func openEmbedded(f *conformanceFlags, progress io.Writer) (conformance.Clusters, error) {
	p, err := newPrograms(f, progress)
	if err != nil {
		return nil, err
	}
	return embeddedClusters{p}, nil
}

// newPrograms are those that the flags and the implementation name.
func newPrograms(f *conformanceFlags, progress io.Writer) (programs, error) {
	images, err := imageTable(f.images)
	if err != nil {
		return programs{}, usage(err)
	}
	p := programs{images: images, logf: lines(progress)}
	if f.descriptor != nil && f.localPrograms() {
		m, err := f.descriptor.MethodFor(implementation.Embedded)
		if err != nil {
			return programs{}, usage(err)
		}
		p.locals = m.Locals()
	}
	return p, nil
}

// runPrefix begins the names of clusters that runs make.
const runPrefix = "conformance-"

// Up finds the programs, building them when they are nowhere, and starts a
// cluster that knows them. What killed runs left behind goes first.
func (e embeddedClusters) Up(ctx context.Context) (conformance.Cluster, error) {
	images, err := e.table(ctx)
	if err != nil {
		return nil, err
	}
	if err := sweep(ctx); err != nil {
		return nil, err
	}
	return upCluster(ctx, cluster.Options{Provider: cluster.Embedded, Name: runPrefix + rand.String(8), Images: images, Logf: e.logf})
}

// table is the table of images: what the user mapped, and for the rest of the
// implementation's images this executable or the component of their name.
func (e programs) table(ctx context.Context) (map[string]image.Program, error) {
	out := map[string]image.Program{}
	for name, p := range e.images {
		out[name] = p
	}
	known, err := image.NewTable(e.images)
	if err != nil {
		return nil, err
	}
	for _, l := range e.locals {
		if _, err := known.Lookup(l.Image); err == nil {
			continue
		}
		path, err := e.program(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("a program for image %s: %w; or map one with --image %s=FILE", l.Image, err, l.Image)
		}
		out[l.Image] = image.Program{Path: path}
	}
	return out, nil
}

func (e programs) program(ctx context.Context, l *implementation.Local) (string, error) {
	if l.Self {
		return ownProgram()
	}
	return components.Finder{Logf: e.logf}.Find(ctx, l.Component)
}

// ownProgram is the file of this executable. A test is not causeway, so it has
// the one that `make build` leaves.
func ownProgram() (string, error) {
	path, err := os.Executable()
	if err != nil || !strings.HasSuffix(path, ".test") {
		return path, err
	}
	path = filepath.Join(buildcache.Checkout(), "bin", "causeway")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: run `make build` first", err)
	}
	return path, nil
}

// sweep removes the folders of runs that were killed.
func sweep(ctx context.Context) error {
	all, err := embedded.List()
	if err != nil {
		return fmt.Errorf("looking for what killed runs left: %w", err)
	}
	for _, c := range all {
		if c.State != embedded.Dead || !strings.HasPrefix(c.Name, runPrefix) {
			continue
		}
		if _, err := embedded.Down(ctx, c.Name); err != nil {
			return fmt.Errorf("removing what a killed run left of cluster %s: %w", c.Name, err)
		}
	}
	return nil
}

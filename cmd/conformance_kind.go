package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/causeway-gateway/causeway/conformance/cluster"
	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
	"github.com/causeway-gateway/causeway/conformance/implementation"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

// kindFlags are the options of kind clusters, without the version of Kubernetes:
// runs may have several.
func kindFlags(fl *pflag.FlagSet, o *kind.Options) {
	fl.StringVar(&o.NodeImage, "node-image", "", "kind: image of the nodes (default $"+kind.NodeImageVariable+", or kind's own)")
	fl.IntVar(&o.Nodes, "nodes", 0, "kind: number of nodes, the first of which is the control plane (default 1)")
	fl.StringVar(&o.IPFamily, "ip-family", "", "kind: ipv4, ipv6 or dual")
	fl.StringVar(&o.Config, "kind-config", "", "kind: file with a kind configuration to start from")
	fl.StringVar(&o.LoadBalancer, "load-balancer", "", "kind: built-in, cloud-provider-kind, metallb or none (default built-in)")
}

// kindFlagNames are the flags of kindFlags.
var kindFlagNames = []string{"node-image", "nodes", "ip-family", "kind-config", "load-balancer"}

// onlyForKind says that a flag of kind clusters was set for another provider.
func onlyForKind(fl *pflag.FlagSet, flag, provider string, more ...string) error {
	if provider == cluster.Kind {
		return nil
	}
	for _, name := range append(more, kindFlagNames...) {
		if fl.Changed(name) {
			return usagef("--%s is for kind clusters: add --%s kind, or leave it out", name, flag)
		}
	}
	return nil
}

// kindClusters are as many as are asked for, each with a name of its own.
type kindClusters struct {
	programs
	options kind.Options
	// suite are the images of the suite that are built here and not pulled.
	suite []string
}

// localPrograms reports whether the implementation's programs come from this
// machine and not from a registry.
func (f *conformanceFlags) localPrograms() bool {
	return f.cluster == string(implementation.Embedded) || f.localImages
}

func openKind(f *conformanceFlags, progress io.Writer) (conformance.Clusters, error) {
	if err := f.kind.Validate(); err != nil {
		return nil, usage(err)
	}
	p, err := newPrograms(f, progress)
	if err != nil {
		return nil, err
	}
	k := kindClusters{programs: p, options: f.kind}
	if f.localImages {
		k.suite = f.suiteImages
	}
	return k, nil
}

// Up makes a cluster. What crashed runs left behind goes first.
func (k kindClusters) Up(ctx context.Context) (conformance.Cluster, error) {
	images, err := k.table(ctx)
	if err != nil {
		return nil, err
	}
	if err := k.addSuite(ctx, images); err != nil {
		return nil, err
	}
	reaped, err := kind.Reap(ctx, runPrefix)
	for _, name := range reaped {
		k.logf("deleted kind cluster %q, which a run that crashed had left", name)
	}
	if errors.Is(err, kind.ErrNoDocker) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("looking for what crashed runs left: %w", err)
	}
	return upCluster(ctx, cluster.Options{Provider: cluster.Kind, Name: runPrefix + rand.String(8), Images: images, Kind: k.options, Logf: k.logf})
}

// addSuite adds the programs that the suite's manifests name by images: each
// is the component of the image's name.
func (k kindClusters) addSuite(ctx context.Context, images map[string]image.Program) error {
	known, err := image.NewTable(images)
	if err != nil {
		return err
	}
	for _, ref := range k.suite {
		if _, err := known.Lookup(ref); err == nil { // the user has mapped it
			continue
		}
		component, name := componentOf(ref)
		if component == "" {
			k.logf("image %s is not built here; a test that needs it has to pull it", ref)
			continue
		}
		path, err := components.Finder{Logf: k.logf}.Find(ctx, component)
		if err != nil {
			return fmt.Errorf("a program for image %s: %w; or map one with --image %s=FILE", ref, err, ref)
		}
		images[ref] = image.Program{Path: path, Name: name}
	}
	return nil
}

// componentOf is the component that an image of the suite is built from, and
// the name that it is started by, if that matters; empty for none.
func componentOf(ref string) (component, name string) {
	repository, _, _ := strings.Cut(path.Base(ref), ":")
	switch {
	case repository == "coredns":
		return components.ControlPlane, repository
	case slices.Contains(components.Names(), repository):
		return repository, ""
	}
	return "", ""
}

// checkKind says what of the flags does not fit the kind of cluster.
func (f *conformanceFlags) checkKind(fl *pflag.FlagSet) error {
	if f.localImages && f.cluster != cluster.Kind {
		return usagef("--local-images is for kind clusters: an embedded cluster pulls nothing anyway, and into an existing one nothing can be loaded")
	}
	return onlyForKind(fl, "cluster", f.cluster)
}

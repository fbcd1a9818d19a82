package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/mod/semver"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/causeway-gateway/causeway/conformance/implementation"
	"github.com/causeway-gateway/causeway/conformance/implementation/install"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
	"github.com/causeway-gateway/causeway/gatewayapi"
)

// loadDescriptor reads a descriptor from the catalogue or a file, which must
// say how it is installed on that kind of cluster.
func loadDescriptor(nameOrFile string, on implementation.Provider) (*implementation.Descriptor, *implementation.Method, error) {
	d, err := implementation.Load(nameOrFile)
	if errors.Is(err, implementation.ErrUnknown) {
		return nil, nil, usage(err)
	} else if err != nil {
		return nil, nil, err
	}
	m, err := d.MethodFor(on)
	if err != nil {
		return nil, nil, usage(err)
	}
	return d, m, nil
}

// described is an implementation as the runner takes it. limit is the run's
// for the installation.
func described(d *implementation.Descriptor, m *implementation.Method, on implementation.Provider, limit time.Duration) *conformance.Implementation {
	i := d.Implementation
	out := &conformance.Implementation{
		Name:         d.Name,
		Organization: i.Organization, Project: i.Project, URL: i.URL, Version: i.Version, Contact: i.Contact,
		Mode: d.ReportMode(), Profiles: d.Profiles, Timeouts: d.Timeouts,
		Install: installation(d, install.Options{Provider: on, Timeout: waitWithin(m.WaitTimeout(), limit)}),
	}
	if c := d.GatewayClass; c != nil {
		out.GatewayClass, out.Controller = c.Name, c.ControllerName
	}
	if mesh := d.Mesh; mesh != nil {
		out.Mesh, out.NamespaceLabels, out.NamespaceAnnotations = mesh.Name, mesh.NamespaceLabels, mesh.NamespaceAnnotations
	}
	if f := d.Features; f != nil {
		out.Features, out.AllFeatures, out.Exempt = f.Supported, f.All, f.Exempt
	}
	if p := d.Prepare; p != nil {
		out.Prepare = preparation(d, install.Options{Provider: on, Timeout: waitWithin(m.WaitTimeout(), limit)})
		for _, s := range p.Steps {
			out.Prepared = append(out.Prepared, s.Why)
		}
	}
	if t := d.Tests; t != nil {
		out.SkipTests, out.KnownToFail = excuses(t.Skip), excuses(t.KnownToFail)
	}
	if a := d.Addresses; a != nil {
		out.UsableAddresses, out.UnusableAddresses = addresses(a.Usable), addresses(a.Unusable)
	}
	for _, l := range m.Logs {
		out.Logs = append(out.Logs, conformance.LogSource(l))
	}
	return out
}

func excuses(list []implementation.Excuse) conformance.Excuses {
	var out conformance.Excuses
	for _, e := range list {
		out = append(out, conformance.Excuse(e))
	}
	return out
}

func addresses(list []implementation.Address) []conformance.Address {
	var out []conformance.Address
	for _, a := range list {
		out = append(out, conformance.Address(a))
	}
	return out
}

// waitWithin is how long the installer waits: as its descriptor says, but less
// than the run does, or its verdict, which knows more, would not be heard.
func waitWithin(wait, limit time.Duration) time.Duration {
	return min(wait, limit-limit/20)
}

// preparation prepares whatever cluster it is given.
func preparation(d *implementation.Descriptor, o install.Options) func(context.Context, conformance.Cluster, io.Writer) error {
	return func(ctx context.Context, c conformance.Cluster, w io.Writer) error {
		config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
		if err != nil {
			return err
		}
		o := o
		o.Progress = func(line string) { fmt.Fprintln(w, line) }
		installer, err := install.New(config, o)
		if err != nil {
			return err
		}
		return installer.Prepare(ctx, d)
	}
}

// installation installs into whatever cluster it is given.
func installation(d *implementation.Descriptor, o install.Options) func(context.Context, conformance.Cluster, string, io.Writer) error {
	return func(ctx context.Context, c conformance.Cluster, release string, w io.Writer) error {
		version, err := gatewayapi.ParseVersion(semver.MajorMinor(release))
		if err != nil {
			return fmt.Errorf("the suite is of Gateway API %s: %w", release, err)
		}
		config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
		if err != nil {
			return err
		}
		o := o
		o.GatewayAPI = version
		o.Progress = func(line string) { fmt.Fprintln(w, line) }
		installer, err := install.New(config, o)
		if err != nil {
			return err
		}
		_, err = installer.Install(ctx, d)
		return err
	}
}

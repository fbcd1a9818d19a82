package cmd

import (
	"context"
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

// verdictTime is left of the time for installing, so that what the installer
// found wanting is heard before the run gives up.
const verdictTime = 5 * time.Second

// described turns a descriptor into what the suite runs against, installed as
// for clusters of a provider.
func described(d *implementation.Descriptor, provider implementation.Provider, limit time.Duration) (*conformance.Implementation, error) {
	m, err := d.MethodFor(provider)
	if err != nil {
		return nil, err
	}
	i := d.Implementation
	out := &conformance.Implementation{
		Name: d.Name, Organization: i.Organization, Project: i.Project, URL: i.URL, Version: i.Version, Contact: i.Contact,
		Mode: d.ReportMode(), Profiles: d.Profiles, Timeouts: d.Timeouts,
		SkipTests: map[string]string{}, KnownToFail: map[string]string{},
		Install: func(ctx context.Context, c conformance.Cluster, release string, w io.Writer) error {
			return installed(ctx, d, provider, c.Kubeconfig(), release, min(m.WaitTimeout(), limit-verdictTime), w)
		},
	}
	if c := d.GatewayClass; c != nil {
		out.GatewayClass, out.Controller = c.Name, c.ControllerName
	}
	if x := d.Mesh; x != nil {
		out.Mesh, out.NamespaceLabels, out.NamespaceAnnotations = x.Name, x.NamespaceLabels, x.NamespaceAnnotations
	}
	if f := d.Features; f != nil {
		out.Features, out.AllFeatures, out.Exempt = f.Supported, f.All, f.Exempt
	}
	if t := d.Tests; t != nil {
		for _, e := range t.Skip {
			out.SkipTests[e.Name] = e.Reason
		}
		for _, e := range t.KnownToFail {
			out.KnownToFail[e.Name] = e.Reason
		}
	}
	if a := d.Addresses; a != nil {
		out.UsableAddresses, out.UnusableAddresses = addresses(a.Usable), addresses(a.Unusable)
	}
	for _, l := range m.Logs {
		out.Logs = append(out.Logs, conformance.LogSource{Namespace: l.Namespace, Selector: l.Selector, Container: l.Container})
	}
	return out, nil
}

func addresses(in []implementation.Address) []conformance.Address {
	var out []conformance.Address
	for _, a := range in {
		out = append(out, conformance.Address{Type: a.Type, Value: a.Value})
	}
	return out
}

// installed puts an implementation into a cluster, with the CRDs of a release
// such as "v1.6.3".
func installed(ctx context.Context, d *implementation.Descriptor, p implementation.Provider, kubeconfig, release string, wait time.Duration, w io.Writer) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the cluster's kubeconfig: %w", err)
	}
	version, err := gatewayapi.ParseVersion(semver.MajorMinor(release))
	if err != nil {
		return err
	}
	in, err := install.New(config, install.Options{Provider: p, GatewayAPI: version, Timeout: wait, Progress: func(s string) { fmt.Fprintln(w, s) }})
	if err != nil {
		return err
	}
	_, err = in.Install(ctx, d)
	return err
}

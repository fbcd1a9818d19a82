package cmd

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/reference/control"
	"github.com/causeway-gateway/causeway/conformance/reference/redirect"
)

type meshFlags struct {
	referenceFlags
	address string
	port    uint16
}

func newReferenceMesh(s genericiooptions.IOStreams) *cobra.Command {
	var f meshFlags
	c := &cobra.Command{
		Use:   "mesh",
		Short: "Serve routes whose parents are Services, on a node",
		Long: `Serve routes whose parents are Services (GAMMA). Connections of the node's pods
to those Services are redirected to this program, by an nftables table of its
own. It must run in the node's network with CAP_NET_ADMIN. Pods notice nothing:
there are no sidecars. The cluster has one node.

The controller is ` + control.MeshController + `.`,
		Example: `  # In a pod with hostNetwork: true
  causeway reference mesh`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	f.add(c)
	c.Flags().StringVar(&f.address, "address", "", "address of this node that pods reach; the one it talks to the API server from when left out")
	c.Flags().Uint16Var(&f.port, "port", 15001, "port that connections are redirected to")
	return c
}

func (f *meshFlags) run(ctx context.Context, s genericiooptions.IOStreams) (err error) {
	bind, err := f.bind()
	if err != nil {
		return err
	}
	r, err := redirect.New(bind)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	return f.referenceFlags.run(ctx, s, control.Options{Mesh: &control.Mesh{Bind: bind, Redirect: r.Apply}})
}

// bind is where redirected connections arrive.
func (f *meshFlags) bind() (netip.AddrPort, error) {
	if f.address != "" {
		a, err := netip.ParseAddr(f.address)
		if err != nil {
			return netip.AddrPort{}, usagef("--address %s is no address", f.address)
		}
		return netip.AddrPortFrom(a, f.port), nil
	}
	api, err := netip.ParseAddr(os.Getenv("KUBERNETES_SERVICE_HOST"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("KUBERNETES_SERVICE_HOST: %w: run in a pod of the cluster, or give --address", err)
	}
	a, err := redirect.LocalAddress(api)
	return netip.AddrPortFrom(a, f.port), err
}

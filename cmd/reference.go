package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/causeway-gateway/causeway/conformance/reference/control"
)

// newReference is hidden: descriptors start it, people do not.
func newReference(s genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:    "reference",
		Short:  "Serve Gateway API objects, for tests only",
		Hidden: true,
		Long: `Serve the Gateway API objects of the cluster that this program runs in, by the
rules that causeway verify judges migrations by. It is what shows that those
rules are right: it passes the official conformance suite.

It is for tests and never for production.`,
		Example: `  # Started by the descriptor of the same name:
  causeway conformance run --implementation reference`,
	}
	c.AddCommand(newReferenceGateway(s), newReferenceMesh(s))
	return c
}

// referenceFlags are those of both halves.
type referenceFlags struct {
	ready string
	debug bool
}

func (f *referenceFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.ready, "ready-address", ":9440", "where GET /ready answers 200 once the first configuration is served")
	c.Flags().BoolVar(&f.debug, "debug", false, "log every request that fails")
}

func newReferenceGateway(s genericiooptions.IOStreams) *cobra.Command {
	var f referenceFlags
	var address string
	c := &cobra.Command{
		Use:   "gateway",
		Short: "Serve Gateways of classes that name this controller",
		Long: `Serve Gateways of the GatewayClasses whose controllerName is
` + control.GatewayController + `. It makes a Service of type LoadBalancer
for each of their addresses.`,
		Args: cobra.NoArgs,
		Example: `  # In a pod of the cluster:
  causeway reference gateway`,
		RunE: func(c *cobra.Command, _ []string) error {
			var o control.Options
			if address != "" {
				a, err := netip.ParseAddr(address)
				if err != nil {
					return usagef("--address %s is no address", address)
				}
				o.Address = a
			}
			return f.run(c.Context(), s, o)
		},
	}
	f.add(c)
	c.Flags().StringVar(&address, "address", "", "where the cluster reaches this program; that of its first network device when left out")
	return c
}

// run serves until the process is asked to end.
func (f *referenceFlags) run(ctx context.Context, s genericiooptions.IOStreams, o control.Options) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	level := slog.LevelInfo
	if f.debug {
		level = slog.LevelDebug
	}
	o.Log = slog.New(slog.NewTextHandler(s.ErrOut, &slog.HandlerOptions{Level: level}))
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("the reference implementation runs in a pod of the cluster: %w", err)
	}
	var ready atomic.Bool
	o.Ready = func() { ready.Store(true) }
	l, err := net.Listen("tcp", f.ready)
	if err != nil {
		return err
	}
	probe := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" || !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	go func() { _ = probe.Serve(l) }()
	defer func() { _ = probe.Close() }()
	if err := control.Run(ctx, config, o); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

func newCluster(s genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:   "cluster",
		Short: "Run a small Kubernetes cluster without Docker and without root",
		Long: `Run a small Kubernetes cluster without Docker and without root.

The control plane is the real one: etcd, kube-apiserver and
kube-controller-manager. Pods are programs of this machine in networks of their
own, so an image has to be mapped to a program with --image. Needs Linux.`,
		Example: `  # Start a cluster, look at it, end it
  causeway cluster up
  export KUBECONFIG=$(causeway cluster kubeconfig)
  kubectl get pods -A
  causeway cluster down

  # Addresses of pods, Services and gateways are reached inside
  causeway cluster exec -- curl http://shop.default/`,
	}
	for _, sub := range []func(genericiooptions.IOStreams, *string) *cobra.Command{
		newClusterUp, newClusterDown, newClusterStatus, newClusterKubeconfig, newClusterExec,
	} {
		name := embedded.DefaultName
		cmd := sub(s, &name)
		cmd.Flags().StringVar(&name, "name", name, "name of the cluster")
		c.AddCommand(cmd)
	}
	return c
}

func newClusterUp(s genericiooptions.IOStreams, name *string) *cobra.Command {
	var images []string
	var foreground bool
	c := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster",
		Long: `Start a cluster and wait until it takes pods.

It goes on in the background until "causeway cluster down", or with
--foreground until an interrupt. The first start builds the control plane from
its Go modules into the cache, which takes some minutes; the next one takes
seconds.`,
		Example: `  causeway cluster up

  # Pods with this image run a program of this machine
  causeway cluster up --image example.com/gateway=/usr/local/bin/gateway

  # In the foreground, and a second one beside it
  causeway cluster up --name second --foreground`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			table, err := imageTable(images)
			if err != nil {
				return usage(err)
			}
			o := embedded.Options{Name: *name, Images: table, Logf: lines(s.ErrOut)}
			if foreground {
				return holdCluster(c.Context(), s, o)
			}
			started, err := embedded.Start(c.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.ErrOut, "\nexport KUBECONFIG=%s\n", started.Kubeconfig())
			return nil
		},
	}
	c.Flags().StringArrayVar(&images, "image", nil, "run FILE for containers of IMAGE, as IMAGE=FILE; can be repeated")
	c.Flags().BoolVar(&foreground, "foreground", false, "stay until an interrupt, then end the cluster")
	return c
}

// holdCluster keeps a cluster until ctx ends.
func holdCluster(ctx context.Context, s genericiooptions.IOStreams, o embedded.Options) error {
	c, err := embedded.Up(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.ErrOut, "\nexport KUBECONFIG=%s\n", c.Kubeconfig())
	select {
	case <-ctx.Done():
		err = nil
	case <-c.Done():
		err = errors.New("the cluster has ended by itself; its last words stand above")
	}
	return errors.Join(err, c.Down(context.WithoutCancel(ctx)))
}

// imageTable reads IMAGE=FILE. An image has no equals sign, a file may.
func imageTable(rows []string) (map[string]image.Program, error) {
	table := map[string]image.Program{}
	for _, row := range rows {
		name, file, ok := strings.Cut(row, "=")
		if !ok || name == "" || file == "" {
			return nil, fmt.Errorf("--image %q is not of the form IMAGE=FILE", row)
		}
		path, err := exec.LookPath(file)
		if err != nil {
			return nil, fmt.Errorf("--image %s: %w", name, err)
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		table[name] = image.Program{Path: path}
	}
	return table, nil
}

func lines(w io.Writer) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
}

func newClusterDown(s genericiooptions.IOStreams, name *string) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "down",
		Short: "End a cluster and remove what it left",
		Example: `  causeway cluster down
  causeway cluster down --name second
  causeway cluster down --all`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if all && c.Flags().Changed("name") {
				return usagef("--all and --name exclude each other")
			}
			names := []string{*name}
			if all {
				found, err := embedded.List()
				if err != nil {
					return err
				}
				names = nil
				for _, f := range found {
					names = append(names, f.Name)
				}
			}
			for _, n := range names {
				found, err := embedded.Down(c.Context(), n)
				if err != nil {
					return err
				}
				if !found {
					fmt.Fprintf(s.ErrOut, "there is no cluster %q\n", n)
					continue
				}
				fmt.Fprintf(s.ErrOut, "cluster %q is down\n", n)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "end all clusters of this user")
	return c
}

func newClusterStatus(s genericiooptions.IOStreams, _ *string) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "status",
		Short: "List the clusters of this user",
		Long: `List the clusters of this user.

A dead cluster was killed: only its folder with the logs is left, which
"causeway cluster down" and the next "up" of that name remove.`,
		Example: `  causeway cluster status
  causeway cluster status -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "" && output != "json" {
				return usagef("-o %s is not known: use json or leave it out", output)
			}
			all, err := embedded.List()
			if err != nil {
				return err
			}
			if c.Flags().Changed("name") {
				wanted := c.Flag("name").Value.String()
				if err := embedded.CheckName(wanted); err != nil {
					return err
				}
				all = filterClusters(all, wanted)
				if len(all) == 0 {
					return fmt.Errorf("there is no cluster %q", wanted)
				}
			}
			if output == "json" {
				if all == nil {
					all = []embedded.Status{}
				}
				return json.NewEncoder(s.Out).Encode(all)
			}
			return printClusters(s.Out, all)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "json, or nothing for a table")
	return c
}

func filterClusters(all []embedded.Status, name string) []embedded.Status {
	var out []embedded.Status
	for _, s := range all {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

func printClusters(w io.Writer, all []embedded.Status) error {
	table := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tPID\tAGE\tLOGS")
	for _, s := range all {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", s.Name, s.State, s.PID, duration.HumanDuration(time.Since(s.Since)), s.Logs)
	}
	return table.Flush()
}

func newClusterKubeconfig(s genericiooptions.IOStreams, name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of a cluster's kubeconfig",
		Example: `  export KUBECONFIG=$(causeway cluster kubeconfig)
  kubectl --kubeconfig "$(causeway cluster kubeconfig --name second)" get nodes`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := embedded.Attach(*name)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(s.Out, c.Kubeconfig())
			return err
		},
	}
}

func newClusterExec(s genericiooptions.IOStreams, name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "exec -- COMMAND [ARG...]",
		Short: "Run a command where the cluster's addresses are reached",
		Long: `Run a program of this machine inside the cluster.

It sees the same files and has the addresses and names of pods, Services and
gateways; KUBECONFIG names the cluster. Its exit code is that of the program.`,
		Example: `  causeway cluster exec -- curl -v http://198.19.128.1/
  causeway cluster exec -- kubectl get pods -A -o wide
  causeway cluster exec -- bash`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			attached, err := embedded.Attach(*name)
			if err != nil {
				return err
			}
			// Signals are for the program inside, which may want to end in order.
			cmd := attached.Command(context.WithoutCancel(c.Context()), args[0], args[1:]...)
			cmd.Env = append(cmd.Environ(), "KUBECONFIG="+attached.Kubeconfig())
			cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.ErrOut
			err = cmd.Run()
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() > 0 {
				return &ExitError{Code: exit.ExitCode()} // the program has said why
			}
			return err
		},
	}
}

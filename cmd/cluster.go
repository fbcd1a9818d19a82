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

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/cluster"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
)

func newCluster(s genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:   "cluster",
		Short: "Run a small Kubernetes cluster, without Docker or as kind",
		Long: `Run a small Kubernetes cluster.

An embedded cluster (--provider embedded) needs neither Docker nor root. The
control plane is the real one: etcd, kube-apiserver and
kube-controller-manager. Pods are programs of this machine in networks of their
own, so an image has to be mapped to a program with --image. Needs Linux.

A kind cluster (--provider kind) has real nodes, each a Docker container, and
pulls images. Services of type LoadBalancer get addresses that this machine
reaches where Docker runs on Linux.`,
		Example: `  # Start a cluster, look at it, end it
  causeway cluster up
  export KUBECONFIG=$(causeway cluster kubeconfig)
  kubectl get pods -A
  causeway cluster down

  # Three nodes by kind; needs Docker
  causeway cluster up --provider kind --nodes 3

  # Addresses of pods, Services and gateways are reached inside
  causeway cluster exec -- curl http://shop.default/`,
	}
	for _, sub := range []func(genericiooptions.IOStreams, *chosenCluster) *cobra.Command{
		newClusterUp, newClusterDown, newClusterStatus, newClusterKubeconfig, newClusterExec, newClusterHold,
	} {
		chosen := chosenCluster{name: embedded.DefaultName, provider: cluster.Embedded}
		cmd := sub(s, &chosen)
		cmd.Flags().StringVar(&chosen.name, "name", chosen.name, "name of the cluster")
		cmd.Flags().StringVar(&chosen.provider, "provider", chosen.provider, "provider of the cluster: "+strings.Join(managedNames(), ", "))
		check := cmd.PreRunE
		cmd.PreRunE = func(c *cobra.Command, args []string) error {
			if _, err := chosen.managed(); err != nil {
				return err
			}
			if check != nil {
				return check(c, args)
			}
			return nil
		}
		c.AddCommand(cmd)
	}
	return c
}

func newClusterUp(s genericiooptions.IOStreams, chosen *chosenCluster) *cobra.Command {
	var images []string
	var foreground bool
	var k kind.Options
	c := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster",
		Long: `Start a cluster and wait until it takes pods.

It goes on in the background until "causeway cluster down", or with
--foreground until an interrupt. The first start of an embedded cluster builds
the control plane from its Go modules into the cache, which takes some minutes;
the next one takes seconds.`,
		Example: `  causeway cluster up

  # Pods with this image run a program of this machine
  causeway cluster up --image example.com/gateway=/usr/local/bin/gateway

  # In the foreground, and a second one beside it
  causeway cluster up --name second --foreground

  # Three nodes by kind, of another version of Kubernetes
  causeway cluster up --provider kind --nodes 3 --kubernetes-version v1.36.1`,
		Args: cobra.NoArgs,
		PreRunE: func(c *cobra.Command, _ []string) error {
			return onlyForKind(c.Flags(), "provider", chosen.provider, "kubernetes-version")
		},
		RunE: func(c *cobra.Command, _ []string) error {
			table, err := imageTable(images)
			if err != nil {
				return usage(err)
			}
			if chosen.provider == cluster.Kind {
				k.Name, k.Images, k.Logf = chosen.name, table, lines(s.ErrOut)
				return upKind(c.Context(), s, k, foreground)
			}
			o := embedded.Options{Name: chosen.name, Images: table, Logf: lines(s.ErrOut)}
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
	kindFlags(c.Flags(), &k)
	c.Flags().StringVar(&k.KubernetesVersion, "kubernetes-version", "", "kind: version of kind's published node image, such as v1.36.1")
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

func newClusterDown(s genericiooptions.IOStreams, chosen *chosenCluster) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "down",
		Short: "End a cluster and remove what it left",
		Example: `  causeway cluster down
  causeway cluster down --name second
  causeway cluster down --provider kind

  # All clusters of every provider, those of crashed processes too
  causeway cluster down --all`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if all && (c.Flags().Changed("name") || c.Flags().Changed("provider")) {
				return usagef("--all excludes --name and --provider")
			}
			if all {
				return downAll(c.Context(), s)
			}
			m, err := chosen.managed()
			if err != nil {
				return err
			}
			return downOne(c.Context(), s, m, chosen.name)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "end all clusters of this user")
	return c
}

func newClusterStatus(s genericiooptions.IOStreams, chosen *chosenCluster) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "status",
		Short: "List the clusters of this user",
		Long: `List the clusters of this user.

A dead embedded cluster was killed: only its folder with the logs is left, which
"causeway cluster down" and the next "up" of that name remove. A kind cluster
that is Unattended runs, but no process gives its Services addresses any more.`,
		Example: `  causeway cluster status
  causeway cluster status -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "" && output != "json" {
				return usagef("-o %s is not known: use json or leave it out", output)
			}
			all, err := listClusters(c.Context(), c.Flags().Changed("provider"), chosen)
			if err != nil {
				return err
			}
			if c.Flags().Changed("name") {
				if err := embedded.CheckName(chosen.name); err != nil {
					return err
				}
				all = filterClusters(all, chosen.name)
				if len(all) == 0 {
					return fmt.Errorf("there is no cluster %q", chosen.name)
				}
			}
			if output == "json" {
				if all == nil {
					all = []clusterStatus{}
				}
				return json.NewEncoder(s.Out).Encode(all)
			}
			return printClusters(s.Out, all)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "json, or nothing for a table")
	return c
}

func newClusterKubeconfig(s genericiooptions.IOStreams, chosen *chosenCluster) *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of a cluster's kubeconfig",
		Example: `  export KUBECONFIG=$(causeway cluster kubeconfig)
  kubectl --kubeconfig "$(causeway cluster kubeconfig --name second)" get nodes`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			m, err := chosen.managed()
			if err != nil {
				return err
			}
			path, err := m.kubeconfig(chosen.name)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(s.Out, path)
			return err
		},
	}
}

func newClusterExec(s genericiooptions.IOStreams, chosen *chosenCluster) *cobra.Command {
	return &cobra.Command{
		Use:   "exec -- COMMAND [ARG...]",
		Short: "Run a command where the cluster's addresses are reached",
		Long: `Run a program of this machine inside the cluster.

In an embedded cluster it sees the same files and has the addresses and names of
pods, Services and gateways. With kind it stays outside, where it reaches nodes
and load balancers. KUBECONFIG names the cluster. Its exit code is that of the
program.`,
		Example: `  causeway cluster exec -- curl -v http://198.19.128.1/
  causeway cluster exec -- kubectl get pods -A -o wide
  causeway cluster exec -- bash`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := chosen.managed()
			if err != nil {
				return err
			}
			// Signals are for the program inside, which may want to end in order.
			cmd, kubeconfig, err := m.command(context.WithoutCancel(c.Context()), chosen.name, args)
			if err != nil {
				return err
			}
			cmd.Env = append(cmd.Environ(), "KUBECONFIG="+kubeconfig)
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

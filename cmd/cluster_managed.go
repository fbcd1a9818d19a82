package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/cluster"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
)

// chosenCluster is what --name and --provider say.
type chosenCluster struct{ name, provider string }

func (c chosenCluster) managed() (managed, error) {
	for _, m := range managedProviders {
		if m.provider == c.provider {
			return m, nil
		}
	}
	return managed{}, usagef("--provider %s is not known: use %s", c.provider, strings.Join(managedNames(), " or "))
}

// managed is a provider whose clusters outlive the command that starts them.
type managed struct {
	provider   string
	list       func(context.Context) ([]clusterStatus, error)
	down       func(ctx context.Context, name string) (found bool, err error)
	kubeconfig func(name string) (string, error)
	command    func(ctx context.Context, name string, args []string) (cmd *exec.Cmd, kubeconfig string, err error)
	// absent reports whether an error of list says that the machine cannot have
	// such clusters at all.
	absent func(error) bool
}

var managedProviders = []managed{
	{
		provider: cluster.Embedded, list: listEmbedded, down: embedded.Down,
		kubeconfig: func(name string) (string, error) {
			c, err := embedded.Attach(name)
			if err != nil {
				return "", err
			}
			return c.Kubeconfig(), nil
		},
		command: func(ctx context.Context, name string, args []string) (*exec.Cmd, string, error) {
			c, err := embedded.Attach(name)
			if err != nil {
				return nil, "", err
			}
			return c.Command(ctx, args[0], args[1:]...), c.Kubeconfig(), nil
		},
		absent: func(error) bool { return false },
	},
	{
		provider: cluster.Kind, list: listKind, down: kind.Down, kubeconfig: kind.Kubeconfig,
		command: func(ctx context.Context, name string, args []string) (*exec.Cmd, string, error) {
			path, err := kind.Kubeconfig(name)
			if err != nil {
				return nil, "", err
			}
			return exec.CommandContext(ctx, args[0], args[1:]...), path, nil
		},
		absent: func(err error) bool { return errors.Is(err, kind.ErrNoDocker) },
	},
}

func managedNames() []string {
	var names []string
	for _, m := range managedProviders {
		names = append(names, m.provider)
	}
	return names
}

// clusterStatus is one line of `cluster status`.
type clusterStatus struct {
	Name       string    `json:"name"`
	Provider   string    `json:"provider"`
	State      string    `json:"state"`
	PID        int       `json:"pid,omitempty"`
	Nodes      int       `json:"nodes,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	Kubeconfig string    `json:"kubeconfig,omitempty"`
	Logs       string    `json:"logs,omitempty"`
}

func listEmbedded(context.Context) ([]clusterStatus, error) {
	all, err := embedded.List()
	var out []clusterStatus
	for _, s := range all {
		out = append(out, clusterStatus{
			Name: s.Name, Provider: cluster.Embedded, State: string(s.State), PID: s.PID, Nodes: 1,
			Since: s.Since, Kubeconfig: s.Kubeconfig, Logs: s.Logs,
		})
	}
	return out, err
}

func listKind(ctx context.Context) ([]clusterStatus, error) {
	all, err := kind.List(ctx)
	var out []clusterStatus
	for _, s := range all {
		state := string(s.State)
		if s.State == kind.Running && s.Unattended() {
			state = "Unattended"
		}
		out = append(out, clusterStatus{
			Name: s.Name, Provider: cluster.Kind, State: state, Nodes: s.Nodes,
			Since: s.Since, Kubeconfig: s.Kubeconfig, Logs: s.Logs,
		})
	}
	return out, err
}

// listClusters lists the clusters of all providers, or of the chosen one. A
// provider that cannot work on this machine has none.
func listClusters(ctx context.Context, onlyChosen bool, chosen *chosenCluster) ([]clusterStatus, error) {
	var out []clusterStatus
	for _, m := range managedProviders {
		if onlyChosen && m.provider != chosen.provider {
			continue
		}
		all, err := m.list(ctx)
		if err != nil && (onlyChosen || !m.absent(err)) {
			return nil, err
		}
		out = append(out, all...)
	}
	return out, nil
}

func filterClusters(all []clusterStatus, name string) []clusterStatus {
	return slices.DeleteFunc(slices.Clone(all), func(s clusterStatus) bool { return s.Name != name })
}

func printClusters(w io.Writer, all []clusterStatus) error {
	table := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(table, "NAME\tPROVIDER\tSTATE\tNODES\tPID\tAGE\tLOGS")
	for _, s := range all {
		age, pid := "", ""
		if !s.Since.IsZero() {
			age = duration.HumanDuration(time.Since(s.Since))
		}
		if s.PID > 0 {
			pid = fmt.Sprint(s.PID)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Name, s.Provider, s.State, s.Nodes, pid, age, s.Logs)
	}
	return table.Flush()
}

// downAll ends every cluster of every provider.
func downAll(ctx context.Context, s genericiooptions.IOStreams) error {
	var failed error
	for _, m := range managedProviders {
		all, err := m.list(ctx)
		if err != nil {
			if !m.absent(err) {
				failed = errors.Join(failed, err)
			}
			continue
		}
		for _, c := range all {
			failed = errors.Join(failed, downOne(ctx, s, m, c.Name))
		}
	}
	return failed
}

func downOne(ctx context.Context, s genericiooptions.IOStreams, m managed, name string) error {
	found, err := m.down(ctx, name)
	switch {
	case err != nil:
		return err
	case !found:
		fmt.Fprintf(s.ErrOut, "there is no cluster %q\n", name)
	default:
		fmt.Fprintf(s.ErrOut, "cluster %q is down\n", name)
	}
	return nil
}

// upKind starts a kind cluster, in the background or until ctx ends.
func upKind(ctx context.Context, s genericiooptions.IOStreams, o kind.Options, foreground bool) error {
	if err := o.Validate(); err != nil {
		return usage(err)
	}
	if !foreground {
		kubeconfig, err := kind.Start(ctx, o, func() (*exec.Cmd, error) { return holdCommand(o.Name) })
		if err != nil {
			return err
		}
		fmt.Fprintf(s.ErrOut, "\nexport KUBECONFIG=%s\n", kubeconfig)
		return nil
	}
	p := kind.NewProvider(o)
	kubeconfig, err := p.Create(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.ErrOut, "\nexport KUBECONFIG=%s\n", kubeconfig)
	<-ctx.Done()
	return p.Destroy(context.WithoutCancel(ctx))
}

// holdCommand is this program as the background process of a kind cluster.
func holdCommand(name string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "cluster", holdVerb, "--provider", cluster.Kind, "--name", name)
	detach(cmd)
	return cmd, nil
}

const holdVerb = "hold"

// newClusterHold is what runs in the background of a kind cluster. It is not
// for people.
func newClusterHold(s genericiooptions.IOStreams, chosen *chosenCluster) *cobra.Command {
	return &cobra.Command{
		Use:     holdVerb,
		Short:   "Give the Services of a kind cluster their addresses until it is deleted",
		Example: `  causeway cluster hold --provider kind --name second`,
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if chosen.provider != cluster.Kind {
				return usagef("only kind clusters are held")
			}
			return kind.Hold(c.Context(), chosen.name, lines(s.ErrOut))
		},
	}
}

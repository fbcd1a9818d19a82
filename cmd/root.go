// Package cmd holds the command line: one file a verb, flags to options to a
// call into a package below. Errors become exit codes here and nowhere else.
package cmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
)

// columns is the width that help fits.
const columns = 80

// commands are the verbs, each given the streams it reads and writes.
var commands = []func(genericiooptions.IOStreams) *cobra.Command{
	newMigrate, newRoute, newVerify, newConformance, newCertify, newReport, newCluster, newReference, newVersion,
}

// Main runs the command line of the process and returns its exit code. The
// first interrupt cancels the command's context, the second ends the process.
func Main() int {
	// An embedded cluster is made of processes of this program in other roles.
	if code, handled := embedded.Main(os.Args); handled {
		return code
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	return Execute(ctx, os.Args[0], os.Args[1:], streams)
}

// Execute runs one command line and returns its exit code. name is the
// program's own: as a kubectl plugin it shows in help as "kubectl causeway".
func Execute(ctx context.Context, name string, args []string, s genericiooptions.IOStreams) (code int) {
	// An uncaught panic would end the process with 2, which says wrong usage.
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(s.ErrOut, "error: this is a defect of causeway, please report it: %v\n\n%s", r, debug.Stack())
			code = ExitFailed
		}
	}()
	root := newRoot(name, s)
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	return finish(ctx, s.ErrOut, c.CommandPath(), err)
}

func newRoot(name string, s genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:   "causeway",
		Short: "Move routing to the Gateway API, and certify what will carry it",
		Long: `Causeway moves a cluster's Ingress and Istio routing to the Gateway API and
accounts for every field: what was converted, what differs, what needs a
decision. It runs the official conformance suite against the implementation
that will carry it.

Data goes to standard output, messages to standard error. Exit codes: 0 done,
1 failed, 2 wrong usage, 3 something was lost and --strict was given,
4 verification found a difference, 5 conformance failed.`,
		Example: `  # What would become of these manifests?
  causeway migrate -R -f manifests/ --report report.html > gateway.yaml

  # Do these two sets of manifests route alike?
  causeway verify -R --before manifests/ --after gateway.yaml

  # Where does this request go, and because of which rule?
  causeway route -R -f manifests/ GET https://shop.example.com/cart

  # Does this implementation conform? And a page that says so
  causeway conformance run --implementation traefik --out results
  causeway report render -f results --out results.html`,
		Version:                    version(),
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
		PersistentPreRunE:          checkFlags,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetUsageTemplate(strings.NewReplacer(
		".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", columns),
		"for more information about a command", "for more about a command", // or long verbs do not fit
	).Replace(root.UsageTemplate()))
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.ErrOut)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	for _, c := range commands {
		root.AddCommand(c(s))
	}
	root.InitDefaultCompletionCmd()
	rejectStrayArgs(root)
	if isPlugin(name) {
		asPlugin(root)
	}
	return root
}

// checkFlags runs cobra's own checks of required and exclusive flags early, to
// give their errors the code of wrong usage.
func checkFlags(c *cobra.Command, _ []string) error {
	if err := c.ValidateRequiredFlags(); err != nil {
		return usage(err)
	}
	return usage(c.ValidateFlagGroups())
}

// rejectStrayArgs makes arguments that a command does not take, and verbs that
// do not exist, wrong usage. Without it cobra answers an unknown verb with an
// error of no type, and one below "completion" with help and success.
func rejectStrayArgs(c *cobra.Command) {
	if c.HasSubCommands() && !c.Runnable() {
		c.Args = noSuchVerb
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		c.DisableFlagsInUseLine = true
	} else if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error { return usage(check(c, args)) }
	}
	for _, sub := range c.Commands() {
		rejectStrayArgs(sub)
	}
}

func noSuchVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
	}
	return usagef("unknown command %q for %q%s", args[0], c.CommandPath(), hint)
}

// isPlugin reports whether kubectl started the program: it runs what stands in
// PATH as kubectl-causeway
// (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/).
func isPlugin(name string) bool {
	return strings.HasPrefix(filepath.Base(name), "kubectl-")
}

// asPlugin makes help and examples show what the user types.
func asPlugin(root *cobra.Command) {
	const display = "kubectl causeway"
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: display}
	var pairs []string
	for _, c := range root.Commands() {
		pairs = append(pairs, root.Name()+" "+c.Name(), display+" "+c.Name())
	}
	examples := strings.NewReplacer(pairs...)
	root.Example = examples.Replace(root.Example)
	for _, c := range root.Commands() {
		c.Example = examples.Replace(c.Example)
	}
}

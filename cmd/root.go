// Package cmd holds the command line: one file a verb, flags to options to a
// call into a package below. Errors become exit codes here and nowhere else.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// Exit codes.
const (
	ExitFailed    = 1 // something went wrong
	ExitUsage     = 2 // wrong usage
	ExitLost      = 3 // done, but --strict and something was lost
	ExitDifferent = 4 // verification found a difference
)

// ExitError is an error with the exit code it ends in.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string { return e.Err.Error() }
func (e *ExitError) Unwrap() error { return e.Err }

func usagef(format string, args ...any) error {
	return &ExitError{ExitUsage, fmt.Errorf(format, args...)}
}

// commands are the verbs.
var commands = []func(genericiooptions.IOStreams) *cobra.Command{newMigrate, newRoute, newVersion}

// Main runs the command line of the process and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	return Execute(ctx, os.Args[0], os.Args[1:], streams)
}

// Execute runs one command line. name is the program's own: as a kubectl
// plugin it shows in help as "kubectl causeway".
func Execute(ctx context.Context, name string, args []string, s genericiooptions.IOStreams) int {
	root := newRoot(name, s)
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code := ExitFailed
	var exit *ExitError
	if errors.As(err, &exit) {
		code = exit.Code
	} else if strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "accepts ") {
		code = ExitUsage
	}
	fmt.Fprintln(s.ErrOut, "error: "+err.Error())
	if code == ExitUsage {
		fmt.Fprintf(s.ErrOut, "see '%s --help'\n", c.CommandPath())
	}
	return code
}

func newRoot(name string, s genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:   "causeway",
		Short: "Move Ingress routing to the Gateway API, and account for every field",
		Long: `Causeway moves a cluster's Ingress routing to the Gateway API and accounts for
every field: what was converted, what differs, what needs a decision.`,
		SilenceErrors: true, SilenceUsage: true,
	}
	if strings.HasPrefix(filepath.Base(name), "kubectl-") {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl causeway"}
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.ErrOut)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &ExitError{ExitUsage, err} })
	for _, c := range commands {
		root.AddCommand(c(s))
	}
	return root
}

func newVersion(s genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Example: "  causeway version",
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.Out, "causeway "+version())
			return err
		},
	}
}

// release is set by the linker for released binaries.
var release string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "(development)"
}

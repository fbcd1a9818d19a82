package cmd

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/reports/conformance"
)

func newReportLint(s genericiooptions.IOStreams) *cobra.Command {
	var format string
	var strict bool
	c := &cobra.Command{
		Use:   "lint FILE|DIR...",
		Short: "Check reports against the rules for submitting them",
		Long: `Check conformance reports against the rules of the Gateway API project for
submitting them (conformance/reports/README.md of its repository): the fields of
the report, its file name and folder, the README.md beside it, and whether the
suite can have written it so.

Errors mean that the report will be refused. A partial report is a warning: it
is taken, and shown apart.`,
		Example: `  causeway report lint conformance/reports/v1.6/acme-gateway/

  # For scripts
  causeway report lint -o json report.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "" && format != "json" {
				return usagef("-o %s is not known: use json, or leave it out", format)
			}
			return lintReports(s, args, format, strict)
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "", "json, or nothing for one line a problem")
	c.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	return c
}

func lintReports(s genericiooptions.IOStreams, paths []string, format string, strict bool) error {
	set, err := conformance.Gather(paths, s.In)
	if err != nil {
		return err
	}
	if len(set.Reports) == 0 {
		return fmt.Errorf("there is no conformance report in %v", paths)
	}
	var all []conformance.Problem
	errs, warnings := 0, 0
	for _, r := range set.Reports {
		for _, p := range conformance.Lint(r) {
			all = append(all, p)
			if p.Severity == conformance.Error {
				errs++
			} else {
				warnings++
			}
		}
	}
	write := conformance.WriteProblems
	if format == "json" {
		write = conformance.WriteProblemsJSON
	}
	if err := write(s.Out, all); err != nil {
		return err
	}
	summary := fmt.Sprintf("%d reports: %d errors, %d warnings", len(set.Reports), errs, warnings)
	if errs > 0 || strict && warnings > 0 {
		return &ExitError{ExitFailed, fmt.Errorf("%s", summary)}
	}
	fmt.Fprintln(s.ErrOut, summary)
	return nil
}

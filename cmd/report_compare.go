package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/reports/conformance"
)

func newReportDiff(s genericiooptions.IOStreams) *cobra.Command {
	var format string
	var fail bool
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changed from one report to another",
		Long: `Say what changed from one conformance report to another: results, tests that
fail or are skipped, extended features. What got worse comes first, marked by -.`,
		Example: `  causeway report diff experimental-2.5.0-default-report.yaml \
    experimental-2.6.0-default-report.yaml

  # In CI: exit 5 when something got worse
  causeway report diff --fail-on-regression released.yaml report.yaml`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "" && format != "json" {
				return usagef("-o %s is not known: use json, or leave it out", format)
			}
			var sides [2]*conformance.Report
			for i, path := range args {
				r, err := oneReport(path, s.In)
				if err != nil {
					return err
				}
				sides[i] = r
			}
			changes := conformance.Diff(sides[0], sides[1])
			write := func() error { return conformance.WriteDiff(s.Out, sides[0], sides[1], changes) }
			if format == "json" {
				write = func() error { return conformance.WriteDiffJSON(s.Out, changes) }
			}
			if err := write(); err != nil {
				return err
			}
			if n := conformance.Regressions(changes); fail && n > 0 {
				return &ExitError{ExitNonconformant, fmt.Errorf("%d changes to the worse", n)}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "", "json, or nothing for text")
	c.Flags().BoolVar(&fail, "fail-on-regression", false, "exit 5 when something got worse")
	return c
}

// oneReport reads the only report of a file or folder.
func oneReport(path string, stdin io.Reader) (*conformance.Report, error) {
	set, err := conformance.Gather([]string{path}, stdin)
	if err != nil {
		return nil, err
	}
	if len(set.Reports) != 1 {
		return nil, fmt.Errorf("%s holds %d conformance reports; one is compared with one", path, len(set.Reports))
	}
	return set.Reports[0], nil
}

// matrixWriters are the forms of a matrix.
var matrixWriters = map[string]func(io.Writer, *conformance.Matrix) error{
	"": conformance.WriteMatrixText, "markdown": conformance.WriteMatrixMarkdown, "csv": conformance.WriteMatrixCSV, "json": conformance.WriteMatrixJSON,
}

func newReportMatrix(s genericiooptions.IOStreams) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "matrix FILE|DIR...",
		Short: "Compare implementations: which supports what",
		Long: `Compare the newest report of each implementation and mode: core results of each
profile, and every extended feature.`,
		Example: `  # A checkout of the Gateway API repository
  causeway report matrix conformance/reports/v1.5

  causeway report matrix -o csv reports/ > matrix.csv`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			write, ok := matrixWriters[format]
			if !ok {
				return usagef("-o %s is not known: use markdown, csv or json, or leave it out", format)
			}
			set, err := conformance.Gather(args, s.In)
			if err != nil {
				return err
			}
			if len(set.Reports) == 0 {
				return fmt.Errorf("there is no conformance report in %s", strings.Join(args, ", "))
			}
			return write(s.Out, conformance.NewMatrix(set.Reports))
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "", "markdown, csv or json, or nothing for text")
	return c
}

package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/reports"
	"github.com/causeway-gateway/causeway/reports/conformance"
)

// newReport makes "causeway report" and what is below it.
func newReport(s genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:   "report",
		Short: "Render, check and compare conformance reports",
		Example: `  # What does this report say?
  causeway report render -f experimental-v3.7.0-default-report.yaml

  # A page for people, from the results of a run
  causeway report render -f out/ -o html > report.html

  # Would the Gateway API project take it?
  causeway report lint reports/`,
	}
	c.AddCommand(newReportRender(s), newReportLint(s), newReportDiff(s), newReportMatrix(s))
	return c
}

type renderFlags struct {
	files  []string
	format string
	out    string
	title  string
}

var renderFormats = []string{"terminal", "markdown", "html", "json"}

func newReportRender(s genericiooptions.IOStreams) *cobra.Command {
	var f renderFlags
	c := &cobra.Command{
		Use:   "render -f FILE|DIR|-",
		Short: "Show conformance reports on a terminal, as Markdown or as a page",
		Long: `Show conformance reports of the Gateway API: profiles, features, tests that
failed or were skipped.

Every form that has been published is read, v1 and v1alpha1. The folder of a run
of causeway (results.json beside report.yaml) also shows how long tests took and
which are flaky. What a report has against the form is listed, not corrected.`,
		Example: `  # On the terminal
  causeway report render -f report.yaml

  # All reports of a folder, as one page that needs nothing else
  causeway report render -f reports/ -o html --out reports.html`,
		Args: cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error { return f.run(s) },
	}
	fl := c.Flags()
	fl.StringSliceVarP(&f.files, "filename", "f", nil, "file or folder to read, - for standard input (repeatable)")
	fl.StringVarP(&f.format, "output", "o", "", "terminal, markdown, html or json (default: by the ending of --out, else terminal)")
	fl.StringVar(&f.out, "out", "", "file to write instead of standard output")
	fl.StringVar(&f.title, "title", "Gateway API conformance", "title of a page")
	return c
}

func (f *renderFlags) run(s genericiooptions.IOStreams) error {
	if len(f.files) == 0 {
		return usagef("nothing to read: give -f FILE, -f DIR or -f -")
	}
	format, err := f.chosen()
	if err != nil {
		return err
	}
	set, err := conformance.Gather(f.files, s.In)
	if len(set.Reports)+len(set.Runs) == 0 {
		if err == nil {
			err = fmt.Errorf("there is no conformance report in %s", strings.Join(f.files, ", "))
		}
		return err
	}
	if f.out == "" {
		return errors.Join(f.write(s.Out, set, format), err)
	}
	return errors.Join(reports.WriteWhole(f.out, func(w io.Writer) error { return f.write(w, set, format) }), err)
}

// chosen is the format that was asked for.
func (f *renderFlags) chosen() (string, error) {
	format := f.format
	if format == "" {
		switch strings.ToLower(filepath.Ext(f.out)) {
		case ".html", ".htm":
			format = "html"
		case ".md":
			format = "markdown"
		case ".json":
			format = "json"
		default:
			format = "terminal"
		}
	}
	if !slices.Contains(renderFormats, format) {
		return "", usagef("-o %s is not known: use %s", format, strings.Join(renderFormats, ", "))
	}
	return format, nil
}

func (f *renderFlags) write(w io.Writer, set *conformance.Set, format string) error {
	switch format {
	case "markdown":
		return conformance.WriteMarkdown(w, set)
	case "html":
		return conformance.WriteHTML(w, f.title, "causeway "+version(), set)
	case "json":
		return conformance.WriteJSON(w, set)
	}
	return conformance.WriteText(w, set, conformance.TextOptions{Colour: colourful(w)})
}

// colourful reports whether w is a terminal whose user did not turn colours off
// (https://no-color.org).
func colourful(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/matrix"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
	"github.com/causeway-gateway/causeway/reports"
	report "github.com/causeway-gateway/causeway/reports/conformance"
)

// Files that a matrix leaves beside its summary, where there are reports.
const (
	matrixPage    = "report.html" // all reports
	matrixSupport = "support.md"  // which implementation supports what
)

// axes are the dimensions of a matrix.
func (f *conformanceFlags) axes() matrix.Axes {
	return matrix.Axes{Implementations: f.implementations, Kubernetes: f.kubernetesVersions, Channels: f.channels, Suites: f.suites}
}

// pick makes the flags those of one cell.
func (f *conformanceFlags) pick(c matrix.Cell) {
	f.implementation, f.kubernetes, f.channel, f.suite = c.Source, c.Kubernetes, c.Channel, c.Suite
}

// runMatrix runs the suite in every cell.
func (f *conformanceFlags) runMatrix(c *cobra.Command, s genericiooptions.IOStreams, cells []matrix.Cell) error {
	if f.parallel < 1 {
		return usagef("--parallel %d: at least one run goes on at a time", f.parallel)
	}
	if f.keepOnFailure {
		return usagef("--keep-on-failure is for one run: leave it out, or give one implementation, version, channel and suite")
	}
	flags, plans, err := f.prepareCells(c, s, cells)
	if err != nil {
		return err
	}
	if f.dryRun {
		return f.printPlans(c.Context(), s, cells, flags, plans)
	}
	out := f.out
	if out == "" {
		out = filepath.Join("conformance-results", folderOf("matrix", fmt.Sprintf("%d-cells", len(cells))))
	}
	asked := request(c.Flags())
	var shared sync.Mutex
	m, err := matrix.Run(c.Context(), matrix.Options{
		Cells: cells, Parallel: f.parallel, Out: out, Resume: f.resume != "", Request: wholeRequest(c.Flags()),
		Progress: lineWriter(s.ErrOut, &shared),
		Run: func(ctx context.Context, i int, cell matrix.Cell, dir string, resume bool) (*conformance.Results, error) {
			p, progress := plans[i], s.ErrOut
			p.options.Out, p.options.Resume = dir, resume
			if f.parallel > 1 {
				progress = matrix.Prefixed(s.ErrOut, &shared, cell.Folder())
			}
			return flags[i].execute(ctx, p, progress, cellRequest(asked, cell))
		},
	})
	if m == nil {
		return err
	}
	err = errors.Join(err, writeReports(m, out))
	if f.output == "json" {
		err = errors.Join(err, writeJSON(s.Out, m))
	} else {
		err = errors.Join(err, matrix.Write(s.Out, m, out))
	}
	if c.Context().Err() != nil {
		fmt.Fprintf(s.ErrOut, "go on with: causeway conformance run --resume %s\n", out)
	}
	return matrixVerdict(m, err)
}

// prepareCells finds what each cell needs before any runs, so that a misspelt
// name does not end a matrix in its third hour.
func (f *conformanceFlags) prepareCells(c *cobra.Command, s genericiooptions.IOStreams, cells []matrix.Cell) ([]*conformanceFlags, []*prepared, error) {
	var flags []*conformanceFlags
	var plans []*prepared
	for i := range cells {
		one := *f
		// Each cell appends to its own.
		one.exempt, one.images = slices.Clip(f.exempt), slices.Clip(f.images)
		one.pick(cells[i])
		p, err := one.prepare(c, s.ErrOut)
		if err != nil {
			return nil, nil, err
		}
		if p.provider.shared {
			return nil, nil, usagef("--cluster %s is one cluster, and %d runs were asked for, each of which needs its own: use another --cluster, or run them one by one", f.cluster, len(cells))
		}
		if _, err := conformance.NewPlan(p.listing, &p.options, nil); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", cells[i].Folder(), err)
		}
		cells[i].Implementation = p.options.Implementation.Name
		flags, plans = append(flags, &one), append(plans, p)
	}
	// Descriptors of two versions of one implementation have one name.
	taken := map[string][]string{}
	for i, cell := range cells {
		if !slices.Contains(taken[cell.Implementation], cell.Source) {
			taken[cell.Implementation] = append(taken[cell.Implementation], cells[i].Source)
		}
	}
	for i := range cells {
		if name := cells[i].Implementation; len(taken[name]) > 1 {
			cells[i].Implementation = name + "-" + plans[i].options.Implementation.Version
		}
	}
	return flags, plans, nil
}

// printPlans prints what would run in each cell.
func (f *conformanceFlags) printPlans(ctx context.Context, s genericiooptions.IOStreams, cells []matrix.Cell, flags []*conformanceFlags, plans []*prepared) error {
	if f.output == "json" {
		all := map[string]*conformance.Plan{}
		for i, p := range plans {
			plan, err := conformance.NewPlan(p.listing, &p.options, nil)
			if err != nil {
				return err
			}
			all[cells[i].Folder()] = plan
		}
		return writeJSON(s.Out, all)
	}
	for i, p := range plans {
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		fmt.Fprintf(s.Out, "%s\n", cells[i].Folder())
		if err := flags[i].printPlan(ctx, s, p); err != nil {
			return err
		}
	}
	return nil
}

// lineWriter writes lines of progress.
func lineWriter(w io.Writer, mu *sync.Mutex) func(string) {
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, line)
	}
}

// cellRequest is what a cell alone would have been asked for.
func cellRequest(asked map[string]string, c matrix.Cell) map[string]string {
	out := maps.Clone(asked)
	for flag, value := range map[string]string{"implementation": c.Source, "kubernetes-version": c.Kubernetes, "channel": c.Channel, "suite": c.Suite} {
		delete(out, flag)
		if value != "" {
			out[flag] = value
		}
	}
	return out
}

// wholeRequest is what the matrix was asked for, every value of every flag.
func wholeRequest(fl *pflag.FlagSet) map[string][]string {
	out := map[string][]string{}
	for _, flag := range given(fl) {
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			out[flag.Name] = list.GetSlice()
			continue
		}
		out[flag.Name] = []string{flag.Value.String()}
	}
	return out
}

func isMatrix(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, matrix.File))
	return err == nil
}

// takeOverMatrix sets the flags as the interrupted matrix had them.
func takeOverMatrix(fl *pflag.FlagSet, dir string) error {
	old, err := matrix.Read(dir)
	if err != nil {
		return fmt.Errorf("--resume %s: %w", dir, err)
	}
	return goOn(fl, dir, old.Request)
}

// writeReports writes the pages about all reports of a matrix, if there are any.
func writeReports(m *matrix.Matrix, out string) error {
	var paths []string
	for _, c := range m.Cells {
		if dir := filepath.Join(out, c.Folder); c.GatewayAPI != "" {
			paths = append(paths, dir)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	set, err := report.Gather(paths, nil)
	if len(set.Reports)+len(set.Runs) == 0 {
		return err
	}
	err = errors.Join(err, reports.WriteWhole(filepath.Join(out, matrixPage), func(w io.Writer) error {
		return report.WriteHTML(w, "Gateway API conformance", tool(), set)
	}))
	if len(set.Reports) == 0 {
		return err
	}
	return errors.Join(err, reports.WriteWhole(filepath.Join(out, matrixSupport), func(w io.Writer) error {
		return report.WriteMatrixMarkdown(w, report.NewMatrix(set.Reports))
	}))
}

// matrixVerdict turns what a matrix came to into the error it ends in. That an
// implementation failed is the worst of it.
func matrixVerdict(m *matrix.Matrix, err error) error {
	bad, unfinished := m.Nonconformant(), m.Unfinished()
	var says []string
	if len(bad) > 0 {
		says = append(says, fmt.Sprintf("%d of %d did not pass: %s", len(bad), len(m.Cells), strings.Join(bad, ", ")))
	}
	if len(unfinished) > 0 {
		says = append(says, fmt.Sprintf("%d did not come to an end: %s", len(unfinished), strings.Join(unfinished, ", ")))
	}
	if len(says) == 0 {
		return err
	}
	err = errors.Join(fmt.Errorf("conformance: %s", strings.Join(says, "; ")), err)
	if len(bad) > 0 {
		return &ExitError{ExitNonconformant, err}
	}
	return err
}

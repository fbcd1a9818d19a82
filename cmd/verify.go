package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/reports"
	"github.com/causeway-gateway/causeway/routing"
)

type verifyFlags struct {
	in            inputFlags
	before, after verifySide
	ledger        string
	output        string
	reports       []string
	limit         int
}

// verifySide says where one side stands.
type verifySide struct {
	files   []string
	cluster bool
	dialect string
}

func newVerify(s genericiooptions.IOStreams) *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify --before FILE|DIR --after FILE|DIR",
		Short: "Decide whether two sets of objects route alike",
		Long: `Decide whether two sets of routing objects send every request to the same place
with the same changes, and print a request for each difference.

Requests are derived from every rule of both sides, at each boundary of each
match, and routed through both. Nothing is sent anywhere. Exit code 4 says that
a difference was found which no ledger announces.`,
		Example: `  # Ingresses and what was made of them
  causeway verify -R --before manifests/ --after gateway-api/

  # The same, with the differences that the migration announced set apart
  causeway migrate -R -f manifests/ --out gateway-api/ --report ledger.json
  causeway verify -R --before manifests/ --after gateway-api/ \
    --ledger ledger.json

  # A refactoring of HTTPRoutes
  causeway verify --before old.yaml --after new.yaml

  # What runs in the cluster, and what is about to be applied
  causeway verify --before-cluster --after gateway-api/ -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	fl := c.Flags()
	for _, x := range []struct {
		side *verifySide
		name string
	}{{&f.before, "before"}, {&f.after, "after"}} {
		fl.StringArrayVar(&x.side.files, x.name, nil, "file or folder with the objects "+x.name+", or - for standard input (repeatable)")
		fl.BoolVar(&x.side.cluster, x.name+"-cluster", false, "read the side "+x.name+" from the live cluster (list only)")
		fl.StringVar(&x.side.dialect, x.name+"-dialect", "auto", "whose rules count "+x.name+": ingress, istio, gateway-api, or auto")
	}
	fl.StringVar(&f.ledger, "ledger", "", "ledger of the migration (--report x.json), whose differences are expected")
	fl.StringVarP(&f.output, "output", "o", "", "json, or text when left out")
	fl.StringArrayVar(&f.reports, "report", nil, "report file: .html or .json (repeatable)")
	fl.IntVar(&f.limit, "limit", 20, "differences printed as text")
	f.in.addShared(c)
	return c
}

func (f *verifyFlags) run(ctx context.Context, s genericiooptions.IOStreams) error {
	if f.output != "" && f.output != "json" {
		return usagef("-o %s is not known: use json or leave it out", f.output)
	}
	v := &reports.Verification{}
	var err error
	if f.ledger != "" {
		if v.Ledger, err = readLedger(f.ledger); err != nil {
			return err
		}
	}
	before, open1, broken1, err := f.side(ctx, s, "before", &f.before, false)
	if err != nil {
		return err
	}
	after, open2, broken2, err := f.side(ctx, s, "after", &f.after, wroteNothing(v.Ledger))
	if err != nil {
		return err
	}
	before, after = aligned(before, after, open1, open2)
	o := verify.Options{Readings: migrate.Readings(before, after, open1, open2)}
	if v.Ledger != nil {
		o.Announced = migrate.Announced(v.Ledger, nil)
	}
	if v.Result, err = verify.Compare(ctx, before, after, o); err != nil {
		return err
	}
	for _, path := range f.reports {
		if err := reports.WriteVerificationFile(path, "Verification", "causeway "+version(), v); err != nil {
			return fmt.Errorf("writing report: %w", err)
		}
	}
	write := func(w io.Writer) error {
		return reports.WriteVerification(w, v, reports.VerificationOptions{Limit: f.limit})
	}
	if f.output == "json" {
		write = func(w io.Writer) error { return reports.WriteVerificationJSON(w, v) }
	}
	if err := write(s.Out); err != nil {
		return err
	}
	if n := broken1 + broken2; n > 0 {
		return &ExitError{Code: ExitFailed, Err: fmt.Errorf("%d of the documents could not be read; the rest was compared", n)}
	}
	return different(v.Result)
}

// aligned settles whether paths are normalised before they are matched where one
// side leaves it to the implementation: as the other side does it.
func aligned(before, after *routing.Table, openBefore, openAfter bool) (*routing.Table, *routing.Table) {
	as := func(t, like *routing.Table) *routing.Table {
		r := t.Reading
		r.NormalizePath = like.Reading.NormalizePath
		return t.With(r)
	}
	before.Freeze()
	after.Freeze()
	switch {
	case openAfter && !openBefore:
		after = as(after, before)
	case openBefore && !openAfter:
		before = as(before, after)
	}
	return before, after
}

// different is the error of a verification with surprises.
func different(r *verify.Result) error {
	if n := len(r.Surprises()); n > 0 {
		return &ExitError{Code: ExitDifferent, Err: fmt.Errorf("verification found %d unexpected differences", n)}
	}
	return nil
}

// wroteNothing reports whether a ledger is of a migration that wrote no object,
// as where every route is closed.
func wroteNothing(l *ledger.Ledger) bool {
	return l != nil && !slices.ContainsFunc(l.Entries, func(e ledger.Entry) bool { return len(e.Targets) > 0 })
}

// side reads and compiles one side; broken counts unreadable documents. mayBeEmpty
// lets a side without routing objects stand for one that serves nobody.
func (f *verifyFlags) side(ctx context.Context, s genericiooptions.IOStreams, name string, side *verifySide, mayBeEmpty bool) (t *routing.Table, open bool, broken int, err error) {
	if len(side.files) == 0 && !side.cluster {
		return nil, false, 0, usagef("nothing to read: name the objects with --%s or --%s-cluster", name, name)
	}
	in := f.in
	in.files, in.cluster = side.files, side.cluster
	set, problems, err := in.read(ctx, s.In)
	if err != nil {
		return nil, false, 0, err
	}
	for _, p := range problems {
		fmt.Fprintln(s.ErrOut, p)
		if !p.Warning {
			broken++
		}
	}
	switch {
	case !empty(set):
	case mayBeEmpty:
		return &routing.Table{}, true, broken, nil
	default:
		hint := ""
		if !in.recursive && slices.ContainsFunc(side.files, isFolder) {
			hint = "; -R reads folders with everything below them"
		}
		return nil, false, 0, fmt.Errorf("--%s holds no routing objects: neither Ingresses nor objects of Istio or the Gateway API%s", name, hint)
	}
	t, open, err = in.tableOf(ctx, set, side.dialect, s.ErrOut)
	return t, open, broken, err
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func empty(set *source.Set) bool {
	for _, d := range dialects {
		if d.holds(set) {
			return false
		}
	}
	return true
}

func readLedger(path string) (*ledger.Ledger, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading --ledger: %w", err)
	}
	defer in.Close()
	l, err := reports.ReadLedger(in)
	if err != nil {
		return nil, fmt.Errorf("reading --ledger %s: %w", path, err)
	}
	return l, nil
}

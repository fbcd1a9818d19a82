package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/implementation"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
	report "github.com/causeway-gateway/causeway/reports/conformance"
	"github.com/causeway-gateway/causeway/reports/submission"
)

// certifyFlags are those of "causeway certify". What a run is told beyond the
// cluster and the suite is in the descriptor, or the report would not be of what
// is claimed.
type certifyFlags struct {
	run        conformanceFlags
	from       string
	releaseURL string
	noPartial  bool
}

func newCertify(s genericiooptions.IOStreams) *cobra.Command {
	f := certifyFlags{run: conformanceFlags{limits: conformance.DefaultLimits(), rerun: 1, rerunLimit: 10}}
	c := &cobra.Command{
		Use:   "certify -f IMPLEMENTATION.yaml --out DIR",
		Short: "Run the claimed profiles and lay out the folder to submit",
		Long: `Run the profiles that a descriptor claims, hold the official report against the
Gateway API project's rules for submitting it (conformance/reports/README.md of
its repository), and lay out the folder that is sent there:

  DIR/reports/vX.Y/ORGANIZATION-PROJECT/
    CHANNEL-VERSION-MODE-report.yaml           as the suite wrote it
    CHANNEL-VERSION-MODE-implementation.yaml   the descriptor
    README.md                                  contents, and steps to reproduce

Nothing is laid out that a maintainer would refuse: each reason is told. A test
that the descriptor skips with a reason makes its profile partial, which the
project takes and shows apart; --no-partial refuses that, too.

Exit code 5 says that tests failed, 1 that something else is in the way.`,
		Example: `  # In kind clusters
  causeway certify -f acme.yaml --out submission

  # In embedded clusters, with a program that was built here
  causeway certify -f acme.yaml --cluster embedded \
    --image acme/gateway:v1.2.3=bin/gateway --out submission

  # From a run that is there already; nothing is run
  causeway certify -f acme.yaml --from out/conformance --out submission

  # Is the descriptor fit for it, and what would run?
  causeway certify -f acme.yaml --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.certify(c, s) },
	}
	fl := c.Flags()
	fl.StringVarP(&f.run.implementation, "filename", "f", "", "descriptor of the implementation, or a name of the catalogue")
	fl.StringVar(&f.run.out, "out", "", "folder that gets reports/, and results/ of the run")
	fl.StringVar(&f.from, "from", "", "folder of a run that is there already, instead of running")
	fl.StringVar(&f.releaseURL, "release-url", "", "page of the version that is certified (default the tag's on GitHub, else the project's page)")
	fl.BoolVar(&f.noPartial, "no-partial", false, "refuse a report that is partial")
	fl.BoolVar(&f.run.dryRun, "dry-run", false, "check the descriptor, and print which tests would run")
	fl.StringVarP(&f.run.output, "output", "o", "", "json, or text when left out")
	f.run.clusterFlags(fl, string(implementation.KindCluster))
	fl.StringVar(&f.run.kubernetes, "kubernetes-version", "", "version of Kubernetes; the cluster's own when left out")
	suiteFlag(c, &f.run.suite)
	f.run.limitFlags(fl)
	c.MarkFlagsMutuallyExclusive("from", "dry-run")
	return c
}

func (f *certifyFlags) certify(c *cobra.Command, s genericiooptions.IOStreams) error {
	if err := checkOutput(f.run.output); err != nil {
		return err
	}
	switch {
	case f.run.implementation == "":
		return usagef("what shall be certified? give its descriptor: -f IMPLEMENTATION.yaml")
	case f.run.out == "" && !f.run.dryRun:
		return usagef("where to? give a folder: --out DIR")
	}
	if f.from != "" {
		if flags := given(c.Flags()); len(flags) > 0 {
			return usagef("--%s is of a run, and with --from nothing is run: leave one out", flags[0].Name)
		}
		return f.layOut(s, f.from)
	}
	// A mistake in the descriptor is told before the run, which takes minutes.
	claim, err := f.claim(implementation.Provider(f.run.cluster), f.run.suite)
	if err != nil {
		return err
	}
	if err := claim.Check(); err != nil {
		return err
	}
	p, err := f.run.prepare(c, s.ErrOut)
	if err != nil {
		return err
	}
	if f.run.dryRun {
		return f.run.printPlan(c.Context(), s, p)
	}
	p.options.Out = filepath.Join(f.run.out, "results", folderOf(p.options.Implementation.Name, p.listing.Version))
	results, err := f.run.execute(c.Context(), p, s.ErrOut, f.request(c))
	if err != nil {
		return err
	}
	if err := conformance.WriteSummary(s.ErrOut, results, p.options.Out); err != nil {
		return err
	}
	fmt.Fprintln(s.ErrOut)
	return f.layOut(s, p.options.Out)
}

// request is what "conformance run" would have to be asked for the same.
func (f *certifyFlags) request(c *cobra.Command) map[string]string {
	out := request(c.Flags())
	out["implementation"], out["cluster"], out["suite"] = f.run.implementation, f.run.cluster, f.run.suite
	return out
}

// layOut makes the submission of a run that took place.
func (f *certifyFlags) layOut(s genericiooptions.IOStreams, dir string) error {
	evidence, err := submission.ReadEvidence(dir)
	if err != nil {
		return err
	}
	claim, err := f.claim(implementation.Provider(evidence.Cluster()), evidence.Suite())
	if err != nil {
		return err
	}
	made, err := submission.LayOut(submission.Options{Claim: *claim, Evidence: evidence, Out: f.run.out, ReleaseURL: f.releaseURL, NoPartial: f.noPartial})
	var refused *submission.RefusedError
	if errors.As(err, &refused) && refused.Nonconformant() {
		return &ExitError{ExitNonconformant, err}
	}
	if err != nil {
		return err
	}
	for _, w := range made.Warnings {
		fmt.Fprintf(s.ErrOut, "warning: %s\n", w)
	}
	if f.run.output == "json" {
		return writeJSON(s.Out, made)
	}
	_, err = fmt.Fprintf(s.Out, "%s\n", made.Folder)
	fmt.Fprintf(s.ErrOut, "send it to %s as conformance/reports/%s\n", "https://github.com/kubernetes-sigs/gateway-api", filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(made.Folder)), filepath.Base(made.Folder))))
	return err
}

// claim is what the descriptor says of a suite ("v1.6"), as a submission takes it.
func (f *certifyFlags) claim(on implementation.Provider, suite string) (*submission.Claim, error) {
	d, m, err := loadDescriptor(f.run.implementation, on)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(d.Origin())
	if errors.Is(err, os.ErrNotExist) { // of the catalogue, which is no folder
		data, err = implementation.Text(d.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the descriptor: %w", err)
	}
	i := d.Implementation
	claim := &submission.Claim{
		File: d.Origin(), Data: data, Beside: installedFrom(m),
		Implementation: report.Implementation{Organization: i.Organization, Project: i.Project, URL: i.URL, Version: i.Version, Contact: i.Contact},
		Channel:        d.Channel, Mode: d.ReportMode(), Profiles: d.Profiles,
	}
	if d.Prepare != nil {
		for _, step := range d.Prepare.Steps {
			claim.Steps = append(claim.Steps, step.Why)
		}
	}
	if d.Tests != nil {
		claim.Skipped = excuses(d.Tests.Skip).For(suite)
	}
	return claim, nil
}

// installedFrom are the files beside a descriptor that it is installed from.
func installedFrom(m *implementation.Method) []string {
	var out []string
	for _, step := range m.Steps {
		switch {
		case step.Manifests != nil:
			out = append(out, step.Manifests.Files...)
		case step.Helm != nil && step.Helm.Repository == "":
			out = append(out, step.Helm.Chart)
		}
	}
	return out
}

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
	"github.com/causeway-gateway/causeway/conformance/implementation"
	conformance "github.com/causeway-gateway/causeway/conformance/run"
	"github.com/causeway-gateway/causeway/gatewayapi"
)

type conformanceFlags struct {
	// What the dimensions of a matrix have; a run has one of each at most.
	implementations, kubernetesVersions, channels, suites []string
	parallel                                              int

	implementation, gatewayClass string
	descriptor                   *implementation.Descriptor // of implementation, once read
	images                       []string
	features, exempt             []string
	cluster                      string
	kind                         kind.Options
	localImages                  bool
	suiteImages                  []string // that the suite's manifests name
	kubeconfig, context          string
	profiles                     []string
	suite                        string
	kubernetes                   string // version; empty for what the cluster has
	channel                      string // empty for that of the descriptor
	out, resume                  string
	focus, skip                  string
	rerun, rerunLimit            int
	keepOnFailure, failFast      bool
	testParallel                 int
	dryRun                       bool
	output                       string
	limits                       conformance.Limits
}

func newConformanceRun(s genericiooptions.IOStreams) *cobra.Command {
	f := conformanceFlags{limits: conformance.DefaultLimits()}
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the suite against an implementation",
		Long: `Run the official conformance suite against an implementation. The folder of
results gets results.json, junit.xml, a log for each test, artifacts of each
failed one, and the official report exactly as the suite wrote it.

A failed test is run again, alone and in a fresh cluster. One that passes then
is flaky in these results; the official report still counts it as failed.

--implementation, --kubernetes-version, --channel and --suite may be repeated:
then every combination is run, each in a cluster and a folder of its own,
--parallel of them at a time. One that fails does not keep the others from
running. matrix.json, report.html and support.md say what came of all.

Exit code 5 says that the implementation did not pass, or never became ready; of
several runs, that one did.`,
		Example: `  # An implementation of the catalogue, in a cluster made for it
  causeway conformance run --implementation traefik --out results

  # The implementation that the current context's cluster runs
  causeway conformance run --cluster existing --gateway-class traefik \
    --profiles GATEWAY-HTTP,GATEWAY-GRPC --out results

  # In a kind cluster of another version of Kubernetes; needs Docker
  causeway conformance run --implementation traefik --cluster kind \
    --kubernetes-version v1.36.1 --out results

  # Which tests would run, and why others would not
  causeway conformance run --cluster existing --gateway-class traefik \
    --profiles GATEWAY-HTTP --dry-run

  # Look at a failure: stop with the test's objects still in the cluster
  causeway conformance run --cluster existing --gateway-class traefik \
    --profiles GATEWAY-HTTP --focus '^HTTPRouteWeight$' --keep-on-failure

  # Two implementations with two suites, two runs at a time
  causeway conformance run --implementation traefik --implementation acme.yaml \
    --suite v1.6 --suite v1.7 --parallel 2 --out results

  # Go on after an interrupt
  causeway conformance run --resume results`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c, s) },
	}
	f.register(c)
	return c
}

func (f *conformanceFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&f.implementations, "implementation", nil, "implementation: a name of the catalogue, or a descriptor file (repeatable)")
	fl.StringVar(&f.gatewayClass, "gateway-class", "", "GatewayClass of an implementation that the cluster runs, instead of --implementation")
	fl.StringSliceVar(&f.features, "features", nil, "features that it supports; what its GatewayClass says when left out")
	fl.StringSliceVar(&f.exempt, "exempt-features", nil, "features to leave out of those")
	f.clusterFlags(fl, string(clusterProviders[0].kind))
	fl.StringArrayVar(&f.kubernetesVersions, "kubernetes-version", nil, "version of Kubernetes; the cluster's own when left out (repeatable)")
	fl.StringArrayVar(&f.channels, "channel", nil, "channel of the Gateway API's CRDs: standard or experimental; the descriptor's when left out (repeatable)")
	fl.StringSliceVar(&f.profiles, "profiles", nil, "profiles to run; those of the implementation when left out")
	fl.StringArrayVar(&f.suites, "suite", []string{conformance.DefaultSuite}, suiteUsage()+" (repeatable)")
	fl.IntVar(&f.parallel, "parallel", 1, "how many of several runs go on at a time")
	fl.StringVar(&f.out, "out", "", "folder of results (default conformance-results/NAME-SUITE-TIME)")
	fl.StringVar(&f.resume, "resume", "", "folder of an interrupted run to go on with")
	fl.StringVar(&f.focus, "focus", "", "run only tests whose name matches this regular expression")
	fl.StringVar(&f.skip, "skip", "", "leave out tests whose name matches this regular expression")
	fl.IntVar(&f.rerun, "rerun-failed", 1, "how often a failed test is run again, alone in a fresh cluster")
	fl.IntVar(&f.rerunLimit, "rerun-limit", 10, "run none again when more than this many tests failed")
	fl.IntVar(&f.testParallel, "test-parallel", 8, "how many tests go on side by side, of those that the suite lets; 0 is one for each CPU")
	fl.BoolVar(&f.failFast, "fail-fast", false, "stop at the first failed test")
	fl.BoolVar(&f.keepOnFailure, "keep-on-failure", false, "stop at the first failed test and keep its objects")
	fl.BoolVar(&f.dryRun, "dry-run", false, "print which tests would run, and why others would not")
	fl.StringVarP(&f.output, "output", "o", "", "json, or text when left out")
	f.limitFlags(fl)
	c.MarkFlagsMutuallyExclusive("implementation", "gateway-class")
	c.MarkFlagsMutuallyExclusive("fail-fast", "keep-on-failure")
	c.MarkFlagsMutuallyExclusive("out", "resume")
	c.MarkFlagsMutuallyExclusive("dry-run", "resume")
}

// clusterFlags say where to run; byDefault is the kind of cluster.
func (f *conformanceFlags) clusterFlags(fl *pflag.FlagSet, byDefault string) {
	fl.StringVar(&f.cluster, "cluster", byDefault, "cluster: "+providerNames())
	fl.StringSliceVar(&f.images, "image", nil, "run FILE for containers of IMAGE, as IMAGE=FILE; not in an existing cluster")
	fl.BoolVar(&f.localImages, "local-images", false, "kind: build the images of the suite and of the implementation, and pull none")
	kindFlags(fl, &f.kind)
	fl.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig of an existing cluster")
	fl.StringVar(&f.context, "context", "", "kubeconfig context of an existing cluster")
}

// limitFlags bound what can hang.
func (f *conformanceFlags) limitFlags(fl *pflag.FlagSet) {
	fl.DurationVar(&f.limits.Suite, "timeout", f.limits.Suite, "time for all tests together")
	fl.DurationVar(&f.limits.Test, "test-timeout", f.limits.Test, "time for one test, and for the suite's set-up")
	fl.DurationVar(&f.limits.Install, "install-timeout", f.limits.Install, "time for installing the implementation")
	fl.DurationVar(&f.limits.Ready, "ready-timeout", f.limits.Ready, "time until its GatewayClass is accepted")
}

func (f *conformanceFlags) run(c *cobra.Command, s genericiooptions.IOStreams) error {
	if err := checkOutput(f.output); err != nil {
		return err
	}
	if f.resume != "" {
		take := takeOver
		if isMatrix(f.resume) {
			take = takeOverMatrix
		}
		if err := take(c.Flags(), f.resume); err != nil {
			return err
		}
		f.out = f.resume
	}
	if cells := f.axes().Cells(); len(cells) > 1 {
		return f.runMatrix(c, s, cells)
	} else if len(cells) == 1 {
		f.pick(cells[0])
	}
	return f.runOne(c, s)
}

// prepared is a run that may begin.
type prepared struct {
	options  conformance.Options
	provider *clusterProvider
	listing  *conformance.Listing
}

// prepare finds everything that a run needs, without making anything.
func (f *conformanceFlags) prepare(c *cobra.Command, progress io.Writer) (*prepared, error) {
	provider, err := findProvider(f.cluster)
	if err != nil {
		return nil, err
	}
	if err := f.checkKubernetes(provider); err != nil {
		return nil, err
	}
	if err := f.checkKind(c.Flags()); err != nil {
		return nil, err
	}
	f.kind.KubernetesVersion = f.kubernetes
	impl, err := f.describe(provider)
	if err != nil {
		return nil, err
	}
	suite, listing, err := listSuite(c, f.suite, progress)
	if err != nil {
		return nil, err
	}
	f.suiteImages = listing.Images
	o := conformance.Options{
		Suite: suite, Implementation: *impl, ClusterName: f.cluster, Shared: provider.shared, Tool: tool(),
		Profiles: f.profiles, Focus: f.focus, Skip: f.skip, Out: f.out, Resume: f.resume != "",
		RerunFailed: f.rerun, RerunLimit: f.rerunLimit, FailFast: f.failFast, TestParallel: f.testParallel, KeepOnFailure: f.keepOnFailure, Limits: f.limits,
	}
	if len(o.Profiles) == 0 {
		o.Profiles = impl.Profiles
	}
	return &prepared{o, provider, listing}, nil
}

// execute runs what was prepared and shows it on progress.
func (f *conformanceFlags) execute(ctx context.Context, p *prepared, progress io.Writer, request map[string]string) (*conformance.Results, error) {
	o := p.options
	o.View = conformance.NewView(progress)
	var err error
	if o.Clusters, err = p.provider.open(f, o.View); err != nil {
		return nil, err
	}
	o.Keep = func(ctx context.Context, cluster conformance.Cluster, test string) {
		fmt.Fprintf(o.View, "%s failed; its objects are kept. Look around with\n  kubectl --kubeconfig %s get gateways,httproutes -A\nand press ctrl-C to end\n", test, cluster.Kubeconfig())
		if !p.provider.shared { // it ends with us
			<-ctx.Done()
		}
	}
	return conformance.Run(ctx, o, request)
}

// folderOf is where results go that were given no folder.
func folderOf(name, suite string) string {
	return fmt.Sprintf("%s-%s-%s", name, suite, time.Now().Format("20060102-150405"))
}

// tool is what the results call us: the version, and the commit where there is
// no release that could be had again.
func tool() string { return toolOf(buildOf(debug.ReadBuildInfo())) }

func toolOf(b build) string {
	out := "causeway " + b.Version
	if b.Commit != "" {
		out += ", commit " + b.Commit
		if b.Modified {
			out += " with changes"
		}
	}
	return out
}

// runOne runs the suite once.
func (f *conformanceFlags) runOne(c *cobra.Command, s genericiooptions.IOStreams) error {
	p, err := f.prepare(c, s.ErrOut)
	if err != nil {
		return err
	}
	if f.dryRun {
		return f.printPlan(c.Context(), s, p)
	}
	if p.options.Out == "" {
		p.options.Out = filepath.Join("conformance-results", folderOf(p.options.Implementation.Name, p.listing.Version))
	}
	o := p.options
	results, err := f.execute(c.Context(), p, s.ErrOut, request(c.Flags()))
	if results == nil {
		return err
	}
	if f.output == "json" {
		err = errors.Join(err, writeJSON(s.Out, results))
	} else {
		err = errors.Join(err, conformance.WriteSummary(s.Out, results, o.Out))
	}
	if results.Status == conformance.StatusInterrupted {
		fmt.Fprintf(s.ErrOut, "go on with: causeway conformance run --resume %s\n", o.Out)
	}
	return verdict(results, err)
}

// verdict turns what a run came to into the error it ends in.
func verdict(r *conformance.Results, err error) error {
	switch {
	case err != nil:
		return err
	case r.Status.Nonconformant():
		return &ExitError{ExitNonconformant, fmt.Errorf("conformance: %s", r.Verdict)}
	case r.Status != conformance.StatusPassed:
		return fmt.Errorf("conformance: %s", r.Verdict)
	}
	return nil
}

// channels are those that the Gateway API's CRDs come in.
var channels = []string{string(gatewayapi.Standard), string(gatewayapi.Experimental)}

// describe says what the suite runs against.
func (f *conformanceFlags) describe(provider *clusterProvider) (*conformance.Implementation, error) {
	var impl *conformance.Implementation
	switch {
	case f.implementation != "":
		on := provider.kind
		if f.localPrograms() { // a Deployment of an image that the cluster has
			on = implementation.Embedded
		}
		d, method, err := loadDescriptor(f.implementation, on)
		if err != nil {
			return nil, err
		}
		if f.channel != "" {
			if !slices.Contains(channels, f.channel) {
				return nil, usagef("--channel %s is not known: use %s", f.channel, strings.Join(channels, " or "))
			}
			d.Channel = f.channel
		}
		f.descriptor = d
		impl = described(d, method, on, f.limits.Install)
	case f.gatewayClass != "" && !provider.shared:
		return nil, usagef("--gateway-class names what a cluster runs already, and a new one (--cluster %s) runs nothing: use --implementation, or --cluster existing", f.cluster)
	case f.gatewayClass != "" && f.channel != "":
		return nil, usagef("--channel is for CRDs that are installed, and --gateway-class names what is there already: leave one out")
	case f.gatewayClass != "":
		impl = &conformance.Implementation{Name: f.gatewayClass, GatewayClass: f.gatewayClass}
	default:
		return nil, usagef("what shall be tested? name it with --implementation, or with --gateway-class where the cluster runs it already")
	}
	if len(f.features) > 0 {
		impl.Features, impl.AllFeatures = f.features, false
	}
	impl.Exempt = append(impl.Exempt, f.exempt...)
	if len(f.profiles) == 0 && len(impl.Profiles) == 0 {
		return nil, usagef("no profiles: name some with --profiles, as 'causeway conformance list profiles' shows them")
	}
	return impl, nil
}

// printPlan prints what would run. A cluster that is there already is asked what
// its GatewayClass says.
func (f *conformanceFlags) printPlan(ctx context.Context, s genericiooptions.IOStreams, p *prepared) error {
	var known []string
	if p.provider.shared {
		var err error
		if known, err = f.supported(ctx, &p.options, p.provider, s.ErrOut); err != nil {
			fmt.Fprintf(s.ErrOut, "warning: %v; which extended features it supports is not known\n", err)
		}
	}
	plan, err := conformance.NewPlan(p.listing, &p.options, known)
	if err != nil {
		return err
	}
	for _, w := range plan.Warnings {
		fmt.Fprintf(s.ErrOut, "warning: %s\n", w)
	}
	if f.output == "json" {
		return writeJSON(s.Out, plan)
	}
	return writePlan(s.Out, plan)
}

func (f *conformanceFlags) supported(ctx context.Context, o *conformance.Options, provider *clusterProvider, progress io.Writer) ([]string, error) {
	clusters, err := provider.open(f, progress)
	if err != nil {
		return nil, err
	}
	c, err := clusters.Up(ctx)
	if err != nil {
		return nil, err
	}
	known, err := conformance.Supported(ctx, c.Kubeconfig(), &o.Implementation, time.Second)
	return known, errors.Join(err, c.Down(ctx))
}

func writePlan(w io.Writer, p *conformance.Plan) error {
	for _, step := range p.Prepare {
		fmt.Fprintf(w, "between set-up and tests: %s\n", step)
	}
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	runs := 0
	for _, t := range p.Tests {
		word := "skip"
		if t.Runs {
			word = "run"
			runs++
		}
		why := t.Reason
		if t.Runs && len(t.Profiles) == 0 {
			why = strings.TrimPrefix(why+"; no report counts it", "; ")
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", word, t.Name, why)
	}
	fmt.Fprintf(out, "\n%d of %d tests of suite %s would run\n", runs, len(p.Tests), p.Suite)
	return out.Flush()
}

package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	conformance "github.com/causeway-gateway/causeway/conformance/run"
)

func newConformance(s genericiooptions.IOStreams) *cobra.Command {
	c := &cobra.Command{
		Use:   "conformance",
		Short: "Run the official Gateway API conformance suite",
		Long: `Run the official Gateway API conformance suite against an implementation, and
see what the suite holds.`,
		Example: `  # Traefik in an embedded cluster, without Docker and without root
  causeway conformance run --implementation traefik --out results

  # What would run against the implementation in the current cluster?
  causeway conformance run --cluster existing --gateway-class traefik \
    --profiles GATEWAY-HTTP --dry-run

  # The tests of a suite, and the features each one needs
  causeway conformance list --suite v1.7`,
	}
	c.AddCommand(newConformanceRun(s), newConformanceList(s), newConformanceImages(s), newImplementations(s))
	return c
}

// suiteFlag is the flag that the verbs of conformance share.
func suiteFlag(c *cobra.Command, suite *string) {
	c.Flags().StringVar(suite, "suite", conformance.DefaultSuite, suiteUsage())
}

func suiteUsage() string {
	return "suite: " + strings.Join(conformance.SuiteVersions(), ", ") + ", or the path of a suite's test binary"
}

// listSuite finds the suite and asks what it holds.
func listSuite(c *cobra.Command, suite string, progress io.Writer) (conformance.Suite, *conformance.Listing, error) {
	found, err := conformance.FindSuite(c.Context(), suite, progress)
	if err != nil {
		return conformance.Suite{}, nil, err
	}
	l, err := found.List(c.Context())
	return found, l, err
}

func checkOutput(format string) error {
	if format != "" && format != "json" {
		return usagef("-o %s is not known: use json, or leave it out", format)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// lists are what "conformance list" can show.
var lists = []struct {
	name  string
	table func(w io.Writer, l *conformance.Listing)
	json  func(l *conformance.Listing) any
}{
	{"tests", listTests, func(l *conformance.Listing) any { return l.Tests }},
	{"profiles", listProfiles, func(l *conformance.Listing) any { return l.Profiles }},
	{"features", listFeatures, func(l *conformance.Listing) any { return l.Features }},
}

func newConformanceList(s genericiooptions.IOStreams) *cobra.Command {
	var suite, format string
	var names []string
	for _, l := range lists {
		names = append(names, l.name)
	}
	c := &cobra.Command{
		Use:   "list [tests|profiles|features]",
		Short: "List the tests, profiles or features of a suite",
		Long: `List the tests of a suite with the features each one needs, its profiles, or the
features it knows. A test without a profile runs, but no official report counts
it.`,
		Example: `  causeway conformance list
  causeway conformance list profiles --suite v1.7
  causeway conformance list features -o json`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: names,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkOutput(format); err != nil {
				return err
			}
			_, l, err := listSuite(c, suite, s.ErrOut)
			if err != nil {
				return err
			}
			i := 0
			if len(args) > 0 {
				i = slices.Index(names, args[0])
			}
			if format == "json" {
				return writeJSON(s.Out, lists[i].json(l))
			}
			out := tabwriter.NewWriter(s.Out, 0, 8, 2, ' ', 0)
			lists[i].table(out, l)
			return out.Flush()
		},
	}
	suiteFlag(c, &suite)
	c.Flags().StringVarP(&format, "output", "o", "", "json, or text when left out")
	return c
}

func listTests(w io.Writer, l *conformance.Listing) {
	fmt.Fprintln(w, "TEST\tPROFILES\tFEATURES")
	for _, t := range l.Tests {
		var profiles []string
		for _, m := range l.Memberships(t) {
			profiles = append(profiles, m.Profile+" "+m.Level)
		}
		if len(profiles) == 0 {
			profiles = []string{"-"}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", t.Name, strings.Join(profiles, ", "), strings.Join(t.Features, ","))
	}
}

func listProfiles(w io.Writer, l *conformance.Listing) {
	fmt.Fprintln(w, "PROFILE\tLEVEL\tFEATURES")
	for _, p := range l.Profiles {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, conformance.LevelCore, strings.Join(p.Core, ","))
		fmt.Fprintf(w, "\t%s\t%s\n", conformance.LevelExtended, strings.Join(p.Extended, ","))
	}
}

func listFeatures(w io.Writer, l *conformance.Listing) {
	fmt.Fprintln(w, "FEATURE\tCHANNEL\tTESTS")
	for _, f := range l.Features {
		tests := 0
		for _, t := range l.Tests {
			if slices.Contains(t.Features, f.Name) {
				tests++
			}
		}
		channel := f.Channel
		if channel == "" {
			channel = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\n", f.Name, channel, tests)
	}
}

func newConformanceImages(s genericiooptions.IOStreams) *cobra.Command {
	var suite, format string
	c := &cobra.Command{
		Use:   "images",
		Short: "Print the images that a suite's manifests name",
		Long: `Print the images that a suite's manifests name, one a line, to mirror or load
them where no registry can be reached.`,
		Example: `  causeway conformance images | xargs -n1 docker pull
  causeway conformance images --suite v1.7 -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(format); err != nil {
				return err
			}
			_, l, err := listSuite(c, suite, s.ErrOut)
			if err != nil {
				return err
			}
			if format == "json" {
				return writeJSON(s.Out, l.Images)
			}
			for _, i := range l.Images {
				fmt.Fprintln(s.Out, i)
			}
			return nil
		},
	}
	suiteFlag(c, &suite)
	c.Flags().StringVarP(&format, "output", "o", "", "json, or one a line when left out")
	return c
}

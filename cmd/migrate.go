package cmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/istio"
	"github.com/causeway-gateway/causeway/migrate/output"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/reports"
	"github.com/causeway-gateway/causeway/routing"
)

type migrateFlags struct {
	in           inputFlags
	version      string
	channel      string
	gatewayClass string
	gateway      string
	layout       string
	certificate  string
	unguarded    bool
	validate     string
	format       string
	dir          string
	force        bool
	dryRun       bool
	reports      []string
	strict       bool
	verify       string
}

func newMigrate(s genericiooptions.IOStreams) *cobra.Command {
	var f migrateFlags
	c := &cobra.Command{
		Use:   "migrate -f FILE|DIR",
		Short: "Convert Ingresses and Istio routing; account for every field",
		Long: `Convert Ingresses and Istio's VirtualServices, Gateways, DestinationRules and
ServiceEntries to Gateway API objects, with an account of every field.

Each entrance of the input gets Gateways of its own: the Ingress controller,
and the pods of each Istio gateway. Routes of the mesh are attached to Services.
Objects go to standard output or to --out; the summary goes to standard error.
A route whose access control cannot be kept is closed, not opened, unless
--allow-unguarded is given.`,
		Example: `  # A folder of manifests, to standard output
  causeway migrate -R -f manifests/ > gateway.yaml

  # The live cluster, into a folder, with a report for the team
  causeway migrate --cluster --out gateway/ --report report.html

  # In CI: exit 3 when something cannot be kept
  causeway migrate -R -f manifests/ --out gateway/ --strict`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c, s) },
	}
	f.in.add(c)
	fl := c.Flags()
	fl.StringVar(&f.version, "gateway-api", string(gatewayapi.Default), "Gateway API release to write for (v1.4 to v1.7)")
	fl.StringVar(&f.channel, "channel", string(gatewayapi.Standard), "release channel: standard or experimental")
	fl.StringVar(&f.gatewayClass, "gateway-class", "", "GatewayClass of new Gateways (default: the name to fill in, \"gateway\")")
	fl.StringVar(&f.gateway, "gateway", "", "attach to this existing Gateway, namespace/name")
	fl.StringVar(&f.layout, "gateway-layout", "shared", "new Gateways: shared, one for everything; per-namespace, one beside the routes; team-listeners, one for everything with a ListenerSet in each namespace that holds its own certificates (v1.5)")
	fl.StringVar(&f.certificate, "default-certificate", "", "Secret namespace/name for hosts without a certificate of their own")
	fl.BoolVar(&f.unguarded, "allow-unguarded", false, "emit routes even though their access control is lost")
	fl.StringVar(&f.validate, "validate", "full", "check the output against the CRDs: full, schema or off")
	fl.StringVarP(&f.format, "output", "o", "yaml", "yaml or json")
	fl.StringVar(&f.dir, "out", "", "folder to write, one file per namespace and kind")
	fl.BoolVar(&f.force, "force", false, "overwrite files in --out that were not written by causeway")
	fl.BoolVar(&f.dryRun, "dry-run", false, "write nothing, say what would be written")
	fl.StringArrayVar(&f.reports, "report", nil, "report file: .html, .json, .md or .sarif (repeatable)")
	fl.StringVar(&f.verify, "verify", "on", "prove that the output routes like the input, but for what the ledger announces: on or off")
	fl.BoolVar(&f.strict, "strict", false, "exit 3 when something was not kept exactly")
	return c
}

func (f *migrateFlags) options() (migrate.Options, error) {
	var o migrate.Options
	v, err := gatewayapi.ParseVersion(f.version)
	if err != nil {
		return o, usagef("%v", err)
	}
	ch, err := gatewayapi.ParseChannel(f.channel)
	if err != nil {
		return o, usagef("%v", err)
	}
	levels := map[string]validate.Level{"full": validate.Full, "schema": validate.Schema, "off": validate.Off}
	level, ok := levels[f.validate]
	if !ok {
		return o, usagef("--validate %s is not known: use full, schema or off", f.validate)
	}
	if f.verify != "on" && f.verify != "off" {
		return o, usagef("--verify %s is not known: use on or off", f.verify)
	}
	if f.format != "yaml" && f.format != "json" {
		return o, usagef("-o %s is not known: use yaml or json", f.format)
	}
	if f.gateway != "" && strings.Count(f.gateway, "/") != 1 {
		return o, usagef("--gateway %s is not of the form namespace/name", f.gateway)
	}
	layout, err := gatewayLayout(f.layout, f.gateway)
	if err != nil {
		return o, err
	}
	if layout.Kind == emit.TeamListeners && !gatewayapi.Has(v, ch, gatewayapi.FeatureListenerSet) {
		return o, usagef("--gateway-layout team-listeners needs ListenerSets, which Gateway API %s has not: use v1.5 or per-namespace", v)
	}
	o.Validate = level
	o.Emit = emit.Options{Version: v, Channel: ch, GatewayClass: f.gatewayClass, Gateway: layout, AllowUnguarded: f.unguarded, DefaultCertificate: f.certificate}
	return o, nil
}

func (f *migrateFlags) run(c *cobra.Command, s genericiooptions.IOStreams) error {
	ctx := c.Context()
	o, err := f.options()
	if err != nil {
		return err
	}
	set, problems, err := f.in.read(ctx, s.In)
	if err != nil {
		return err
	}
	if o.Nginx, err = f.in.nginxOptions(ctx, set); err != nil {
		return err
	}
	if o.Istio, err = f.in.istioOptions(); err != nil {
		return err
	}
	o.Emit.AnnotationsOf = metadataOf(set)
	res, err := migrate.Run(ctx, set, o)
	if err != nil {
		return err
	}
	report := f.report(set, problems, res)
	if len(res.Issues) > 0 {
		for _, i := range res.Issues {
			fmt.Fprintf(s.ErrOut, "invalid output: %v\n", i)
		}
		return fmt.Errorf("%d of the objects that would be written do not fit the CRDs of Gateway API %s; nothing was written", len(res.Issues), o.Emit.Version)
	}
	if f.verify == "on" {
		if report.Verification, err = f.check(ctx, s, res); err != nil {
			return err
		}
	}
	if err := f.write(ctx, s, set, res); err != nil {
		return err
	}
	if !f.dryRun {
		for _, path := range f.reports {
			if err := reports.WriteFile(path, report); err != nil {
				return fmt.Errorf("writing report: %w", err)
			}
		}
	}
	if err := reports.WriteText(s.ErrOut, report, reports.TextOptions{}); err != nil {
		return err
	}
	if len(problems) > 0 {
		return &ExitError{Code: 1, Err: fmt.Errorf("%d of the input's documents could not be read; the rest was converted", len(problems))}
	}
	if report.Verification != nil {
		fmt.Fprintln(s.ErrOut, "\nVerified:")
		if err := reports.WriteVerification(s.ErrOut, report.Verification, reports.VerificationOptions{Brief: true}); err != nil {
			return err
		}
		if err := different(report.Verification.Result); err != nil {
			return err
		}
	}
	if f.strict && res.Ledger.Lost() {
		return &ExitError{Code: 3, Err: errors.New("not everything was kept exactly, and --strict was given")}
	}
	return nil
}

// check verifies the output against the input.
func (f *migrateFlags) check(ctx context.Context, s genericiooptions.IOStreams, res *migrate.Result) (*reports.Verification, error) {
	v, problems, err := migrate.Check(ctx, res)
	if err != nil {
		return nil, err
	}
	for _, p := range problems {
		fmt.Fprintf(s.ErrOut, "the output does not hold together: %s %s: %s: %s\n", p.Object, p.Path, p.Reason, p.Message)
	}
	return &reports.Verification{Result: v, Ledger: res.Ledger}, nil
}

func refOf(obj client.Object) routing.ObjectRef {
	return routing.ObjectRef{Kind: obj.GetObjectKind().GroupVersionKind().Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// objectText is the YAML of one object.
func objectText(obj client.Object) string {
	var b strings.Builder
	if err := output.WriteStream(&b, []client.Object{obj}, output.Options{Format: "yaml"}, nil); err != nil {
		return err.Error()
	}
	return b.String()
}

// gatewayLayout reads --gateway-layout and --gateway.
func gatewayLayout(layout, existing string) (emit.Layout, error) {
	if existing != "" {
		ns, name, _ := strings.Cut(existing, "/")
		return emit.Layout{Kind: emit.Existing, Namespace: ns, Name: name}, nil
	}
	switch layout {
	case "shared":
		return emit.Layout{}, nil
	case "per-namespace":
		return emit.Layout{Kind: emit.PerNamespace}, nil
	case "team-listeners":
		return emit.Layout{Kind: emit.TeamListeners}, nil
	}
	return emit.Layout{}, usagef("--gateway-layout %s is not known: use shared, per-namespace or team-listeners", layout)
}

// write writes the objects to --out or standard output.
func (f *migrateFlags) write(ctx context.Context, s genericiooptions.IOStreams, set *source.Set, res *migrate.Result) error {
	lines := make(map[routing.ObjectRef]string, len(set.Ingresses))
	for o := range sources(set) {
		if o.File != "" {
			lines[o.Ref] = fmt.Sprintf("%s:%d", o.File, o.Line)
		}
	}
	o := output.Options{
		Format: f.format, Dir: f.dir, Force: f.force, DryRun: f.dryRun,
		Where: func(r routing.ObjectRef) string { return lines[r] },
	}
	from := func(obj client.Object) []routing.ObjectRef { return res.From[refOf(obj)] }
	if f.dir == "" {
		if f.dryRun {
			fmt.Fprintf(s.ErrOut, "%d objects would be written to standard output\n", len(res.Objects))
			return nil
		}
		return output.WriteStream(s.Out, res.Objects, o, from)
	}
	sum, err := output.WriteDir(ctx, res.Objects, o, from)
	if err != nil {
		return err
	}
	verb := "wrote"
	if f.dryRun {
		verb = "would write"
	}
	fmt.Fprintf(s.ErrOut, "%s %d files to %s (%d unchanged, %d removed)\n", verb, len(sum.Written), f.dir, len(sum.Unchanged), len(sum.Removed))
	for _, k := range sum.Kept {
		fmt.Fprintf(s.ErrOut, "kept %s: it is no longer produced, but was edited\n", k)
	}
	return nil
}

func (f *migrateFlags) report(set *source.Set, problems []*source.DocumentError, res *migrate.Result) *reports.Migration {
	m := &reports.Migration{Title: title(set), Tool: "causeway " + version(), Ledger: res.Ledger, Read: set.Len(), Written: len(res.Objects)}
	for o := range sources(set) {
		m.Sources = append(m.Sources, reports.Source{Ref: o.Ref, File: o.File, Line: o.Line, Text: string(o.Raw())})
	}
	routing := map[routing.ObjectRef]bool{}
	for _, from := range res.From {
		for _, ref := range from {
			routing[ref] = true
		}
	}
	for _, cm := range set.ConfigMaps {
		if routing[cm.Object.Ref] {
			m.Sources = append(m.Sources, reports.Source{Ref: cm.Object.Ref, File: cm.Object.File, Line: cm.Object.Line, Text: string(cm.Object.Raw())})
		}
	}
	for _, p := range problems {
		m.Errors = append(m.Errors, reports.InputError{File: p.File, Line: p.Line, Message: p.Err.Error(), Remedy: p.Remedy})
	}
	if len(f.reports) > 0 {
		for _, obj := range res.Objects {
			m.Outputs = append(m.Outputs, reports.Output{Ref: refOf(obj), Text: objectText(obj), From: res.From[refOf(obj)]})
		}
	}
	return m
}

// title names what is converted.
func title(set *source.Set) string {
	switch {
	case !istio.Holds(set):
		return "Ingress to Gateway API"
	case len(set.Ingresses) == 0:
		return "Istio to Gateway API"
	}
	return "Ingress and Istio to Gateway API"
}

// sources are the objects that routes are made of, in input order of their
// kinds.
func sources(set *source.Set) iter.Seq[*source.Object] {
	return func(yield func(*source.Object) bool) {
		for _, ing := range set.Ingresses {
			if !yield(ing.Object) {
				return
			}
		}
		for _, o := range set.Others {
			if istio.Routes(o) && !yield(o) {
				return
			}
		}
	}
}

// metadataOf gives the emitter the labels and annotations of source objects.
func metadataOf(set *source.Set) func(routing.ObjectRef) (labels, annotations map[string]string) {
	byRef := make(map[routing.ObjectRef]*source.Ingress, len(set.Ingresses))
	for _, ing := range set.Ingresses {
		byRef[ing.Object.Ref] = ing
	}
	others := map[routing.ObjectRef]*source.Object{}
	for _, o := range set.Others {
		if istio.Routes(o) {
			others[o.Ref] = o
		}
	}
	return func(ref routing.ObjectRef) (map[string]string, map[string]string) {
		if ing := byRef[ref]; ing != nil {
			return ing.Labels, ing.Annotations
		}
		if o := others[ref]; o != nil {
			u := unstructured.Unstructured{Object: o.Untyped}
			return u.GetLabels(), u.GetAnnotations()
		}
		return nil, nil
	}
}

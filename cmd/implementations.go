package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// newImplementations makes "causeway conformance implementations".
func newImplementations(s genericiooptions.IOStreams) *cobra.Command {
	var format string
	var schema bool
	c := &cobra.Command{
		Use:     "implementations [NAME|FILE]...",
		Aliases: []string{"implementation", "impl"},
		Short:   "List what can be tested, or check a descriptor",
		Long: `List the implementations that can be tested.

A name prints an entry of the catalogue; a file (ending in .yaml, .yml or .json)
is a descriptor of your own, which is checked. -o yaml prints an entry as it
ships, comments and all: the easiest start for a descriptor of your own.`,
		Example: `  # What is there?
  causeway conformance implementations

  # How would this one be installed?
  causeway conformance implementations traefik -o yaml

  # Is my descriptor sound?
  causeway conformance implementations acme.yaml

  # For an editor that checks YAML
  causeway conformance implementations --schema > descriptor.schema.json`,
		RunE: func(_ *cobra.Command, args []string) error {
			if schema {
				if len(args) > 0 || format != "" {
					return usagef("--schema goes without arguments and -o")
				}
				_, err := s.Out.Write(implementation.Schema())
				return err
			}
			return listImplementations(s.Out, args, format)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return implementation.Names(), cobra.ShellCompDirectiveDefault
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "", "wide, yaml, json or name, or nothing for a table")
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON schema of descriptors")
	return c
}

func listImplementations(w io.Writer, args []string, format string) error {
	if !slices.Contains([]string{"", "wide", "yaml", "json", "name"}, format) {
		return usagef("-o %s is not known: use wide, yaml, json or name", format)
	}
	if len(args) == 0 {
		args = implementation.Names()
	}
	var list []*implementation.Descriptor
	for _, a := range args {
		d, err := implementation.Load(a)
		if errors.Is(err, implementation.ErrUnknown) {
			return usage(err)
		} else if err != nil {
			return err
		}
		list = append(list, d)
	}
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(list)
	case "yaml":
		return writeDescriptors(w, list)
	case "name":
		for _, d := range list {
			if _, err := fmt.Fprintln(w, d.Name); err != nil {
				return err
			}
		}
		return nil
	}
	return tableOfImplementations(w, list, format == "wide")
}

// writeDescriptors prints entries of the catalogue as they ship.
func writeDescriptors(w io.Writer, list []*implementation.Descriptor) error {
	for i, d := range list {
		text, err := implementation.Text(d.Name)
		if err != nil || d.Origin() != "catalogue/"+d.Name+".yaml" {
			if text, err = yaml.Marshal(d); err != nil {
				return err
			}
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

func tableOfImplementations(w io.Writer, list []*implementation.Descriptor, wide bool) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	head := []string{"NAME", "VERSION", "PROFILES", "TESTED ON"}
	if wide {
		head = append(head, "INSTALLS ON", "CHANNEL", "MODE", "FEATURES", "CLASS", "CONTROLLER")
	}
	fmt.Fprintln(tw, strings.Join(head, "\t"))
	for _, d := range list {
		row := []string{d.Name, d.Implementation.Version, profiles(d), providers(d.Tested)}
		if wide {
			var on []implementation.Provider
			for _, m := range d.Install {
				on = append(on, m.On...)
			}
			class, controller := "-", "-"
			if d.GatewayClass != nil {
				class, controller = d.GatewayClass.Name, d.GatewayClass.ControllerName
			}
			row = append(row, providers(on), d.Channel, d.ReportMode(), features(d.Features), class, controller)
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	return tw.Flush()
}

// profiles is short enough for a table: gateways' without their prefix, and those
// of meshes behind one.
func profiles(d *implementation.Descriptor) string {
	var gateway, mesh []string
	for _, p := range d.Profiles {
		kind, protocol, _ := strings.Cut(strings.ToLower(p), "-")
		if kind == "mesh" {
			mesh = append(mesh, protocol)
		} else {
			gateway = append(gateway, protocol)
		}
	}
	out := strings.Join(gateway, ",")
	if len(mesh) > 0 {
		out = strings.TrimPrefix(out+";mesh:"+strings.Join(mesh, ","), ";")
	}
	return out
}

func providers(list []implementation.Provider) string {
	if len(list) == 0 {
		return "-"
	}
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = string(p)
	}
	return strings.Join(out, ",")
}

func features(f *implementation.Features) string {
	switch {
	case f == nil || !f.All && len(f.Supported) == 0:
		return "inferred"
	case f.All && len(f.Exempt) > 0:
		return fmt.Sprintf("all but %d", len(f.Exempt))
	case f.All:
		return "all"
	}
	return fmt.Sprintf("%d listed", len(f.Supported)-len(f.Exempt))
}

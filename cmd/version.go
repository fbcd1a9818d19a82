package cmd

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// release is set by the linker for released binaries:
// -X github.com/causeway-gateway/causeway/cmd.release=v1.2.3.
var release string

// version is the release of this binary, for reports and --version.
func version() string { return buildOf(debug.ReadBuildInfo()).Version }

// build says what a binary was made from; its JSON form is public.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the checkout had changes
	Date     string `json:"date,omitempty"`     // of the commit, RFC 3339
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildOf prefers the linker's word, then the module version (go install
// …@v1.2.3), then says that it is a development build.
func buildOf(info *debug.BuildInfo, ok bool) build {
	b := build{Version: release, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if ok {
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			case "vcs.time":
				b.Date = s.Value
			}
		}
	}
	if b.Version == "" {
		b.Version = "(development)"
	}
	return b
}

func newVersion(s genericiooptions.IOStreams) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Example: `  causeway version
  causeway version -o json`,
		RunE: func(*cobra.Command, []string) error {
			b := buildOf(debug.ReadBuildInfo())
			switch format {
			case "":
				_, err := fmt.Fprintf(s.Out, "causeway %s (%s, %s)\n", b.Version, b.Go, b.Platform)
				return err
			case "json":
				return json.NewEncoder(s.Out).Encode(b)
			}
			return usagef("-o %s is not known: use json, or leave it out", format)
		},
	}
	c.Flags().StringVarP(&format, "output", "o", "", "json, or nothing for one line of text")
	return c
}

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// run executes one command line without standard input.
func run(t *testing.T, name string, args ...string) (code int, out, errOut string) {
	t.Helper()
	s, _, o, e := genericiooptions.NewTestIOStreams()
	code = Execute(t.Context(), name, args, s)
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.yaml")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reason string
		args   []string
		want   int
		says   string // on standard error
	}{
		"no arguments":           {"asks what there is", nil, ExitDone, ""},
		"help":                   {"help that was asked for is no error", []string{"migrate", "--help"}, ExitDone, ""},
		"version":                {"", []string{"version"}, ExitDone, ""},
		"version flag":           {"", []string{"--version"}, ExitDone, ""},
		"completion":             {"", []string{"completion", "bash"}, ExitDone, ""},
		"unknown verb":           {"a verb that is not there", []string{"frobnicate"}, ExitUsage, `unknown command "frobnicate" for "causeway"`},
		"misspelt verb":          {"the nearest verb helps", []string{"migrat"}, ExitUsage, "did you mean migrate?"},
		"unknown shell":          {"cobra itself would print help and succeed", []string{"completion", "dash"}, ExitUsage, `unknown command "dash"`},
		"unknown flag":           {"", []string{"migrate", "--no-such"}, ExitUsage, "see 'causeway migrate --help'"},
		"flag without value":     {"", []string{"migrate", "-f"}, ExitUsage, "flag needs an argument"},
		"stray argument":         {"", []string{"version", "now"}, ExitUsage, "see 'causeway version --help'"},
		"bad value of a flag":    {"checked by the verb, not by cobra", []string{"version", "-o", "xml"}, ExitUsage, "-o xml"},
		"nothing to read":        {"", []string{"migrate"}, ExitUsage, "-f"},
		"file that is not there": {"the command line is fine, the world is not", []string{"migrate", "-f", empty + ".not"}, ExitFailed, "empty.yaml.not"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errOut := run(t, "causeway", c.args...)
			if code != c.want || !strings.Contains(errOut, c.says) {
				t.Errorf("%s: exit %d, want %d saying %q; standard error:\n%s", c.reason, code, c.want, c.says, errOut)
			}
			if (code == ExitDone) != (errOut == "") {
				t.Errorf("exit %d with standard error %q", code, errOut)
			}
		})
	}
}

func TestErrorsKeepTheirCodeWhenWrapped(t *testing.T) {
	cause := errors.New("cause")
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"none":          {nil, ExitDone},
		"plain":         {cause, ExitFailed},
		"usage":         {usagef("bad"), ExitUsage},
		"lost":          {&ExitError{ExitLost, cause}, ExitLost},
		"different":     {&ExitError{ExitDifferent, cause}, ExitDifferent},
		"nonconformant": {&ExitError{ExitNonconformant, cause}, ExitNonconformant},
		"wrapped":       {fmt.Errorf("migrating: %w", &ExitError{ExitLost, cause}), ExitLost},
	} {
		t.Run(name, func(t *testing.T) {
			if got := finish(t.Context(), &bytes.Buffer{}, "causeway", c.err); got != c.want {
				t.Errorf("exit %d, want %d", got, c.want)
			}
		})
	}
	if !errors.Is(&ExitError{ExitLost, cause}, cause) {
		t.Error("an ExitError hides its cause")
	}
}

func TestAnInterruptIsNoUsageError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var w bytes.Buffer
	if code := finish(ctx, &w, "causeway", fmt.Errorf("reading: %w", ctx.Err())); code != ExitFailed || w.String() != "interrupted\n" {
		t.Errorf("exit %d saying %q", code, w.String())
	}
}

func TestAPanicIsNoUsageError(t *testing.T) {
	saved := commands
	t.Cleanup(func() { commands = saved })
	commands = append(commands[:len(commands):len(commands)], func(genericiooptions.IOStreams) *cobra.Command {
		return &cobra.Command{Use: "boom", RunE: func(*cobra.Command, []string) error { panic("boom") }}
	})
	code, _, errOut := run(t, "causeway", "boom")
	if code != ExitFailed || !strings.Contains(errOut, "defect of causeway") {
		t.Errorf("exit %d saying %q", code, errOut)
	}
}

func TestRequiredAndExclusiveFlagsAreUsageErrors(t *testing.T) {
	saved := commands
	t.Cleanup(func() { commands = saved })
	commands = []func(genericiooptions.IOStreams) *cobra.Command{func(genericiooptions.IOStreams) *cobra.Command {
		c := &cobra.Command{Use: "verb", RunE: func(*cobra.Command, []string) error { return nil }}
		c.Flags().String("need", "", "")
		c.Flags().Bool("a", false, "")
		c.Flags().Bool("b", false, "")
		c.MarkFlagsMutuallyExclusive("a", "b")
		if err := c.MarkFlagRequired("need"); err != nil {
			t.Fatal(err)
		}
		return c
	}}
	for _, args := range [][]string{{"verb"}, {"verb", "--need=x", "--a", "--b"}} {
		if code, _, errOut := run(t, "causeway", args...); code != ExitUsage {
			t.Errorf("%v: exit %d saying %q", args, code, errOut)
		}
	}
	if code, _, errOut := run(t, "causeway", "verb", "--need=x", "--a"); code != ExitDone {
		t.Errorf("exit %d saying %q", code, errOut)
	}
}

// Every command explains itself, with examples, on a terminal of 80 columns.
func TestHelpFitsTheTerminal(t *testing.T) {
	s, _, _, _ := genericiooptions.NewTestIOStreams()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "completion" {
			return // cobra's own words
		}
		path := strings.Fields(c.CommandPath())[1:]
		t.Run(strings.Join(append([]string{"root"}, path...), " "), func(t *testing.T) {
			code, out, _ := run(t, "causeway", append(path, "--help")...)
			if code != ExitDone {
				t.Fatalf("exit %d", code)
			}
			for line := range strings.Lines(out) {
				if line = strings.TrimRight(line, "\n"); utf8.RuneCountInString(line) > columns {
					t.Errorf("longer than %d columns: %s", columns, line)
				}
			}
			if c.Short == "" || c.Example == "" && c.Runnable() && !c.HasSubCommands() {
				t.Error("no short help or no example")
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot("causeway", s))
}

func TestAsKubectlPluginHelpShowsWhatTheUserTypes(t *testing.T) {
	_, plain, _ := run(t, "/usr/local/bin/causeway", "migrate", "--help")
	_, plugin, _ := run(t, "/usr/local/bin/kubectl-causeway", "migrate", "--help")
	if strings.Contains(plain, "kubectl causeway") {
		t.Errorf("plain help speaks of kubectl:\n%s", plain)
	}
	if !strings.Contains(plugin, "kubectl causeway migrate -f") || strings.Contains(plugin, "  causeway ") {
		t.Errorf("plugin help does not show what is typed:\n%s", plugin)
	}
	if _, _, errOut := run(t, "kubectl-causeway", "migrate", "--no-such"); !strings.Contains(errOut, "see 'kubectl causeway migrate --help'") {
		t.Errorf("hint: %s", errOut)
	}
}

func TestVersionTellsWhatWasBuilt(t *testing.T) {
	info := func(v string) *debug.BuildInfo {
		b := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}}}
		b.Main.Version = v
		return b
	}
	for name, c := range map[string]struct {
		linked, module string
		ok             bool
		want           string
	}{
		"released binary":     {"v1.2.3", "v0.0.0-pseudo", true, "v1.2.3"},
		"go install":          {"", "v1.2.3", true, "v1.2.3"},
		"go build":            {"", "(devel)", true, "(development)"},
		"without information": {"", "", false, "(development)"},
	} {
		t.Run(name, func(t *testing.T) {
			release = c.linked
			t.Cleanup(func() { release = "" })
			if got := buildOf(info(c.module), c.ok).Version; got != c.want {
				t.Errorf("version %s, want %s", got, c.want)
			}
		})
	}
	b := buildOf(info("v1.2.3"), true)
	b.Go, b.Platform = "", ""
	if diff := cmp.Diff(build{Version: "v1.2.3", Commit: "abc", Modified: true, Date: "2026-01-02T03:04:05Z"}, b); diff != "" {
		t.Error(diff)
	}
	_, out, _ := run(t, "causeway", "version", "-o", "json")
	var got build
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Go == "" || got.Platform == "" {
		t.Errorf("%v in %s", err, out)
	}
}

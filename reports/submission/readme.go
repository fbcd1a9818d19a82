package submission

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"golang.org/x/mod/semver"

	"github.com/causeway-gateway/causeway/reports/conformance"
)

// causewayURL is where a reader gets what ran the suite.
const causewayURL = "https://github.com/causeway-gateway/causeway"

// readme is the README.md of the folder: a new one, or the one that is there
// with a row and a subsection more.
func (o *Options) readme(s *Submission, release string) ([]byte, error) {
	row := fmt.Sprintf("| %s | [%s](%s) | %s | [%[2]s report](./%[5]s) |", md(o.Claim.Channel), md(o.Claim.Implementation.Version), release, md(o.Claim.Mode), s.Report)
	have, err := readFile(filepath.Join(s.Folder, s.README))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return []byte(o.opening() + row + "\n\n## Reproduce\n\n" + o.reproduce(s)), nil
	case err != nil:
		return nil, err
	case strings.Contains(string(have), "(./"+s.Report+")"):
		return have, nil
	}
	return insert(string(have), row, o.reproduce(s))
}

// opening is everything above the first row of the table of contents.
func (o *Options) opening() string {
	i := o.Claim.Implementation
	var contact []string
	for _, c := range i.Contact {
		contact = append(contact, md(c))
	}
	return fmt.Sprintf("# %s\n\nConformance reports of [%s](%s) by %s.\nContact: %s.\n\n## Table of Contents\n\n"+
		"| API channel | Implementation version | Mode | Report |\n| --- | --- | --- | --- |\n",
		md(i.Project), md(i.Project), address(i.URL), md(i.Organization), strings.Join(contact, ", "))
}

// reproduce is the subsection of one report.
func (o *Options) reproduce(s *Submission) string {
	e, c := o.Evidence, &o.Claim
	var b strings.Builder
	fmt.Fprintf(&b, "### %s, %s channel, mode %s\n\n", md(c.Implementation.Version), md(c.Channel), md(c.Mode))
	fmt.Fprintf(&b, "The report is byte for byte as the conformance suite of Gateway API %s wrote it.\n[Causeway](%s) made the cluster, installed the implementation and ran the suite.\n\n", md(e.report.GatewayAPI), causewayURL)
	fmt.Fprintf(&b, "1. Get Causeway: %s.\n", md(cmp.Or(strings.TrimPrefix(e.run.Tool, "causeway "), "its version was not recorded")))
	fmt.Fprintf(&b, "2. Save [%s](./%[1]s), which says what is installed%s.\n", s.Descriptor, whose(c.Mode))
	if len(c.Beside) > 0 {
		var names []string
		for _, f := range c.Beside {
			names = append(names, code(f))
		}
		fmt.Fprintf(&b, "   It needs these files of the project beside it: %s.\n", strings.Join(names, ", "))
	}
	fmt.Fprintf(&b, "3. Run\n\n   ```sh\n   %s\n   ```\n", strings.Join(e.command(s.Descriptor), " "))
	if notes := e.notes(); notes != "" {
		fmt.Fprintf(&b, "\n   %s\n", notes)
	}
	fmt.Fprintf(&b, "4. `results/report.yaml` is the report. It differs in `date`.\n")
	o.leftOut(&b)
	o.versions(&b)
	fmt.Fprintf(&b, "\nChecksums, for `sha256sum --check`:\n\n```\n%s  %s\n%s  %s\n```\n", s.SHA256, s.Report, checksum(c.Data), s.Descriptor)
	return b.String()
}

func whose(mode string) string {
	if mode == "default" {
		return ""
	}
	return ", configured for mode " + md(mode)
}

// leftOut lists what makes the report partial.
func (o *Options) leftOut(b *strings.Builder) {
	var rows []string
	for _, r := range o.Evidence.report.Profiles {
		for _, level := range r.Levels() {
			for _, t := range level.SkippedTests {
				rows = append(rows, fmt.Sprintf("| %s | %s %s | %s |", md(t), md(r.Name), level.Name, md(strings.TrimSpace(o.Claim.Skipped[t]))))
			}
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "\nThe report is partial, since these tests were skipped:\n\n| Test | Profile | Why |\n| --- | --- | --- |\n%s\n", strings.Join(rows, "\n"))
	}
	if len(o.Claim.Steps) > 0 {
		fmt.Fprintf(b, "\nBetween the suite's set-up and its tests, these steps are taken, which the suite\ndoes not expect:\n\n")
		for _, step := range o.Claim.Steps {
			fmt.Fprintf(b, "- %s\n", md(step))
		}
	}
}

// versions lists what the run was made with.
func (o *Options) versions(b *strings.Builder) {
	r := &o.Evidence.run
	fmt.Fprintf(b, "\n| What | Version |\n| --- | --- |\n")
	row := func(what, version string) { fmt.Fprintf(b, "| %s | %s |\n", what, md(cmp.Or(version, "not recorded"))) }
	row("Gateway API and suite", r.Suite)
	row("Kubernetes", strings.TrimSpace(r.Kubernetes+" ("+r.Cluster+" cluster)"))
	row("Causeway", strings.TrimPrefix(r.Tool, "causeway "))
	for _, i := range r.Images {
		version := i.Name
		if _, digest, ok := strings.Cut(i.ID, "@"); ok {
			version += ", " + digest
		} else if i.ID != "" {
			version += ", " + i.ID
		}
		row("Image", version)
	}
	if len(r.Images) == 0 {
		row("Images", "")
	}
}

// reproduced are the flags of a run that somebody else can give again, in the
// order in which they are written.
var reproduced = []string{"cluster", "suite", "local-images", "node-image", "kubernetes-version", "channel", "nodes", "ip-family", "load-balancer", "profiles", "features", "exempt-features"}

// command is the command line that repeats the run from a descriptor.
func (e *Evidence) command(descriptor string) []string {
	out := []string{"causeway conformance run", "--implementation " + shellescape.Quote(descriptor)}
	for _, flag := range reproduced {
		value := e.Requested(flag)
		switch flag {
		case "cluster":
			value = e.run.Cluster
		case "suite":
			value = semver.MajorMinor(e.run.Suite)
		}
		switch value {
		case "", "false":
		case "true":
			out = append(out, "--"+flag)
		default:
			out = append(out, "--"+flag+" "+shellescape.Quote(value))
		}
	}
	for image := range strings.SplitSeq(e.Requested("image"), ",") {
		if name, file, ok := strings.Cut(image, "="); ok {
			out = append(out, "--image "+shellescape.Quote(name+"="+filepath.Base(file)))
		}
	}
	return append(out, "--out results")
}

// notes say what the command cannot.
func (e *Evidence) notes() string {
	var out []string
	if e.run.Cluster == "existing" {
		out = append(out, "The run was against a cluster that was there before; --kubeconfig and --context name yours.")
	}
	if e.Requested("image") != "" {
		out = append(out, "Programs behind --image are builds of the version named above.")
	}
	if e.run.Cluster == "embedded" && e.Requested("image") == "" {
		out = append(out, "An embedded cluster runs programs instead of images; `make components` in a checkout of Causeway builds them.")
	}
	return strings.Join(out, " ")
}

// insert adds a row to the table of contents and a subsection to Reproduce.
func insert(text, row, section string) ([]byte, error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	head := slices.IndexFunc(lines, func(l string) bool {
		return strings.HasPrefix(strings.TrimSpace(l), "|") && strings.Contains(strings.ToLower(l), "api channel")
	})
	if head < 0 {
		return nil, errors.New("the README.md that is there has no table of contents (API channel, Implementation version, Mode, Report) to add to")
	}
	last := head
	for last+1 < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[last+1]), "|") {
		last++
	}
	lines = slices.Insert(lines, last+1, row)
	at, level := -1, 0
	fenced := false
	end := len(lines)
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			fenced = !fenced
		}
		marks := len(l) - len(strings.TrimLeft(l, "#"))
		if fenced || marks == 0 {
			continue // a comment of a shell is no heading
		}
		if at >= 0 && marks <= level {
			end = i
			break
		}
		if at < 0 && strings.HasPrefix(strings.ToLower(strings.TrimSpace(l[marks:])), "reproduce") {
			at, level = i, marks
		}
	}
	if at < 0 {
		return nil, errors.New("the README.md that is there has no section Reproduce to add to")
	}
	before := strings.TrimRight(strings.Join(lines[:end], "\n"), "\n")
	after := strings.Join(lines[end:], "\n")
	if after != "" {
		after = "\n" + after + "\n"
	}
	return []byte(before + "\n\n" + section + after), nil
}

// address is a URL as the target of a link.
func address(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return strings.NewReplacer("(", "%28", ")", "%29").Replace(u.String())
}

// md is text whose characters mean nothing to Markdown.
func md(s string) string { return conformance.EscapeMarkdown(s) }

// code is text in a fixed-width font.
func code(s string) string { return "`" + strings.NewReplacer("`", "'", "\n", " ").Replace(s) + "`" }

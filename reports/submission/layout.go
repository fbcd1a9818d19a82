package submission

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/causeway-gateway/causeway/reports"
	"github.com/causeway-gateway/causeway/reports/conformance"
)

// Options say what to lay out, and where.
type Options struct {
	Claim    Claim
	Evidence *Evidence
	// Out is the folder that gets reports/vX.Y/<organization>-<project>, made if
	// need be.
	Out string
	// ReleaseURL is the page of the implementation's version; made from the
	// project's URL when empty.
	ReleaseURL string
	// NoPartial refuses a report of which a part is partial.
	NoPartial bool
}

// Submission is a folder that was laid out.
type Submission struct {
	// Folder is below Options.Out; Report, README and Descriptor are in it.
	Folder     string `json:"folder"`
	Report     string `json:"report"`
	README     string `json:"readme"`
	Descriptor string `json:"descriptor"`
	// SHA256 of the report, in hexadecimal.
	SHA256 string `json:"sha256"`
	// Warnings are what a maintainer may ask about.
	Warnings []Problem `json:"warnings,omitempty"`
}

// LayOut checks everything and writes the folder, or writes nothing and returns
// a [*RefusedError]. The report is copied byte for byte. In a folder that is
// there already, the table of contents gets a row and the section Reproduce a
// subsection; reports that are there are not replaced.
func LayOut(o Options) (*Submission, error) {
	var p problems
	o.Claim.check(&p)
	o.Evidence.check(&o.Claim, &p)
	release, err := o.releasePage()
	if err != nil {
		p.refuse("release", "%v", err)
	}
	if release == address(strings.TrimSuffix(o.Claim.Implementation.URL, "/")) {
		p.warn("release", "the version links to %s, which is not its own page: give that by --release-url", release)
	}
	if o.NoPartial {
		for _, w := range p.warnings {
			if w.Rule == "partial" {
				p.refusals = append(p.refusals, w)
			}
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	report := o.Evidence.report
	file := report.FileName()
	if !filepath.IsLocal(file) || strings.ContainsAny(file, `/\`) {
		return nil, fmt.Errorf("the report's name %q is no name of a file", file)
	}
	folder, err := o.Claim.folder()
	if err != nil {
		return nil, err
	}
	below := filepath.Join("reports", semver.MajorMinor(report.GatewayAPI), folder)
	s := &Submission{
		Folder: filepath.Join(o.Out, below), Report: file, README: "README.md",
		Descriptor: strings.TrimSuffix(file, "-report.yaml") + "-implementation.yaml", SHA256: checksum(o.Evidence.data), Warnings: p.warnings,
	}
	if have, err := readFile(filepath.Join(s.Folder, file)); err == nil {
		if !bytes.Equal(have, o.Evidence.data) {
			return nil, fmt.Errorf("%s holds another report already: take it away, or choose another --out", filepath.Join(s.Folder, file))
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	readme, err := o.readme(s, release)
	if err != nil {
		return nil, err
	}
	files := []struct {
		name string
		data []byte
	}{{s.Descriptor, o.Claim.Data}, {s.Report, o.Evidence.data}, {s.README, readme}}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, err
	}
	// Held against the rules where nobody takes it for a submission.
	stage, err := os.MkdirTemp(o.Out, ".causeway-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	write := func(dir string) error {
		for _, f := range files {
			if err := reports.WriteWhole(filepath.Join(dir, f.name), func(w io.Writer) error { _, err := w.Write(f.data); return err }); err != nil {
				return err
			}
		}
		return nil
	}
	if err := write(filepath.Join(stage, below)); err != nil {
		return nil, err
	}
	if err := lint(filepath.Join(stage, below, file), stage, s); err != nil {
		return nil, err
	}
	if err := write(s.Folder); err != nil {
		return nil, err
	}
	return s, nil
}

// lint holds the staged folder against the rules for reports.
func lint(path, stage string, s *Submission) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	r, err := conformance.Read(path, data)
	if err != nil {
		return err
	}
	var p problems
	for _, l := range conformance.Lint(r) {
		at := strings.TrimPrefix(strings.TrimPrefix(l.File, stage), string(filepath.Separator))
		switch {
		case l.Severity == conformance.Error:
			p.refuse(l.Rule, "%s:%d: %s", at, l.Line, l.Message)
		case l.Rule == "result": // said already, with the reason
		default:
			p.warn(l.Rule, "%s:%d: %s", at, l.Line, l.Message)
		}
	}
	s.Warnings = append(s.Warnings, p.warnings...)
	return p.err()
}

// releasePage is "the link to the GitHub/website page related to the release".
func (o *Options) releasePage() (string, error) {
	page := o.ReleaseURL
	if page == "" {
		page = strings.TrimSuffix(o.Claim.Implementation.URL, "/")
		if strings.HasPrefix(page, "https://github.com/") && strings.Count(page, "/") == 4 {
			page += "/releases/tag/" + url.PathEscape(o.Claim.Implementation.Version)
		}
	}
	u, err := url.Parse(page)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(page, " ()<>|\"\n") {
		return "", fmt.Errorf("the page of the release %q is no address: give one by --release-url", page)
	}
	return address(page), nil
}

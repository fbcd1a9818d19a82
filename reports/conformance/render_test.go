package conformance

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "rewrite golden files")

const published = "../../fixtures/conformance-reports"

func gather(t *testing.T, paths ...string) *Set {
	t.Helper()
	set, err := Gather(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

var writers = map[string]func(io.Writer, *Set) error{
	"txt":  func(w io.Writer, s *Set) error { return WriteText(w, s, TextOptions{}) },
	"md":   WriteMarkdown,
	"html": func(w io.Writer, s *Set) error { return WriteHTML(w, "Gateway API conformance", "causeway", s) },
	"json": WriteJSON,
}

func TestGolden(t *testing.T) {
	for name, paths := range map[string][]string{
		"one":  {published + "/v1.5/traefik-traefik"},
		"odd":  {published + "/v1.1.0"},
		"run":  {"testdata/run"},
		"many": {published + "/v1.4.1", published + "/v1.0.0"},
	} {
		for ending, write := range writers {
			t.Run(name+"."+ending, func(t *testing.T) {
				var b bytes.Buffer
				if err := write(&b, gather(t, paths...)); err != nil {
					t.Fatal(err)
				}
				golden := filepath.Join("testdata", "golden", name+"."+ending)
				if *update {
					if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), b.String()); diff != "" {
					t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestTextFitsATerminal(t *testing.T) {
	var b bytes.Buffer
	if err := WriteText(&b, gather(t, published, "testdata/run"), TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > Width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestColourIsNotTheOnlySign(t *testing.T) {
	var plain, coloured bytes.Buffer
	set := gather(t, "testdata/run")
	if err := WriteText(&plain, set, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := WriteText(&coloured, set, TextOptions{Colour: true}); err != nil {
		t.Fatal(err)
	}
	stripped := coloured.String()
	for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"} {
		stripped = strings.ReplaceAll(stripped, code, "")
	}
	if diff := cmp.Diff(plain.String(), stripped); diff != "" {
		t.Errorf("without colours something is lost (-plain +stripped):\n%s", diff)
	}
}

// hostile puts into every text field what terminals, Markdown and browsers
// would act on.
const hostileText = "<script>alert(1)</script>\x1b]0;owned\a\x1b[2J`|**b** [x](javascript:alert(1)) \u202e@someone <!-- \"'><img src=x onerror=alert(1)>\r\nnext"

func hostile() *Set {
	h := hostileText
	r := &Report{
		File: h, Form: "v1", Date: h, GatewayAPI: h, Channel: h, Mode: h, Provisional: []string{h},
		Implementation: Implementation{Organization: h, Project: h, URL: "javascript:alert(1)", Version: h, Contact: []string{h}},
		Oddities:       []Oddity{{1, h, h}},
		Profiles: []Profile{{Name: h, Summary: h,
			Core:     Level{Result: Failure, FailedTests: []string{h}, SkippedTests: []string{h}},
			Extended: &Level{Result: Partial, Supported: []string{h}, Unsupported: []string{h + "2"}}}},
	}
	run := &Run{File: h, Status: h, Verdict: h, Cluster: h, Warnings: []string{h}, Implementation: RunIdentity{Name: h, Version: h}, Report: RunReport{Absent: h},
		Tests: []Test{{Name: h, Outcome: Failed, Reason: h, Seconds: 1}, {Name: h, Outcome: SkippedTest, Reason: h}, {Name: h, Outcome: Outcome(h), Reason: h}}}
	r.Run = run
	return &Set{Reports: []*Report{r, r}, Runs: []*Run{run}}
}

func TestHostileReports(t *testing.T) {
	out := map[string]string{}
	for ending, write := range writers {
		var b bytes.Buffer
		if err := write(&b, hostile()); err != nil {
			t.Fatal(err)
		}
		out[ending] = b.String()
	}
	for _, ending := range []string{"txt", "md", "html"} {
		for _, r := range out[ending] {
			if r != '\n' && unicode.IsControl(r) || r == '\u202e' {
				t.Errorf("%s has the character %U", ending, r)
				break
			}
		}
	}
	for _, raw := range []string{"<script", "<img", "<!--", " @someone", " **b**"} {
		if strings.Contains(out["md"], raw) {
			t.Errorf("Markdown lets %q through", raw)
		}
	}
	if link := regexp.MustCompile(`[^\\]\]\(`).FindString(out["md"]); link != "" {
		t.Errorf("Markdown has a link: %q", link)
	}
	doc, err := html.Parse(strings.NewReader(out["html"]))
	if err != nil {
		t.Fatal(err)
	}
	texts := 0
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("a comment came in: %s", n.Data)
		}
		if n.Type == html.TextNode && strings.Contains(n.Data, "<script>alert(1)</script>") {
			texts++
		}
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" || n.Data == "img" || n.Data == "iframe" {
			t.Errorf("an element came in: %s", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "javascript:") {
				t.Errorf("an attribute came in: %s=%q", a.Key, a.Val)
			}
		}
	}
	if texts < 10 {
		t.Errorf("the texts are shown as what they are in %d places only", texts)
	}
}

func TestThePageLoadsNothing(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHTML(&b, "t", "causeway", gather(t, published)); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			if a.Key == "src" || a.Key == "href" && n.Data != "a" {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
}

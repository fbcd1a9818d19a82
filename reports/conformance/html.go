package conformance

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"
)

//go:embed page.html page.css
var pageFiles embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"css":        stylesheet,
	"clean":      clean,
	"subject":    subject,
	"conclusion": func(r Result) string { return conclusions[r] },
	"remark":     remark,
	"takes":      takes,
	"plural":     plural,
	"anchor":     func(i int) string { return fmt.Sprintf("report-%d", i+1) },
	"link":       link,
	"share":      share,
	"in":         func(f Feature, profile string) support { return f.in(profile) },
	"profiles":   (*Report).profilesWithFeatures,
	"supports": func(features []Feature) (n int) {
		for _, f := range features {
			if f.Supported() {
				n++
			}
		}
		return n
	},
}).ParseFS(pageFiles, "page.html"))

func stylesheet() template.CSS {
	text, _ := pageFiles.ReadFile("page.css") // embedded, so it is there
	return template.CSS(text)                 //nolint:gosec // our own file, embedded
}

// link is an address that a browser may follow, or empty. Reports have named
// hosts without a scheme.
func link(s string) string {
	if !strings.Contains(s, "://") && strings.Contains(s, ".") && !strings.ContainsAny(s, " @:") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.String()
}

// share is the part of a level's tests in per cent, for the width of a bar.
func share(n int, l *Level) string {
	return fmt.Sprintf("%.2f", 100*float64(n)/float64(max(1, l.Passed+l.Skipped+l.Failed)))
}

// WriteHTML writes one page that loads nothing, runs nothing and prints well.
func WriteHTML(w io.Writer, title, tool string, set *Set) error {
	return page.Execute(w, struct {
		Title, Tool string
		*Set
	}{title, tool, set})
}

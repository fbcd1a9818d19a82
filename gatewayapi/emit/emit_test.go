package emit

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/routing"
)

var update = flag.Bool("update", false, "write the golden files")

// ing is the origin of a rule of an Ingress.
func ing(ns, name, path string) routing.Origin {
	return routing.Origin{Object: routing.ObjectRef{Kind: "Ingress", Namespace: ns, Name: name}, Path: path}
}

func to(ns, name string) *routing.Action {
	return &routing.Action{Backends: []routing.Backend{{Namespace: ns, Name: name, Port: 80, Weight: 1}}}
}

func rule(p routing.PathMatch, a *routing.Action, at routing.Origin) *routing.Rule {
	return &routing.Rule{Match: routing.Match{Path: p}, Action: a, Origin: at}
}

func prefix(v string) routing.PathMatch {
	return routing.PathMatch{Kind: routing.SegmentPrefix, Value: v}
}

func exact(v string) routing.PathMatch { return routing.PathMatch{Kind: routing.ExactPath, Value: v} }

func regex(v string) routing.PathMatch {
	return routing.PathMatch{Kind: routing.RegexPath, Value: v, IgnoreCase: true}
}

func host(name string, order routing.Order, rules ...*routing.Rule) *routing.Host {
	h := &routing.Host{Order: order, Rules: rules}
	if name != "" {
		h.Names = []routing.HostPattern{routing.ParseHost(name, routing.OneLabelHost)}
	}
	if len(rules) > 0 {
		h.Origin = rules[0].Origin
	}
	return h
}

// web is a table with the same hosts on port 80 and 443, as ingress-nginx has.
func web(hosts ...*routing.Host) *routing.Table {
	return &routing.Table{Reading: routing.Reading{NormalizePath: true}, Listeners: []*routing.Listener{
		{Name: "http", Port: 80, Protocol: routing.HTTP, Hosts: hosts},
		{Name: "https", Port: 443, Protocol: routing.HTTPS, TLS: &routing.ListenerTLS{}, Hosts: hosts},
	}}
}

func text(t *testing.T, r *Result) string {
	t.Helper()
	var b strings.Builder
	for _, o := range r.Objects {
		y, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n")
		for _, line := range strings.SplitAfter(string(y), "\n") {
			if !strings.HasPrefix(line, "status:") && !strings.HasPrefix(line, "  parents: null") {
				b.WriteString(line)
			}
		}
	}
	for _, n := range r.Notes {
		b.WriteString("# " + n.Origin.Object.String() + " " + n.Origin.Path + ": " + string(n.Feature) + ": " + n.Message + "\n")
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	cert := func(h *routing.Host, c string) *routing.Host { h.Certificates = []string{c}; return h }
	redirect := &routing.Action{Redirect: &routing.Redirect{Code: 308, Scheme: "https"}}
	cases := map[string]struct {
		reason string
		table  *routing.Table
		o      Options
	}{
		"shop": {
			reason: "two Ingresses of one host, one canary by header",
			table: web(host("shop.example.com", routing.LongestPath,
				&routing.Rule{Match: routing.Match{Path: prefix("/cart"), Headers: []routing.ValueMatch{{Name: "X-Canary", Value: "always"}}}, Action: to("shop", "canary"), Origin: ing("shop", "cart", "spec.rules[0].http.paths[0]")},
				rule(prefix("/cart"), to("shop", "cart"), ing("shop", "cart", "spec.rules[0].http.paths[0]")),
				rule(prefix("/"), to("shop", "web"), ing("shop", "web", "spec.rules[0].http.paths[0]")))),
		},
		"tls-redirect": {
			reason: "plain requests are redirected, HTTPS is served with a certificate of the Ingress's namespace",
			table: func() *routing.Table {
				at := ing("shop", "web", "spec.rules[0].http.paths[0]")
				api := ing("shop", "web", "spec.rules[0].http.paths[1]")
				secure := cert(host("shop.example.com", routing.LongestPath, rule(prefix("/api"), to("shop", "api"), api), rule(prefix("/"), to("shop", "web"), at)), "shop/tls")
				plain := host("shop.example.com", routing.LongestPath, rule(prefix("/api"), redirect, api), rule(prefix("/"), redirect, at))
				return &routing.Table{Listeners: []*routing.Listener{
					{Port: 80, Protocol: routing.HTTP, Hosts: []*routing.Host{plain}},
					{Port: 443, Protocol: routing.HTTPS, TLS: &routing.ListenerTLS{}, Hosts: []*routing.Host{secure}},
				}}
			}(),
		},
		"isolation": {
			reason: "a known host never falls through to the hostless rules",
			table: web(host("", routing.LongestPath, rule(prefix("/"), to("ops", "fallback"), ing("ops", "fallback", "spec.defaultBackend"))),
				host("shop.example.com", routing.LongestPath, rule(prefix("/cart"), to("shop", "cart"), ing("shop", "cart", "spec.rules[0].http.paths[0]")))),
			o: Options{DefaultCertificate: "certs/wildcard"},
		},
		"rewrite": {
			reason: "the usual rewrite-target of ingress-nginx becomes a prefix replacement",
			table: web(host("shop.example.com", routing.FirstMatch,
				rule(regex("^/api(/|$)(.*)"), &routing.Action{Backends: to("shop", "api").Backends, Rewrite: &routing.Rewrite{Path: &routing.PathRewrite{Kind: routing.ReplaceRegex, Pattern: "/api(/|$)(.*)", IgnoreCase: true, Value: "/$2", Whole: true}}}, ing("shop", "api", "spec.rules[0].http.paths[0]")))),
		},
		"guarded": {
			reason: "a rule whose access control is lost is closed, and the broader rule does not take its requests",
			table: web(host("shop.example.com", routing.LongestPath,
				rule(prefix("/admin"), &routing.Action{Backends: to("shop", "admin").Backends, Guards: []routing.Guard{{Kind: routing.GuardBasicAuth}}}, ing("shop", "admin", "spec.rules[0].http.paths[0]")),
				rule(prefix("/"), to("shop", "web"), ing("shop", "web", "spec.rules[0].http.paths[0]")))),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := "# " + c.reason + "\n" + text(t, Emit(c.table, c.o))
			path := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, d)
			}
		})
	}
}

package nginx_test

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// manifest is an Ingress in short.
type manifest struct {
	ns, name, host string
	age            int    // seconds; larger is younger
	tls            string // host of a tls section
	fallback       string // Service of spec.defaultBackend
	annotations    string // "name: value" lines, without the prefix
	paths          string // "Type /path service[:port]" lines
}

func (m manifest) yaml() string {
	var b strings.Builder
	ns := m.ns
	if ns == "" {
		ns = "default"
	}
	fmt.Fprintf(&b, "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: %s\n  namespace: %s\n  creationTimestamp: 2024-01-01T00:00:%02dZ\n", m.name, ns, m.age)
	if m.annotations != "" {
		b.WriteString("  annotations:\n")
		for _, l := range strings.Split(m.annotations, "\n") {
			name, value, _ := strings.Cut(l, ": ")
			fmt.Fprintf(&b, "    nginx.ingress.kubernetes.io/%s: %q\n", name, value)
		}
	}
	b.WriteString("spec:\n  ingressClassName: nginx\n")
	if m.tls != "" {
		fmt.Fprintf(&b, "  tls:\n  - hosts: [%q]\n    secretName: cert\n", m.tls)
	}
	if m.fallback != "" {
		fmt.Fprintf(&b, "  defaultBackend: {service: {name: %s, port: {number: 80}}}\n", m.fallback)
	}
	if m.paths != "" {
		b.WriteString("  rules:\n  - ")
		if m.host != "" {
			fmt.Fprintf(&b, "host: %q\n    ", m.host)
		}
		b.WriteString("http:\n      paths:\n")
		for _, l := range strings.Split(m.paths, "\n") {
			f := strings.Fields(l)
			name, port, _ := strings.Cut(f[2], ":")
			key := "number: 80"
			if port != "" {
				key = "name: " + port
				if strings.Trim(port, "0123456789") == "" {
					key = "number: " + port
				}
			}
			fmt.Fprintf(&b, "      - {path: %q, pathType: %s, backend: {service: {name: %s, port: {%s}}}}\n", f[1], f[0], name, key)
		}
	}
	return b.String()
}

// services that every trap may use; multi has a named port and two targetPorts.
func services() string {
	var b strings.Builder
	for _, s := range []string{"default/api", "default/web", "default/cart", "default/canary", "other/api", "other/canary"} {
		ns, name, _ := strings.Cut(s, "/")
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec: {ports: [{port: 80}]}\n", name, ns)
	}
	b.WriteString("---\napiVersion: v1\nkind: Service\nmetadata: {name: multi, namespace: default}\nspec: {ports: [{name: web, port: 8080, targetPort: http}, {name: admin, port: 9090, targetPort: 7070}]}\n")
	return b.String()
}

// answer is a decision in short: backends with shares below one, the URI where
// it changed, redirects, and the guards in front.
func answer(r *routing.Request, d routing.Decision) string {
	var out string
	switch {
	case d.Location != "":
		out = fmt.Sprintf("%d %s", d.Status, d.Location)
	case len(d.Backends) > 0:
		var keys []string
		for k, share := range d.Backends {
			k = strings.TrimSuffix(strings.TrimPrefix(k, "default/"), ":80")
			if share < 0.999 {
				k = fmt.Sprintf("%s=%.2g", k, share)
			}
			keys = append(keys, k)
		}
		sort.Strings(keys)
		if out = strings.Join(keys, " "); d.URI != r.Path {
			out += " as " + d.URI
		}
	default:
		out = fmt.Sprint(d.Status)
	}
	for _, g := range d.Guards {
		out += " if " + g.Kind
	}
	return out
}

// ask parses "[METHOD ]URL[ | Header: value]…".
func ask(t *testing.T, s string) *routing.Request {
	t.Helper()
	parts := strings.Split(s, " | ")
	r := &routing.Request{Method: "GET", Headers: map[string]string{}}
	url := parts[0]
	if m, rest, ok := strings.Cut(url, " "); ok {
		r.Method, url = m, rest
	}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		scheme, rest = "http", url
	}
	r.Scheme = scheme
	i := strings.IndexByte(rest, '/')
	if i < 0 {
		t.Fatalf("%q has no path", s)
	}
	r.Host, r.Path = rest[:i], rest[i:]
	for _, h := range parts[1:] {
		name, value, _ := strings.Cut(h, ": ")
		if name == "source" {
			r.SourceIP = value
			continue
		}
		r.Headers[name] = value
	}
	return r
}

// TestTraps has a case for each way in which ingress-nginx surprises those who
// read manifests by the Ingress specification alone.
func TestTraps(t *testing.T) {
	for _, c := range traps {
		t.Run(c.name, func(t *testing.T) {
			text := services()
			for _, m := range c.ingresses {
				text += m.yaml()
			}
			set, problems, err := source.Read(t.Context(), source.Options{Files: []string{"-"}, Stdin: bytes.NewReader([]byte(text))})
			if err != nil || len(problems) > 0 {
				t.Fatal(err, problems)
			}
			o := c.options
			o.WatchWithoutClass = true
			res, err := nginx.Compile(set, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range c.asked {
				r := ask(t, x[0])
				if got := answer(r, res.Table.Route(r)); got != x[1] {
					t.Errorf("%s: %s, want %s", x[0], got, x[1])
				}
			}
		})
	}
}

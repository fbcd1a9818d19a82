package compile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// TestSpecification reads every file of testdata: objects, then comments of the
// form "#> REQUEST => ANSWER" and "#! PROBLEM", each in the words of the
// specification named at the top of the file.
func TestSpecification(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.yaml")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			objs, asked, problems := parse(t, string(raw))
			res := compile.Compile(objs, compile.Options{})
			var got []string
			for _, p := range res.Problems {
				got = append(got, fmt.Sprintf("%s %s %s", p.Object, p.Path, p.Reason))
			}
			if a, b := strings.Join(got, "\n"), strings.Join(problems, "\n"); a != b {
				t.Errorf("problems:\n%s\nwant:\n%s", a, b)
			}
			for _, x := range asked {
				if got := short(res.Table.Route(request(x[0]))); got != x[1] {
					t.Errorf("%s: %s, want %s", x[0], got, x[1])
				}
			}
		})
	}
}

func parse(t *testing.T, text string) (objs []client.Object, asked [][2]string, problems []string) {
	t.Helper()
	for _, l := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(l, "#> "); ok {
			q, a, _ := strings.Cut(rest, " => ")
			asked = append(asked, [2]string{strings.TrimSpace(q), strings.TrimSpace(a)})
		}
		if rest, ok := strings.CutPrefix(l, "#! "); ok {
			problems = append(problems, strings.TrimSpace(rest))
		}
	}
	for _, doc := range strings.Split(text, "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
			t.Fatal(err)
		}
		if len(u.Object) > 0 {
			objs = append(objs, u)
		}
	}
	return objs, asked, problems
}

// request parses "[from NAMESPACE ]SCHEME://HOST[:PORT]/PATH[ Name=value]…".
func request(s string) *routing.Request {
	r := &routing.Request{Headers: map[string]string{}}
	f := strings.Fields(s)
	if f[0] == "from" {
		r.Client = &routing.Client{Namespace: f[1]}
		f = f[2:]
	}
	if !strings.Contains(f[0], "://") {
		r.Method, f = f[0], f[1:]
	}
	scheme, rest, _ := strings.Cut(f[0], "://")
	r.Scheme = scheme
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		r.Path, rest = rest[i:], rest[:i]
	}
	r.Host = rest
	if _, port, ok := strings.Cut(rest, ":"); ok {
		fmt.Sscan(port, &r.Port)
	}
	for _, h := range f[1:] {
		name, value, _ := strings.Cut(h, "=")
		r.Headers[name] = value
	}
	return r
}

func short(d routing.Decision) string {
	if d.Location != "" {
		return fmt.Sprintf("%d %s", d.Status, d.Location)
	}
	if len(d.Backends) == 0 {
		return fmt.Sprint(d.Status)
	}
	var keys []string
	for k, share := range d.Backends {
		if share < 0.999 {
			k = fmt.Sprintf("%s=%.2g", k, share)
		}
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := strings.Join(keys, " ") + " " + d.URI
	for i, u := range d.Upstreams {
		out += fmt.Sprintf("; %s %s%s", d.Why.Action.Backends[i].Key(), u.Host, u.URI)
	}
	return out
}

package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"pgregory.net/rapid"
)

func read(t testing.TB, o Options) (*Set, []string) {
	t.Helper()
	set, problems, err := Read(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range problems {
		out = append(out, p.Error())
	}
	return set, out
}

func readText(t testing.TB, text string) (*Set, []string) {
	t.Helper()
	return read(t, Options{Files: []string{"-"}, Stdin: strings.NewReader(text)})
}

// names lists all objects of a set with their lines.
func names(s *Set) []string {
	var out []string
	add := func(o *Object) { out = append(out, fmt.Sprintf("%s:%d", o.Ref, o.Line)) }
	for _, x := range s.Ingresses {
		add(x.Object)
	}
	for _, x := range s.IngressClasses {
		add(x.Object)
	}
	for _, x := range s.Services {
		add(x.Object)
	}
	for _, x := range s.Secrets {
		add(x.Object)
	}
	for _, x := range s.ConfigMaps {
		add(x.Object)
	}
	for _, x := range append(s.Namespaces, s.Others...) {
		add(x)
	}
	return out
}

const ok = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		reason, text string
		want         []string
		problem      string // part of the only problem
	}{
		"json stream":        {"concatenated JSON objects are documents", `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}}` + "\n" + `{"apiVersion":"v1","kind":"Service","metadata":{"name":"b"}}`, []string{"Service default/a:1", "Service default/b:2"}, ""},
		"json broken inside": {"a broken object does not hide the next", `{"apiVersion" 1}` + "\n" + `{"apiVersion":"v1","kind":"Service","metadata":{"name":"b"}}`, []string{"Service default/b:2"}, "-:1: not valid JSON"},
		"json null":          {"null is a value, not the end", `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":null},"x":[null,1]}`, []string{"Service default/a:1"}, ""},
		"json surrogates":    {"JSON escapes are JSON's", `{"apiVersion":"v1","kind":"Foo","metadata":{"name":"a","annotations":{"x":"\ud83d\ude00"}}}`, []string{"Foo default/a:1"}, ""},
		"crlf and markers":   {"markers may end with CRLF, spaces or a comment", "---\r\n" + ok + "--- # next\nkind: Namespace\napiVersion: v1\nmetadata: {name: team}\n...\n# end\n", []string{"Service default/a:2", "Namespace team:6"}, ""},
		"marker content":     {"a document may start on the marker's line", "--- {apiVersion: v1, kind: Service, metadata: {name: a}}\n", []string{"Service default/a:1"}, ""},
		"dedent":             {"text after a document's end must not vanish", "  apiVersion: v1\nkind: Service\n", nil, "not valid YAML"},
		"duplicate key":      {"strict decoding refuses a key set twice", ok + "spec: {}\nspec: {}\n", nil, `-:5: the key "spec" is set twice`},
		"duplicate object":   {"the last object wins, as with kubectl apply", ok + "---\n" + ok, []string{"Service default/a:5"}, "-:1: Service default/a: the object comes again at -:5"},
		"no kind":            {"values.yaml and the like are named", "a: b\n", nil, "kind is not set"},
		"not an object":      {"text alone is no manifest", "hello\n", nil, "the document is not an object"},
		"no name":            {"kubectl apply refuses generated names", "apiVersion: v1\nkind: Service\nmetadata:\n  generateName: x\n", nil, "-:4: the Service has a generated name"},
		"tabs":               {"a tab is no indentation", "a:\n\tb: c\n", nil, "indent by spaces"},
		"template":           {"templates get a remedy", "a: {{ .Values.x }}\n", nil, "render it first"},
		"number as name":     {"an unquoted number is no text", "apiVersion: v1\nkind: Service\nmetadata:\n  name: 1\n", nil, "-:4: metadata.name of the Service is not text; quote it"},
		"wrong type":         {"a value of the wrong type is named with its line", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec:\n  rules:\n  - host: 1.5\n", nil, "-:6: Ingress default/a: spec.rules[0].host is a number, not text"},
		"label":              {"yes is a boolean in YAML 1.1", "apiVersion: v1\nkind: Foo\nmetadata:\n  name: a\n  labels:\n    x: yes\n", nil, "-:6: Foo default/a: metadata.labels.x is a boolean"},
		"unknown version":    {"a version of the future is not guessed at", "apiVersion: networking.k8s.io/v2\nkind: Ingress\nmetadata: {name: a}\n", nil, "version networking.k8s.io/v2 of Ingress is not known"},
		"nul":                {"control characters are refused with their line", ok + "x: a\x00b\n", nil, "-:4: not valid YAML: control characters"},
		"not utf-8":          {"other encodings are refused with their line", ok + "x: a\xff\n", nil, "-:4: the text is not UTF-8"},
		"deep":               {"nesting is bounded", ok + "x: " + strings.Repeat("[", 2000) + strings.Repeat("]", 2000), nil, "nested more than 1000 levels"},
		"bomb":               {"aliases are bounded", ok + bomb(), nil, "aliases expand to too many values"},
		"self alias":         {"an anchor inside itself is refused", ok + "x: &a [*a]\n", nil, "an anchor contains itself"},
		"merge":              {"merge keys are read", "x: &m {kind: Service}\n<<: *m\napiVersion: v1\nmetadata: {name: a}\n", []string{"Service default/a:1"}, ""},
		"password alias":     {"text of the document is not repeated", "kind: Secret\ndata: {p: *hunter2}\n", nil, "an alias names an anchor that does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			set, problems := readText(t, c.text)
			if diff := cmp.Diff(c.want, names(set)); diff != "" {
				t.Errorf("%s: %s", c.reason, diff)
			}
			if c.problem == "" && len(problems) > 0 {
				t.Errorf("%s: problems %q, want none", c.reason, problems)
			}
			if c.problem != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.problem)) {
				t.Errorf("%s: problems %q, want one with %q", c.reason, problems, c.problem)
			}
			if strings.Contains(fmt.Sprint(problems), "hunter2") {
				t.Errorf("problems repeat a Secret: %q", problems)
			}
		})
	}
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func TestBrokenDocumentsDoNotHideOthers(t *testing.T) {
	set, problems := read(t, Options{Files: []string{"testdata/broken.yaml"}})
	want := []string{"Service default/first:2", "ConfigMap default/last:19"}
	if diff := cmp.Diff(want, names(set)); diff != "" {
		t.Error(diff)
	}
	if len(problems) != 2 || !strings.Contains(problems[0], "testdata/broken.yaml:10: not valid YAML") ||
		!strings.Contains(problems[1], "testdata/broken.yaml:17: Ingress default/flag") || !strings.HasSuffix(problems[1], "quote it") {
		t.Errorf("%q", problems)
	}
	if got := set.ConfigMaps[0].Data["text"]; got != "one\n---\ntwo\n" {
		t.Errorf("an indented marker is text: %q", got)
	}
}

func TestBetaIngressIsUpgraded(t *testing.T) {
	set, problems := read(t, Options{Files: []string{"testdata/beta.yaml"}, Namespace: "team"})
	if len(problems) != 0 || len(set.Ingresses) != 1 {
		t.Fatal(problems)
	}
	i := set.Ingresses[0]
	p := i.Spec.Rules[0].HTTP.Paths[0]
	if i.Namespace != "team" || i.Spec.DefaultBackend.Service.Port.Name != "http" || p.Backend.Service.Name != "web" ||
		p.Backend.Service.Port.Number != 80 || *p.PathType != "ImplementationSpecific" || i.Rejected != nil {
		t.Errorf("%+v %q", i.Spec, i.Rejected)
	}
	for path, want := range map[string]string{
		"spec.defaultBackend":                                     "spec.backend",
		"spec.defaultBackend.service.name":                        "spec.backend.serviceName",
		"spec.rules[0].http.paths[0].backend.service.port.number": "spec.rules[0].http.paths[0].backend.servicePort",
		"spec.rules[0].host":                                      "spec.rules[0].host",
	} {
		if got := i.Written(path); got != want {
			t.Errorf("Written(%s) = %s, want %s", path, got, want)
		}
	}
	if line := i.Object.LineOf("spec.rules[0].http.paths[0].backend.servicePort"); line != 16 {
		t.Errorf("line %d", line)
	}
	if line := i.Object.LineOf("spec.rules[0].http.paths[0].pathType"); line != 13 {
		t.Errorf("the nearest parent's line is 13, not %d", line)
	}
}

func TestListItemsHaveTheirOwnLines(t *testing.T) {
	set, problems := read(t, Options{Files: []string{"testdata/list.yaml"}})
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	two := set.Ingresses[1].Object
	if two.Line != 9 || two.Path != "items[1]" || two.LineOf("spec.rules[0].host") != 13 {
		t.Errorf("%+v, host at %d", two.Path, two.LineOf("spec.rules[0].host"))
	}
	if raw := string(set.Ingresses[0].Object.Raw()); !strings.Contains(raw, "one.example.com") || strings.Contains(raw, "two") {
		t.Errorf("text of the first item: %q", raw)
	}
}

func TestSecretValuesAreNeverKept(t *testing.T) {
	set, problems := read(t, Options{Files: []string{"testdata/secret.yaml"}})
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	s := set.Secrets[0]
	if diff := cmp.Diff([]string{"extra", "tls.crt", "tls.key"}, s.Keys); diff != "" || s.Type != "kubernetes.io/tls" {
		t.Error(diff, s.Type)
	}
	kept, _ := json.Marshal(s.Object.Untyped)
	for _, text := range []string{string(kept), string(s.Object.Raw()), string(set.Services[0].Object.Raw())} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "aHVudGVyMg") {
			t.Errorf("a value was kept: %s", text)
		}
	}
}

func TestRejected(t *testing.T) {
	const base = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n  annotations: {%s}\nspec:\n%s"
	path := func(host, typ, path string) string {
		return fmt.Sprintf("  rules:\n  - host: %q\n    http: {paths: [{path: %q, pathType: %s, backend: {service: {name: s, port: {number: 80}}}}]}\n", host, path, typ)
	}
	for name, c := range map[string]struct{ reason, annotations, spec, want string }{
		"accepted":       {"a plain Ingress", "", path("a.example.com", "Prefix", "/"), ""},
		"wildcard":       {"a wildcard label is fine", "", path("*.example.com", "Exact", "/a"), ""},
		"relative":       {"paths are absolute", "", path("", "Prefix", "a"), "must be an absolute path"},
		"implementation": {"also for ImplementationSpecific", "", path("", "ImplementationSpecific", "a"), "must be an absolute path"},
		"empty path":     {"which may be empty", "", path("", "ImplementationSpecific", ""), ""},
		"dots":           {"no sequences that normalisation changes", "", path("", "Prefix", "/a//b"), "must not contain '//'"},
		"class twice":    {"annotation and field must agree", "kubernetes.io/ingress.class: other", "  ingressClassName: nginx\n" + path("", "Prefix", "/"), "must match ingressClassName"},
		"same class":     {"equal ones are accepted", "kubernetes.io/ingress.class: nginx", "  ingressClassName: nginx\n" + path("", "Prefix", "/"), ""},
		"nothing":        {"rules or a default backend", "", "  ingressClassName: nginx\n", "either defaultBackend or rules"},
		"inner star":     {"a star stands for a whole first label", "", path("a.*.com", "Prefix", "/"), "spec.rules[0].host"},
		"ip":             {"a host is a name", "", path("10.0.0.1", "Prefix", "/"), "not an IP address"},
		"no type":        {"v1 has no default pathType", "", "  rules:\n  - http: {paths: [{path: /, backend: {service: {name: s, port: {number: 80}}}}]}\n", "pathType must be specified"},
	} {
		t.Run(name, func(t *testing.T) {
			set, problems := readText(t, fmt.Sprintf(base, c.annotations, c.spec))
			if len(problems) != 0 {
				t.Fatal(problems)
			}
			got := strings.Join(set.Ingresses[0].Rejected, "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%s: %q, want %q", c.reason, got, c.want)
			}
		})
	}
}

func TestRejectedTrustsWhatAClusterHolds(t *testing.T) {
	set, _ := readText(t, "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n  uid: 0c1d\n"+
		"  annotations: {kubernetes.io/ingress.class: a}\nspec: {ingressClassName: b, rules: [{host: a.example.com}]}\n")
	if got := set.Ingresses[0].Rejected; got != nil {
		t.Errorf("the class rule holds on creation only: %q", got)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": ok, "b.txt": "not read", "sub/c.json": `{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"}}`} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("..", filepath.Join(dir, "sub", "loop.yaml")); err != nil {
		t.Fatal(err)
	}
	for recursive, want := range map[bool]int{false: 1, true: 2} {
		set, problems := read(t, Options{Files: []string{dir}, Recursive: recursive})
		if len(set.Services) != want || len(problems) != 0 {
			t.Errorf("recursive %v: %d Services, want %d; %q", recursive, len(set.Services), want, problems)
		}
	}
}

func TestRefusedInput(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"url":                 {Options{Files: []string{"https://example.com/x.yaml"}}, "network is not used unless asked"},
		"too big":             {Options{Files: []string{"-"}, Stdin: strings.NewReader(ok), MaxBytes: 10}, "too big"},
		"missing":             {Options{Files: []string{"testdata/none.yaml"}}, "no such file"},
		"remote base":         {Options{Kustomize: "testdata/kustomize/remote"}, "network is not used unless asked"},
		"remote in generator": {Options{Kustomize: "testdata/kustomize/generator"}, "network is not used unless asked"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Read(t.Context(), c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestKustomize(t *testing.T) {
	set, problems := read(t, Options{Kustomize: "testdata/kustomize/ok"})
	if len(problems) != 0 || len(set.Services) != 1 || set.Services[0].Namespace != "shop" || len(set.Secrets) != 1 {
		t.Fatal(problems, names(set))
	}
	if set.Services[0].Object.Line != 0 {
		t.Error("rendered objects have no line")
	}
}

// TestScalarsAreReadAsKubectlDoes holds plain scalars to the library kubectl uses.
func TestScalarsAreReadAsKubectlDoes(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, s string) {
		if s == "y" || s == "n" || s == "Y" || s == "N" {
			return // text here, see words
		}
		var want map[string]any
		wantErr := utilyaml.Unmarshal([]byte("x: "+s+"\n"), &want)
		c := chunk{text: []byte("x: " + s + "\n"), line: 1}
		tr, fault := parseChunk(&c, new(atomic.Int64))
		if (wantErr != nil) != (fault != nil) {
			t.Fatalf("%q: %v, kubectl %v", s, fault, wantErr)
		}
		if fault == nil {
			if diff := cmp.Diff(want, tr.root, cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })); diff != "" {
				t.Fatalf("%q: %s", s, diff)
			}
		}
	}
	for _, s := range []string{"yes", "On", "n", "~", "", "0777", "0o17", "0x1F", "1_000", "1e3", "1.0", ".5", "-.inf", ".nan", "2020-01-02", "1:30", "+1", "-", "0b11", "18446744073709551615", "yEs", "08", "1.5e400", "!!str 1", "!!int 7"} {
		check(t, s)
	}
	rapid.Check(t, func(r *rapid.T) {
		check(r, rapid.StringMatching(`[-+.0-9xob_eEyYnNoOfFtrusalTRUE~]{0,8}`).Draw(r, "scalar"))
	})
}

func TestDocumentsAreIndependent(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(r, "n")
		var text bytes.Buffer
		var want []string
		line := 1
		for i := range n {
			if rapid.Bool().Draw(r, "broken") {
				text.WriteString("a: [\n---\n")
				line += 2
				continue
			}
			fmt.Fprintf(&text, "apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\n---\n", i)
			want = append(want, fmt.Sprintf("Service default/s%d:%d", i, line))
			line += 4
		}
		set, _ := readText(t, text.String())
		if diff := cmp.Diff(want, names(set)); diff != "" {
			r.Fatal(diff)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"broken", "beta", "list", "secret"} {
		text, err := os.ReadFile("testdata/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(ok + bomb()))
	f.Add([]byte(`{"apiVersion":"v1","kind":"List","items":[null,{"kind":"Ingress"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, _, err := Read(t.Context(), Options{Files: []string{"-"}, Stdin: bytes.NewReader(text)})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range set.Ingresses {
			i.Object.LineOf("spec.rules[0].host")
			i.Object.Raw()
		}
	})
}

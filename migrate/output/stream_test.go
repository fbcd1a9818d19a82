package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/routing"
)

func stream(t *testing.T, o Options, from func(client.Object) []routing.ObjectRef, objs ...client.Object) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteStream(&b, objs, o, from); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStreamYAML(t *testing.T) {
	where := func(r routing.ObjectRef) string { return "shop.yaml:12" }
	got := stream(t, Options{Where: where}, fromSelf, testClass(), testRoute("shop", "cart"))
	want := `# from Ingress any (shop.yaml:12)
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: any
spec:
  controllerName: example.com/gateway
---
# from Ingress shop/cart (shop.yaml:12)
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: cart
  namespace: shop
spec:
  hostnames:
  - "*.example.com"
  parentRefs:
  - name: shared
    namespace: gateways
  rules:
  - backendRefs:
    - name: cart
      port: 80
      weight: 1
    matches:
    - path:
        type: PathPrefix
        value: /cart
    timeouts:
      request: 60s
  - backendRefs:
    - name: cart
      port: 80
      weight: 1
    matches:
    - path:
        type: PathPrefix
        value: '(?i)/item/\d+'
    timeouts:
      request: 60s
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestStreamKeepsOrderOfManyObjects(t *testing.T) {
	objs := testRoutes(3000) // several rounds of all workers
	docs := strings.Split(stream(t, Options{}, nil, objs...), "---\n")
	if len(docs) != len(objs) {
		t.Fatalf("%d documents for %d objects", len(docs), len(objs))
	}
	for i, d := range docs {
		if !strings.Contains(d, fmt.Sprintf("  name: route-%d\n", i)) {
			t.Fatalf("document %d is another object:\n%s", i, d)
		}
	}
}

func TestStreamJSONIsAList(t *testing.T) {
	for _, n := range []int{0, 1, 3, 1000} {
		objs := testRoutes(n)
		var list struct {
			APIVersion, Kind string
			Items            []map[string]any
		}
		if err := json.Unmarshal([]byte(stream(t, Options{Format: JSON}, fromSelf, objs...)), &list); err != nil {
			t.Fatal(err)
		}
		if list.APIVersion != "v1" || list.Kind != "List" || len(list.Items) != n {
			t.Errorf("%d objects: %s %s with %d items", n, list.APIVersion, list.Kind, len(list.Items))
		}
	}
}

// Both formats carry the same content.
func TestStreamFormatsAgree(t *testing.T) {
	r := testRoute("shop", "cart")
	var list struct{ Items []any }
	if err := json.Unmarshal([]byte(stream(t, Options{Format: JSON}, nil, r)), &list); err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal([]byte(stream(t, Options{}, nil, r)), &doc); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(list.Items[0], doc); d != "" {
		t.Errorf("-json +yaml:\n%s", d)
	}
}

func TestStreamLeavesOutServerFields(t *testing.T) {
	r := testRoute("shop", "cart")
	r.UID, r.ResourceVersion, r.Generation = types.UID("u"), "7", 3
	r.CreationTimestamp = metav1.Now()
	r.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	r.Status.Parents = []gatewayv1.RouteParentStatus{{ControllerName: "x"}}
	u := testUnstructured("example.com/v1", "Policy", "shop", "p")
	u.Object["status"] = map[string]any{"x": "y"}
	u.Object["metadata"].(map[string]any)["creationTimestamp"] = nil
	before := u.DeepCopy()
	for _, format := range []string{YAML, JSON} {
		got := stream(t, Options{Format: format}, nil, r, u)
		for _, word := range []string{"status", "creationTimestamp", "managedFields", "uid", "resourceVersion", "generation"} {
			if strings.Contains(got, word) {
				t.Errorf("%s holds %s:\n%s", format, word, got)
			}
		}
	}
	if d := cmp.Diff(before.Object, u.Object); d != "" {
		t.Errorf("the caller's object was changed:\n%s", d)
	}
}

func TestStreamCommentCannotBeBroken(t *testing.T) {
	for name, evil := range map[string]string{
		"newline": "a\nkind: Secret", "carriage return": "a\rkind: Secret", "NEL": "a\u0085kind: Secret", "line separator": "a\u2028kind: Secret",
		"paragraph separator": "a\u2029kind: Secret", "NUL": "a\x00", "bidi override": "a\u202eb", "no UTF-8": "a\xff", "huge": strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			from := func(client.Object) []routing.ObjectRef {
				return []routing.ObjectRef{{Kind: evil, Namespace: evil, Name: evil}}
			}
			got := stream(t, Options{Where: func(routing.ObjectRef) string { return evil }}, from, testClass())
			first, rest, _ := strings.Cut(got, "\n")
			if !strings.HasPrefix(first, "# from ") || !strings.HasPrefix(rest, "apiVersion: ") || len(first) > 4*maxCommentText {
				t.Errorf("comment: %.200q, then %.40q", first, rest)
			}
			if strings.ContainsAny(first, "\r\x00\u0085\u2028\u2029\u202e") {
				t.Errorf("comment keeps a character that breaks lines or hides text: %.200q", first)
			}
			var m map[string]any
			if err := yaml.Unmarshal([]byte(got), &m); err != nil || m["kind"] != "GatewayClass" {
				t.Errorf("read as %v, %v", m["kind"], err)
			}
		})
	}
}

func TestStreamCommentIsBounded(t *testing.T) {
	from := func(client.Object) []routing.ObjectRef { return make([]routing.ObjectRef, 5000) }
	got := stream(t, Options{}, from, testClass())
	if n := strings.Count(got, "#"); n != maxSources+1 || !strings.Contains(got, "# and from 4990 more\n") {
		t.Errorf("%d comment lines:\n%s", n, got)
	}
}

func TestStreamErrors(t *testing.T) {
	noKind := testRoute("shop", "cart")
	noKind.Kind = ""
	var none *gatewayv1.HTTPRoute
	for name, c := range map[string]struct {
		o    Options
		objs []client.Object
		w    io.Writer
		want string
	}{
		"unknown format": {Options{Format: "toml"}, nil, io.Discard, `"toml"`},
		"no kind":        {Options{}, []client.Object{noKind}, io.Discard, "shop/cart: kind is not set"},
		"nil":            {Options{}, []client.Object{nil}, io.Discard, "nil"},
		"typed nil":      {Options{}, []client.Object{none}, io.Discard, "nil"},
		"closed pipe":    {Options{}, testRoutes(500), brokenPipe{}, "broken pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			err := WriteStream(c.w, c.objs, c.o, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func BenchmarkWriteStream(b *testing.B) {
	objs := testRoutes(60_000)
	for _, format := range []string{YAML, JSON} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := WriteStream(io.Discard, objs, Options{Format: format}, fromSelf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

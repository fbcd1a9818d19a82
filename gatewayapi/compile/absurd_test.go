package compile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// absurd values that the API server would refuse for most fields.
var absurd = []any{
	nil, "", "*", "*.", "..", "/", "//", ":method", "(", "-1s", "99999999h", strings.Repeat("a.", 500),
	int64(0), int64(-1), int64(math.MaxInt32), int64(math.MaxInt64), true, []any{}, []any{nil}, map[string]any{}, map[string]any{"": nil},
}

// stride is how many absurd values one place passes by for each that it gets, to
// save time; the next place gets others. With 1 each place gets all. It has no
// factor in common with the number of values.
const stride = 8

// TestAbsurdValues puts absurd values into every place of every object of
// testdata, one at a time: nothing panics, and decisions can be written.
func TestAbsurdValues(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			objs, asked, _ := parse(t, string(raw))
			var requests []*routing.Request
			for _, x := range asked {
				requests = append(requests, request(x[0]))
			}
			turn := 0
			for i, o := range objs {
				u, ok := o.(*unstructured.Unstructured)
				if !ok {
					t.Fatalf("%T", o)
				}
				places(u.Object, "", func(path string, put func(any)) {
					if strings.HasPrefix(path, ".kind") || strings.HasPrefix(path, ".apiVersion") {
						return
					}
					for _, x := range absurd {
						if turn++; turn%stride != 0 {
							continue
						}
						put(x)
						survive(t, fmt.Sprintf("%s %s: %v", u.GetKind(), path, x), objs, i, requests)
					}
				})
			}
		})
	}
}

// survive compiles with a changed object, alone as the reference does and
// together, and asks every question.
func survive(t *testing.T, what string, objs []client.Object, changed int, requests []*routing.Request) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%s: %v", what, r)
		}
	}()
	mine := append([]client.Object{}, objs...)
	mine[changed] = &unstructured.Unstructured{Object: runtime.DeepCopyJSON(objs[changed].(*unstructured.Unstructured).Object)}
	compile.Compile(mine, compile.Options{Separate: true, Complete: true})
	table := compile.Compile(mine, compile.Options{Reading: routing.Reading{NormalizePath: true}}).Table
	for _, r := range requests {
		if _, err := json.Marshal(table.Route(r)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// places calls look for each member of a tree, with a way to replace it; the
// member is put back afterwards.
func places(at any, path string, look func(path string, put func(any))) {
	switch x := at.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			old := x[k]
			places(old, path+"."+k, look)
			look(path+"."+k, func(v any) { x[k] = v })
			x[k] = old
		}
	case []any:
		for i, old := range x {
			at := fmt.Sprintf("%s[%d]", path, i)
			places(old, at, look)
			look(at, func(v any) { x[i] = v })
			x[i] = old
		}
	}
}

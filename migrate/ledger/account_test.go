package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestUnmarkedLeavesShowUpAsUnsupported(t *testing.T) {
	a := &Account{Tree: TreeOf(map[string]any{
		"kind":     "Ingress",
		"metadata": map[string]any{"name": "x", "annotations": map[string]any{"a/b": "1"}, "uid": "u"},
		"spec":     map[string]any{"rules": []any{map[string]any{"host": "h"}}, "novel": map[string]any{"x": 1}},
	})}
	a.Mark(Converted, "metadata.name", "", "")
	a.Mark(Converted, "spec.rules", "", "")
	got := map[string]Status{}
	for _, e := range a.Close() {
		got[e.Path] = e.Status
	}
	want := map[string]Status{"metadata.name": Converted, "spec.rules": Converted, "metadata.annotations['a/b']": Unsupported, "spec.novel.x": Unsupported}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJoinQuotesWhatIsNoName(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"", "spec"}: "spec", {"spec", "host"}: "spec.host", {"m", "a/b"}: "m['a/b']", {"m", "it's"}: `m['it\'s']`, {"m", ""}: "m['']", {"m", `back\`}: `m['back\\']`,
	} {
		if got := Join(in[0], in[1]); got != want {
			t.Errorf("Join(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestLostIsWhatStrictFailsOn(t *testing.T) {
	for s, want := range map[Status]bool{Converted: false, Ignored: false, Approximated: true, Extension: true, Unsupported: true} {
		if got := (&Ledger{Entries: []Entry{{Status: s}}}).Lost(); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func genValue() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return rapid.MapOfN(rapid.String(), rapid.Just[any]("x"), 0, 3).Draw(t, "map")
		case 1:
			m := map[string]any{}
			m[rapid.String().Draw(t, "key")] = rapid.SliceOfN(rapid.Just[any](true), 0, 3).Draw(t, "list")
			return m
		}
		return rapid.String().Draw(t, "s")
	})
}

// No leaf unaccounted: whatever the object holds, each leaf is covered by an
// entry after Close.
func TestNoLeafIsUnaccounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.MapOfN(rapid.String(), genValue(), 0, 5).Draw(t, "content")
		a := &Account{Tree: TreeOf(content)}
		for k := range content {
			if rapid.Bool().Draw(t, "mark") {
				a.Mark(Ignored, Join("", k), "", "")
			}
		}
		entries := a.Close()
		if left := a.Uncovered(); len(left) > 0 {
			t.Fatalf("leaves without an entry: %q", left)
		}
		for _, e := range entries {
			if node, _ := a.Tree.Find(e.Path); node < 0 {
				t.Fatalf("%s names nothing", e.Path)
			}
		}
	})
}

func TestTreeKeepsListsAndEmptyNamesApart(t *testing.T) {
	tree := TreeOf(map[string]any{"list": []any{"a", []any{}}, "map": map[string]any{"": "x"}, "empty": map[string]any{}})
	var got []string
	tree.Leaves(func(path string) { got = append(got, path) })
	if diff := cmp.Diff([]string{"empty", "list[0]", "list[1]", "map['']"}, got); diff != "" {
		t.Error(diff)
	}
}

// Storage fields count where the API server keeps them, not where others carry
// the same name.
func TestStorageFieldsAreNoLeaves(t *testing.T) {
	tree := TreeOf(map[string]any{
		"kind": "K", "status": map[string]any{"a": 1},
		"metadata": map[string]any{"uid": "u", "name": "n", "annotations": map[string]any{
			"kubectl.kubernetes.io/last-applied-configuration": "{}", "uid": "v"}},
		"spec": map[string]any{"kind": "S", "status": "s", "items": []any{map[string]any{"uid": 1}}},
	})
	var got []string
	tree.Leaves(func(path string) { got = append(got, path) })
	want := []string{"metadata.annotations.uid", "metadata.name", "spec.items[0].uid", "spec.kind", "spec.status"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

package output

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml3 "go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

// viaJSON gives numbers and broken UTF-8 the form they have after JSON.
func viaJSON(t rapid.TB, v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func anyString() *rapid.Generator[string] {
	nasty := []string{"", "true", "No", "y", "~", "null", "NaN", ".inf", "0x1f", "1_000", "12:30:45", "2001-01-01", "1e3", "-", "- a", "a: b", "a:", ":a",
		"a #b", "#", "|", ">", "%", "@a", "`", "!x", "&a", "*a", "*.example.com", "? x", "{}", "[]", "{a", "a,b", "'", "''", `"`, `\`, `(?i)^/a\.b"c'd$`, "a\nb",
		"\n", " a", "a ", "\t", "a\tb", "\r\n", "\u0085", "\u2028x", "\ufeff", "\x00", "\x7f", "é", "日本", "😀", "\xff\xfe", "---", "...", "--- a", "<<", "=",
		"8080", "60s", "100ms", "0h", "1.5", "+1", "0o7", "08", "$1", "/$2", "_", "a:b", "a: ", strings.Repeat("k", 1500), strings.Repeat("é\n", 400)}
	return rapid.OneOf(rapid.SampledFrom(nasty), rapid.String(), rapid.StringMatching(`[a-z0-9./:$ -]{0,12}`),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }))
}

func anyJSON(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), anyString().AsAny(), anyString().AsAny(),
		rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) && !(f == 0 && math.Signbit(f)) }).AsAny(),
	}
	if depth > 0 {
		leaves = append(leaves,
			rapid.MapOfN(anyString(), anyJSON(depth-1), 0, 4).AsAny(),
			rapid.SliceOfN(anyJSON(depth-1), 0, 4).AsAny())
	}
	return rapid.OneOf(leaves...)
}

// Whatever the value, sigs.k8s.io/yaml (what kubectl reads with) gets it back,
// and a YAML 1.2 minded reader gets the same strings.
func TestYAMLRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.MapOfN(anyString().Filter(func(s string) bool { return strings.ToValidUTF8(s, "") == s }), anyJSON(3), 0, 5).Draw(t, "object")
		v = dropBrokenKeys(v).(map[string]any)
		var w yamlWriter
		if err := w.document(v); err != nil {
			t.Fatal(err)
		}
		var got any
		if err := yaml.Unmarshal(w.b, &got); err != nil {
			t.Fatalf("not readable: %v\n%q", err, w.b)
		}
		if d := cmp.Diff(viaJSON(t, v), got); d != "" {
			t.Fatalf("read back differently (-want +got):\n%s\n%s", d, w.b)
		}
		var again yaml3.Node
		if err := yaml3.Unmarshal(w.b, &again); err != nil {
			t.Fatalf("not readable by yaml/v3: %v\n%q", err, w.b)
		}
	})
}

// dropBrokenKeys removes keys that are no UTF-8: two of them may fall together
// once they are made valid.
func dropBrokenKeys(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if strings.ToValidUTF8(k, "") == k {
				out[k] = dropBrokenKeys(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = dropBrokenKeys(v[i])
		}
		return out
	}
	return v
}

func TestYAMLForm(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     map[string]any
		want   string
	}{
		"keys are sorted": {"diffs between runs stay small", map[string]any{"b": int64(1), "a": "x"}, "a: x\nb: 1\n"},
		"lists of maps":   {"kubectl's indentation", map[string]any{"rules": []any{map[string]any{"b": "x", "a": []any{"z"}}}}, "rules:\n- a:\n  - z\n  b: x\n"},
		"booleans":        {"words that YAML 1.1 reads as booleans stay strings", map[string]any{"a": "yes", "b": "Off", "c": true}, "a: \"yes\"\nb: \"Off\"\nc: true\n"},
		"numbers":         {"digits in a string stay a string", map[string]any{"a": "8080", "b": int64(8080)}, "a: \"8080\"\nb: 8080\n"},
		"regex":           {"backslashes are not doubled", map[string]any{"a": `(?i)/it's\.`}, "a: '(?i)/it''s\\.'\n"},
		"wildcard host":   {"a star starts an alias in YAML", map[string]any{"a": "*.example.com"}, "a: \"*.example.com\"\n"},
		"line break":      {"a value cannot start a new key", map[string]any{"a": "x\nb: y"}, "a: \"x\\nb: y\"\n"},
		"empty":           {"empty collections stay what they are", map[string]any{"a": map[string]any{}, "b": []any{}, "c": nil}, "a: {}\nb: []\nc: null\n"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var w yamlWriter
			if err := w.document(c.in); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, string(w.b)); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, d)
			}
		})
	}
}

func TestYAMLRefusesWhatIsNoJSON(t *testing.T) {
	deep := map[string]any{}
	for range 200 {
		deep = map[string]any{"a": deep}
	}
	for name, v := range map[string]any{"NaN": math.NaN(), "a struct": struct{}{}, "200 levels": deep} {
		var w yamlWriter
		if err := w.document(map[string]any{"x": v}); err == nil {
			t.Errorf("%s was written: %s", name, w.b)
		}
	}
}

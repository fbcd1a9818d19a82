package yamltree

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `# a comment
name: x
list:
- first
- {inner: 1.20, when: 2026-01-02}
empty:
base: &b {shared: true}
used: *b
"a/b~c": odd
`

func TestParse(t *testing.T) {
	doc, err := Parse("f.yaml", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "x", "list": []any{"first", map[string]any{"inner": 1.2, "when": "2026-01-02"}}, "empty": nil,
		"base": map[string]any{"shared": true}, "used": map[string]any{"shared": true}, "a/b~c": "odd",
	}
	if diff := cmp.Diff(want, doc.Value()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		path []string
		line int
	}{
		{nil, 2}, {[]string{"name"}, 2}, {[]string{"list"}, 3}, {[]string{"list", "1", "inner"}, 5},
		{[]string{"list", "1", "none"}, 5}, {[]string{"used", "shared"}, 8}, {[]string{"a/b~c"}, 9}, {[]string{"none"}, 2},
	} {
		if got := doc.Line(c.path...); got != c.line {
			t.Errorf("%v is at line %d, want %d", c.path, got, c.line)
		}
	}
	if w, ok := doc.Word("list", "1", "inner"); !ok || w != "1.20" {
		t.Errorf("the number was written %q", w)
	}
	if got := doc.Errorf([]string{"list", "1", "inner"}, "is %s", "bad").Error(); got != "f.yaml:5: list[1].inner: is bad" {
		t.Errorf("got %s", got)
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ reason, give, want string }{
		"empty":        {"", "", "f.yaml: the file is empty"},
		"comment":      {"", "# x\n", "f.yaml: the file is empty"},
		"syntax":       {"", "a: b\nc: [", "f.yaml:"},
		"twice":        {"the second would win in silence", "a: 1\na: 2", `f.yaml:2: field "a" is given twice`},
		"two":          {"", "a: 1\n---\nb: 1", "f.yaml:2: a second document; one is expected"},
		"merge":        {"what is merged has no line", "a: &a {b: 1}\nc:\n  <<: *a", "f.yaml:3: a field's name must be plain text"},
		"key":          {"", "? [a]\n: b", "f.yaml:1: a field's name must be plain text"},
		"tag":          {"", "a: !!binary aGk=", "f.yaml:1: tag"},
		"large":        {"", strings.Repeat(" ", MaxBytes+1), "bytes are too many"},
		"unknown":      {"", "a: *nobody", "unknown anchor"},
		"self":         {"a loop never ends", "a: &a [*a]", "f.yaml:"},
		"broken tails": {"", "a: 1\n---\n[", "f.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(c.give))
			var at *Error
			if !errors.As(err, &at) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", c.reason, err, c.want)
			}
		})
	}
}

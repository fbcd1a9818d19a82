package conformance

import (
	"os"
	"strings"
	"testing"
)

// TestAsWritten knows a report that the suite wrote, and what people do to such.
func TestAsWritten(t *testing.T) {
	data, err := os.ReadFile(published + "/v1.5/envoy-gateway/experimental-v1.8.0-default-report.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ reason, old, new, want string }{
		"untouched":   {reason: "a round trip changes nothing"},
		"comment":     {"the suite writes none", "mode: default\n", "mode: default # ours\n", "is not as the suite writes it"},
		"indentation": {"a formatter was here", "  contact:\n  - ", "  contact:\n    - ", "is not as the suite writes it"},
		"order":       {"fields are sorted", "kind: ConformanceReport\nmode: default\n", "mode: default\nkind: ConformanceReport\n", "is not as the suite writes it"},
		"twice":       {"a second value would hide the first", "mode: default\n", "mode: default\nmode: default\n", "already"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(data), c.old, c.new, 1)
			if c.old != c.new && text == string(data) {
				t.Fatal("nothing to replace")
			}
			err := AsWritten([]byte(text))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", c.reason, err, c.want)
			}
		})
	}
	if AsWritten(append(data, '\n')) == nil {
		t.Error("an added line is a change")
	}
}

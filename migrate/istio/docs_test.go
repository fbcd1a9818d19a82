package istio

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of fields into the guide")

// TestDocumentedFields: the guide's table of fields is the one in the code.
func TestDocumentedFields(t *testing.T) {
	const guide, begin, end = "../../docs/migrating-from-istio.md", "<!-- fields -->\n", "<!-- /fields -->"
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), begin)
	_, tail, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%s has no place for the table", guide)
	}
	want := head + begin + fieldTable() + end + tail
	switch {
	case string(text) == want:
	case *update:
		if err := os.WriteFile(guide, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table of fields in %s is stale: go test ./migrate/istio -run TestDocumentedFields -update", guide)
	}
}

func fieldTable() string {
	var b strings.Builder
	for _, kind := range []string{"VirtualService", "Gateway", "DestinationRule", "ServiceEntry"} {
		fmt.Fprintf(&b, "\n### %s\n\n| field | becomes | note |\n| --- | --- | --- |\n", kind)
		for _, path := range slices.Sorted(maps.Keys(rows[kind])) {
			x := rows[kind][path]
			status, message := string(x.status), x.message
			if len(x.features) > 0 {
				status = "by rule"
			}
			if x.remedy != "" {
				message = strings.TrimPrefix(message+"; "+x.remedy, "; ")
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.TrimPrefix(path, "spec."), status, strings.ReplaceAll(message, "|", "\\|"))
		}
	}
	return b.String() + "\n"
}

package conformance

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func level(result Result, failed, skipped, supports, lacks []string) Level {
	return Level{Result: result, Failed: len(failed), Skipped: len(skipped), FailedTests: failed, SkippedTests: skipped, Supported: supports, Unsupported: lacks}
}

func TestDiff(t *testing.T) {
	ext := func(l Level) *Level { return &l }
	before := &Report{Implementation: Implementation{Project: "acme", Version: "v1"}, Profiles: []Profile{
		{Name: "HTTP", Core: level(Success, nil, nil, nil, nil), Extended: ext(level(Success, nil, []string{"S"}, []string{"A", "B"}, []string{"C", "D"}))},
		{Name: "GATEWAY-TLS", Core: level(Failure, []string{"T"}, nil, nil, nil)},
		{Name: "MESH-HTTP", Core: level(Success, nil, nil, nil, nil)},
	}}
	after := &Report{Implementation: Implementation{Project: "acme", Version: "v2"}, Profiles: []Profile{
		{Name: "GATEWAY-HTTP", Core: level(Failure, []string{"F"}, nil, nil, nil), Extended: ext(level(Success, nil, nil, []string{"A", "C"}, []string{"D", "E"}))},
		{Name: "GATEWAY-TLS", Core: level(Success, nil, nil, nil, nil)},
		{Name: "GATEWAY-GRPC", Core: level(Success, nil, nil, nil, nil)},
	}}
	want := []Change{
		{Kind: "result", Worse: true, Profile: "GATEWAY-HTTP", Level: "core", Before: "success", After: "failure"},
		{Kind: "test", Worse: true, Profile: "GATEWAY-HTTP", Level: "core", Name: "F", Before: "passed or not run", After: "failed"},
		{Kind: "feature", Worse: true, Profile: "GATEWAY-HTTP", Level: "extended", Name: "B", Before: "supported", After: "unnamed"},
		{Kind: "profile", Worse: true, Profile: "MESH-HTTP", Before: "success", After: "absent"},
		{Kind: "test", Profile: "GATEWAY-HTTP", Level: "extended", Name: "S", Before: "skipped", After: "passed or not run"},
		{Kind: "feature", Profile: "GATEWAY-HTTP", Level: "extended", Name: "C", Before: "unsupported", After: "supported"},
		{Kind: "result", Profile: "GATEWAY-TLS", Level: "core", Before: "failure", After: "success"},
		{Kind: "test", Profile: "GATEWAY-TLS", Level: "core", Name: "T", Before: "failed", After: "passed or not run"},
		{Kind: "profile", Profile: "GATEWAY-GRPC", Before: "absent", After: "success"},
	}
	got := Diff(before, after)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if Regressions(got) != 4 {
		t.Errorf("%d regressions", Regressions(got))
	}
	if same := Diff(after, after); len(same) != 0 {
		t.Errorf("a report differs from itself: %v", same)
	}
}

func TestDiffText(t *testing.T) {
	folder := published + "/v1.5/nginx-nginx-gateway-fabric/"
	a, b := gather(t, folder+"experimental-2.5.0-default-report.yaml").Reports[0], gather(t, folder+"experimental-2.6.0-default-report.yaml").Reports[0]
	var out bytes.Buffer
	if err := WriteDiff(&out, a, b, Diff(a, b)); err != nil {
		t.Fatal(err)
	}
	want := `from nginx/nginx-gateway-fabric v2.5.0 (Gateway API v1.5.1, experimental
channel, mode default, 2026-03-30)
to nginx/nginx-gateway-fabric v2.6.0 (Gateway API v1.5.1, experimental channel,
mode default, 2026-05-07)
  + feature GatewayFrontendClientCertificateValidation: unsupported → supported
      in GATEWAY-HTTP extended, GATEWAY-GRPC extended, GATEWAY-TLS extended
  + feature GatewayFrontendClientCertificateValidationInsecureFallback:
  unsupported → supported
      in GATEWAY-HTTP extended, GATEWAY-GRPC extended, GATEWAY-TLS extended
  + feature ListenerSet: unsupported → supported
      in GATEWAY-HTTP extended, GATEWAY-GRPC extended, GATEWAY-TLS extended
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMatrix(t *testing.T) {
	m := NewMatrix(gather(t, published).Reports)
	var names []string
	for _, c := range m.Columns {
		names = append(names, c.title()+" "+c.GatewayAPI)
	}
	text := strings.Join(names, "\n")
	for reason, entry := range map[string]string{
		"the newest of two versions":  "nginx/nginx-gateway-fabric v2.6.0 v1.5.1",
		"the newest of two releases":  "traefik v3.7 v1.5.1",
		"a mode is an implementation": "Kong/kong-operator v2.1.2 (expressions) v1.4.1",
		"before there were modes":     "istio 1.28 v1.4.0",
	} {
		if !strings.Contains(text, entry) {
			t.Errorf("%s: no %q in\n%s", reason, entry, text)
		}
	}
	if strings.Contains(text, "v2.5.0") || strings.Contains(text, "1.20") {
		t.Errorf("older reports are shown:\n%s", text)
	}
	var out bytes.Buffer
	if err := WriteMatrixText(&out, m); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len([]rune(line)) > Width+1 {
			t.Errorf("too wide: %s", line)
		}
	}
}

func TestMatrixIsSafe(t *testing.T) {
	m := NewMatrix([]*Report{{Implementation: Implementation{Project: "=1+1", Version: hostileText}, Profiles: []Profile{{Name: "@x", Core: level(Success, nil, nil, nil, nil)}}}})
	var out bytes.Buffer
	if err := WriteMatrixCSV(&out, m); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(rows[0][2], "'=1+1") || rows[1][1] != "'@x" {
		t.Errorf("a spreadsheet would calculate: %q", rows)
	}
	out.Reset()
	if err := WriteMatrixMarkdown(&out, m); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "<script") {
		t.Error("HTML in Markdown")
	}
}

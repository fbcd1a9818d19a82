package reports

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/routing"
)

const hostile = `</script><img src=x onerror=alert(1)>`

func sample() *Migration {
	ref := routing.ObjectRef{Kind: "Ingress", Namespace: "shop", Name: "cart"}
	return &Migration{
		Title: "Ingress to Gateway API", Tool: "causeway test", Written: 1,
		Ledger: &ledger.Ledger{Entries: []ledger.Entry{
			{Subject: &ledger.Subject{Object: ref, File: "a.yaml"}, Status: ledger.Converted, Path: "spec.rules[0].host", Line: 3},
			{Subject: &ledger.Subject{Object: ref, File: "a.yaml"}, Status: ledger.Extension, Urgency: ledger.Closed, Path: "metadata.annotations['x']", Line: 2, Message: hostile, Remedy: "decide"},
		}},
		Sources: []Source{{Ref: ref, File: "a.yaml", Line: 1, Text: hostile}},
		Outputs: []Output{{Ref: routing.ObjectRef{Kind: "HTTPRoute", Name: "cart"}, Text: hostile, From: []routing.ObjectRef{ref}}},
	}
}

func TestHTMLEscapesHostileContent(t *testing.T) {
	var b strings.Builder
	if err := WriteHTML(&b, sample()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<img") || strings.Count(b.String(), "</script>") != 1 {
		t.Error("content of the input reaches the page as markup")
	}
	if strings.Contains(b.String(), "http://") || strings.Contains(b.String(), "https://") {
		t.Error("the page names an address to load from")
	}
}

func TestJSONHasThePublicForm(t *testing.T) {
	var b strings.Builder
	if err := WriteJSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Summary map[string]int
		Entries []struct{ Status, Path, File, Urgency string }
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Summary) != 5 || got.Summary["extension"] != 1 || len(got.Entries) != 2 || got.Entries[1].Urgency != "closed" {
		t.Errorf("%+v", got)
	}
}

func TestSARIFPointsAtTheLine(t *testing.T) {
	var b strings.Builder
	if err := WriteSARIF(&b, sample()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"version": "2.1.0"`, `"startLine": 2`, `"uri": "a.yaml"`, `"level": "error"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in %s", want, b.String())
		}
	}
}

func TestTextStaysWithin80Columns(t *testing.T) {
	m := sample()
	m.Ledger.Entries[1].Message = strings.Repeat("word ", 60)
	var b strings.Builder
	if err := WriteText(&b, m, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if len([]rune(line)) > 80 {
			t.Errorf("%d columns: %s", len([]rune(line)), line)
		}
	}
}

package control

import (
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

// TestDroppedMessage: "The message for this condition MUST start with the prefix
// "Dropped Rule" and include information about which Rules have been dropped"
// (RouteConditionPartiallyInvalid).
func TestDroppedMessage(t *testing.T) {
	ref := routing.ObjectRef{Kind: "HTTPRoute", Namespace: "app", Name: "r"}
	f := &findings{byObject: map[routing.ObjectRef][]compile.Problem{ref: {
		{Object: ref, Path: "spec.parentRefs[0]", Condition: "Accepted", Message: "parent"},
		{Object: ref, Path: "spec.rules[1].filters[0]", Condition: "Accepted", Message: "odd filter"},
		{Object: ref, Path: "spec.rules[2].backendRefs[0]", Condition: "ResolvedRefs", Message: "no Service"},
		{Object: ref, Path: "spec.rules[3].matches[0]", Condition: "Accepted", Message: "odd match"},
	}}}
	got := f.dropped(ref)
	if want := "Dropped Rule spec.rules[1].filters[0]: odd filter; spec.rules[3].matches[0]: odd match"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for range 1000 {
		f.byObject[ref] = append(f.byObject[ref], compile.Problem{Path: "spec.rules[4]", Condition: "Accepted", Message: strings.Repeat("x", 100)})
	}
	if got := f.dropped(ref); len(got) > 2000 {
		t.Errorf("a message of %d bytes; a condition holds 32768", len(got))
	}
}

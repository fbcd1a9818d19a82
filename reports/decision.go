package reports

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

// outcome says in a line what a client gets.
func outcome(d *routing.Decision) string {
	switch {
	case d.Location != "":
		return fmt.Sprintf("%d redirect to %s", d.Status, d.Location)
	case len(d.Backends) == 1:
		for k := range d.Backends {
			if d.Backends[k] > 0.9999 {
				return fmt.Sprintf("%d from %s", d.Status, k)
			}
		}
		fallthrough
	case len(d.Backends) > 0:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(d.Backends)) {
			parts = append(parts, fmt.Sprintf("%.4g%% %s", 100*d.Backends[k], k))
		}
		return fmt.Sprintf("%d from %s", d.Status, strings.Join(parts, ", "))
	case d.Status == 0:
		return d.Reason
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", d.Status, d.Reason))
}

// because names the rule that decided and where it stands.
func because(r *routing.Rule) string {
	if r == nil {
		return ""
	}
	s := strings.TrimSpace(r.Origin.Object.String() + " " + r.Origin.Path)
	if r.Origin.File != "" {
		s += fmt.Sprintf(" (%s:%d)", r.Origin.File, r.Origin.Line)
	}
	return s
}

// details are the parts of a decision that an outcome does not show, for the
// aspects asked, in the words of the public JSON form.
func details(d *routing.Decision, a verify.Aspect) []string {
	text, err := json.Marshal(d)
	if err != nil {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return nil
	}
	var out []string
	for _, name := range (a &^ (verify.Status | verify.Backends | verify.Location)).Names() {
		if name == "backendTLS" {
			out = append(out, destinations(d)...)
			continue
		}
		v := fields[name]
		if v == nil {
			v = json.RawMessage("none")
		}
		out = append(out, name+" "+strings.Trim(string(v), `"`))
	}
	return out
}

func destinations(d *routing.Decision) []string {
	var out []string
	if d.Why == nil {
		return nil
	}
	for i := range d.Why.Action.Backends {
		b := &d.Why.Action.Backends[i]
		if b.TLS != nil {
			out = append(out, fmt.Sprintf("to %s with TLS as %s, verified against %s", b.Key(), b.TLS.Hostname, orNone(strings.TrimSpace(b.TLS.CAKind+" "+b.TLS.CA))))
		} else {
			out = append(out, "to "+b.Key()+" without verified TLS")
		}
		if !b.RequestHeaders.Empty() || !b.ResponseHeaders.Empty() {
			out = append(out, "to "+b.Key()+" with header changes of its own")
		}
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "the system's authorities"
	}
	return s
}

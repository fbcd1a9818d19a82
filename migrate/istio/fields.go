package istio

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

// reportFields finds what the fields of a VirtualService mean to Envoy beyond
// what a table can say.
func (c *compiler) reportFields(v *virtualService) {
	for i, h := range v.Spec.Http {
		at := fmt.Sprintf("spec.http[%d]", i)
		c.reportCommands(v, at+".headers", h.Headers)
		for j, d := range h.Route {
			c.reportCommands(v, fmt.Sprintf("%s.route[%d].headers", at, j), d.Headers)
		}
		for j, m := range h.Match {
			match := fmt.Sprintf("%s.match[%d]", at, j)
			c.reportClaims(v, match+".headers", m.Headers)
			c.reportClaims(v, match+".withoutHeaders", m.WithoutHeaders)
		}
	}
}

// reportCommands finds values of headers that Envoy fills in: percent signs
// enclose a command, and two stand for one
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers).
// Gateway API says nothing of them (HTTPHeader.Value).
func (c *compiler) reportCommands(v *virtualService, at string, h *networking.Headers) {
	say := func(at string, values map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if strings.Contains(values[name], "%") {
				c.find(Finding{Object: v.Object, Kind: Differs, Path: ledger.Join(at, name), Message: "Envoy fills in what stands between percent signs; Gateway API does not say so, and implementations that do not are sending the value as it is written", Remedy: "check what yours sends, or set the header by its own policy"})
			}
		}
	}
	for _, x := range []struct {
		name string
		ops  *networking.Headers_HeaderOperations
	}{{"request", h.GetRequest()}, {"response", h.GetResponse()}} {
		say(at+"."+x.name+".set", x.ops.GetSet())
		say(at+"."+x.name+".add", x.ops.GetAdd())
	}
}

// reportClaims finds conditions on claims of tokens.
func (c *compiler) reportClaims(v *virtualService, at string, headers map[string]*networking.StringMatch) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if claim(name) {
			c.find(Finding{Object: v.Object, Kind: Manual, Path: ledger.Join(at, name), Message: "the condition is on a claim of the token that RequestAuthentication has checked; Gateway API has no match for claims, so that the rule is closed", Remedy: "let the implementation's policy check the token and copy the claim into a header, such as Envoy Gateway SecurityPolicy jwt.providers[].claimToHeaders, and match that header"})
		}
	}
}

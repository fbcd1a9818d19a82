package migrate_test

import (
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/ledger"
)

const istioLedgerInput = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec:
  gateways: [edge]
  hosts: [a.test]
  http:
  - match: [{uri: {prefix: "/{tenant}"}}]
    rewrite: {uri: /x}
    route: [{destination: {host: web}}]
  - match: [{port: 8080}]
    route: [{destination: {host: web}}]
  - headers: {request: {set: {x-from: "%DOWNSTREAM_REMOTE_ADDRESS%", x-plain: one}}}
    match: [{uri: {prefix: /a}}]
    route: [{destination: {host: web}}]
  - match: [{uri: {prefix: /b}, headers: {"@request.auth.claims.group": {exact: admin}}}]
    route: [{destination: {host: web}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: partner, namespace: shop}
spec: {hosts: [api.partner.example], ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: https, protocol: HTTPS}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: partner, namespace: shop}
spec: {host: api.partner.example, trafficPolicy: {tls: {mode: SIMPLE}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: partner, namespace: shop}
spec:
  hosts: [api.partner.example]
  http:
  - match: [{port: 80}]
    route: [{destination: {host: api.partner.example, port: {number: 443}}}]
`

// TestLedgerOfRulesThatAreNotWritten: a field is converted only where its rule is
// written, and what stands for it.
func TestLedgerOfRulesThatAreNotWritten(t *testing.T) {
	res := run(t, readText(t, []byte(istioLedgerInput)), migrate.Options{Validate: validate.Full})
	for _, i := range res.Issues {
		t.Errorf("invalid output: %v", i)
	}
	said := map[string]ledger.Entry{}
	for _, e := range res.Ledger.Entries {
		said[e.Object.Kind+" "+e.Object.Name+" "+e.Path] = e
	}
	for _, c := range []struct {
		reason, leaf string
		status       ledger.Status
		message      string
	}{
		{"the rule is closed", "VirtualService edge spec.http[0].route[0].destination.host", ledger.Extension, "no PathPrefix may hold"},
		{"no server has the port", "VirtualService edge spec.http[1].route[0].destination.host", ledger.Ignored, "no request reaches this rule"},
		{"Envoy fills the value in", "VirtualService edge spec.http[2].headers.request.set.x-from", ledger.Approximated, "percent signs"},
		{"a value without commands", "VirtualService edge spec.http[2].headers.request.set.x-plain", ledger.Converted, ""},
		{"a claim is no header", "VirtualService edge spec.http[3].match[0].headers['@request.auth.claims.group']", ledger.Extension, "claim of the token"},
		{"the host is no Service, so that no route can be attached", "VirtualService partner spec.http[0].route[0].destination.host", ledger.Unsupported, "no Service of the cluster"},
		{"and no Service is written for it", "ServiceEntry partner spec.hosts[0]", ledger.Ignored, "no converted route forwards to this host"},
		{"nor a policy", "DestinationRule partner spec.trafficPolicy.tls.mode", ledger.Extension, "where a route forwards to it"},
	} {
		e, ok := said[c.leaf]
		if !ok || e.Status != c.status || !strings.Contains(e.Message, c.message) {
			t.Errorf("%s: %s: %s %q, want %s %q", c.reason, c.leaf, e.Status, e.Message, c.status, c.message)
		}
	}
	v, problems, err := migrate.Check(t.Context(), res)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	for _, d := range v.Surprises() {
		t.Errorf("%s: %s, and the ledger is silent", probe(&d.Request), d.Aspects)
	}
	asked := false
	for _, d := range v.Differences {
		asked = asked || d.Request.Host == "api.partner.example"
	}
	if !asked {
		t.Error("verification does not ask for the host of the mesh that is no Service")
	}
}

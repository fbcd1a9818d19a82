package migrate_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/causeway-gateway/causeway/fixtures/random"
	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/migrate"
)

// drawIstio is random Istio objects and the Services they refer to; now and
// then only the objects, as a team hands them over.
func drawIstio(t *rapid.T) []byte {
	text := random.Istio.Draw(t, "objects")
	if rapid.Bool().Draw(t, "services") {
		text += "\n---\n" + random.Services()
	}
	return []byte(text)
}

// TestAnyIstioInputIsAccountedForAndValid is [TestAnyInputIsAccountedForAndValid]
// for Istio's objects.
func TestAnyIstioInputIsAccountedForAndValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, o := drawIstio(t), genOptions(t)
		o.Validate, o.Emit.Gateway.Kind = validate.Full, 0
		set := readText(t, text)
		res := convert(t, set, o)
		holdLedger(t, set, res)
		again := convert(t, readText(t, text), o)
		if a, b := written(t, res), written(t, again); a != b {
			t.Fatalf("two runs differ:\n%s\n---\n%s", a, b)
		}
		if !reflect.DeepEqual(res.Ledger, again.Ledger) {
			t.Fatalf("the ledgers of two runs differ")
		}
	})
}

// TestIstioOutputVerifies: whatever the objects, release and channel,
// verification finds nothing that the ledger does not announce.
func TestIstioOutputVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, o := drawIstio(t), genOptions(t)
		o.Emit.Gateway.Kind = 0
		res := convert(t, readText(t, text), o)
		v, problems, err := migrate.Check(t.Context(), res)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Fatalf("the output does not hold together: %s %s: %s: %s", p.Object, p.Path, p.Reason, p.Message)
		}
		for _, d := range v.Surprises() {
			t.Fatalf("%s: %s (before: %s; after: %s), and the ledger is silent", probe(&d.Request), d.Aspects, why(d.Before), why(d.After))
		}
	})
}

// BenchmarkIstio converts and settles VirtualServices of one gateway, each with
// ten routes, its Service and a DestinationRule.
func BenchmarkIstio(b *testing.B) {
	for _, n := range []int{500, 2000, 8000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			set := readText(b, manyVirtualServices(n))
			b.ResetTimer()
			for b.Loop() {
				convert(b, set, migrate.Options{})
			}
		})
	}
}

func manyVirtualServices(n int) []byte {
	var w bytes.Buffer
	fmt.Fprint(&w, "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: istio-system}\nspec:\n  selector: {istio: ingressgateway}\n  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]\n")
	for i := range n {
		ns := fmt.Sprint("team-", i%50)
		fmt.Fprintf(&w, "---\napiVersion: v1\nkind: Service\nmetadata: {name: app-%[1]d, namespace: %[2]s}\nspec: {selector: {app: app-%[1]d}, ports: [{name: http, port: 80}]}\n", i, ns)
		fmt.Fprintf(&w, "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: app-%[1]d, namespace: %[2]s}\nspec: {host: app-%[1]d, trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}, subsets: [{name: v1, labels: {version: v1}}]}\n", i, ns)
		fmt.Fprintf(&w, "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: app-%[1]d, namespace: %[2]s}\nspec:\n  hosts: [app-%[1]d.example.com, app-%[1]d]\n  gateways: [istio-system/edge, mesh]\n  http:\n", i, ns)
		for j := range 10 {
			fmt.Fprintf(&w, "  - match: [{uri: {prefix: /p%d/}}]\n    route: [{destination: {host: app-%d, subset: v1}}]\n", j, i)
		}
	}
	return w.Bytes()
}

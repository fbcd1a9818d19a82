package istio_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/routing"
)

// shop are Services and a Gateway for the cases below.
const shop = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: shop}
spec: {type: ExternalName, externalName: api.partner.example, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: ["*.test"], tls: {mode: PASSTHROUGH}}
`

// document is one object in flow style.
func document(kind, namespace, name, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: networking.istio.io/v1\nkind: %s\nmetadata: {name: %s, namespace: %s}\nspec: %s\n", kind, name, namespace, spec)
}

func edge(spec string) string {
	return document("VirtualService", "shop", "v", strings.Replace(spec, "{", "{gateways: [edge], ", 1))
}

func ask(target string, headers ...string) routing.Request {
	scheme, rest, _ := strings.Cut(target, "://")
	host, path, _ := strings.Cut(rest, "/")
	r := routing.Request{Scheme: scheme, Host: host, Path: "/" + path, Port: map[string]int{"http": 80, "tls": 443}[scheme], Headers: map[string]string{}}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Headers[headers[i]] = headers[i+1]
	}
	return r
}

// answer is the first backend by name, with mirrors behind a plus; or the status.
func answer(d routing.Decision) string {
	var names []string
	for name := range d.Backends {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return fmt.Sprint(d.Status)
	}
	for _, m := range d.Mirrors {
		names[0] += fmt.Sprintf("+%v%%", m.Percent)
	}
	return names[0]
}

type question struct {
	request routing.Request
	want    string
}

// TestSemantics are rules of pilot and Envoy that the recorded configurations do
// not show; scenarios/istio-oracle asks pilot itself the same.
func TestSemantics(t *testing.T) {
	const local = `trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}`
	subset := edge(`{hosts: [a.test], http: [{route: [{destination: {host: web, subset: v1}}]}]}`)
	versions := document("DestinationRule", "shop", "web", `{host: web, subsets: [{name: v1, labels: {version: v1}}]}`)
	for name, c := range map[string]struct {
		reason    string
		manifests string
		asked     []question
	}{
		"host as a header": {"Envoy keeps the Host header and the authority in one place", edge(`{hosts: ["*.test"], http: [{match: [{headers: {Host: {exact: a.test}}}], route: [{destination: {host: web}}]}, {match: [{withoutHeaders: {host: {exact: b.test}}}], route: [{destination: {host: api}}]}]}`),
			[]question{{ask("http://a.test/"), "shop/web:80"}, {ask("http://c.test/"), "shop/api:80"}, {ask("http://b.test/"), "404"}, {ask("http://b.test/", "host", "a.test"), "404"}}},
		"claims of a token": {"a request without a token has no claim, and an inverted condition holds for it", edge(`{hosts: [a.test], http: [{match: [{headers: {"@request.auth.claims.group": {regex: ".*"}}}], route: [{destination: {host: web}}]}, {match: [{withoutHeaders: {"@request.auth.claims.group": {regex: ".*"}}}], route: [{destination: {host: api}}]}]}`),
			[]question{{ask("http://a.test/"), "shop/api:80"}}},
		"defaults of the mesh in the gateway's namespace": {"rules of the root namespace come after those of the Service's", subset + versions + document("DestinationRule", "istio-system", "default", `{host: "*.local", `+local+`}`),
			[]question{{ask("http://a.test/"), "shop/web-v1:80"}}},
		"a rule that the root namespace keeps to itself": {"it is meant for the gateway, and comes first", subset + versions + document("DestinationRule", "istio-system", "own", `{host: web.shop.svc.cluster.local, exportTo: ["."], `+local+`}`),
			[]question{{ask("http://a.test/"), "503"}}},
		"a destination below a wildcard": {"the cluster has the name of the ServiceEntry's host, not of the destination", edge(`{hosts: [a.test], http: [{match: [{uri: {prefix: /one}}], route: [{destination: {host: x.partner.example}}]}, {route: [{destination: {host: "*.partner.example"}}]}]}`) + document("ServiceEntry", "shop", "partner", `{hosts: ["*.partner.example"], ports: [{number: 80, name: http, protocol: HTTP}], resolution: NONE}`),
			[]question{{ask("http://a.test/one"), "503"}, {ask("http://a.test/"), "shop/partner-example:80"}}},
		"another name for nothing": {"a Service of type ExternalName stands for a host of the registry", edge(`{hosts: [a.test], http: [{route: [{destination: {host: elsewhere}}]}]}`), []question{{ask("http://a.test/"), "503"}}},
		"another name for a host": {"which a ServiceEntry has", edge(`{hosts: [a.test], http: [{route: [{destination: {host: elsewhere}}]}]}`) + document("ServiceEntry", "shop", "partner", `{hosts: [api.partner.example], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}`),
			[]question{{ask("http://a.test/"), "shop/elsewhere:80"}}},
		"a TLS match with a name that is taken": {"it is left out with all its names", edge(`{hosts: [a.test, b.test], tls: [{match: [{sniHosts: [a.test]}], route: [{destination: {host: web, port: {number: 80}}}]}, {match: [{sniHosts: [a.test, b.test]}], route: [{destination: {host: api, port: {number: 80}}}]}]}`),
			[]question{{ask("tls://a.test/"), "shop/web:80"}, {ask("tls://b.test/"), "0"}}},
		"the other name of a percentage": {"the CRD knows mirror_percent, too", edge(`{hosts: [a.test], http: [{mirror: {host: api}, mirror_percent: 50, route: [{destination: {host: web}}]}]}`), []question{{ask("http://a.test/"), "shop/web:80+50%"}}},
	} {
		t.Run(name, func(t *testing.T) {
			table := compile(t, shop+c.manifests).Edges[0].Table
			for _, q := range c.asked {
				if got := answer(table.Route(&q.request)); got != q.want {
					t.Errorf("%s: %s://%s%s %v goes to %s, want %s", c.reason, q.request.Scheme, q.request.Host, q.request.Path, q.request.Headers, got, q.want)
				}
			}
		})
	}
}

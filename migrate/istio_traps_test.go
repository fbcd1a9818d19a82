package migrate_test

import (
	"fmt"
	"testing"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/routing"
)

// istioProbe is a request and where it goes, before and after the migration.
type istioProbe struct {
	request routing.Request
	want    string // as goes writes it
	after   string // where that is not the same, which the ledger announces
}

func get(target string, headers ...string) routing.Request {
	r := routing.Request{Scheme: "http", Host: "www.example.com", Port: 80, Path: target}
	for i := 0; i+1 < len(headers); i += 2 {
		if r.Headers == nil {
			r.Headers = map[string]string{}
		}
		r.Headers[headers[i]] = headers[i+1]
	}
	return r
}

func at(host, target string) routing.Request {
	r := get(target)
	r.Host = host
	return r
}

func onPort(port int, r routing.Request) routing.Request {
	r.Port = port
	return r
}

func secure(r routing.Request) routing.Request {
	r.Scheme, r.Port = "https", 443
	return r
}

func from(namespace, target string) routing.Request {
	r := at("web.shop.svc.cluster.local", target)
	r.Client = &routing.Client{Namespace: namespace}
	return r
}

// goes names where a request goes: "shop/web", shares where there are several,
// mirrors behind a plus, the changed path behind an arrow; or the status.
func goes(d routing.Decision) string {
	s := ""
	for _, name := range []string{"shop/web", "shop/api", "shop/web-v1", "shop/web-v2", "shop/web-v3", "shop/api-partner-example"} {
		for _, port := range []int{80, 443} {
			switch share := d.Backends[fmt.Sprintf("%s:%d", name, port)]; {
			case share == 1:
				s += name
			case share > 0:
				s += fmt.Sprintf("%s %.0f%% ", name, share*100)
			}
		}
	}
	for _, m := range d.Mirrors {
		s += fmt.Sprintf("+%v%% %s", m.Percent, m.Backend.Name)
	}
	switch {
	case d.Location != "":
		return fmt.Sprintf("%d %s", d.Status, d.Location)
	case s == "":
		return fmt.Sprint(d.Status)
	}
	return s
}

// istioTraps are the fixtures below fixtures/traps/istio-*.
var istioTraps = map[string]struct {
	reason string
	probes []istioProbe
}{
	"prefix-without-slash": {"a prefix is compared byte by byte", []istioProbe{
		{request: get("/a"), want: "shop/web"}, {request: get("/ab"), want: "shop/web"}, {request: get("/a/b"), want: "shop/web"}, {request: get("/b"), want: "shop/api"}}},
	"prefix-with-slash": {"/a/ does not take /a", []istioProbe{
		{request: get("/a"), want: "shop/api"}, {request: get("/a/"), want: "shop/web"}, {request: get("/a/b"), want: "shop/web"}, {request: get("/ab"), want: "shop/api"}}},
	"exact-shadowed-by-prefix": {"the first match wins, not the most specific", []istioProbe{
		{request: get("/a/b"), want: "shop/web"}, {request: get("/b"), want: "404"}}},
	"regex-before-prefix": {"the first match wins, also of a regular expression", []istioProbe{
		{request: get("/a/xz"), want: "shop/web"}, {request: get("/a/x"), want: "shop/api"}, {request: get("/a/xz/y"), want: "shop/api"}}},
	"unset-weight": {"no weight is everything alone and nothing beside others", []istioProbe{
		{request: get("/alone"), want: "shop/web"}, {request: get("/"), want: "shop/api"}}},
	"header-prefix-and-presence": {"conditions are never widened", []istioProbe{
		{request: get("/", "x-group", "beta-1"), want: "shop/web"}, {request: get("/", "x-group", "abeta-"), want: "shop/api"},
		{request: get("/", "x-debug", ""), want: "shop/web"}, {request: get("/"), want: "shop/api"}}},
	"without-headers": {"not is said by order", []istioProbe{
		{request: get("/a"), want: "shop/web"}, {request: get("/a", "x-internal", "no"), want: "shop/web"}, {request: get("/a", "x-internal", "yes"), want: "shop/api"}}},
	"credential-name": {"HTTPS with the Secret beside the pods", []istioProbe{
		{request: secure(get("/")), want: "shop/web"}, {request: get("/"), want: "0"}}},
	"https-redirect": {"every request, whatever the routes say", []istioProbe{
		{request: get("/a?b=1"), want: "301 https://www.example.com/a?b=1"}, {request: get("/nowhere"), want: "301 https://www.example.com/nowhere"}, {request: secure(get("/a")), want: "shop/web"}}},
	"mirror-percentage": {"shares of a percent, and none", []istioProbe{
		{request: get("/some"), want: "shop/web+0.5% api"}, {request: get("/"), want: "shop/web"}}},
	"delegate": {"the delegate's matches are joined with the root's", []istioProbe{
		{request: get("/team/one/x"), want: "shop/web"}, {request: get("/team/two"), want: "shop/api"}, {request: get("/elsewhere"), want: "shop/api"}}},
	"two-gateways": {"a match may be for one of the gateways", []istioProbe{
		{request: get("/admin"), want: "shop/api"}, {request: onPort(8080, get("/admin")), want: "shop/web"}, {request: onPort(8080, get("/")), want: "shop/api"}}},
	"wildcard-hosts": {"the longest wildcard wins", []istioProbe{
		{request: at("a.example.com", "/"), want: "shop/web"}, {request: at("x.y.example.com", "/"), want: "shop/web"}, {request: at("a.api.example.com", "/"), want: "shop/api"},
		{request: at("api.example.com", "/any"), want: "shop/web"}, {request: at("example.com", "/any"), want: "shop/web"}, {request: at("example.com", "/"), want: "404"}}},
	"mesh-and-gateway": {"a match for the mesh is not for the gateway", []istioProbe{
		{request: get("/internal"), want: "shop/web"}, {request: from("shop", "/internal"), want: "shop/api"}, {request: from("other", "/"), want: "shop/web"}}},
	"consumer-route": {"a namespace has rules of its own", []istioProbe{
		{request: from("client", "/v2/x"), want: "shop/web"}, {request: from("client", "/"), want: "404"}, {request: from("shop", "/"), want: "shop/api"}, {request: from("other", "/v2"), want: "shop/api"}}},
	"subsets": {"a Service for each", []istioProbe{
		{request: get("/"), want: "shop/web-v1 90% shop/web-v2 10% "}}},
	"rewrite-prefix": {"what goes on without a slash cannot be rewritten", []istioProbe{
		{request: get("/api"), want: "shop/web"}, {request: get("/api/x"), want: "shop/web"}, {request: get("/apix"), want: "shop/web", after: "404"}}},
	"no-such-subset": {"503 before; after, a Service that does not exist, and never all versions", []istioProbe{
		{request: get("/"), want: "503", after: "shop/web-v3"}}},
	"beside-ingress": {"each entrance has its own", []istioProbe{
		{request: get("/"), want: "shop/web"}, {request: at("old.example.com", "/"), want: "shop/api"}}},
	"service-entry": {"an external host behind a Service", []istioProbe{
		{request: get("/"), want: "shop/api-partner-example"}}},
}

// TestIstioTraps asks both sides of each trap, and finds a case for every
// fixture.
func TestIstioTraps(t *testing.T) {
	for _, name := range fixtureNames(t, "istio-") {
		c, ok := istioTraps[name]
		if !ok {
			t.Errorf("fixtures/traps/istio-%s has no case", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			res := run(t, read(t, "../fixtures/traps/istio-"+name+"/input.yaml"), migrate.Options{Emit: emit.Options{}})
			holdCheck(t, res)
			for _, p := range c.probes {
				before, after := ask(res, &p.request)
				want := p.after
				if want == "" {
					want = p.want
				}
				if b, a := goes(before), goes(after); b != p.want || a != want {
					t.Errorf("%s: %s went to %q, want %q; goes to %q, want %q", c.reason, probe(&p.request), b, p.want, a, want)
				}
			}
		})
	}
}

// ask routes a request through the part that has something to say of it.
func ask(res *migrate.Result, r *routing.Request) (before, after routing.Decision) {
	for _, p := range res.Parts {
		if r.Client != nil && p.Name != "the mesh" || r.Client == nil && p.Name == "the mesh" {
			continue
		}
		b, a := p.Table.Route(r), p.After.Route(r)
		if before.Why == nil && before.Status == 0 || b.Why != nil {
			before, after = b, a
		}
	}
	return before, after
}

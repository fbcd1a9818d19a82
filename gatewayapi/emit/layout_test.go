package emit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

func objectNames(r *Result) []string {
	var out []string
	for _, o := range r.Objects {
		out = append(out, o.GetObjectKind().GroupVersionKind().Kind+" "+o.GetNamespace()+"/"+o.GetName())
	}
	return out
}

func TestLayouts(t *testing.T) {
	table := web(host("a.example.com", routing.LongestPath, rule(prefix("/"), to("a", "web"), ing("a", "web", "p"))),
		host("b.example.com", routing.LongestPath, rule(prefix("/"), to("shared", "web"), ing("b", "web", "p"))))
	for _, c := range []struct {
		reason string
		o      Options
		want   []string
	}{
		{"one Gateway for all", Options{}, []string{"Gateway default/gateway", "HTTPRoute a/web", "HTTPRoute b/web", "ReferenceGrant shared/from-b-httproute-to-service"}},
		{"one Gateway for each owner", Options{Gateway: Layout{Kind: PerNamespace, Name: "edge"}}, []string{"Gateway a/edge", "Gateway b/edge", "HTTPRoute a/web", "HTTPRoute b/web", "ReferenceGrant shared/from-b-httproute-to-service"}},
		{"an existing Gateway gets a ListenerSet", Options{Gateway: Layout{Kind: Existing, Namespace: "infra", Name: "edge"}}, []string{"ListenerSet infra/edge-listeners", "HTTPRoute a/web", "HTTPRoute b/web", "ReferenceGrant shared/from-b-httproute-to-service"}},
		{"who has no certificates has no ListenerSet", Options{Gateway: Layout{Kind: TeamListeners}}, []string{"Gateway default/gateway", "HTTPRoute a/web", "HTTPRoute b/web", "ReferenceGrant shared/from-b-httproute-to-service"}},
		{"v1.4 has no ListenerSet", Options{Version: "v1.4", Gateway: Layout{Kind: Existing, Namespace: "infra", Name: "edge"}}, []string{"HTTPRoute a/web", "HTTPRoute b/web", "ReferenceGrant shared/from-b-httproute-to-service"}},
	} {
		if d := cmp.Diff(c.want, objectNames(Emit(table, c.o))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.reason, d)
		}
	}
}

// TestExistingGatewayIsNamedByPort: without ListenerSets the sections of a Gateway
// are not known, and a route for one scheme must not take the other's requests.
func TestExistingGatewayIsNamedByPort(t *testing.T) {
	plain := host("a.example.com", routing.LongestPath, rule(prefix("/"), &routing.Action{Redirect: &routing.Redirect{Code: 301, Scheme: "https"}}, ing("a", "web", "p")))
	secure := host("a.example.com", routing.LongestPath, rule(prefix("/"), to("a", "web"), ing("a", "web", "p")))
	secure.Certificates = []string{"a/tls"}
	both := host("b.example.com", routing.LongestPath, rule(prefix("/"), to("b", "web"), ing("b", "web", "p")))
	both.Certificates = []string{"b/tls"}
	table := &routing.Table{Listeners: []*routing.Listener{{Port: 80, Hosts: []*routing.Host{plain, both}}, {Port: 443, Protocol: routing.HTTPS, Hosts: []*routing.Host{secure, both}}}}
	got := map[string][]gwv1.PortNumber{}
	for _, o := range Emit(table, Options{Version: "v1.4", Gateway: Layout{Kind: Existing, Namespace: "infra", Name: "edge"}}).Objects {
		if r, ok := o.(*gwv1.HTTPRoute); ok {
			for _, p := range r.Spec.ParentRefs {
				port := gwv1.PortNumber(0)
				if p.Port != nil {
					port = *p.Port
				}
				got[r.Namespace+"/"+r.Name] = append(got[r.Namespace+"/"+r.Name], port)
			}
		}
	}
	want := map[string][]gwv1.PortNumber{"a/web": {443}, "a/web-redirect": {80}, "b/web": {0}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestTeamsOwnTheirTLS: certificates of a host's own namespace are named by a
// ListenerSet beside them; a certificate from elsewhere stays with the Gateway.
func TestTeamsOwnTheirTLS(t *testing.T) {
	own := host("a.example.com", routing.LongestPath, rule(prefix("/"), to("a", "web"), ing("a", "web", "p")))
	own.Certificates = []string{"a/tls"}
	central := host("b.example.com", routing.LongestPath, rule(prefix("/"), to("b", "web"), ing("b", "web", "p")))
	central.Certificates = []string{"certs/wildcard"}
	table := &routing.Table{Listeners: []*routing.Listener{{Port: 80, Hosts: []*routing.Host{own, central}}, {Port: 443, Protocol: routing.HTTPS, Hosts: []*routing.Host{own, central}}}}
	res := Emit(table, Options{Gateway: Layout{Kind: TeamListeners}})
	want := []string{"Gateway default/gateway", "ListenerSet a/gateway-listeners", "HTTPRoute a/web", "HTTPRoute b/web", "ReferenceGrant certs/from-default-gateway-to-secret"}
	if d := cmp.Diff(want, objectNames(res)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	g := res.Objects[0].(*gwv1.Gateway)
	if s := g.Spec.AllowedListeners.Namespaces.Selector; len(g.Spec.Listeners) != 2 || s == nil || len(s.MatchExpressions) != 1 || s.MatchExpressions[0].Values[0] != "a" {
		t.Errorf("the Gateway has %d listeners and allows %v", len(g.Spec.Listeners), s)
	}
	if old := objectNames(Emit(table, Options{Version: "v1.4", Gateway: Layout{Kind: TeamListeners}})); old[1] != "HTTPRoute a/web" {
		t.Errorf("v1.4 has no ListenerSet: %v", old)
	}
}

func TestSameRulesShareHostnames(t *testing.T) {
	a, o := to("shop", "web"), ing("shop", "web", "p")
	r := Emit(web(host("a.example.com", routing.LongestPath, rule(prefix("/"), a, o)), host("b.example.com", routing.LongestPath, rule(prefix("/"), to("shop", "web"), o))), Options{})
	if d := cmp.Diff([]string{"Gateway default/gateway", "HTTPRoute shop/web"}, objectNames(r)); d != "" {
		t.Error(d)
	}
	if len(r.Placements) != 2 {
		t.Errorf("both rules are placed: %v", r.Placements)
	}
}

func TestMetadataGoesWhereToolsLook(t *testing.T) {
	o := Options{DefaultCertificate: "default/tls", AnnotationsOf: func(routing.ObjectRef) (map[string]string, map[string]string) {
		return map[string]string{"app.kubernetes.io/name": "shop", "app.kubernetes.io/managed-by": "Helm", "team": "x"},
			map[string]string{"cert-manager.io/cluster-issuer": "le", "external-dns.alpha.kubernetes.io/ttl": "60", "external-dns.alpha.kubernetes.io/target": "lb", "nginx.ingress.kubernetes.io/x": "y", "backstage.io/kubernetes-id": "shop"}
	}}
	for _, x := range Emit(one(prefix("/"), to("shop", "web")), o).Objects {
		want := map[string]string{"cert-manager.io/cluster-issuer": "le", "external-dns.alpha.kubernetes.io/target": "lb"}
		var labels map[string]string
		if x.GetObjectKind().GroupVersionKind().Kind == "HTTPRoute" {
			want = map[string]string{"external-dns.alpha.kubernetes.io/ttl": "60", "backstage.io/kubernetes-id": "shop"}
			labels = map[string]string{"app.kubernetes.io/name": "shop"}
		}
		if d := cmp.Diff(want, x.GetAnnotations()) + cmp.Diff(labels, x.GetLabels()); d != "" {
			t.Error(d)
		}
	}
}

func TestForwardedSchemeIsNotALoop(t *testing.T) {
	redirect := &routing.Action{Redirect: &routing.Redirect{Code: 308, Scheme: "https"}}
	plain := rule(prefix("/"), redirect, at)
	plain.Match.Scheme = "http"
	table := list(routing.LongestPath, plain, rule(prefix("/"), to("shop", "web"), at))
	table.Reading.TrustForwarded = true
	got := routesOf(Emit(table, Options{}))
	want := "web\n  PathPrefix /  X-Forwarded-Proto=https -> web\n  PathPrefix /  -> closed" // closed: show's word for no backend, here the redirect
	if got != want {
		t.Errorf("behind a load balancer that ends TLS, requests must reach the backend:\n got %s\nwant %s", got, want)
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"*.example.com": "wildcard-example-com", "a.b": "a-b", "": "any", "~^x": "x"} {
		if got := slug(in); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
	if got := fit(strings.Repeat("a", 300), "x", 63); len(got) > 63 {
		t.Errorf("%d characters", len(got))
	}
}

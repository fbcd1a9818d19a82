package emit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		{"v1.4 has no ListenerSet", Options{Version: "v1.4", Gateway: Layout{Kind: Existing, Namespace: "infra", Name: "edge"}}, []string{"HTTPRoute a/web", "HTTPRoute b/web", "ReferenceGrant shared/from-b-httproute-to-service"}},
	} {
		if d := cmp.Diff(c.want, objectNames(Emit(table, c.o))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.reason, d)
		}
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

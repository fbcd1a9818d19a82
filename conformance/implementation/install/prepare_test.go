package install

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// TestPrepareIstioAmbient does what the catalogue says between the suite's
// set-up and its tests, on the namespaces as the suite leaves them.
func TestPrepareIstioAmbient(t *testing.T) {
	d, err := implementation.ByName("istio-ambient")
	if err != nil {
		t.Fatal(err)
	}
	joined := map[string]string{"gateway-conformance": "x", "istio.io/dataplane-mode": "ambient"}
	w := world{conditions: map[string][]metav1.Condition{"Gateway": isTrue("Programmed")}}
	for _, name := range []string{"gateway-conformance-infra", "gateway-conformance-mesh"} {
		w.objects = append(w.objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: joined}})
	}
	i := w.installer(t, Options{Provider: implementation.KindCluster})
	if err := i.Prepare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]map[string]string{
		"gateway-conformance-infra": {"gateway-conformance": "x"},
		"gateway-conformance-mesh":  {"gateway-conformance": "x", "istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "waypoint"},
	} {
		var ns corev1.Namespace
		if err := i.client.Get(t.Context(), client.ObjectKey{Name: name}, &ns); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ns.Labels); diff != "" {
			t.Errorf("labels of %s (-want +got):\n%s", name, diff)
		}
	}
	var waypoint gatewayv1.Gateway
	if err := i.client.Get(t.Context(), client.ObjectKey{Namespace: "gateway-conformance-mesh", Name: "waypoint"}, &waypoint); err != nil {
		t.Fatal(err)
	}
	if waypoint.Spec.GatewayClassName != "istio-waypoint" {
		t.Errorf("class of the waypoint: %s", waypoint.Spec.GatewayClassName)
	}
}

func TestPrepareFailsBySaying(t *testing.T) {
	d, err := implementation.ByName("istio-ambient")
	if err != nil {
		t.Fatal(err)
	}
	i := world{}.installer(t, Options{Provider: implementation.KindCluster})
	if err := i.Prepare(t.Context(), d); err == nil || !strings.Contains(err.Error(), "preparing istio-ambient, step 1 of 3") || !strings.Contains(err.Error(), "Namespace gateway-conformance-infra") {
		t.Errorf("got %v", err)
	}
}

// TestAuthority makes what Linkerd's chart wants, and trusts it.
func TestAuthority(t *testing.T) {
	d, err := implementation.ByName("linkerd")
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.MethodFor(implementation.KindCluster)
	if err != nil {
		t.Fatal(err)
	}
	a := m.Steps[1].Helm.Authority
	given := map[string]any{"identity": map[string]any{"kept": "yes"}}
	values, err := withAuthority(given, a)
	if err != nil {
		t.Fatal(err)
	}
	identity := values["identity"].(map[string]any)
	issuer := identity["issuer"].(map[string]any)["tls"].(map[string]any)
	pair, err := tls.X509KeyPair([]byte(issuer["crtPEM"].(string)), []byte(issuer["keyPEM"].(string)))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(values["identityTrustAnchorsPEM"].(string))) {
		t.Fatal("the trust anchor is no certificate")
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		t.Error(err)
	}
	if pair.Leaf.Subject.CommonName != "identity.linkerd.cluster.local" || !pair.Leaf.IsCA || !pair.Leaf.MaxPathLenZero {
		t.Errorf("issuer: %v", pair.Leaf.Subject)
	}
	if identity["kept"] != "yes" || given["identity"].(map[string]any)["issuer"] != nil {
		t.Error("values of the descriptor are kept, and not changed")
	}
	if _, err := withAuthority(map[string]any{"identity": "text"}, a); err == nil {
		t.Error("a value in the way is an error")
	}
}

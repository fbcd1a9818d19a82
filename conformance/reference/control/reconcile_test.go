package control

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/conformance/reference/serve"
	"github.com/causeway-gateway/causeway/routing"
)

// recorder is a data plane that remembers what it was given.
type recorder struct{ config *serve.Config }

func (r *recorder) Apply(c *serve.Config) error { r.config = c; return nil }

// world is a cluster of given objects with a reconciler in it.
type world struct {
	*testing.T
	client.Client
	r     *reconciler
	plane *recorder
}

func newWorld(t *testing.T, objs ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, gwv1.Install} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	kinds := []client.Object{
		&gwv1.GatewayClass{}, &gwv1.Gateway{}, &gwv1.ListenerSet{}, &gwv1.HTTPRoute{}, &gwv1.GRPCRoute{}, &gwv1.TLSRoute{},
		&gwv1.TCPRoute{}, &gwv1.UDPRoute{}, &gwv1.BackendTLSPolicy{},
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objs...).WithStatusSubresource(append(kinds, &corev1.Service{})...).Build()
	plane := &recorder{}
	return &world{t, c, &reconciler{
		client: c, scheme: scheme, plane: plane, ports: newPorts(),
		options: Options{Address: netip.MustParseAddr("198.18.0.7")},
		kinds: append(kinds, &gwv1.ReferenceGrant{}, &corev1.Service{}, &corev1.Secret{}, &corev1.ConfigMap{},
			&corev1.Namespace{}, &discoveryv1.EndpointSlice{}),
	}, plane}
}

// reconcile runs until the Services of Gateways have addresses: those they ask
// for within 198.19.0.0/16, others get one in turn.
func (w *world) reconcile() {
	w.Helper()
	for range 2 {
		if _, err := w.r.Reconcile(w.Context(), reconcile.Request{}); err != nil {
			w.Fatal(err)
		}
		var services corev1.ServiceList
		if err := w.List(w.Context(), &services); err != nil {
			w.Fatal(err)
		}
		for i, s := range services.Items {
			if s.Spec.Type != corev1.ServiceTypeLoadBalancer || len(s.Status.LoadBalancer.Ingress) > 0 {
				continue
			}
			ip := fmt.Sprintf("198.19.128.%d", i+1)
			if strings.HasPrefix(s.Spec.LoadBalancerIP, "198.19.") {
				ip = s.Spec.LoadBalancerIP
			}
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: ip}}
			if err := w.Status().Update(w.Context(), &s); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// statuses are all conditions as lines: the object, the part of it, the
// condition, its status and its reason.
func (w *world) statuses() []string {
	w.Helper()
	s, err := w.r.snapshot(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	add := func(o client.Object, part string, list []metav1.Condition) {
		for _, c := range list {
			line := strings.Join(strings.Fields(fmt.Sprintf("%s %s %s=%s %s", refOf(o), part, c.Type, c.Status, c.Reason)), " ")
			if c.ObservedGeneration != o.GetGeneration() {
				line += " stale"
			}
			out = append(out, line)
		}
	}
	for _, c := range s.classes {
		add(c, "", c.Status.Conditions)
	}
	for _, g := range s.gateways {
		add(g, "", g.Status.Conditions)
		for _, l := range g.Status.Listeners {
			add(g, string(l.Name), l.Conditions)
			out = append(out, fmt.Sprintf("%s %s routes=%d kinds=%s", refOf(g), l.Name, l.AttachedRoutes, kindNames(l.SupportedKinds)))
		}
		for _, a := range g.Status.Addresses {
			out = append(out, fmt.Sprintf("%s address=%s", refOf(g), a.Value))
		}
		out = append(out, fmt.Sprintf("%s sets=%d", refOf(g), *g.Status.AttachedListenerSets))
	}
	for _, x := range s.sets {
		add(x, "", x.Status.Conditions)
		for _, l := range x.Status.Listeners {
			add(x, string(l.Name), l.Conditions)
			out = append(out, fmt.Sprintf("%s %s routes=%d kinds=%s", refOf(x), l.Name, l.AttachedRoutes, kindNames(l.SupportedKinds)))
		}
	}
	for _, o := range s.routes {
		_, status := routeParts(o)
		for _, p := range status.Parents {
			add(o, string(p.ControllerName)+"/"+string(p.ParentRef.Name), p.Conditions)
		}
	}
	for _, p := range s.policies {
		for _, a := range p.Status.Ancestors {
			add(p, string(a.ControllerName)+"/"+string(a.AncestorRef.Name), a.Conditions)
		}
	}
	slices.Sort(out)
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], GatewayController, "ours")
	}
	return out
}

func kindNames(kinds []gwv1.RouteGroupKind) string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k.Kind))
	}
	return strings.Join(out, ",")
}

// TestStatus reads every file of testdata: objects, then lines "#> STATUS" that
// must be among those written, and "#! STATUS" that must not. A line may end in
// an asterisk.
func TestStatus(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.yaml")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, decode(t, string(raw))...)
			w.reconcile()
			got := w.statuses()
			has := func(want string) bool {
				return slices.ContainsFunc(got, func(line string) bool {
					start, open := strings.CutSuffix(want, "*")
					return line == want || open && strings.HasPrefix(line, start)
				})
			}
			asked := 0
			for line := range strings.Lines(string(raw)) {
				if want, ok := strings.CutPrefix(strings.TrimSpace(line), "#> "); ok {
					if asked++; !has(want) {
						t.Errorf("missing: %s", want)
					}
				}
				if unwanted, ok := strings.CutPrefix(strings.TrimSpace(line), "#! "); ok {
					if asked++; has(unwanted) {
						t.Errorf("not to be: %s", unwanted)
					}
				}
			}
			if asked == 0 {
				t.Error("the file asks nothing")
			}
			if t.Failed() {
				t.Logf("written:\n%s", strings.Join(got, "\n"))
			}

			// What is in line stays as it is.
			w.reconcile()
			if again := w.statuses(); !slices.Equal(got, again) {
				t.Errorf("a second look changed the status:\n%s", strings.Join(again, "\n"))
			}
		})
	}
}

func decode(t *testing.T, text string) []client.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	_ = clientgoscheme.AddToScheme(scheme)
	_ = gwv1.Install(scheme)
	d := serializer.NewCodecFactory(scheme).UniversalDeserializer()
	var out []client.Object
	for doc := range strings.SplitSeq(text, "\n---\n") {
		if !strings.Contains(doc, "apiVersion:") {
			continue
		}
		o, _, err := d.Decode([]byte(doc), nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		x, ok := o.(client.Object)
		if !ok {
			t.Fatalf("%T", o)
		}
		if x.GetGeneration() == 0 {
			x.SetGeneration(1)
		}
		out = append(out, x)
	}
	return out
}

const shop = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: reference}
spec: {controllerName: causeway-gateway.github.io/reference}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  gatewayClassName: reference
  infrastructure: {labels: {team: a}, annotations: {note: b}}
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: udp, port: 53, protocol: UDP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart, namespace: shop}
spec:
  parentRefs: [{name: gw}]
  rules: [{backendRefs: [{name: cart, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {ports: [{name: web, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart-1, namespace: shop, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: web, port: 3000}, {name: other, port: 4000}]
endpoints:
- addresses: [198.18.0.20]
- {addresses: [198.18.0.21], conditions: {ready: false}}
`

// TestConfiguration follows a request from the Gateway's Service to the backend.
func TestConfiguration(t *testing.T) {
	w := newWorld(t, decode(t, shop)...)
	w.reconcile()
	c := w.plane.config
	if len(c.Sockets) != 2 {
		t.Fatalf("sockets: %+v", c.Sockets)
	}
	key := client.ObjectKey{Namespace: "shop", Name: infrastructureName("gw", "")}
	var svc corev1.Service
	var slice discoveryv1.EndpointSlice
	if err := w.Get(t.Context(), key, &svc); err != nil {
		t.Fatal(err)
	}
	if err := w.Get(t.Context(), key, &slice); err != nil {
		t.Fatal(err)
	}
	if svc.Labels["team"] != "a" || svc.Annotations["note"] != "b" || svc.Labels[gwv1.GatewayNameLabelKey] != "gw" {
		t.Errorf("labels and annotations of the infrastructure: %v %v", svc.Labels, svc.Annotations)
	}
	bound := map[string]int{} // by the slice's name of the port
	for _, p := range slice.Ports {
		bound[*p.Name] = int(*p.Port)
	}
	for _, s := range c.Sockets {
		name := fmt.Sprintf("%s-%d", s.Network, s.Port)
		if s.Bind != netip.AddrPortFrom(w.r.options.Address, uint16(bound[name])) {
			t.Errorf("%s is bound to %s, and the Service leads to %v", name, s.Bind, bound)
		}
	}
	if got := slice.Endpoints[0].Addresses; !slices.Equal(got, []string{"198.18.0.7"}) || slice.Labels[discoveryv1.LabelServiceName] != svc.Name {
		t.Errorf("the Service leads to %v of %v", got, slice.Labels)
	}
	d := c.Sockets[0].Table.Route(&routing.Request{Host: "x", Port: 80})
	if d.Backends["shop/cart:80"] != 1 {
		t.Errorf("the request goes to %v", d.Backends)
	}
	if got := c.Endpoints["shop/cart:80"]; !slices.Equal(got, []netip.AddrPort{netip.MustParseAddrPort("198.18.0.20:3000")}) {
		t.Errorf("endpoints: %v", got)
	}

	// The sockets keep their ports, and go with the Gateway's listeners.
	before := c.Sockets[0].Bind
	var g gwv1.Gateway
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "gw"}, &g); err != nil {
		t.Fatal(err)
	}
	g.Spec.Listeners = g.Spec.Listeners[:1]
	if err := w.Update(t.Context(), &g); err != nil {
		t.Fatal(err)
	}
	w.reconcile()
	if s := w.plane.config.Sockets; len(s) != 1 || s[0].Bind != before {
		t.Errorf("sockets: %+v", s)
	}
	if err := w.Get(t.Context(), key, &svc); err != nil || len(svc.Spec.Ports) != 1 {
		t.Errorf("the Service has %v, %v", svc.Spec.Ports, err)
	}
	if err := w.Delete(t.Context(), &g); err != nil {
		t.Fatal(err)
	}
	w.reconcile()
	if err := w.Get(t.Context(), key, &svc); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the Service stays: %v", err)
	}
	if len(w.plane.config.Sockets) != 0 {
		t.Errorf("sockets: %+v", w.plane.config.Sockets)
	}
}

// TestPortsAreGivenInTurn: a port that was freed rests, and each slot keeps its
// own.
func TestPortsAreGivenInTurn(t *testing.T) {
	p := newPorts()
	slotOf := func(n int) slot { return slot{routing.ObjectRef{Name: "gw"}, "tcp", n} }
	a, err := p.bind(slotOf(1))
	if err != nil {
		t.Fatal(err)
	}
	p.keep(nil)
	if b, _ := p.bind(slotOf(2)); b == a {
		t.Errorf("port %d was given again at once", a)
	}
	all := map[int]bool{}
	p = newPorts()
	for n := range lastPort - firstPort + 1 {
		x, err := p.bind(slotOf(n))
		if err != nil || all[x] {
			t.Fatalf("slot %d: port %d, %v", n, x, err)
		}
		all[x] = true
	}
	if _, err := p.bind(slotOf(-1)); err == nil {
		t.Error("more ports than there are")
	}
	if x, err := p.bind(slotOf(0)); err != nil || !all[x] {
		t.Errorf("a slot that has a port: %d, %v", x, err)
	}
}

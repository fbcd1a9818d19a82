package oracle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"istio.io/istio/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/fixtures/random"
	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/output"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

// TestMain keeps pilot's own messages out of the tests' output.
func TestMain(m *testing.M) {
	for _, s := range log.Scopes() {
		s.SetOutputLevel(log.NoneLevel)
	}
	os.Exit(m.Run())
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// objects of a case, as Istio reads them.
func (c *testCase) objects() string {
	gateways := "[edge]"
	if c.mesh {
		gateways = "[mesh]"
	}
	spec := c.vs
	if !strings.Contains(spec, "gateways: [") || strings.Contains(spec, "match: [{gateways:") && !strings.Contains(spec, "], gateways: [") {
		spec = strings.Replace(spec, "{hosts:", "{gateways: "+gateways+", hosts:", 1)
	}
	servers := c.servers
	if servers == "" {
		servers = `[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]`
	}
	docs := []string{
		`{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: edge, namespace: shop}, spec: {selector: {istio: ingressgateway}, servers: ` + servers + `}}`,
		`{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: v, namespace: shop}, spec: ` + spec + `}`,
	}
	if c.more != "" {
		docs = append(docs, c.more)
	}
	return strings.Join(docs, "\n---\n")
}

// pod is a gateway's pod with its Service.
func pod(service, address, labels string, ports []int) string {
	list := make([]string, len(ports))
	for i, p := range ports {
		list[i] = fmt.Sprintf("{name: p%d, port: %d, targetPort: %d}", p, p, p)
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: istio-system}
spec: {clusterIP: 10.9.9.9, selector: {%s}, ports: [%s]}
---
apiVersion: v1
kind: Pod
metadata: {name: %s-0, namespace: istio-system, labels: {%s}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: %s, podIPs: [{ip: %s}], conditions: [{type: Ready, status: "True"}]}
---
`, service, labels, strings.Join(list, ", "), service, labels, address, address)
}

var edgePorts = []int{80, 443, 8080, 9000}

// TestOracle: for every feature, what pilot makes of the objects after the
// migration does with each witness what it did before, or differs as the ledger
// announces. What the front end says of the objects before is held to pilot,
// too.
func TestOracle(t *testing.T) {
	if len(cases) < 40 {
		t.Fatalf("%d cases", len(cases))
	}
	count := map[string]int{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, err := judge(t, c.objects(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if v.differs.String() != c.differs {
				t.Errorf("differs in %q, want %q", v.differs, c.differs)
			}
			t.Log(v)
			count[v.kind()]++
		})
	}
	t.Logf("%d features: identical configuration %d, equal decisions %d, different as announced %d", len(cases), count[identical], count[equal], count[announced])
}

// verdict is what comes of a feature.
type verdict struct {
	differs   verify.Aspect
	identical bool // pilot configures the same, but for what does not route
	asked     int
}

const identical, equal, announced = "identical", "equal decisions", "different as the ledger announces"

func (v verdict) kind() string {
	switch {
	case v.differs != 0:
		return announced
	case v.identical:
		return identical
	}
	return equal
}

func (v verdict) String() string {
	if v.differs == 0 {
		return fmt.Sprintf("%s (%d requests)", v.kind(), v.asked)
	}
	return fmt.Sprintf("%s: %s (%d requests)", v.kind(), v.differs, v.asked)
}

// judge converts Istio objects and asks pilot on both sides. The verdict holds the
// aspects in which decisions differ as the ledger announces; an error names a
// request on which pilot and the front end differ, or that the ledger does not
// announce. More requests are asked beside those that verification derives.
func judge(t *testing.T, istio string, more []routing.Request) (verdict, error) {
	v := verdict{identical: true}
	base := random.Services()
	edge := pod("istio-ingressgateway", "1.1.1.1", "istio: ingressgateway", edgePorts)
	res := convert(t, base+istio+"\n---\n"+edge)
	verified, problems, err := migrate.Check(t.Context(), res)
	if err != nil || len(problems) > 0 {
		return v, fmt.Errorf("%v %w", problems, err)
	}
	for _, d := range verified.Surprises() {
		return v, fmt.Errorf("%s: verification finds a difference in %v that the ledger does not announce:\n%s\n%s", name(&d.Request), d.Aspects, show(d.Before), show(d.After))
	}
	before := start(t, istio, base+edge+secret(t))
	after := start(t, "", base+target(t, res)+secret(t))
	explain := migrate.Announced(res.Ledger, res.From)
	sidecars := map[string][2]*proxy{}
	for _, p := range res.Parts {
		var b, a *proxy
		// Istio tries prefixes before regular expressions
		// (pilot/pkg/config/kube/gateway/conversion.go, getURIRank).
		reading := p.After.Reading
		reading.RegexLast = true
		read := p.After.With(reading)
		requests := witnesses(t, p)
		if p.Name != "the mesh" {
			b = before.gateway("istio-system", "istio-ingressgateway-0", "1.1.1.1", map[string]string{"istio": "ingressgateway"})
			a = after.gateway("istio-system", "gw-0", "2.2.2.2", map[string]string{"gateway.networking.k8s.io/gateway-name": "ingressgateway"})
			requests = append(requests, more...)
			v.identical = v.identical && b.normal() == a.normal()
		}
		v.asked += len(requests)
		if len(requests) == 0 && len(p.Table.Listeners) > 0 {
			return v, errors.New("no request was asked of " + p.Name)
		}
		for _, r := range requests {
			if r.Client != nil {
				pair, ok := sidecars[r.Client.Namespace]
				if !ok {
					pair = [2]*proxy{before.sidecar(r.Client.Namespace), after.sidecar(r.Client.Namespace)}
					sidecars[r.Client.Namespace] = pair
					v.identical = v.identical && pair[0].normal() == pair[1].normal()
				}
				b, a = pair[0], pair[1]
			}
			source, kernel := b.decide(&r), p.Table.Route(&r)
			if d := verify.Differ(&source, &kernel); d != 0 {
				return v, fmt.Errorf("%s: pilot and the front end differ in %v:\n%s\n%s", name(&r), d, show(source), show(kernel))
			}
			target := a.decide(&r)
			d := verify.Differ(&source, &target)
			if d == 0 {
				continue
			}
			v.differs |= d
			x := verify.Difference{Request: r, Before: kernel, After: read.Route(&r), Aspects: d}
			if len(explain(&x)) == 0 {
				return v, fmt.Errorf("%s: differs in %v, and the ledger is silent:\n%s\n%s\n(the kernel says: %s)", name(&r), d, show(source), show(target), show(x.After))
			}
		}
	}
	return v, nil
}

func name(r *routing.Request) string {
	return fmt.Sprintf("%s %s://%s:%d%s %v %v", r.Method, r.Scheme, r.Host, r.Port, r.Path, r.Headers, r.Client)
}

func show(d routing.Decision) string {
	text, err := d.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// witnesses are the requests that verification asks of a part.
func witnesses(t *testing.T, p *migrate.Part) []routing.Request {
	var mu sync.Mutex
	seen := map[string]bool{}
	var out []routing.Request
	_, err := verify.Compare(t.Context(), p.Table, p.After, verify.Options{Asked: func(r *routing.Request, before, after *routing.Decision) {
		if strings.Contains(r.Path, "%") || strings.Contains(r.Path, "/.") {
			return // Envoy resolves these before it routes, which the configuration does not show
		}
		mu.Lock()
		defer mu.Unlock()
		c := *r
		c.Headers = map[string]string{}
		for k, v := range r.Headers {
			c.Headers[k] = v
		}
		if k := fmt.Sprintf("%+v %v", c, c.Client); !seen[k] {
			seen[k] = true
			out = append(out, c)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out, func(a, b routing.Request) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return out
}

func convert(t *testing.T, manifests string) *migrate.Result {
	file := filepath.Join(t.TempDir(), "in.yaml")
	if err := os.WriteFile(file, []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}
	set, problems, err := source.Read(t.Context(), source.Options{Files: []string{file}})
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", problems, err)
	}
	set.Complete = true // as of a live cluster: what is not here does not exist
	res, err := migrate.Run(t.Context(), set, migrate.Options{Emit: emit.Options{GatewayClass: "istio", Version: gatewayapi.Default, Channel: gatewayapi.Standard}, Validate: validate.Full})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Issues) > 0 {
		t.Fatalf("%v", res.Issues)
	}
	return res
}

// target is what was written, with the pod that Istio would run for the Gateway.
func target(t *testing.T, res *migrate.Result) string {
	var b strings.Builder
	b.WriteString(pod("ingressgateway-istio", "2.2.2.2", "gateway.networking.k8s.io/gateway-name: ingressgateway", edgePorts))
	b.WriteString("apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: istio}\nspec: {controllerName: istio.io/gateway-controller}\n")
	for _, ns := range []string{"shop", "other", "istio-system"} {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {kubernetes.io/metadata.name: %s}}\n", ns, ns)
	}
	for _, o := range res.Objects {
		b.WriteString("---\n")
		if g, ok := o.(*gwv1.Gateway); ok {
			name := gwv1.HostnameAddressType
			g = g.DeepCopy()
			g.Spec.Addresses = []gwv1.GatewaySpecAddress{{Type: &name, Value: "ingressgateway-istio.istio-system.svc.cluster.local"}}
			o = g
		}
		if g, ok := o.(*gwv1.ReferenceGrant); ok {
			// A cluster serves the object in the version that Istio asks for.
			g = g.DeepCopy()
			g.APIVersion = "gateway.networking.k8s.io/v1beta1"
			o = g
		}
		if err := output.WriteStream(&b, []client.Object{o}, output.Options{Format: "yaml"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return b.String() + "---\n"
}

// secret is a certificate that can be parsed.
var secret = func() func(t *testing.T) string {
	var once sync.Once
	var text string
	return func(t *testing.T) string {
		once.Do(func() {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			cert := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"*.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
			der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
			if err != nil {
				t.Fatal(err)
			}
			private, err := x509.MarshalECPrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			encode := func(kind string, b []byte) string {
				return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
			}
			text = fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: cert, namespace: istio-system}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n", encode("CERTIFICATE", der), encode("EC PRIVATE KEY", private))
		})
		return text
	}
}()

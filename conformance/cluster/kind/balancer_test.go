package kind

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// nodesStub remembers which node answers for which address.
type nodesStub struct {
	mu    sync.Mutex
	on    map[netip.Addr]string
	fails int
}

func (n *nodesStub) put(_ context.Context, node string, a netip.Addr, on bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fails > 0 {
		n.fails--
		return errors.New("the node does not answer")
	}
	switch {
	case on && n.on[a] != "":
		return fmt.Errorf("%s has %s already", n.on[a], a)
	case on:
		n.on[a] = node
	case n.on[a] == node:
		delete(n.on, a)
	}
	return nil
}

func (n *nodesStub) node(address string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.on[netip.MustParseAddr(address)]
}

func (n *nodesStub) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.on)
}

func readyNode(name string, labels map[string]string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Status: corev1.NodeStatus{
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}
}

func balancedService(name string, families ...corev1.IPFamily) *corev1.Service {
	if len(families) == 0 {
		families = []corev1.IPFamily{corev1.IPv4Protocol}
	}
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, IPFamilies: families}}
}

// running is a balancer of a made-up cluster with these nodes.
func running(t *testing.T, stub *nodesStub, nodes ...*corev1.Node) (*balancer, *fake.Clientset) {
	t.Helper()
	client := fake.NewClientset()
	for _, n := range nodes {
		if err := client.Tracker().Add(n); err != nil {
			t.Fatal(err)
		}
	}
	var blocks []block
	for _, p := range []string{"172.18.0.2/16", "fc00:f853:ccd:e793::2/64"} {
		b, err := blockOf(netip.MustParsePrefix(p))
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
	}
	stub.on = map[netip.Addr]string{}
	b := newBalancer(client, blocks, stub.put, t.Logf)
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stop)
	return b, client
}

func ingress(t *testing.T, client *fake.Clientset, name string) func() []string {
	return func() []string {
		s, err := client.CoreV1().Services("default").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return []string{err.Error()}
		}
		var out []string
		for _, i := range s.Status.LoadBalancer.Ingress {
			out = append(out, i.IP)
		}
		return out
	}
}

func TestBalancer(t *testing.T) {
	g := NewWithT(t)
	stub := &nodesStub{fails: 1} // the first try fails and is repeated
	_, client := running(t, stub, readyNode("control", map[string]string{corev1.LabelNodeExcludeBalancers: ""}), readyNode("worker", nil))
	services := client.CoreV1().Services("default")
	_, err := services.Create(t.Context(), balancedService("one"), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(ingress(t, client, "one"), "10s").Should(Equal([]string{"172.18.253.1"}))
	g.Expect(stub.node("172.18.253.1")).To(Equal("worker"), "the control plane is excluded")

	_, err = services.Create(t.Context(), balancedService("both", corev1.IPv4Protocol, corev1.IPv6Protocol), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(ingress(t, client, "both"), "10s").Should(Equal([]string{"172.18.253.2", "fc00:f853:ccd:e793:ffff:ffff:ffff:fd01"}))

	wants := balancedService("wants")
	wants.Spec.LoadBalancerIP = "172.18.253.77"
	_, err = services.Create(t.Context(), wants, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(ingress(t, client, "wants"), "10s").Should(Equal([]string{"172.18.253.77"}))

	class := "example.com/other"
	other := balancedService("other")
	other.Spec.LoadBalancerClass = &class
	_, err = services.Create(t.Context(), other, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())

	s, err := services.Get(t.Context(), "one", metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	s.Spec.Type = corev1.ServiceTypeClusterIP
	_, err = services.Update(t.Context(), s, metav1.UpdateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(ingress(t, client, "one"), "10s").Should(BeEmpty())
	g.Eventually(func() string { return stub.node("172.18.253.1") }, "10s").Should(BeEmpty())

	g.Expect(services.Delete(t.Context(), "both", metav1.DeleteOptions{})).To(Succeed())
	g.Eventually(stub.count, "10s").Should(Equal(1), "only that of wants is left")
	g.Expect(ingress(t, client, "other")()).To(BeEmpty())
}

func TestBalancerFollowsLocalPods(t *testing.T) {
	g := NewWithT(t)
	stub := &nodesStub{}
	_, client := running(t, stub, readyNode("a", nil), readyNode("b", nil))
	s := balancedService("local")
	s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	_, err := client.CoreV1().Services("default").Create(t.Context(), s, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Consistently(ingress(t, client, "local"), "300ms").Should(BeEmpty(), "no node has a pod of it")

	slice := func(node string) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "local-1", Labels: map[string]string{discoveryv1.LabelServiceName: "local"}},
			Endpoints:  []discoveryv1.Endpoint{{NodeName: &node}},
		}
	}
	slices := client.DiscoveryV1().EndpointSlices("default")
	_, err = slices.Create(t.Context(), slice("b"), metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() string { return stub.node("172.18.253.1") }, "10s").Should(Equal("b"))
	g.Eventually(ingress(t, client, "local"), "10s").Should(Equal([]string{"172.18.253.1"}))

	_, err = slices.Update(t.Context(), slice("a"), metav1.UpdateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() string { return stub.node("172.18.253.1") }, "10s").Should(Equal("a"), "the address moves with the pod")
	g.Expect(ingress(t, client, "local")()).To(Equal([]string{"172.18.253.1"}), "and stays the same")
}

// TestBalancerKeepsAddresses: a controller that starts anew keeps what Services have.
func TestBalancerKeepsAddresses(t *testing.T) {
	g := NewWithT(t)
	stub := &nodesStub{}
	client := fake.NewClientset(readyNode("a", nil))
	had := balancedService("had")
	had.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "172.18.253.9"}}
	fresh := balancedService("fresh")
	for _, s := range []*corev1.Service{had, fresh} {
		g.Expect(client.Tracker().Add(s)).To(Succeed())
	}
	b, err := blockOf(netip.MustParsePrefix("172.18.0.2/16"))
	g.Expect(err).NotTo(HaveOccurred())
	stub.on = map[netip.Addr]string{}
	again := newBalancer(client, []block{b}, stub.put, t.Logf)
	g.Expect(again.start(t.Context())).To(Succeed())
	defer again.stop()
	g.Eventually(ingress(t, client, "fresh"), "10s").Should(Equal([]string{"172.18.253.1"}))
	g.Expect(ingress(t, client, "had")()).To(Equal([]string{"172.18.253.9"}))
	g.Expect(stub.node("172.18.253.9")).To(Equal("a"))
}

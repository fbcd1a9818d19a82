//go:build kind && linux

package live

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
)

// TestThreeNodes makes a cluster in the background, beside the shared one.
func TestThreeNodes(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	name := fmt.Sprintf("three-%d", os.Getpid())
	o, err := options(name)
	g.Expect(err).NotTo(HaveOccurred())
	o.Nodes, o.IPFamily = 3, kind.Dual
	var holder *exec.Cmd
	kubeconfig, err := kind.Start(ctx, o, func() (*exec.Cmd, error) {
		holder = exec.Command(os.Args[0], helperArg, "hold", name)
		return holder, nil
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { down(t, name) })
	g.Expect(kind.Kubeconfig(name)).To(Equal(kubeconfig))
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	g.Expect(err).NotTo(HaveOccurred())
	a := connect(ctx, t, config)

	// A pod on each worker: they reach each other by their own addresses.
	workers := []string{"causeway-" + name + "-worker", "causeway-" + name + "-worker2"}
	var ips []string
	for i, node := range workers {
		p := pod(fmt.Sprintf("on-%d", i), echo)
		p.Spec.NodeName = node
		ips = append(ips, a.createPod(ctx, g, p).Status.PodIP)
		client := pod(fmt.Sprintf("client-%d", i), helper, "talk", "hello")
		client.Spec.NodeName = node
		a.createPod(ctx, g, client)
	}
	for i := range workers {
		g.Eventually(func() (string, error) {
			return a.inside(ctx, fmt.Sprintf("client-%d", i), "get", "http://"+ips[1-i]+":3000/")
		}, "30s", "200ms").Should(ContainSubstring(`"path": "/"`), "from %s", workers[i])
	}

	// With the policy Local only the node of the pod takes traffic in.
	a.echoServer(ctx, g, "local", 1, corev1.ServiceSpec{
		Type: corev1.ServiceTypeLoadBalancer, ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal})
	ip := a.balancer(ctx, g, "local")
	g.Eventually(func() (string, error) { return get("http://" + ip + "/") }, "30s", "100ms").Should(ContainSubstring(`"pod": "local-`))

	a.echoServer(ctx, g, "six", 1, corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, IPFamilies: []corev1.IPFamily{corev1.IPv6Protocol}})
	six := a.balancer(ctx, g, "six")
	g.Eventually(func() (string, error) { return get("http://[" + six + "]/") }, "30s", "100ms").Should(ContainSubstring(`"pod": "six-`))

	// Its background process dies: the cluster goes on and says so.
	g.Expect(holder.Process.Kill()).To(Succeed())
	g.Eventually(func() ([]kind.Status, error) { return kind.List(ctx) }, "10s", "100ms").
		Should(ContainElement(And(HaveField("Name", name), HaveField("Nodes", 3), Satisfy(kind.Status.Unattended))))
	g.Expect(get("http://" + ip + "/")).To(ContainSubstring(`"pod": "local-`))
	down(t, name)
	gone(g, name)
}

// TestCrashAndReap kills the process that made a cluster.
func TestCrashAndReap(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	name := fmt.Sprintf("crash-%d", os.Getpid())
	cmd := exec.Command(os.Args[0], helperArg, "crash", name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	t.Cleanup(func() { down(t, name) })
	lines := bufio.NewScanner(out)
	g.Expect(lines.Scan()).To(BeTrue())
	g.Expect(lines.Text()).To(Equal(created))
	g.Expect(kind.Reap(ctx, name)).To(BeEmpty(), "it is kept")
	g.Expect(cmd.Process.Kill()).To(Succeed())
	_ = cmd.Wait()
	g.Expect(kind.List(ctx)).To(ContainElement(And(HaveField("Name", name), HaveField("State", kind.Running), HaveField("Kept", false))))
	g.Expect(kind.Reap(ctx, "crash-")).To(ConsistOf(name))
	gone(g, name)
}

// TestInterrupt ends the context while kind makes the cluster.
func TestInterrupt(t *testing.T) {
	g := NewWithT(t)
	name := fmt.Sprintf("interrupt-%d", os.Getpid())
	o, err := options(name)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(t.Context())
	o.Logf = func(format string, args ...any) {
		if strings.Contains(fmt.Sprintf(format, args...), "Starting control-plane") {
			cancel()
		}
	}
	t.Cleanup(func() { down(t, name) })
	_, err = kind.NewProvider(o).Create(ctx)
	g.Expect(err).To(MatchError(context.Canceled))
	gone(g, name)
}

func down(t *testing.T, name string) {
	if _, err := kind.Down(context.Background(), name); err != nil {
		t.Errorf("down of %s: %v", name, err)
	}
}

// gone expects that nothing of a cluster is left: containers, volumes, folder.
func gone(g Gomega, name string) {
	all, err := kind.List(context.Background())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(all).NotTo(ContainElement(HaveField("Name", name)))
	out, err := exec.Command("docker", "ps", "--all", "--quiet", "--filter", "name=causeway-"+name).CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(out)).To(BeEmpty())
	out, err = exec.Command("docker", "volume", "ls", "--quiet", "--filter", "dangling=true").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(out)).To(BeEmpty(), "volumes that no container uses")
}

//go:build kind && linux

package live

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilexec "k8s.io/client-go/util/exec"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/features"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind/archive"
)

// assess runs a test in a namespace of its own in the shared cluster.
func assess(t *testing.T, name string, test func(ctx context.Context, g Gomega, a api)) {
	testenv.Test(t, features.New(name).Assess("works", func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
		test(ctx, NewWithT(t), connect(ctx, t, provider.KubernetesRestConfig()))
		return ctx
	}).Feature())
}

func TestCreate(t *testing.T) {
	assess(t, "create", func(ctx context.Context, g Gomega, a api) {
		nodes, err := a.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: kind.Label + "=" + shared})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(nodes.Items).To(HaveLen(1), "every node has our label")
		all, err := kind.List(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(all).To(ContainElement(And(HaveField("Name", shared), HaveField("State", kind.Running),
			HaveField("Kept", true), HaveField("Nodes", 1), HaveField("Kubeconfig", provider.GetKubeconfig()))))

		o, err := options(shared)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = kind.NewProvider(o).Create(ctx)
		g.Expect(err).To(MatchError(ContainSubstring("is up already")), "a name is taken once")
		g.Expect(kind.Reap(ctx, shared)).To(BeEmpty(), "what a process keeps is not reaped")
	})
}

func TestLoad(t *testing.T) {
	assess(t, "load", func(ctx context.Context, g Gomega, a api) {
		self, err := os.Executable()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(provider.LoadImage(ctx, "example.com/loaded:v1", self, helperArg)).To(Succeed())
		a.createPod(ctx, g, pod("program", "example.com/loaded:v1", "talk", "loaded"))

		img, err := archive.FromProgram(image.Program{Path: self, Name: "other", Args: []string{helperArg}})
		g.Expect(err).NotTo(HaveOccurred())
		file := filepath.Join(os.TempDir(), shared+".tar")
		defer os.Remove(file)
		g.Expect(archive.WriteFile(file, map[string]v1.Image{"example.com/archived:v1": img})).To(Succeed())
		g.Expect(provider.LoadImageArchive(ctx, file)).To(Succeed())
		a.createPod(ctx, g, pod("archived", "example.com/archived:v1", "talk", "archived"))

		g.Expect(provider.LoadImageArchive(ctx, file+".not")).To(MatchError(ContainSubstring("no such file")))
		g.Expect(provider.LoadImage(ctx, "example.com/nobody-has:v1")).To(MatchError(ContainSubstring("example.com/nobody-has:v1")))
	})
}

func TestNodePort(t *testing.T) {
	assess(t, "NodePort", func(ctx context.Context, g Gomega, a api) {
		a.echoServer(ctx, g, "ported", 1, corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort})
		port := a.service(ctx, g, "ported").Spec.Ports[0].NodePort
		nodes, err := a.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		for _, address := range nodes.Items[0].Status.Addresses {
			if address.Type != corev1.NodeInternalIP {
				continue
			}
			u := url.URL{Scheme: "http", Host: net.JoinHostPort(address.Address, strconv.Itoa(int(port))), Path: "/"}
			g.Eventually(func() (string, error) { return get(u.String()) }, "30s", "100ms").Should(ContainSubstring(`"pod": "ported-`))
		}
	})
}

func TestLoadBalancer(t *testing.T) {
	assess(t, "LoadBalancer", func(ctx context.Context, g Gomega, a api) {
		a.echoServer(ctx, g, "first", 2, corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer})
		a.echoServer(ctx, g, "second", 1, corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal})
		first, second := a.balancer(ctx, g, "first"), a.balancer(ctx, g, "second")
		g.Expect(first).NotTo(Equal(second))
		for name, ip := range map[string]string{"first": first, "second": second} {
			g.Eventually(func() (string, error) { return get("http://" + ip + "/") }, "30s", "100ms").
				Should(ContainSubstring(`"pod": "%s-`, name), "from this machine")
		}
		a.createPod(ctx, g, pod("client", helper, "talk", "hello"))
		g.Eventually(func() (string, error) { return a.inside(ctx, "client", "get", "http://"+first+"/") }, "20s", "100ms").
			Should(ContainSubstring(`"pod": "first-`), "from a pod")

		s := a.service(ctx, g, "first")
		s.Spec.Type = corev1.ServiceTypeClusterIP
		_, err := a.CoreV1().Services(a.namespace).Update(ctx, s, metav1.UpdateOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Eventually(func(g Gomega) {
			g.Expect(a.service(ctx, g, "first").Status.LoadBalancer.Ingress).To(BeEmpty())
		}, "20s", "100ms").Should(Succeed(), "it is given back")
		g.Eventually(func() error { _, err := get("http://" + first + "/"); return err }, "20s", "100ms").Should(HaveOccurred())
		a.echoServer(ctx, g, "third", 1, corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer})
		g.Expect(a.balancer(ctx, g, "third")).To(Equal(first), "and given to the next")

		class := "example.com/other"
		a.echoServer(ctx, g, "others", 1, corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: &class})
		g.Consistently(func(g Gomega) {
			g.Expect(a.service(ctx, g, "others").Status.LoadBalancer.Ingress).To(BeEmpty())
		}, "2s", "100ms").Should(Succeed(), "a class is somebody else's")
	})
}

func TestDNS(t *testing.T) {
	assess(t, "DNS", func(ctx context.Context, g Gomega, a api) {
		a.echoServer(ctx, g, "named", 1, corev1.ServiceSpec{})
		a.createPod(ctx, g, pod("asks", helper, "talk", "hello"))
		want := a.service(ctx, g, "named").Spec.ClusterIP
		for _, name := range []string{"named", "named." + a.namespace, "named." + a.namespace + ".svc.cluster.local"} {
			g.Eventually(func() (string, error) { return a.inside(ctx, "asks", "lookup", name) }, "60s", "500ms").Should(Equal(want), name)
		}
		nodes, err := a.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.inside(ctx, "asks", "lookup", nodes.Items[0].Name+".")).NotTo(BeEmpty(), "names of the engine reach pods, too")
	})
}

func TestExecAndLogs(t *testing.T) {
	assess(t, "exec and logs", func(ctx context.Context, g Gomega, a api) {
		a.createPod(ctx, g, pod("talks", helper, "talk", "something to say"))
		logs := func() (string, error) {
			out, err := a.CoreV1().Pods(a.namespace).GetLogs("talks", &corev1.PodLogOptions{}).DoRaw(ctx)
			return string(out), err
		}
		g.Eventually(logs, "10s", "100ms").Should(Equal("something to say\n"))
		_, err := a.inside(ctx, "talks", "get", "http://127.0.0.1:1/")
		var exit utilexec.CodeExitError
		g.Expect(errors.As(err, &exit)).To(BeTrue(), "%v", err)
		g.Expect(exit.Code).To(Equal(1))

		dir, err := os.MkdirTemp("", "live-logs-")
		g.Expect(err).NotTo(HaveOccurred())
		defer os.RemoveAll(dir)
		g.Expect(provider.ExportLogs(ctx, dir)).To(Succeed())
		found, err := filepath.Glob(filepath.Join(dir, "*", "kubelet.log"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found).To(HaveLen(1))
		found, err = filepath.Glob(filepath.Join(dir, "*", "pods", a.namespace+"_talks_*", "main", "0.log"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found).To(HaveLen(1))
		text, err := os.ReadFile(found[0])
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(text)).To(ContainSubstring("something to say"))
	})
}

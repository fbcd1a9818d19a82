//go:build cluster && linux

package live

import (
	"context"
	"fmt"
	"net"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/features"
)

// echoServer is a Deployment of the suite's echo server and a LoadBalancer
// Service for it.
func echoServer(name string, replicas int32, port corev1.ServicePort, env ...corev1.EnvVar) (*appsv1.Deployment, *corev1.Service) {
	of := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	env = append(env, corev1.EnvVar{Name: "POD_NAME", ValueFrom: of("metadata.name")}, corev1.EnvVar{Name: "NAMESPACE", ValueFrom: of("metadata.namespace")})
	pod := corev1.PodTemplateSpec{ObjectMeta: meta(name), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "echo", Image: echo, Env: env}}}}
	selector := map[string]string{"app": name}
	return &appsv1.Deployment{ObjectMeta: meta(name), Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: selector}, Template: pod}},
		&corev1.Service{ObjectMeta: meta(name), Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Selector: selector, Ports: []corev1.ServicePort{port}}}
}

func (a api) service(ctx context.Context, g Gomega, name string) (clusterIP, balancer string) {
	s, err := a.CoreV1().Services(a.namespace).Get(ctx, name, metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Status.LoadBalancer.Ingress).To(HaveLen(1))
	return s.Spec.ClusterIP, s.Status.LoadBalancer.Ingress[0].IP
}

func TestServicesOverTCP(t *testing.T) {
	testenv.Test(t, features.New("TCP").Assess("reached", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		port := corev1.ServicePort{Name: "http", Port: 80, TargetPort: intstr.FromInt32(3000)}
		deployment, service := echoServer("web", 2, port)
		a.create(ctx, t, deployment, service)
		var cluster, balancer string
		g.Eventually(func(g Gomega) { cluster, balancer = a.service(ctx, g, "web") }, "20s", "50ms").Should(Succeed())
		for _, host := range []string{cluster, balancer, "web." + a.namespace, "web." + a.namespace + ".svc.cluster.local"} {
			g.Eventually(func() (string, error) { return inside(ctx, "get", "http://"+host+"/") }, "20s", "100ms").
				Should(ContainSubstring(`"namespace": %q`, a.namespace), "at %s", host)
		}
		// Both pods get their share.
		list, err := a.CoreV1().Pods(a.namespace).List(ctx, metav1.ListOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		for _, p := range list.Items {
			g.Eventually(func() (string, error) { return inside(ctx, "get", "http://"+balancer+"/") }, "20s", "1ms").
				Should(ContainSubstring(p.Name), "40 answers in a row by the other pod are one in 10^12")
		}

		// A pod reaches itself through its Service: each try has two pods to choose from.
		self := list.Items[0].Name
		g.Eventually(func() (string, error) {
			out, _, err := a.exec(ctx, self, "", "bash", "-c",
				`exec 3<>/dev/tcp/web/80 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && cat <&3`)
			return out, err
		}, "20s", "1ms").Should(ContainSubstring(self))

		// Without endpoints it is refused rather than left unanswered.
		g.Expect(a.Resources().Delete(ctx, deployment)).To(Succeed())
		g.Eventually(func() error { _, err := inside(ctx, "get", "http://"+balancer+"/"); return err }, "20s", "100ms").
			Should(MatchError(ContainSubstring("connection refused")))
		return ctx
	}).Feature())
}

func TestServicesOverUDP(t *testing.T) {
	testenv.Test(t, features.New("UDP").Assess("reached", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		port := corev1.ServicePort{Name: "udp", Protocol: corev1.ProtocolUDP, Port: 5300, TargetPort: intstr.FromInt32(8080)}
		deployment, service := echoServer("datagrams", 1, port, corev1.EnvVar{Name: "UDP_ECHO_SERVER", Value: "true"})
		a.create(ctx, t, deployment, service)
		var cluster, balancer string
		g.Eventually(func(g Gomega) { cluster, balancer = a.service(ctx, g, "datagrams") }, "20s", "50ms").Should(Succeed())
		for _, host := range []string{cluster, balancer, "datagrams." + a.namespace} {
			g.Eventually(func() (string, error) { return inside(ctx, "udp", net.JoinHostPort(host, "5300")) }, "20s", "100ms").
				Should(ContainSubstring(a.namespace), "at %s", host)
		}
		return ctx
	}).Feature())
}

func TestNames(t *testing.T) {
	testenv.Test(t, features.New("DNS").Assess("answers", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		pod := script("named", "while :; do sleep 1; done")
		pod.Spec.Hostname, pod.Spec.Subdomain = "one", "headless"
		headless := &corev1.Service{ObjectMeta: meta("headless"), Spec: corev1.ServiceSpec{
			ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"app": "named"}, Ports: []corev1.ServicePort{{Port: 1}},
		}}
		a.create(ctx, t, headless, pod)
		g.Eventually(a.pod(ctx, "named"), "20s", "50ms").Should(Satisfy(ready))
		found, err := a.pod(ctx, "named")()
		g.Expect(err).NotTo(HaveOccurred())
		for _, tc := range []struct{ reason, name, want string }{
			{"the API server's Service has the first address", "kubernetes.default.svc.cluster.local", "198.19.0.1"},
			{"a headless Service is the addresses of its pods", "headless." + a.namespace, found.Status.PodIP},
			{"a pod with hostname and subdomain has a name of its own", fmt.Sprintf("one.headless.%s.svc.cluster.local", a.namespace), found.Status.PodIP},
		} {
			g.Eventually(func() (string, error) { return inside(ctx, "lookup", tc.name) }, "10s", "100ms").Should(Equal(tc.want), tc.reason)
		}
		out, stderr, err := a.exec(ctx, "named", "", "sh", "-c", "cat /etc/hosts /etc/resolv.conf; hostname")
		g.Expect(err).NotTo(HaveOccurred(), stderr)
		g.Expect(out).To(And(ContainSubstring("%s\tone.headless.%s.svc.cluster.local\tone", found.Status.PodIP, a.namespace),
			ContainSubstring("search %s.svc.cluster.local", a.namespace), HaveSuffix("\none\n")))
		return ctx
	}).Feature())
}

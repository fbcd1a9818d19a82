//go:build kind && linux

package live

import (
	"bytes"
	"context"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

// api is one namespace of a cluster.
type api struct {
	kubernetes.Interface
	config    *rest.Config
	namespace string
}

// connect makes a namespace of the test's own.
func connect(ctx context.Context, t *testing.T, config *rest.Config) api {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "live-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return api{Interface: client, config: config, namespace: ns.Name}
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}}
}

// pod runs an image that must be there already.
func pod(name, image string, args ...string) *corev1.Pod {
	no := int64(0)
	return &corev1.Pod{ObjectMeta: meta(name), Spec: corev1.PodSpec{
		TerminationGracePeriodSeconds: &no,
		Containers:                    []corev1.Container{{Name: "main", Image: image, Args: args, ImagePullPolicy: corev1.PullNever}},
	}}
}

func (a api) createPod(ctx context.Context, g Gomega, p *corev1.Pod) *corev1.Pod {
	_, err := a.CoreV1().Pods(a.namespace).Create(ctx, p, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	var found *corev1.Pod
	g.Eventually(func(g Gomega) {
		found, err = a.CoreV1().Pods(a.namespace).Get(ctx, p.Name, metav1.GetOptions{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found.Status.Conditions).To(ContainElement(And(
			HaveField("Type", corev1.PodReady), HaveField("Status", corev1.ConditionTrue))), "%v", found.Status.ContainerStatuses)
	}, "60s", "100ms").Should(Succeed())
	return found
}

// echoServer starts replicas of the suite's echo server, which answers with
// its pod's name, and a Service for them.
func (a api) echoServer(ctx context.Context, g Gomega, name string, replicas int32, spec corev1.ServiceSpec) {
	of := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	p := pod(name, echo)
	p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "POD_NAME", ValueFrom: of("metadata.name")}, {Name: "NAMESPACE", ValueFrom: of("metadata.namespace")}}
	selector := map[string]string{"app": name}
	_, err := a.AppsV1().Deployments(a.namespace).Create(ctx, &appsv1.Deployment{ObjectMeta: meta(name), Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: selector},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: selector}, Spec: p.Spec},
	}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	spec.Selector, spec.Ports = selector, []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(3000)}}
	_, err = a.CoreV1().Services(a.namespace).Create(ctx, &corev1.Service{ObjectMeta: meta(name), Spec: spec}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
}

func (a api) service(ctx context.Context, g Gomega, name string) *corev1.Service {
	s, err := a.CoreV1().Services(a.namespace).Get(ctx, name, metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	return s
}

// balancer waits for the address of a Service's load balancer.
func (a api) balancer(ctx context.Context, g Gomega, name string) string {
	var ip string
	g.Eventually(func(g Gomega) {
		ingress := a.service(ctx, g, name).Status.LoadBalancer.Ingress
		g.Expect(ingress).To(HaveLen(1))
		ip = ingress[0].IP
	}, "20s", "50ms").Should(Succeed())
	return ip
}

// exec runs a command in a pod.
func (a api) exec(ctx context.Context, pod string, command ...string) (stdout string, err error) {
	req := a.CoreV1().RESTClient().Post().Resource("pods").Namespace(a.namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewSPDYExecutor(a.config, "POST", req.URL())
	if err != nil {
		return "", err
	}
	var out, stderr bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &stderr})
	return out.String(), err
}

// inside runs a helper in a pod.
func (a api) inside(ctx context.Context, pod, name, arg string) (string, error) {
	return a.exec(ctx, pod, "/helper", helperArg, name, arg)
}

//go:build cluster && linux

package live

import (
	"bytes"
	"context"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/klient/k8s"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
)

// api is the shared cluster as a test sees it.
type api struct {
	klient.Client
	kubernetes.Interface
	namespace string
}

// connect gives a test a namespace of its own in the shared cluster.
func connect(ctx context.Context, t *testing.T, c *envconf.Config) api {
	t.Helper()
	return connectTo(ctx, t, c.KubeconfigFile())
}

// connectTo gives a test a namespace of its own in a cluster.
func connectTo(ctx context.Context, t testing.TB, kubeconfig string) api {
	t.Helper()
	client, err := klient.NewWithKubeConfigFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	clientset, err := kubernetes.NewForConfig(client.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	ns, err := clientset.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "live-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Pods are rejected until a controller has made this account.
	NewWithT(t).Eventually(func() error {
		_, err := clientset.CoreV1().ServiceAccounts(ns.Name).Get(ctx, "default", metav1.GetOptions{})
		return err
	}, "10s", "50ms").Should(Succeed())
	return api{client, clientset, ns.Name}
}

func (a api) create(ctx context.Context, t testing.TB, objects ...k8s.Object) {
	t.Helper()
	for _, o := range objects {
		o.SetNamespace(a.namespace)
		if err := a.Resources().Create(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
}

// pod returns a getter for Eventually.
func (a api) pod(ctx context.Context, name string) func() (*corev1.Pod, error) {
	return func() (*corev1.Pod, error) {
		return a.CoreV1().Pods(a.namespace).Get(ctx, name, metav1.GetOptions{})
	}
}

func (a api) logs(ctx context.Context, name string, o corev1.PodLogOptions) (string, error) {
	data, err := a.CoreV1().Pods(a.namespace).GetLogs(name, &o).DoRaw(ctx)
	return string(data), err
}

// exec runs a command in a pod's container as kubectl does.
func (a api) exec(ctx context.Context, name, stdin string, command ...string) (stdout, stderr string, err error) {
	req := a.CoreV1().RESTClient().Post().Resource("pods").Namespace(a.namespace).Name(name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: command, Stdin: stdin != "", Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewSPDYExecutor(a.RESTConfig(), "POST", req.URL())
	if err != nil {
		return "", "", err
	}
	var out, errOut bytes.Buffer
	o := remotecommand.StreamOptions{Stdout: &out, Stderr: &errOut}
	if stdin != "" {
		o.Stdin = strings.NewReader(stdin)
	}
	err = executor.StreamWithContext(ctx, o)
	return out.String(), errOut.String(), err
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}}
}

// script is a pod that runs shell commands.
func script(name, text string) *corev1.Pod {
	grace := int64(2)
	return &corev1.Pod{ObjectMeta: meta(name), Spec: corev1.PodSpec{
		TerminationGracePeriodSeconds: &grace,
		Containers:                    []corev1.Container{{Name: "main", Image: shell, Command: []string{"sh", "-c", text}}},
	}}
}

// ready is a matcher's transform: is the pod ready?
func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

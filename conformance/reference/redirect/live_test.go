//go:build cluster && linux

package redirect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// The images of the test, besides those of every cluster.
const (
	echo  = "registry.k8s.io/gateway-api/echo-basic:v1.5.1"
	shell = "example.com/shell" // the machine's own bash
	self  = "example.com/proxy" // this binary
)

const (
	proxyArg  = "proxy"
	proxyPort = 15001
)

func TestMain(m *testing.M) {
	if code, handled := embedded.Main(os.Args); handled {
		os.Exit(code)
	}
	if len(os.Args) == 3 && os.Args[1] == proxyArg {
		if err := proxy(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// proxy is what the pod on the node runs: it redirects one target to itself
// and tells each client who it is and where it wanted to go.
func proxy(target string) error {
	at, err := LocalAddress(netip.MustParseAddr(os.Getenv("KUBERNETES_SERVICE_HOST")))
	if err != nil {
		return err
	}
	port := uint16(proxyPort)
	if other := os.Getenv("PORT"); other != "" {
		if _, err := fmt.Sscan(other, &port); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", netip.AddrPortFrom(at, port).String())
	if err != nil {
		return err
	}
	r, err := New(netip.AddrPortFrom(at, port))
	if err != nil {
		return err
	}
	if err := r.Apply([]netip.AddrPort{netip.MustParseAddrPort(target)}); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { listener.Close() })
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() == nil {
				return err
			}
			return r.Close()
		}
		_, _ = bufio.NewReader(conn).ReadString('\n') // or the client could not write any more
		to, err := originalDestination(conn.(*net.TCPConn))
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
		fmt.Fprintf(conn, "proxied from %s to %s %v\n", from, to, err)
		conn.Close()
	}
}

func originalDestination(c *net.TCPConn) (to netip.AddrPort, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return to, err
	}
	cerr := raw.Control(func(fd uintptr) {
		// A struct sockaddr_in, which this type has room for.
		var m *unix.IPv6Mreq
		if m, err = unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, unix.SO_ORIGINAL_DST); err == nil {
			b := m.Multiaddr
			to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8|uint16(b[3]))
		}
	})
	return to, errors.Join(err, cerr)
}

// TestRedirect has two pods, a Service and a proxy on the node.
func TestRedirect(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	bash, err := exec.LookPath("bash")
	g.Expect(err).NotTo(HaveOccurred())
	binary, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	cluster, err := embedded.Up(ctx, embedded.Options{
		Name:   fmt.Sprintf("redirect-%d", os.Getpid()),
		Images: map[string]image.Program{shell: {Path: bash}, self: {Path: binary, Name: "proxy"}},
		Logf:   t.Logf,
	})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(cluster.Down(context.WithoutCancel(ctx))).To(Succeed()) })
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig())
	g.Expect(err).NotTo(HaveOccurred())
	api := kubernetes.NewForConfigOrDie(config)
	pods := api.CoreV1().Pods(metav1.NamespaceDefault)

	service, err := api.CoreV1().Services(metav1.NamespaceDefault).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "server"}, Ports: []corev1.ServicePort{
			{Name: "http", Port: 80, TargetPort: intstr.FromInt32(3000)}, {Name: "other", Port: 81, TargetPort: intstr.FromInt32(3000)},
		}},
	}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	target := service.Spec.ClusterIP + ":80"
	start := func(name string, network bool, c corev1.Container) {
		c.Name = "main"
		_, err := pods.Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
			Spec:       corev1.PodSpec{HostNetwork: network, Containers: []corev1.Container{c}},
		}, metav1.CreateOptions{})
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Eventually(func() error {
		_, err := api.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	}, "10s", "50ms").Should(Succeed())
	start("server", false, corev1.Container{Image: echo, Env: []corev1.EnvVar{{Name: "POD_NAME", Value: "server"}}})
	start("client", false, corev1.Container{Image: shell, Args: []string{"-c", "while :; do sleep 1; done"}})

	// ask has the pod connect to a port of the Service, and returns what it is told.
	ask := func(port string) func() (string, error) {
		return func() (string, error) { return inPod(ctx, config, api, "client", request("web", port)) }
	}
	const direct = `"pod": "server"`
	g.Eventually(ask("80"), "20s", "100ms").Should(ContainSubstring(direct), "without a redirect it goes to the pod")

	t.Cleanup(func() {
		if t.Failed() {
			logs, err := pods.GetLogs("proxy", &corev1.PodLogOptions{}).DoRaw(context.WithoutCancel(ctx))
			t.Logf("the proxy says: %s %v", logs, err)
		}
	})
	add := []corev1.Capability{"NET_ADMIN"}
	start("proxy", true, corev1.Container{Image: self, Args: []string{proxyArg, target},
		SecurityContext: &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: add}}})
	client, err := pods.Get(ctx, "client", metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(ask("80"), "20s", "100ms").Should(Equal(fmt.Sprintf("proxied from %s to %s <nil>\n", client.Status.PodIP, target)),
		"the proxy knows the pod and where it wanted to go")
	start("second", true, corev1.Container{Image: self, Args: []string{proxyArg, target}, Env: []corev1.EnvVar{{Name: "PORT", Value: "15002"}}})
	g.Eventually(func() (string, error) {
		logs, err := pods.GetLogs("second", &corev1.PodLogOptions{}).DoRaw(ctx)
		return string(logs), err
	}, "20s", "100ms").Should(ContainSubstring("another process may do so already"), "there is one proxy at a time")
	g.Expect(pods.Delete(ctx, "second", metav1.DeleteOptions{})).To(Succeed())
	g.Expect(ask("81")()).To(ContainSubstring(direct), "another port of the Service is no target")
	var out bytes.Buffer
	cmd := cluster.Command(ctx, bash, "-c", request(service.Spec.ClusterIP, "80"))
	cmd.Stdout = &out
	g.Expect(cmd.Run()).To(Succeed())
	g.Expect(out.String()).To(ContainSubstring(direct), "a connection that the node makes itself is not redirected")

	g.Expect(pods.Delete(ctx, "proxy", metav1.DeleteOptions{})).To(Succeed())
	g.Eventually(ask("80"), "20s", "100ms").Should(ContainSubstring(direct), "the end of the proxy ends the redirect")
}

// request is a bash script that asks for a page.
func request(host, port string) string {
	return fmt.Sprintf(`exec 3<>/dev/tcp/%s/%s && { printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3; }`, host, port)
}

func inPod(ctx context.Context, config *rest.Config, api kubernetes.Interface, pod, script string) (string, error) {
	req := api.CoreV1().RESTClient().Post().Resource("pods").Namespace(metav1.NamespaceDefault).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Command: []string{"bash", "-c", script}, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	executor, err := remotecommand.NewSPDYExecutor(config, "POST", req.URL())
	if err != nil {
		return "", err
	}
	var out, stderr bytes.Buffer
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &stderr}); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return out.String(), nil
}

// TestRedirectUnprivileged is TestRedirect of a user who has nothing: the
// namespaces of the cluster give all the rights that it takes.
func TestRedirectUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		return // then TestRedirect ran without privileges
	}
	g := NewWithT(t)
	const nobody = 65534
	// One that others may enter, and short enough for a socket.
	dir, err := os.MkdirTemp("", "causeway-nobody-") //nolint:usetesting // t.TempDir is neither
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { os.RemoveAll(dir) })
	g.Expect(os.Chown(dir, nobody, nobody)).To(Succeed())
	binary, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	// What root has built is not readable for others, so they get a release.
	programs := map[string]string{"causeway.test": binary}
	for _, name := range []string{components.ControlPlane, components.EchoBasic, components.EchoAdvanced, components.EchoAdvancedClient} {
		programs[name], err = components.Finder{}.Find(t.Context(), name)
		g.Expect(err).NotTo(HaveOccurred())
	}
	for name, from := range programs {
		data, err := os.ReadFile(from)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.WriteFile(filepath.Join(dir, name), data, 0o755)).To(Succeed())
	}
	cmd := exec.Command(filepath.Join(dir, "causeway.test"), "-test.run=^TestRedirect$", "-test.v")
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(out))
	g.Expect(strings.Contains(string(out), "--- PASS: TestRedirect ")).To(BeTrue(), string(out))
}

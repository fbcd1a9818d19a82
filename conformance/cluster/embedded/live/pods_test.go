//go:build cluster && linux

package live

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilexec "k8s.io/client-go/util/exec"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/features"
)

func TestLogsAndExec(t *testing.T) {
	testenv.Test(t, features.New("kubectl").Assess("logs and exec", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		a.create(ctx, t, script("talks", "echo first; echo second >&2; while :; do sleep 0.1; [ -e /tmp/go ] && echo third && rm /tmp/go; done"))
		g.Eventually(func() (string, error) { return a.logs(ctx, "talks", corev1.PodLogOptions{}) }, "20s", "50ms").
			Should(Or(Equal("first\nsecond\n"), Equal("second\nfirst\n")), "nobody promises an order between two streams")
		one := int64(1)
		g.Expect(a.logs(ctx, "talks", corev1.PodLogOptions{TailLines: &one})).To(Or(Equal("first\n"), Equal("second\n")))

		follow, err := a.CoreV1().Pods(a.namespace).GetLogs("talks", &corev1.PodLogOptions{Follow: true}).Stream(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		defer follow.Close()
		lines := bufio.NewScanner(follow)
		for _, of := range []string{"the first line", "the second line"} {
			nextLine(g, lines, "the log, before "+of+",")
		}
		out, stderr, err := a.exec(ctx, "talks", "typed\n", "sh", "-c", "cat; echo complaint >&2; touch /tmp/go; exit 7")
		g.Expect(out).To(Equal("typed\n"))
		g.Expect(stderr).To(Equal("complaint\n"))
		var exit utilexec.CodeExitError
		g.Expect(errors.As(err, &exit)).To(BeTrue(), "the exit code of an exec, not %v", err)
		g.Expect(exit.Code).To(Equal(7))
		g.Expect(nextLine(g, lines, "the log of a running container")).To(Equal("third"), "followed logs go on")

		_, _, err = a.exec(ctx, "talks", "", "no-such-program")
		g.Expect(err).To(MatchError(ContainSubstring("not found")))
		return ctx
	}).Feature())
}

func TestEnvironmentAndVolumes(t *testing.T) {
	testenv.Test(t, features.New("configuration").Assess("reaches the container", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		config := &corev1.ConfigMap{ObjectMeta: meta("config"), Data: map[string]string{"key": "from-config", "extra": "e"}}
		secret := &corev1.Secret{ObjectMeta: meta("secret"), StringData: map[string]string{"password": "from-secret"}}
		pod := script("configured", "while :; do sleep 1; done")
		main := &pod.Spec.Containers[0]
		main.EnvFrom = []corev1.EnvFromSource{{Prefix: "ALL_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "config"}}}}
		main.Env = []corev1.EnvVar{
			{Name: "PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "secret"}, Key: "password"}}},
			{Name: "IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}},
			{Name: "BOTH", Value: "$(PASSWORD)-$(IP)-$(UNKNOWN)"},
		}
		main.VolumeMounts = []corev1.VolumeMount{
			{Name: "config", MountPath: "/etc/config"},
			{Name: "secret", MountPath: "/run/one", SubPath: "password"},
			{Name: "scratch", MountPath: "/scratch"},
		}
		mode := int32(0o400)
		pod.Spec.Volumes = []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "config"}, Items: []corev1.KeyToPath{{Key: "key", Path: "deep/key"}}}}},
			{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "secret", DefaultMode: &mode}}},
			{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		}
		pod.Spec.InitContainers = []corev1.Container{{
			Name: "before", Image: shell, Command: []string{"sh", "-c", "echo prepared > /scratch/file"},
			VolumeMounts: []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}},
		}}
		a.create(ctx, t, pod)
		g.Eventually(a.pod(ctx, "configured"), "20s", "50ms").Should(HaveField("Status.ContainerStatuses",
			ContainElement(HaveField("State.Waiting.Message", ContainSubstring(`"config" not found`)))), "what is missing is said")
		a.create(ctx, t, config, secret)
		g.Eventually(a.pod(ctx, "configured"), "30s", "50ms").Should(Satisfy(ready), "and waited for")
		found, err := a.pod(ctx, "configured")()
		g.Expect(err).NotTo(HaveOccurred())
		for _, tc := range []struct{ reason, command, want string }{
			{"envFrom with a prefix", "echo $ALL_key", "from-config\n"},
			{"variables in variables; unknown ones stay", "echo $BOTH", "from-secret-" + found.Status.PodIP + "-$(UNKNOWN)\n"},
			{"items choose paths", "cd /etc/config && find . -type f", "./deep/key\n"},
			{"subPath mounts one file", "cat /run/one", "from-secret"},
			{"defaultMode", "stat -c %a /run/one", "400\n"},
			{"what comes from the API is read-only", "touch /etc/config/x 2>/dev/null || echo refused", "refused\n"},
			{"emptyDir is shared", "cat /scratch/file", "prepared\n"},
			{"the system's folders are read-only", "touch /usr/x 2>/dev/null || echo refused", "refused\n"},
			{"the machine's other folders are not there", "ls /root /home", "/home:\n\n/root:\n"},
			{"a token of the pod's account", "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace", a.namespace},
		} {
			out, stderr, err := a.exec(ctx, "configured", "", "sh", "-c", tc.command)
			g.Expect(err).NotTo(HaveOccurred(), tc.reason+stderr)
			g.Expect(out).To(Equal(tc.want), tc.reason)
		}
		return ctx
	}).Feature())
}

func TestHostPathIsRefused(t *testing.T) {
	testenv.Test(t, features.New("hostPath").Assess("refused", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		pod := script("curious", "ls /host")
		pod.Spec.Volumes = []corev1.Volume{{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "host", MountPath: "/host"}}
		a.create(ctx, t, pod)
		NewWithT(t).Eventually(a.pod(ctx, "curious"), "20s", "50ms").Should(And(
			HaveField("Status.Phase", corev1.PodPending),
			HaveField("Status.ContainerStatuses", ContainElement(HaveField("State.Waiting.Message", ContainSubstring("none of this machine's files"))))))
		return ctx
	}).Feature())
}

func TestBrokenPods(t *testing.T) {
	testenv.Test(t, features.New("broken pods").Assess("are visible", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		status := func(of OmegaMatcher) OmegaMatcher { return HaveField("Status.ContainerStatuses", ContainElement(of)) }

		never := script("never-ready", "while :; do sleep 1; done")
		never.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"sh", "-c", "exit 1"}}}}
		unknown := script("unknown-image", "while :; do sleep 1; done")
		unknown.Spec.Containers[0].Image = "example.com/nobody-knows:v1"
		sick := script("sick", "touch /tmp/well; sleep 0.5; rm /tmp/well; while :; do sleep 1; done")
		sick.Spec.Containers[0].LivenessProbe = &corev1.Probe{PeriodSeconds: 1, FailureThreshold: 1,
			ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"test", "-e", "/tmp/well"}}}}
		job := script("job", "echo done; exit 3")
		job.Spec.RestartPolicy = corev1.RestartPolicyNever
		a.create(ctx, t, script("crashes", "echo about to crash; exit 42"), never, unknown, sick, job)

		g.Eventually(a.pod(ctx, "crashes"), "20s", "50ms").Should(status(And(
			HaveField("State.Waiting.Reason", "CrashLoopBackOff"),
			HaveField("LastTerminationState.Terminated.ExitCode", int32(42)),
			HaveField("RestartCount", BeNumerically(">=", 2)))), "a crash is restarted, with patience")
		g.Expect(a.logs(ctx, "crashes", corev1.PodLogOptions{})).To(Equal("about to crash\n"))
		g.Expect(a.logs(ctx, "crashes", corev1.PodLogOptions{Previous: true})).To(Equal("about to crash\n"))

		g.Eventually(a.pod(ctx, "never-ready"), "20s", "50ms").Should(And(HaveField("Status.Phase", corev1.PodRunning),
			status(And(HaveField("Ready", false), HaveField("RestartCount", int32(0)))),
			HaveField("Status.Conditions", ContainElement(And(HaveField("Type", corev1.PodReady), HaveField("Reason", "ContainersNotReady"))))))

		g.Eventually(a.pod(ctx, "unknown-image"), "20s", "50ms").Should(status(And(
			HaveField("State.Waiting.Reason", "ErrImageNeverPull"),
			HaveField("State.Waiting.Message", ContainSubstring("--image example.com/nobody-knows:v1=")))))

		g.Eventually(a.pod(ctx, "sick"), "20s", "50ms").Should(status(HaveField("RestartCount", BeNumerically(">=", 1))), "liveness restarts")

		g.Eventually(a.pod(ctx, "job"), "20s", "50ms").Should(And(HaveField("Status.Phase", corev1.PodFailed),
			status(HaveField("State.Terminated.ExitCode", int32(3)))))
		g.Expect(a.logs(ctx, "job", corev1.PodLogOptions{})).To(Equal("done\n"), "logs outlast the container")

		events := func() ([]string, error) {
			list, err := a.EventsV1().Events(a.namespace).List(ctx, metav1.ListOptions{})
			var reasons []string
			if err == nil {
				for _, e := range list.Items {
					reasons = append(reasons, e.Regarding.Name+" "+e.Reason)
				}
			}
			return reasons, err
		}
		g.Eventually(events, "20s", "100ms").Should(ContainElements("crashes BackOff", "unknown-image Failed", "sick Unhealthy", "sick Killing"))

		// The image can be mapped while the pod waits for it.
		g.Expect(provider.LoadImage(ctx, "example.com/nobody-knows", "/bin/sleep", "1000")).To(Succeed())
		g.Eventually(a.pod(ctx, "unknown-image"), "20s", "50ms").Should(Satisfy(ready))
		return ctx
	}).Feature())
}

func TestDeletion(t *testing.T) {
	testenv.Test(t, features.New("deletion").Assess("is graceful", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		polite := script("polite", `trap 'echo bye; sleep 0.3; exit 0' TERM; echo up; while :; do sleep 0.1; done`)
		// It ignores SIGTERM, and leaves a child in a session of its own.
		stubborn := script("stubborn", `trap '' TERM; setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' & echo up; while :; do sleep 0.1; done`)
		a.create(ctx, t, polite, stubborn)
		for _, name := range []string{"polite", "stubborn"} {
			g.Eventually(func() (string, error) { return a.logs(ctx, name, corev1.PodLogOptions{}) }, "20s", "50ms").Should(Equal("up\n"))
		}
		follow, err := a.CoreV1().Pods(a.namespace).GetLogs("polite", &corev1.PodLogOptions{Follow: true}).Stream(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		defer follow.Close()
		lines := bufio.NewScanner(follow)
		for _, name := range []string{"polite", "stubborn"} {
			g.Expect(a.CoreV1().Pods(a.namespace).Delete(ctx, name, metav1.DeleteOptions{})).To(Succeed())
		}
		nextLine(g, lines, "the log, before its first line,")
		g.Expect(nextLine(g, lines, "the log, before the last line,")).To(Equal("bye"))
		for _, name := range []string{"polite", "stubborn"} {
			g.Eventually(func() error { _, err := a.pod(ctx, name)(); return err }, "10s", "50ms").Should(Satisfy(apierrors.IsNotFound), name)
		}
		return ctx
	}).Feature())
}

// TestEchoAdvanced runs the suite's workload of meshes as the suite does: with
// its arguments, and its client by exec.
func TestEchoAdvanced(t *testing.T) {
	testenv.Test(t, features.New("echo-advanced").Assess("answers its client", func(ctx context.Context, t *testing.T, c *envconf.Config) context.Context {
		a := connect(ctx, t, c)
		g := NewWithT(t)
		for _, image := range []string{"registry.k8s.io/gateway-api/echo-advanced:v1.5.1", "registry.k8s.io/gateway-api/conformance/echo-advanced:v0.1.0"} {
			name := "old"
			if strings.Contains(image, "conformance") {
				name = "new"
			}
			pod := &corev1.Pod{ObjectMeta: meta(name), Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "echo", Image: image,
				Args: []string{"--tcp=9090", "--port=8080", "--grpc=7070", "--port=8443", "--tls=8443", "--crt=/cert.crt", "--key=/cert.key"},
			}}}}
			a.create(ctx, t, pod)
			for _, args := range [][]string{{"http://localhost:8080/"}, {"https://localhost:8443/", "--insecure-skip-verify"}, {"grpc://localhost:7070"}, {"tcp://localhost:9090"}} {
				g.Eventually(func() (string, error) {
					out, _, err := a.exec(ctx, name, "", append([]string{"client"}, args...)...)
					return out, err
				}, "20s", "100ms").Should(And(ContainSubstring("StatusCode=200"), ContainSubstring("Hostname="+name)), "%s of %s", args[0], image)
			}
		}
		return ctx
	}).Feature())
}

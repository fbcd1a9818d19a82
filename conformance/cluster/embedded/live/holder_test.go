//go:build cluster && linux

package live

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded"
)

// TestKillLeavesNothing kills the process that holds a cluster at several
// moments, by the signal that nobody can catch.
func TestKillLeavesNothing(t *testing.T) {
	for _, moment := range []struct {
		reason string
		line   string        // wait for this line of the holder
		delay  time.Duration // and then so long
	}{
		{reason: "before anything is there"},
		{reason: "while the first process is made", line: "starting"},
		{reason: "while it starts the node", line: "starting", delay: 10 * time.Millisecond},
		{reason: "while mounts and network are made", line: "starting", delay: 40 * time.Millisecond},
		{reason: "while etcd starts", line: "starting", delay: 200 * time.Millisecond},
		{reason: "while the API server starts", line: "starting", delay: time.Second},
		{reason: "while the controllers start", line: "API server is ready"},
		{reason: "while pods can run", line: "ready"},
	} {
		t.Run(moment.reason, func(t *testing.T) {
			g := NewWithT(t)
			name := fmt.Sprintf("kill-%d", os.Getpid())
			mark := fmt.Sprintf("CAUSEWAY_TEST_MARK=%d-%d", os.Getpid(), time.Now().UnixNano())
			cmd := exec.Command(os.Args[0], helperArg, "hold", name)
			cmd.Env = append(os.Environ(), mark)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(cmd.Start()).To(Succeed())
			await(t, out, moment.line)
			time.Sleep(moment.delay) // the moment is the case
			g.Expect(cmd.Process.Kill()).To(Succeed())
			_ = cmd.Wait()

			g.Eventually(func() []string { return marked(mark) }, "5s", "10ms").Should(BeEmpty(), "processes")
			mounts, err := os.ReadFile("/proc/self/mountinfo")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(mounts)).NotTo(ContainSubstring(name), "mounts")
			g.Eventually(embedded.List, "5s", "10ms").ShouldNot(ContainElement(
				And(HaveField("Name", name), HaveField("State", Not(Equal(embedded.Dead))))), "lock")
			_, err = embedded.Down(t.Context(), name)
			g.Expect(err).NotTo(HaveOccurred())
		})
	}
}

// await reads lines until one has the prefix, then goes on reading so that the
// writer is not held up.
func await(t *testing.T, out io.Reader, prefix string) {
	t.Helper()
	if prefix == "" {
		go func() { _, _ = io.Copy(io.Discard, out) }()
		return
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), prefix) {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	t.Fatalf("the holder ended before it said %q", prefix)
}

// marked are the processes whose environment has the mark: all of a cluster
// but the containers, whose end TestKillEndsPods is about.
func marked(mark string) []string {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var found []string
	for _, f := range files {
		if env, err := os.ReadFile(f); err == nil && strings.Contains(string(env), mark) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(f), "cmdline"))
			found = append(found, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

// namespaceOf are the processes in the process namespace of a cluster, the
// containers' as well: the namespace is that of one of its marked processes.
func namespaceOf(mark string) (inode string, members func() []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	ours, _ := os.Readlink("/proc/self/ns/pid")
	for _, f := range files {
		env, err := os.ReadFile(f)
		if err != nil || !strings.Contains(string(env), mark) {
			continue
		}
		if ns, _ := os.Readlink(filepath.Join(filepath.Dir(f), "ns", "pid")); ns != ours {
			inode = ns
		}
	}
	return inode, func() []int {
		var pids []int
		links, _ := filepath.Glob("/proc/[0-9]*/ns/pid")
		for _, l := range links {
			if ns, err := os.Readlink(l); err == nil && ns == inode {
				pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
				pids = append(pids, pid)
			}
		}
		return pids
	}
}

// TestKillEndsPods kills the holder of a cluster with a pod in it.
func TestKillEndsPods(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	name := fmt.Sprintf("kill-pods-%d", os.Getpid())
	mark := fmt.Sprintf("CAUSEWAY_TEST_MARK=%d-%d", os.Getpid(), time.Now().UnixNano())
	cmd := exec.Command(os.Args[0], helperArg, "hold", name)
	cmd.Env, cmd.Stderr = append(os.Environ(), mark), os.Stderr
	out, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	await(t, out, "ready")
	c, err := embedded.Attach(name)
	g.Expect(err).NotTo(HaveOccurred())
	a := connectTo(ctx, t, c.Kubeconfig())
	a.create(ctx, t, script("runs", "while :; do sleep 1; done"))
	g.Eventually(a.pod(ctx, "runs"), "20s", "50ms").Should(Satisfy(ready))
	inode, members := namespaceOf(mark)
	g.Expect(inode).NotTo(BeEmpty())
	g.Expect(len(members())).To(BeNumerically(">=", 7), "init, node, etcd, API server, controllers, DNS, pod")
	// A command inside ends with the cluster, too.
	inner := c.Command(ctx, "/bin/sleep", "1000")
	g.Expect(inner.Start()).To(Succeed())

	g.Expect(cmd.Process.Signal(syscall.SIGKILL)).To(Succeed())
	_ = cmd.Wait()
	g.Eventually(members, "5s", "10ms").Should(BeEmpty())
	g.Expect(inner.Wait()).NotTo(Succeed())
	_, err = embedded.Down(ctx, name)
	g.Expect(err).NotTo(HaveOccurred())
}

// TestSideBySide has two clusters with the same addresses.
func TestSideBySide(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	var clusters []*embedded.Cluster
	for i := range 2 {
		c, err := embedded.Start(ctx, options(fmt.Sprintf("side-%d-%d", i, os.Getpid())))
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { _, _ = embedded.Down(context.WithoutCancel(ctx), c.Name()) })
		clusters = append(clusters, c)
		a := connectTo(ctx, t, c.Kubeconfig())
		pod := script("web", fmt.Sprintf("while :; do sleep 1; done; echo %d", i))
		a.create(ctx, t, pod)
		g.Eventually(a.pod(ctx, "web"), "20s", "50ms").Should(And(Satisfy(ready), HaveField("Status.PodIP", "198.18.0.2")))
	}
	_, err := embedded.Up(ctx, options(clusters[0].Name()))
	g.Expect(err).To(MatchError(ContainSubstring("it is running")), "a name is taken once")

	g.Expect(clusters[0].Down(ctx)).To(Succeed())
	g.Expect(clusters[0].Kubeconfig()).NotTo(BeAnExistingFile(), "down removes the folder")
	out, err := output(clusters[1].Command(ctx, os.Args[0], helperArg, "lookup", "kubernetes.default"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out).To(Equal("198.19.0.1"), "the other one goes on")
	g.Expect(clusters[1].Down(ctx)).To(Succeed())
	found, err := embedded.Down(ctx, clusters[1].Name())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found).To(BeFalse(), "down is down")
}

// TestCommands are programs inside: their streams, exit codes, signals and end.
func TestCommands(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	cmd := provider.Command(ctx, "sh", "-c", `read line; echo "$line $GREETING $(pwd)"; exit 5`)
	cmd.Stdin, cmd.Dir, cmd.Env = strings.NewReader("typed\n"), "/usr", append(os.Environ(), "GREETING=hello")
	out, err := cmd.Output()
	g.Expect(string(out)).To(Equal("typed hello /usr\n"))
	g.Expect(err).To(HaveField("ProcessState.ExitCode()", 5))

	cmd = provider.Command(ctx, "sh", "-c", `trap 'echo asked; exit 6' TERM; echo up; while :; do sleep 0.05; done`)
	stdout, err := cmd.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cmd.Start()).To(Succeed())
	lines := bufio.NewScanner(stdout)
	nextLine(g, lines, "the output of the program, before it is up,")
	g.Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
	g.Expect(nextLine(g, lines, "the output of the program that was to end")).To(Equal("asked"), "signals are passed on")
	g.Expect(cmd.Wait()).To(HaveField("ProcessState.ExitCode()", 6))

	// Killing the stand-in kills the program.
	file := filepath.Join(t.TempDir(), "ticks")
	short, cancel := context.WithCancel(ctx)
	cmd = provider.Command(short, "sh", "-c", `while :; do echo tick >> "$0"; sleep 0.02; done`, file)
	g.Expect(cmd.Start()).To(Succeed())
	g.Eventually(func() error { _, err := os.Stat(file); return err }, "5s", "10ms").Should(Succeed())
	cancel()
	_ = cmd.Wait()
	g.Eventually(func() bool {
		before, _ := os.ReadFile(file)
		time.Sleep(100 * time.Millisecond) // five ticks
		after, _ := os.ReadFile(file)
		return len(before) == len(after)
	}, "5s").Should(BeTrue(), "the program goes on after its stand-in was killed")
}

// TestUnprivileged starts a cluster as a user who has nothing.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		return // then all of these tests ran without privileges
	}
	g := NewWithT(t)
	const nobody = 65534
	// One that others may enter, and short enough for a socket.
	dir, err := os.MkdirTemp("", "causeway-nobody-") //nolint:usetesting // t.TempDir is neither
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { os.RemoveAll(dir) })
	g.Expect(os.Chown(dir, nobody, nobody)).To(Succeed())
	// What root has built is not readable for others, so they get a release:
	// the programs beside the executable.
	self, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	program := filepath.Join(dir, "causeway.test")
	copyFile(t, self, program)
	for _, name := range []string{components.ControlPlane, components.EchoBasic, components.EchoAdvanced, components.EchoAdvancedClient} {
		path, err := options("").Components.Find(t.Context(), name)
		g.Expect(err).NotTo(HaveOccurred())
		copyFile(t, path, filepath.Join(dir, name))
	}
	cmd := exec.Command(program, helperArg, "whole", "nobody")
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := output(cmd)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out).To(Equal("198.19.0.1"))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

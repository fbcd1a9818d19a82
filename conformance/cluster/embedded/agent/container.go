//go:build linux

package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/runtime"
)

// container is one of a pod's containers through all of its restarts.
type container struct {
	w    *worker
	spec *corev1.Container
	init bool

	mu      sync.Mutex
	state   containerState
	process *runtime.Process // of the last start; nil before the first
	startAt chan struct{}    // closed once started in the sense of the startup probe
	doneAt  chan struct{}    // closed once it will not be started again
}

// containerState is what the status says of a container.
type containerState struct {
	current  corev1.ContainerState
	last     corev1.ContainerState // of the run before
	restarts int32
	started  bool // the startup probe has succeeded
	ready    bool
	done     bool // it will not be started again
}

func newContainer(w *worker, spec *corev1.Container, init bool) *container {
	c := &container{w: w, spec: spec, init: init, startAt: make(chan struct{}), doneAt: make(chan struct{})}
	reason := "ContainerCreating"
	if len(w.pod.Spec.InitContainers) > 0 && !init {
		reason = "PodInitializing"
	}
	c.state.current = waiting(reason, "")
	return c
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// sidecar reports whether it is an init container that stays
// (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
func (c *container) sidecar() bool {
	return c.init && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// again reports whether the container is started again after an exit.
func (c *container) again(code int32) bool {
	policy := c.w.pod.Spec.RestartPolicy
	switch {
	case c.sidecar():
		return true
	case c.init && policy == corev1.RestartPolicyAlways:
		policy = corev1.RestartPolicyOnFailure
	}
	return policy == corev1.RestartPolicyAlways || policy == corev1.RestartPolicyOnFailure && code != 0
}

// set changes the state and has the status written.
func (c *container) set(change func(*containerState)) {
	c.mu.Lock()
	change(&c.state)
	if c.state.started {
		closeOnce(c.startAt)
	}
	if c.state.done {
		closeOnce(c.doneAt)
	}
	c.mu.Unlock()
	c.w.changed()
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

func (c *container) snapshot() containerState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// running returns the process if there is one that runs.
func (c *container) running() (*runtime.Process, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process, c.process != nil && c.state.current.Running != nil
}

// The back-off between restarts: it doubles, and a run that lasted forgives.
const (
	backOffFirst   = time.Second
	backOffLast    = time.Minute
	backOffForgive = 10 * time.Minute
)

// loop runs the container until it will not be started again or ctx ends; then
// the process is ended within the pod's grace period.
func (c *container) loop(ctx context.Context) {
	defer c.set(func(s *containerState) { s.done = true })
	backOff := backOffFirst
	for ctx.Err() == nil {
		began := time.Now()
		exit, err := c.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil && !c.again(int32(exit.Code)) {
			return
		}
		if time.Since(began) > backOffForgive {
			backOff = backOffFirst
		}
		if err == nil {
			c.w.event(corev1.EventTypeWarning, "BackOff", "Back-off %s restarting container %s, which ended with code %d", backOff, c.spec.Name, exit.Code)
			message := fmt.Sprintf("back-off %s restarting failed container=%s", backOff, c.spec.Name)
			c.set(func(s *containerState) {
				s.last, s.current = s.current, waiting("CrashLoopBackOff", message)
				s.restarts++
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backOff):
		}
		backOff = min(2*backOff, backOffLast)
	}
}

// Reasons of a container that does not start.
const (
	reasonImage  = "ErrImageNeverPull"
	reasonConfig = "CreateContainerConfigError"
	reasonRun    = "RunContainerError"
)

// once runs the container once. An error says that it did not start.
func (c *container) once(ctx context.Context) (runtime.Exit, error) {
	log, spec, reason, err := c.prepare(ctx)
	if err != nil {
		return runtime.Exit{}, c.notStarted(reason, err)
	}
	defer func() { _ = log.Close() }() // each line was written whole
	process, err := runtime.Start(spec)
	if err != nil {
		return runtime.Exit{}, c.notStarted(reasonRun, err)
	}
	c.mu.Lock()
	old := c.process
	c.process = process
	c.mu.Unlock()
	if old != nil {
		_ = old.Close() // its namespaces; nothing of it runs
	}
	began := metav1.Now()
	c.set(func(s *containerState) {
		s.current = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}}
		s.started = c.spec.StartupProbe == nil
		s.ready = c.spec.ReadinessProbe == nil && s.started
	})
	c.w.event(corev1.EventTypeNormal, "Started", "Started container %s", c.spec.Name)
	during, end := context.WithCancel(ctx)
	defer end()
	c.hook(during, "postStart", hookOf(c.spec.Lifecycle, true))
	failed := c.probe(during, process)
	select {
	case <-process.Exited():
	case <-ctx.Done():
		c.end(context.WithoutCancel(ctx), process, c.w.graceLeft())
	case err := <-failed:
		c.w.event(corev1.EventTypeWarning, "Killing", "Container %s failed its liveness or startup probe and is restarted: %v", c.spec.Name, err)
		c.end(ctx, process, grace(c.w.pod))
	}
	end()
	exit := process.Exit()
	c.set(func(s *containerState) {
		s.current = corev1.ContainerState{Terminated: terminated(exit, began)}
		s.started, s.ready = false, false
	})
	return exit, nil
}

func (c *container) notStarted(reason string, err error) error {
	c.w.event(corev1.EventTypeWarning, "Failed", "Container %s does not start: %v", c.spec.Name, err)
	c.set(func(s *containerState) { s.current = waiting(reason, err.Error()) })
	return err
}

// end runs the hook before the end, then ends the process.
func (c *container) end(ctx context.Context, p *runtime.Process, grace time.Duration) {
	deadline := time.Now().Add(grace)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if grace > 0 {
		c.hook(ctx, "preStop", hookOf(c.spec.Lifecycle, false))
	}
	p.Stop(max(0, time.Until(deadline)))
}

// terminated describes an exit as the kubelet does.
func terminated(exit runtime.Exit, began metav1.Time) *corev1.ContainerStateTerminated {
	t := &corev1.ContainerStateTerminated{
		ExitCode: int32(exit.Code), Signal: int32(exit.Signal), Reason: "Completed", StartedAt: began, FinishedAt: metav1.Now(),
	}
	if exit.Code != 0 {
		t.Reason = "Error"
	}
	if exit.Signal != 0 {
		t.Message = "ended by signal: " + syscall.Signal(exit.Signal).String()
	}
	if exit.Err != nil {
		t.Message = exit.Err.Error()
	}
	return t
}

// prepare gathers all that a start needs. reason goes with the error.
func (c *container) prepare(ctx context.Context) (log *logFile, s runtime.Spec, reason string, err error) {
	a, pod := c.w.agent, c.w.placed()
	program, err := a.Images.Lookup(c.spec.Image)
	if err != nil {
		if errors.Is(err, image.ErrUnknown) {
			err = fmt.Errorf("%w; map it to a program of this machine (causeway cluster up --image %s=/path/to/program)", err, c.spec.Image)
		}
		return nil, s, reasonImage, err
	}
	env, err := environ(ctx, a.live, pod, c.spec, append([]string{
		"PATH=/:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME=" + hostname(pod.Pod),
		"HOME=/root",
		"KUBERNETES_SERVICE_HOST=" + a.APIServer.String(),
		"KUBERNETES_SERVICE_PORT=" + strconv.Itoa(a.APIServerPort),
		"KUBERNETES_SERVICE_PORT_HTTPS=" + strconv.Itoa(a.APIServerPort),
	}, program.Env...))
	if err != nil {
		return nil, s, reasonConfig, err
	}
	mounts, err := c.mounts(pod, program)
	if err != nil {
		return nil, s, reasonConfig, err
	}
	log, err = openLog(filepath.Join(c.w.logs(), c.spec.Name), int(c.snapshot().restarts))
	if err != nil {
		return nil, s, reasonRun, err
	}
	return log, runtime.Spec{
		Sandbox: c.w.sandbox,
		Root:    a.root,
		Etc:     etcFiles(pod, a.DNS),
		Mounts:  mounts,
		Args:    commandLine(c.spec, program, env),
		Env:     env,
		Dir:     c.spec.WorkingDir,
		Stdout:  log.stream("stdout"), Stderr: log.stream("stderr"),
	}, "", nil
}

// mounts are the program itself, the image's files and the volumes.
func (c *container) mounts(pod placed, program image.Program) ([]runtime.Mount, error) {
	out := []runtime.Mount{{Source: program.Path, Target: program.EntryPoint(), ReadOnly: true}}
	for in, on := range program.Files {
		out = append(out, runtime.Mount{Source: on, Target: in, ReadOnly: true})
	}
	for _, m := range c.spec.VolumeMounts {
		sub := m.SubPath
		if m.SubPathExpr != "" {
			known := map[string]string{}
			for _, e := range c.spec.Env {
				known[e.Name] = e.Value
				if e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
					known[e.Name], _ = field(pod, e.ValueFrom.FieldRef.FieldPath)
				}
			}
			sub = expand(m.SubPathExpr, known)
		}
		if sub != "" && !filepath.IsLocal(sub) {
			return nil, fmt.Errorf("volumeMount %s: subPath %q leaves the volume", m.Name, sub)
		}
		source := c.w.volumes.path(m.Name)
		if _, err := os.Stat(source); err != nil {
			return nil, fmt.Errorf("volumeMount %s: %w", m.Name, err)
		}
		out = append(out, runtime.Mount{
			Source: source, Target: path.Clean("/" + m.MountPath), SubPath: sub, ReadOnly: m.ReadOnly || !writable(pod.Pod, m.Name),
		})
	}
	return out, nil
}

// writable reports whether containers may write to a volume: what comes from
// the API is read-only.
func writable(pod *corev1.Pod, name string) bool {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].Name == name {
			return pod.Spec.Volumes[i].EmptyDir != nil
		}
	}
	return false
}

//go:build linux

package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/runtime"
)

// worker runs one pod from its first container to its removal.
type worker struct {
	agent *agent
	uid   types.UID
	start metav1.Time

	mu       sync.Mutex
	pod      *corev1.Pod // as last seen; its spec does not change in what matters here
	deadline time.Time   // by which the pod must have ended; zero while it is wanted
	problem  string      // what keeps it from starting

	stopping chan struct{} // closed when the pod is to end
	dirty    chan struct{} // has a value when the status is to be written

	ip         netip.Addr
	sandbox    *runtime.Sandbox
	volumes    volumes
	containers []*container // init containers first
}

func newWorker(a *agent, pod *corev1.Pod) *worker {
	w := &worker{
		agent: a, uid: pod.UID, start: metav1.Now(), pod: pod.DeepCopy(),
		stopping: make(chan struct{}), dirty: make(chan struct{}, 1),
		volumes: volumes{agent: a, dir: filepath.Join(a.Work, string(pod.UID), "volumes")},
	}
	for i := range w.pod.Spec.InitContainers {
		w.containers = append(w.containers, newContainer(w, &w.pod.Spec.InitContainers[i], true))
	}
	for i := range w.pod.Spec.Containers {
		w.containers = append(w.containers, newContainer(w, &w.pod.Spec.Containers[i], false))
	}
	return w
}

// update takes over labels and annotations, which the downward API shows.
func (w *worker) update(pod *corev1.Pod) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pod.Labels, w.pod.Annotations = pod.Labels, pod.Annotations
}

// stop has the pod end within the grace period. A later call can only make it
// shorter.
func (w *worker) stop(grace time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	deadline := time.Now().Add(grace)
	if w.deadline.IsZero() {
		w.deadline = deadline
		close(w.stopping)
	} else if deadline.Before(w.deadline) {
		w.deadline = deadline
		for _, c := range w.containers {
			if p, ok := c.running(); ok {
				go p.Stop(grace)
			}
		}
	}
}

func (w *worker) graceLeft() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deadline.IsZero() { // the node ends
		return 0
	}
	return max(0, time.Until(w.deadline))
}

func (w *worker) placed() placed {
	w.mu.Lock()
	defer w.mu.Unlock()
	return placed{Pod: w.pod.DeepCopy(), podIP: w.ip, nodeIP: w.agent.IP}
}

func (w *worker) logs() string {
	return filepath.Join(w.agent.Logs, fmt.Sprintf("%s_%s_%s", w.pod.Namespace, w.pod.Name, w.uid))
}

func (w *worker) event(kind, reason, format string, args ...any) {
	w.agent.events.Eventf(w.pod, nil, kind, reason, reason, format, args...)
}

// changed has the status written soon.
func (w *worker) changed() {
	select {
	case w.dirty <- struct{}{}:
	default:
	}
}

// run runs the pod until it is deleted from the API, or ctx ends with the node.
func (w *worker) run(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	wanted, unwanted := context.WithCancel(ctx)
	defer unwanted()
	go func() {
		select {
		case <-w.stopping:
		case <-ctx.Done():
		}
		unwanted()
	}()
	written := make(chan struct{})
	go func() { defer close(written); w.writeStatus(ctx) }()

	w.changed()
	if err := w.prepare(wanted); err == nil {
		go w.refresh(wanted)
		w.runContainers(wanted)
	}
	<-w.stopping // a pod that has ended by itself stays until it is deleted
	w.changed()
	w.removeFromAPI(ctx)
	end()
	<-written
	w.cleanUp()
}

// prepare makes sandbox and volumes, trying again until ctx ends.
func (w *worker) prepare(ctx context.Context) error {
	for backOff := 100 * time.Millisecond; ; backOff = min(2*backOff, 10*time.Second) {
		err := w.prepareOnce(ctx)
		if err == nil {
			w.setProblem("")
			return nil
		}
		if ctx.Err() == nil {
			w.event(corev1.EventTypeWarning, "FailedMount", "The pod cannot start yet: %v", err)
			w.setProblem(err.Error())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backOff):
		}
	}
}

func (w *worker) setProblem(text string) {
	w.mu.Lock()
	w.problem = text
	w.mu.Unlock()
	w.changed()
}

func (w *worker) prepareOnce(ctx context.Context) error {
	if w.sandbox == nil {
		if err := w.makeSandbox(); err != nil {
			return fmt.Errorf("network: %w", err)
		}
		w.changed()
	}
	return w.volumes.write(ctx, w.placed())
}

func (w *worker) makeSandbox() error {
	if w.pod.Spec.HostNetwork {
		w.setIP(w.agent.IP)
		w.sandbox = runtime.HostSandbox()
		return nil
	}
	ip, err := w.agent.ips.take()
	if err != nil {
		return err
	}
	b := ip.As4()
	link := fmt.Sprintf("pod%d.%d", b[2], b[3])
	sandbox, err := runtime.NewSandbox(hostname(w.pod), link, ip, w.agent.IP)
	if err != nil {
		w.agent.ips.giveBack(ip)
		return err
	}
	w.setIP(ip)
	w.sandbox = sandbox
	return nil
}

func (w *worker) setIP(ip netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ip = ip
}

// refreshPeriod is how often ConfigMaps and Secrets in volumes are read again.
const refreshPeriod = 30 * time.Second

// refresh keeps the files of volumes in step with the API, as the kubelet does
// every minute or so; tokens are renewed in time.
func (w *worker) refresh(ctx context.Context) {
	if !changing(w.pod) {
		return
	}
	ticker := time.NewTicker(refreshPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := w.volumes.write(ctx, w.placed()); err != nil && ctx.Err() == nil {
				w.event(corev1.EventTypeWarning, "FailedMount", "Volumes cannot be brought up to date: %v", err)
			}
		}
	}
}

// runContainers runs init containers one after the other, then the others at
// once, and returns when all have ended for good.
func (w *worker) runContainers(ctx context.Context) {
	var running, sidecars sync.WaitGroup
	// Sidecars outlast the containers that they serve.
	attached, detach := context.WithCancel(context.WithoutCancel(ctx))
	defer sidecars.Wait()
	defer detach()
	defer running.Wait()
	for _, c := range w.containers {
		switch {
		case ctx.Err() != nil:
			return
		case c.sidecar():
			sidecars.Go(func() { c.loop(attached) })
			select {
			case <-c.startAt:
			case <-ctx.Done():
			}
		case c.init:
			c.loop(ctx)
			if t := c.snapshot().current.Terminated; t == nil || t.ExitCode != 0 {
				return // the pod has failed, or is to end
			}
		default:
			running.Go(func() { c.loop(ctx) })
		}
	}
}

// removeFromAPI deletes the pod's object, once nothing of the pod runs.
func (w *worker) removeFromAPI(ctx context.Context) {
	for {
		err := w.agent.remove(ctx, w.placed().Pod)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// cleanUp lets go of everything but the logs.
func (w *worker) cleanUp() {
	var errs []error
	for _, c := range w.containers {
		if c.process != nil {
			errs = append(errs, c.process.Close())
		}
	}
	if w.sandbox != nil {
		errs = append(errs, w.sandbox.Close())
		if w.ip != w.agent.IP {
			w.agent.ips.giveBack(w.ip)
		}
	}
	errs = append(errs, os.RemoveAll(filepath.Dir(w.volumes.dir)))
	if err := errors.Join(errs...); err != nil {
		w.event(corev1.EventTypeWarning, "FailedCleanUp", "%v", err)
	}
}

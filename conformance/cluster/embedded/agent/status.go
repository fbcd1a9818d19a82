//go:build linux

package agent

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writeStatus writes the pod's status whenever it changed, until ctx ends.
func (w *worker) writeStatus(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.dirty:
		}
		if err := w.writeStatusOnce(ctx); err != nil && ctx.Err() == nil {
			time.AfterFunc(200*time.Millisecond, w.changed)
		}
	}
}

func (w *worker) writeStatusOnce(ctx context.Context) error {
	var pod corev1.Pod
	err := w.agent.live.Get(ctx, client.ObjectKey{Namespace: w.pod.Namespace, Name: w.pod.Name}, &pod)
	if apierrors.IsNotFound(err) || err == nil && pod.UID != w.uid {
		return nil // there is nobody to tell
	}
	if err != nil {
		return err
	}
	changed := pod.DeepCopy()
	w.status(&changed.Status)
	return client.IgnoreNotFound(w.agent.client.Status().Patch(ctx, changed, client.StrategicMergeFrom(&pod)))
}

// status brings a status in line with the pod's state.
func (w *worker) status(s *corev1.PodStatus) {
	w.mu.Lock()
	ip, problem := w.ip, w.problem
	w.mu.Unlock()
	s.StartTime = &w.start
	s.HostIP = w.agent.IP.String()
	s.HostIPs = []corev1.HostIP{{IP: s.HostIP}}
	if ip.IsValid() {
		s.PodIP = ip.String()
		s.PodIPs = []corev1.PodIP{{IP: s.PodIP}}
	}
	s.InitContainerStatuses, s.ContainerStatuses = nil, nil
	var inits, mains []containerState
	for _, c := range w.containers {
		state := c.snapshot()
		if problem != "" && state.current.Waiting != nil {
			state.current.Waiting = &corev1.ContainerStateWaiting{Reason: state.current.Waiting.Reason, Message: problem}
		}
		status := corev1.ContainerStatus{
			Name: c.spec.Name, Image: c.spec.Image, ImageID: c.spec.Image,
			State: state.current, LastTerminationState: state.last, RestartCount: state.restarts,
			Started: &state.started, Ready: state.ready,
		}
		if state.current.Running != nil || state.current.Terminated != nil {
			status.ContainerID = containerID(w.uid, c.spec.Name, state.restarts)
		}
		if c.init {
			if !c.sidecar() { // ready means done
				status.Ready = state.current.Terminated != nil && state.current.Terminated.ExitCode == 0
				state.ready = status.Ready
			}
			inits = append(inits, state)
			s.InitContainerStatuses = append(s.InitContainerStatuses, status)
		} else {
			mains = append(mains, state)
			s.ContainerStatuses = append(s.ContainerStatuses, status)
		}
	}
	s.Phase = phase(w.pod.Spec.RestartPolicy, inits, mains)
	conditions(s, inits, mains, ip.IsValid(), w.pod.Spec.ReadinessGates)
}

// phase is that of a pod, by the rules of
// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase.
func phase(policy corev1.RestartPolicy, inits, mains []containerState) corev1.PodPhase {
	for _, c := range inits {
		if t := c.current.Terminated; c.done && t != nil && t.ExitCode != 0 {
			return corev1.PodFailed
		}
	}
	started, done, failed := false, true, false
	for _, c := range mains {
		started = started || c.current.Waiting == nil || c.restarts > 0
		done = done && c.done && c.current.Terminated != nil
		failed = failed || c.current.Terminated != nil && c.current.Terminated.ExitCode != 0
	}
	switch {
	case !started:
		return corev1.PodPending
	case !done || policy == corev1.RestartPolicyAlways:
		return corev1.PodRunning
	case failed:
		return corev1.PodFailed
	}
	return corev1.PodSucceeded
}

// conditions sets the conditions that are the node's to set.
func conditions(s *corev1.PodStatus, inits, mains []containerState, sandbox bool, gates []corev1.PodReadinessGate) {
	initialized, ready := true, true
	for _, c := range inits {
		initialized = initialized && (c.ready || c.started)
	}
	for _, c := range mains {
		ready = ready && c.ready
	}
	over := s.Phase == corev1.PodSucceeded || s.Phase == corev1.PodFailed
	reason := ""
	switch {
	case s.Phase == corev1.PodSucceeded:
		initialized, reason = true, "PodCompleted"
	case s.Phase == corev1.PodFailed:
		reason = "PodFailed"
	case !ready:
		reason = "ContainersNotReady"
	}
	podReady := ready
	for _, gate := range gates {
		if c := condition(s, gate.ConditionType); c == nil || c.Status != corev1.ConditionTrue {
			podReady, reason = false, "ReadinessGatesNotReady"
		}
	}
	set(s, corev1.PodScheduled, true, "")
	set(s, corev1.PodReadyToStartContainers, sandbox && !over, "")
	set(s, corev1.PodInitialized, initialized, "ContainersNotInitialized")
	set(s, corev1.ContainersReady, ready && !over, reason)
	set(s, corev1.PodReady, podReady && !over, reason)
}

func condition(s *corev1.PodStatus, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == kind {
			return &s.Conditions[i]
		}
	}
	return nil
}

// set sets a condition; reason is said only of what is false.
func set(s *corev1.PodStatus, kind corev1.PodConditionType, value bool, reason string) {
	status := corev1.ConditionFalse
	if value {
		status, reason = corev1.ConditionTrue, ""
	}
	c := condition(s, kind)
	if c == nil {
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: kind})
		c = &s.Conditions[len(s.Conditions)-1]
	}
	if c.Status != status {
		c.LastTransitionTime = metav1.Now()
	}
	c.Status, c.Reason = status, reason
}

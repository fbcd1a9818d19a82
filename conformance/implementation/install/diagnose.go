package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

const (
	// diagnosisTimeout bounds the questions asked after a wait has failed.
	diagnosisTimeout = 15 * time.Second
	logLines         = 10
	logLineRunes     = 200
	maxLogBytes      = 64 << 10
	maxPods          = 5
	maxEvents        = 5
)

// diagnose adds what the pods behind each unmet wait are doing. What cannot be
// found out is left out: the verdict stands without it.
func (i *Installer) diagnose(ctx context.Context, e *NotReadyError, logs []implementation.Logs) {
	ctx, cancel := context.WithTimeout(ctx, diagnosisTimeout)
	defer cancel()
	for n := range e.Unmet {
		u := &e.Unmet[n]
		var pods []corev1.Pod
		ready := false // pods that are ready are told about too
		switch {
		case u.object == nil:
			continue
		case u.object.GetKind() == "GatewayClass":
			// Nothing but the controller writes its status. Its pods tell why it
			// did not, unless they are shown already.
			if ready = len(e.Unmet) == 1; ready {
				for _, l := range logs {
					pods = append(pods, i.podsOf(ctx, l.Namespace, l.Selector)...)
				}
			}
		default:
			pods = i.podsOf(ctx, u.object.GetNamespace(), selectorOf(u.object))
		}
		for p := range pods[:min(len(pods), maxPods)] {
			u.Pods = append(u.Pods, i.describePod(ctx, &pods[p], ready))
		}
		u.Events = i.warnings(ctx, u.object, pods)
	}
}

// selectorOf is the selector of a workload, or "" for other kinds.
func selectorOf(o *unstructured.Unstructured) string {
	match, found, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
	if !found || len(match) == 0 {
		return ""
	}
	return labels.SelectorFromSet(match).String()
}

func (i *Installer) podsOf(ctx context.Context, namespace, selector string) []corev1.Pod {
	parsed, err := labels.Parse(selector)
	if err != nil || selector == "" || namespace == "" {
		return nil
	}
	var list corev1.PodList
	if i.client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: parsed}) != nil {
		return nil
	}
	return list.Items
}

// describePod tells about the containers that are not ready, or about all.
func (i *Installer) describePod(ctx context.Context, pod *corev1.Pod, all bool) Pod {
	p := Pod{Name: pod.Name, Phase: string(pod.Status.Phase), Reason: pod.Status.Reason}
	for _, c := range pod.Status.Conditions {
		switch {
		case c.Type == corev1.PodReady:
			p.Ready = c.Status == corev1.ConditionTrue
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse:
			p.Reason = c.Reason + ": " + c.Message
		}
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if c.Ready && !all || c.State.Terminated != nil && c.State.Terminated.ExitCode == 0 {
			continue
		}
		p.Containers = append(p.Containers, Container{
			Name: c.Name, State: containerState(&c), Restarts: c.RestartCount, Log: i.tail(ctx, pod, &c),
		})
	}
	return p
}

func containerState(c *corev1.ContainerStatus) string {
	ended := func(t *corev1.ContainerStateTerminated) string {
		return strings.TrimSpace(fmt.Sprintf("ended with %d %s %s", t.ExitCode, t.Reason, t.Message))
	}
	switch {
	case c.State.Terminated != nil:
		return ended(c.State.Terminated)
	case c.State.Waiting != nil && c.LastTerminationState.Terminated != nil:
		return c.State.Waiting.Reason + ", " + ended(c.LastTerminationState.Terminated)
	case c.State.Waiting != nil:
		return strings.TrimSuffix(c.State.Waiting.Reason+": "+c.State.Waiting.Message, ": ")
	case c.Ready:
		return "running"
	case c.State.Running != nil:
		return "running, but not ready"
	}
	return "unknown"
}

// tail reads the last lines of a container, of the run before when it is
// between two.
func (i *Installer) tail(ctx context.Context, pod *corev1.Pod, c *corev1.ContainerStatus) []string {
	if i.pods == nil {
		return nil
	}
	lines := int64(logLines)
	stream, err := i.pods.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: c.Name, TailLines: &lines, Previous: c.State.Waiting != nil && c.RestartCount > 0,
	}).Stream(ctx)
	if err != nil {
		return nil
	}
	defer stream.Close()
	data, err := io.ReadAll(io.LimitReader(stream, maxLogBytes))
	if err != nil && len(data) == 0 {
		return nil
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = printable(strings.TrimRight(line, "\r\n")); line != "" {
			runes := []rune(line)
			out = append(out, string(runes[:min(len(runes), logLineRunes)]))
		}
	}
	return out[max(0, len(out)-logLines):]
}

// escapes are sequences of terminals: colours, titles, movements (ECMA-48).
var escapes = regexp.MustCompile(`\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)`)

// printable takes escape sequences and control characters out of a line: it is
// shown on terminals.
func printable(s string) string {
	s = escapes.ReplaceAllString(s, "")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// warnings are the last warning events about an object and its pods.
func (i *Installer) warnings(ctx context.Context, o *unstructured.Unstructured, pods []corev1.Pod) []string {
	var list corev1.EventList
	namespace := o.GetNamespace()
	if namespace == "" && len(pods) > 0 {
		namespace = pods[0].Namespace
	}
	if namespace == "" || i.client.List(ctx, &list, client.InNamespace(namespace)) != nil {
		return nil
	}
	about := map[string]bool{o.GetKind() + "/" + o.GetName(): true}
	for _, p := range pods {
		about["Pod/"+p.Name] = true
		for _, owner := range p.OwnerReferences {
			about[owner.Kind+"/"+owner.Name] = true
		}
	}
	slices.SortFunc(list.Items, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	var out []string
	for _, e := range list.Items {
		if e.Type == corev1.EventTypeWarning && about[e.InvolvedObject.Kind+"/"+e.InvolvedObject.Name] {
			out = append(out, printable(fmt.Sprintf("%s %s: %s: %s", e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)))
		}
	}
	return out[max(0, len(out)-maxEvents):]
}

// Logs writes the logs of an implementation's pods since a moment, each to a
// writer of its own. It goes on after an error and returns all of them.
func (i *Installer) Logs(ctx context.Context, d *implementation.Descriptor, since time.Time, open func(namespace, pod, container string) (io.WriteCloser, error)) error {
	m, err := d.MethodFor(i.options.Provider)
	if err != nil {
		return err
	}
	var errs []error
	seen := map[string]bool{}
	for _, l := range m.Logs {
		selector, err := labels.Parse(l.Selector)
		if err != nil {
			return err
		}
		var list corev1.PodList
		if err := i.client.List(ctx, &list, client.InNamespace(l.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
			errs = append(errs, fmt.Errorf("listing pods of %s: %w", l.Namespace, err))
			continue
		}
		for _, pod := range list.Items {
			for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
				id := pod.Namespace + "/" + pod.Name + "/" + c.Name
				if seen[id] || l.Container != "" && l.Container != c.Name {
					continue
				}
				seen[id] = true
				if err := i.copyLog(ctx, &pod, c.Name, since, open); err != nil {
					errs = append(errs, fmt.Errorf("log of %s: %w", id, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

func (i *Installer) copyLog(ctx context.Context, pod *corev1.Pod, container string, since time.Time, open func(namespace, pod, container string) (io.WriteCloser, error)) (err error) {
	o := &corev1.PodLogOptions{Container: container}
	if !since.IsZero() {
		at := metav1.NewTime(since)
		o.SinceTime = &at
	}
	stream, err := i.pods.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, o).Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	w, err := open(pod.Namespace, pod.Name, container)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, err = io.Copy(w, stream)
	return err
}

//go:build linux

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	internalapi "k8s.io/cri-api/pkg/apis"
	criv1 "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
)

// logFile is the log of one run of a container, in the CRI's format: time,
// stream, whether the line is whole, text.
type logFile struct {
	mu  sync.Mutex
	out *os.File
}

func logName(dir string, restart int) string { return filepath.Join(dir, strconv.Itoa(restart)+".log") }

func openLog(dir string, restart int) (*logFile, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(logName(dir, restart), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &logFile{out: f}, err
}

// Close closes the file. Nothing may be written any more.
func (l *logFile) Close() error { return l.out.Close() }

func (l *logFile) stream(name string) io.Writer { return &logStream{file: l, name: name} }

// logStream is one stream of a container. The start of a line that is not
// whole yet is written as a part of a line, so nothing is held back.
type logStream struct {
	file *logFile
	name string
}

// Write writes each line with the time.
func (s *logStream) Write(p []byte) (int, error) {
	now := time.Now().UTC().Format(logs.RFC3339NanoFixed)
	var buf bytes.Buffer
	for line := range bytes.Lines(p) {
		text, whole := bytes.CutSuffix(line, []byte("\n"))
		tag := "P"
		if whole {
			tag = "F"
		}
		fmt.Fprintf(&buf, "%s %s %s %s\n", now, s.name, tag, text)
	}
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	if _, err := s.file.out.Write(buf.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// containerID names one run of a container.
func containerID(uid types.UID, name string, restart int32) string {
	return fmt.Sprintf("causeway://%s/%s/%d", uid, name, restart)
}

// writeLogs writes a container's log as the options ask for.
func (w *worker) writeLogs(ctx context.Context, name string, o *corev1.PodLogOptions, out io.Writer) error {
	c, err := w.container(name)
	if err != nil {
		return err
	}
	// Between two runs the one that is over is the current one and the previous
	// one alike, as in the kubelet.
	state := c.snapshot()
	restart := int(state.restarts)
	if o.Previous || state.current.Waiting != nil && restart > 0 {
		restart--
	}
	path := logName(filepath.Join(w.logs(), name), restart)
	if _, err := os.Stat(path); err != nil {
		why := "it has not run so often"
		if waits := state.current.Waiting; waits != nil {
			why = fmt.Sprintf("it is waiting: %s %s", waits.Reason, waits.Message)
		}
		return fmt.Errorf("container %q of pod %q has no such log: %s", name, w.pod.Name, why)
	}
	return logs.ReadLogs(ctx, path, name, criOptions(o), followed{c: c}, out, out)
}

func criOptions(o *corev1.PodLogOptions) *logs.LogOptions {
	out := &logs.LogOptions{Follow: o.Follow, Timestamp: o.Timestamps, TailLines: o.TailLines, LimitBytes: o.LimitBytes}
	switch {
	case o.SinceSeconds != nil:
		out.Since = time.Now().Add(-time.Duration(*o.SinceSeconds) * time.Second)
	case o.SinceTime != nil:
		out.Since = o.SinceTime.Time
	}
	return out
}

func (w *worker) container(name string) (*container, error) {
	for _, c := range w.containers {
		if c.spec.Name == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("pod %q has no container %q", w.pod.Name, name)
}

// followed is all that [logs.ReadLogs] asks a container runtime: whether the
// container still runs.
type followed struct {
	internalapi.RuntimeService
	c *container
}

// ContainerStatus implements internalapi.RuntimeService.
func (f followed) ContainerStatus(context.Context, string, bool) (*criv1.ContainerStatusResponse, error) {
	state := criv1.ContainerState_CONTAINER_EXITED
	if _, ok := f.c.running(); ok {
		state = criv1.ContainerState_CONTAINER_RUNNING
	}
	return &criv1.ContainerStatusResponse{Status: &criv1.ContainerStatus{State: state}}, nil
}

// logOptions reads what the API server passes on from `kubectl logs`.
func logOptions(q url.Values) (*corev1.PodLogOptions, error) {
	o := &corev1.PodLogOptions{}
	var errs []error
	number := func(name string) *int64 {
		if !q.Has(name) {
			return nil
		}
		n, err := strconv.ParseInt(q.Get(name), 10, 64)
		if err != nil || n < 0 {
			errs = append(errs, fmt.Errorf("%s=%q is no number", name, q.Get(name)))
			return nil
		}
		return &n
	}
	flag := func(name string) bool {
		value, err := strconv.ParseBool(q.Get(name))
		return err == nil && value
	}
	o.Follow, o.Previous, o.Timestamps = flag("follow"), flag("previous"), flag("timestamps")
	o.TailLines, o.SinceSeconds, o.LimitBytes = number("tailLines"), number("sinceSeconds"), number("limitBytes")
	if since := q.Get("sinceTime"); since != "" {
		t, err := time.Parse(time.RFC3339, since)
		if err != nil {
			errs = append(errs, fmt.Errorf("sinceTime=%q is no time", since))
		}
		o.SinceTime = &metav1.Time{Time: t}
	}
	return o, errors.Join(errs...)
}

// flusher sends what is written at once, for those who follow.
type flusher struct {
	http.ResponseWriter
	rc *http.ResponseController
}

// Write implements io.Writer.
func (f flusher) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if err == nil {
		err = f.rc.Flush()
	}
	return n, err
}

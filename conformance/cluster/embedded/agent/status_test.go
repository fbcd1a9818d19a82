//go:build linux

package agent

import (
	"bytes"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestPhaseAndConditions(t *testing.T) {
	running := func(ready bool) containerState {
		return containerState{current: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, started: true, ready: ready}
	}
	ended := func(code int32) containerState {
		return containerState{current: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}, done: true, ready: false}
	}
	waits := containerState{current: waiting("ContainerCreating", "")}
	crashed := containerState{current: waiting("CrashLoopBackOff", ""), restarts: 2}
	initDone := ended(0)
	initDone.ready = true

	for name, tc := range map[string]struct {
		reason       string
		policy       corev1.RestartPolicy
		inits, mains []containerState
		gates        []corev1.PodReadinessGate
		phase        corev1.PodPhase
		ready        string // reason of the condition Ready; "" for ready
		initialized  bool
	}{
		"Waiting":      {reason: "nothing has started", mains: []containerState{waits}, phase: corev1.PodPending, ready: "ContainersNotReady", initialized: true},
		"Initializing": {reason: "an init container runs", inits: []containerState{running(false)}, mains: []containerState{waits}, phase: corev1.PodPending, ready: "ContainersNotReady", initialized: true},
		"InitFailed":   {reason: "an init container that is not tried again", policy: corev1.RestartPolicyNever, inits: []containerState{ended(1)}, mains: []containerState{waits}, phase: corev1.PodFailed, ready: "PodFailed"},
		"Ready":        {reason: "all are ready", inits: []containerState{initDone}, mains: []containerState{running(true), running(true)}, phase: corev1.PodRunning, initialized: true},
		"OneIsNot":     {reason: "one of two is not", mains: []containerState{running(true), running(false)}, phase: corev1.PodRunning, ready: "ContainersNotReady", initialized: true},
		"Crashing":     {reason: "a pod that crashes runs, but is not ready", mains: []containerState{crashed}, phase: corev1.PodRunning, ready: "ContainersNotReady", initialized: true},
		"Succeeded":    {reason: "all ended well and are not started again", policy: corev1.RestartPolicyNever, mains: []containerState{ended(0)}, phase: corev1.PodSucceeded, ready: "PodCompleted", initialized: true},
		"Failed":       {reason: "one ended badly", policy: corev1.RestartPolicyNever, mains: []containerState{ended(0), ended(1)}, phase: corev1.PodFailed, ready: "PodFailed", initialized: true},
		"HalfDone":     {reason: "one still runs", policy: corev1.RestartPolicyNever, mains: []containerState{ended(0), running(true)}, phase: corev1.PodRunning, ready: "ContainersNotReady", initialized: true},
		"Gate":         {reason: "a gate that nobody has opened", mains: []containerState{running(true)}, gates: []corev1.PodReadinessGate{{ConditionType: "example.com/gate"}}, phase: corev1.PodRunning, ready: "ReadinessGatesNotReady", initialized: true},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.policy == "" {
				tc.policy = corev1.RestartPolicyAlways
			}
			s := &corev1.PodStatus{Phase: phase(tc.policy, tc.inits, tc.mains)}
			conditions(s, tc.inits, tc.mains, true, tc.gates)
			got := []any{s.Phase, condition(s, corev1.PodReady).Reason, condition(s, corev1.PodInitialized).Status == corev1.ConditionTrue}
			if diff := cmp.Diff([]any{tc.phase, tc.ready, tc.initialized}, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if (condition(s, corev1.PodReady).Status == corev1.ConditionTrue) != (tc.ready == "") {
				t.Errorf("%s: Ready is %s", tc.reason, condition(s, corev1.PodReady).Status)
			}
		})
	}
}

func TestLogLines(t *testing.T) {
	dir := t.TempDir()
	l, err := openLog(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one\ntwo", " and\n"} {
		if n, err := l.stream("stdout").Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "3.log"))
	if err != nil {
		t.Fatal(err)
	}
	got = regexp.MustCompile(`(?m)^\S+ `).ReplaceAll(got, nil) // the times
	want := "stdout F one\nstdout P two\nstdout F  and\n"
	if !bytes.Equal(got, []byte(want)) {
		t.Errorf("got %q, want %q: a part of a line is written at once, and marked", got, want)
	}
}

func TestLogOptions(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, query string
		fails         bool
	}{
		"None":     {reason: "kubectl logs", query: ""},
		"All":      {reason: "everything kubectl can ask for", query: "follow=true&previous=true&timestamps=true&tailLines=5&sinceSeconds=3&limitBytes=9&sinceTime=2026-01-02T03:04:05Z"},
		"NoNumber": {reason: "a number is a number", query: "tailLines=x", fails: true},
		"Negative": {reason: "there is no line -1", query: "tailLines=-1", fails: true},
		"NoTime":   {reason: "a time is a time", query: "sinceTime=yesterday", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := url.ParseQuery(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			o, err := logOptions(q)
			if (err != nil) != tc.fails {
				t.Errorf("%s: error %v", tc.reason, err)
			}
			if name == "All" && (!o.Follow || !o.Previous || !o.Timestamps || *o.TailLines != 5 || *o.SinceSeconds != 3 || *o.LimitBytes != 9 || o.SinceTime.IsZero()) {
				t.Errorf("%s: got %+v", tc.reason, o)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	a := newAddresses(netip.MustParsePrefix("10.0.0.0/29"), netip.MustParseAddr("10.0.0.1"))
	var got []string
	for range 6 {
		ip, err := a.take()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ip.String())
	}
	if diff := cmp.Diff([]string{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"}, got); diff != "" {
		t.Error(diff)
	}
	if ip, err := a.take(); err == nil {
		t.Errorf("%s was given twice", ip)
	}
	a.giveBack(netip.MustParseAddr("10.0.0.4"))
	if ip, err := a.take(); err != nil || ip.String() != "10.0.0.4" {
		t.Errorf("got %s, %v: what was given back can be had again", ip, err)
	}
}

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v")
	for _, step := range []struct {
		reason string
		files  map[string]file
		want   []string
	}{
		{"folders are made", map[string]file{"a": {[]byte("1"), 0o600}, "b/c": {[]byte("2"), 0o644}}, []string{"a=1", "b/c=2"}},
		{"what changed is replaced, what is gone goes", map[string]file{"a": {[]byte("3"), 0o600}}, []string{"a=3"}},
	} {
		if err := writeFiles(dir, step.files); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range []string{"a", "b/c"} {
			if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				got = append(got, name+"="+string(data))
			}
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", step.reason, diff)
		}
	}
	for _, path := range []string{"../x", "/x", "a/../../x"} {
		if err := add(map[string]file{}, path, nil, nil, nil); err == nil {
			t.Errorf("%s leaves the volume", path)
		}
	}
}

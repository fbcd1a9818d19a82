//go:build linux

package agent

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

func TestExpand(t *testing.T) {
	known := map[string]string{"A": "1", "B": "$(A)"}
	for name, tc := range map[string]struct{ reason, in, want string }{
		"Known":       {"a known name is replaced", "x$(A)y", "x1y"},
		"Unknown":     {"an unknown one stays as it is", "$(C)", "$(C)"},
		"Escaped":     {"$$ is $", "$$(A)", "$(A)"},
		"Once":        {"what was put in is not looked at again", "$(B)", "$(A)"},
		"NotClosed":   {"without an end there is no name", "$(A", "$(A"},
		"ShellsOwn":   {"$A is the shell's", "$A ${A}", "$A ${A}"},
		"Last":        {"a dollar at the end", "5$", "5$"},
		"Consecutive": {"one after the other", "$(A)$(A)", "11"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, expand(tc.in, known)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func testPod() placed {
	return placed{
		Pod: &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: "u", Labels: map[string]string{"a/b": "l", "c": "d"}},
			Spec:       corev1.PodSpec{NodeName: "n", ServiceAccountName: "sa"},
		},
		podIP: netip.MustParseAddr("198.18.0.2"), nodeIP: netip.MustParseAddr("198.18.0.1"),
	}
}

func TestField(t *testing.T) {
	for path, want := range map[string]string{
		"metadata.name": "p", "metadata.namespace": "ns", "metadata.uid": "u",
		"metadata.labels['a/b']": "l", "metadata.labels['missing']": "", "metadata.labels": "a/b=\"l\"\nc=\"d\"",
		"spec.nodeName": "n", "spec.serviceAccountName": "sa", "status.podIP": "198.18.0.2", "status.hostIP": "198.18.0.1",
	} {
		if got, err := field(testPod(), path); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", path, got, err, want)
		}
	}
	if _, err := field(testPod(), "spec.unheardOf"); err == nil {
		t.Error("a path that is not supported is an error, not an empty value")
	}
}

func TestEnviron(t *testing.T) {
	yes := true
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c"}, Data: map[string]string{"K": "v"}}
	ref := func(name, key string, optional *bool) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key, Optional: optional}}
	}
	for name, tc := range map[string]struct {
		reason string
		c      corev1.Container
		want   []string
		fails  bool
	}{
		"Order": {
			reason: "env wins over envFrom, and that over the image",
			c: corev1.Container{
				EnvFrom: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "c"}}}},
				Env:     []corev1.EnvVar{{Name: "FIRST", Value: "mine"}, {Name: "X", Value: "$(K)-$(FIRST)"}},
			},
			want: []string{"FIRST=mine", "K=v", "X=v-mine"},
		},
		"OptionalKey": {
			reason: "an optional key that is missing leaves the variable out",
			c:      corev1.Container{Env: []corev1.EnvVar{{Name: "X", ValueFrom: ref("c", "missing", &yes)}}},
			want:   []string{"FIRST=image"},
		},
		"OptionalMap": {
			reason: "an optional map that is missing leaves the variable out",
			c:      corev1.Container{Env: []corev1.EnvVar{{Name: "X", ValueFrom: ref("missing", "K", &yes)}}},
			want:   []string{"FIRST=image"},
		},
		"MissingKey": {reason: "a key that is needed", c: corev1.Container{Env: []corev1.EnvVar{{Name: "X", ValueFrom: ref("c", "missing", nil)}}}, fails: true},
		"MissingMap": {reason: "a map that is needed", c: corev1.Container{Env: []corev1.EnvVar{{Name: "X", ValueFrom: ref("missing", "K", nil)}}}, fails: true},
		"Resource": {
			reason: "limits come in the unit asked for, rounded up",
			c: corev1.Container{
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1500Ki")}},
				Env: []corev1.EnvVar{
					{Name: "M", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory", Divisor: resource.MustParse("1Mi")}}},
					{Name: "C", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
				},
			},
			want: []string{"FIRST=image", "M=2", "C=1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := environ(t.Context(), fake.NewFakeClient(config), testPod(), &tc.c, []string{"FIRST=image"})
			if (err != nil) != tc.fails {
				t.Fatalf("%s: error %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	program := image.Program{Path: "/cache/echo-basic", Args: []string{"--default"}}
	for name, tc := range map[string]struct {
		reason        string
		command, args []string
		want          []string
	}{
		"Image":     {reason: "neither: the image's", want: []string{"/echo-basic", "--default"}},
		"Args":      {reason: "args replace nothing of the entrypoint", args: []string{"-x", "$(A)"}, want: []string{"/echo-basic", "--default", "-x", "1"}},
		"Program":   {reason: "the image's program, wherever the image has it", command: []string{"/ko-app/echo-basic", "serve"}, args: []string{"-x"}, want: []string{"/echo-basic", "serve", "-x"}},
		"OtherTool": {reason: "another program of the container", command: []string{"sh", "-c", "true"}, want: []string{"sh", "-c", "true"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := commandLine(&corev1.Container{Command: tc.command, Args: tc.args}, program, []string{"A=1"})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestResolvConf(t *testing.T) {
	dns := netip.MustParseAddr("198.18.0.1")
	two := "2"
	for name, tc := range map[string]struct {
		reason string
		spec   corev1.PodSpec
		want   string
	}{
		"ClusterFirst": {
			reason: "the cluster's names without their domain",
			spec:   corev1.PodSpec{DNSPolicy: corev1.DNSClusterFirst},
			want:   "nameserver 198.18.0.1\nsearch ns.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n",
		},
		"Default":     {reason: "no domains", spec: corev1.PodSpec{DNSPolicy: corev1.DNSDefault}, want: "nameserver 198.18.0.1\n"},
		"HostNetwork": {reason: "ClusterFirst is Default there", spec: corev1.PodSpec{DNSPolicy: corev1.DNSClusterFirst, HostNetwork: true}, want: "nameserver 198.18.0.1\n"},
		"None": {
			reason: "dnsConfig alone",
			spec: corev1.PodSpec{DNSPolicy: corev1.DNSNone, DNSConfig: &corev1.PodDNSConfig{
				Nameservers: []string{"198.18.0.9"}, Searches: []string{"x"}, Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: &two}, {Name: "edns0"}}}},
			want: "nameserver 198.18.0.9\nsearch x\noptions ndots:2 edns0\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns"}, Spec: tc.spec}
			if diff := cmp.Diff(tc.want, resolvConf(pod, dns)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

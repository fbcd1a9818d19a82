package nodeimage

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
)

// TestScripts: a mistake in a script shows only in a node that does not start.
func TestScripts(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("scripts are checked by bash")
	}
	entries, err := files.ReadDir("files")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, e := range entries {
		text, err := files.ReadFile("files/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "#!/bin/bash\n") {
			continue
		}
		checked++
		cmd := exec.Command(bash, "-n")
		cmd.Stdin = strings.NewReader(string(text))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", e.Name(), err, out)
		}
	}
	if checked < 3 {
		t.Errorf("only %d scripts found", checked)
	}
}

// TestNodeEntries: what kind and systemd look for is there, and filled in.
func TestNodeEntries(t *testing.T) {
	b := builder{programs: map[string]string{}}
	for _, name := range parts {
		b.programs[name] = "/cache/" + name
	}
	entries, err := b.nodeEntries("/cache/images.tar", map[string]string{"pause": "registry.k8s.io/pause:1", "kube-proxy": "registry.k8s.io/kube-proxy:2"})
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, e := range entries {
		content[e.Name] = string(e.Content) + e.Link + e.From
	}
	for name, want := range map[string]string{
		"/kind/version":                    components.KubernetesVersion,
		"/kind/manifests/default-cni.yaml": `image: "registry.k8s.io/kube-proxy:2"`,
		"/etc/containerd/config.toml":      `sandbox = "registry.k8s.io/pause:1"`,
		"/usr/bin/kubelet":                 "kubernetes",
		"/usr/local/bin/ctr":               "/cache/ctr",
		"/kind/images.tar":                 "/cache/images.tar",
		"/etc/systemd/system/multi-user.target.wants/node-images.service": "/etc/systemd/system/node-images.service",
	} {
		if !strings.Contains(content[name], want) {
			t.Errorf("%s is %q, want %q in it", name, content[name], want)
		}
	}
	for name, text := range content {
		if strings.Contains(text, "@PAUSE@") || strings.Contains(text, "@KUBE_PROXY@") {
			t.Errorf("%s has a placeholder left", name)
		}
	}
}

// TestPodsComeFromParts: the components of images are those that are found.
func TestPodsComeFromParts(t *testing.T) {
	for name, p := range pods {
		if !slices.Contains(parts, p.component) {
			t.Errorf("%s comes from %s, which nobody looks for", name, p.component)
		}
	}
}

package kind

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
)

func TestOptions(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		in     Options
		env    string
		image  string // of the nodes
		err    string
	}{
		"Default":       {reason: "kind's own image", in: Options{}},
		"Variable":      {reason: "the machine's image", env: "local/node:v1", image: "local/node:v1"},
		"Version":       {reason: "kind's image of that version", in: Options{KubernetesVersion: "1.36.1"}, env: "local/node:v1", image: "kindest/node:v1.36.1"},
		"Image":         {reason: "what is asked for", in: Options{NodeImage: "mine:1"}, env: "local/node:v1", image: "mine:1"},
		"Config":        {reason: "a configuration names its own images", in: Options{Config: "some.yaml"}, env: "local/node:v1"},
		"Both":          {reason: "they could contradict each other", in: Options{NodeImage: "mine:1", KubernetesVersion: "v1.36.1"}, err: "only one of the two"},
		"ShortVersion":  {reason: "kind's tags have three numbers", in: Options{KubernetesVersion: "v1.36"}, err: "no version of Kubernetes"},
		"BadName":       {reason: "it becomes a host name", in: Options{Name: "Big_One"}, err: "no name for a cluster"},
		"OptionAsName":  {reason: "it becomes an argument of docker", in: Options{Name: "-rf"}, err: "no name for a cluster"},
		"Path":          {reason: "it becomes a folder", in: Options{Name: "../x"}, err: "no name for a cluster"},
		"NegativeNodes": {reason: "there is at least one", in: Options{Nodes: -1}, err: "not possible"},
		"Family":        {reason: "kind knows three", in: Options{IPFamily: "ipv5"}, err: "there are ipv4, ipv6, dual"},
		"LoadBalancer":  {reason: "we know four", in: Options{LoadBalancer: "f5"}, err: "there are built-in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(NodeImageVariable, tc.env)
			err := tc.in.complete()
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%s: error %v", tc.reason, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tc.in.NodeImage != tc.image {
				t.Errorf("%s: image %q", tc.reason, tc.in.NodeImage)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kind.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("networking: {podSubnet: 10.1.0.0/16}\nnodes: [{role: control-plane}, {role: worker, labels: {a: b}}]\n")
	c, err := Options{Name: "x", Config: file, NodeImage: "mine:1", IPFamily: Dual}.config(engine{CgroupVersion: "2"})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Nodes) != 2 || c.Nodes[1].Image != "mine:1" || c.Nodes[1].Labels["a"] != "b" || c.Nodes[1].Labels[Label] != "x" {
		t.Errorf("nodes %+v", c.Nodes)
	}
	if c.Networking.PodSubnet != "10.1.0.0/16" || c.Networking.IPFamily != v1alpha4.DualStackFamily || len(c.KubeadmConfigPatches) != 0 {
		t.Errorf("configuration %+v", c)
	}
	if _, err := (Options{Config: file, Nodes: 3}).config(engine{}); err == nil || !strings.Contains(err.Error(), "lists nodes already") {
		t.Errorf("two numbers of nodes: %v", err)
	}
	write("unheardOf: {}\n")
	if _, err := (Options{Config: file}).config(engine{}); err == nil || !strings.Contains(err.Error(), "unheardOf") {
		t.Errorf("a misspelt field: %v", err)
	}

	three, err := Options{Nodes: 3}.config(engine{CgroupVersion: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if len(three.Nodes) != 3 || three.Nodes[0].Role != v1alpha4.ControlPlaneRole || three.Nodes[2].Role != v1alpha4.WorkerRole {
		t.Errorf("nodes %+v", three.Nodes)
	}
	if len(three.KubeadmConfigPatches) != 1 {
		t.Errorf("control groups of version 1 need a patch, not %q", three.KubeadmConfigPatches)
	}
	old, err := Options{KubernetesVersion: "v1.30.1"}.config(engine{CgroupVersion: "1"})
	if err != nil || len(old.KubeadmConfigPatches) != 0 {
		t.Errorf("old kubelets do not know the field: %q, %v", old.KubeadmConfigPatches, err)
	}
}

func TestNamesInDocker(t *testing.T) {
	for _, name := range []string{DefaultName, "x", "causeway-x", "conformance-abc"} {
		if got, ok := ours(inDocker(name)); !ok || got != name {
			t.Errorf("%q is %q in Docker, which is %q", name, inDocker(name), got)
		}
	}
	if name, ok := ours("kind"); ok {
		t.Errorf("a cluster of somebody else is %q", name)
	}
}

func TestMetalLBPool(t *testing.T) {
	own, err := parseAddresses([]byte(`{"kind":{"IPAddress":"172.18.0.2","IPPrefixLen":16}}`))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := metalLBPool(own)
	if err != nil || !strings.Contains(pool, "- 172.18.253.1-172.18.253.254\n") {
		t.Errorf("pool %s, %v", pool, err)
	}
}

// TestNoDocker: whoever has no Docker is told what to do.
func TestNoDocker(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "nothing"))
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	_, err := NewProvider(Options{}).Create(t.Context())
	if err == nil || !strings.Contains(err.Error(), "install and start it") {
		t.Errorf("error %v", err)
	}
}

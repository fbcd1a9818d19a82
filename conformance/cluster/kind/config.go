package kind

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/mod/semver"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"
)

// cgroupV1 lets kubelets start on machines with control groups of version 1,
// which they refuse from Kubernetes 1.35 on
// (https://kubernetes.io/docs/concepts/architecture/cgroups/). Older ones do not
// know the field.
const cgroupV1 = `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
failCgroupV1: false
`

// config is kind's configuration of the cluster.
func (o Options) config(e engine) (*v1alpha4.Cluster, error) {
	c := &v1alpha4.Cluster{TypeMeta: v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"}}
	if o.Config != "" {
		data, err := os.ReadFile(o.Config)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalStrict(data, c); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Config, err)
		}
		if len(c.Nodes) > 0 && o.Nodes > 0 {
			return nil, fmt.Errorf("%s lists nodes already: leave their number out", o.Config)
		}
	}
	c.Name = "" // ours
	if o.IPFamily != "" {
		c.Networking.IPFamily = v1alpha4.ClusterIPFamily(o.IPFamily)
	}
	if len(c.Nodes) == 0 {
		c.Nodes = append(c.Nodes, v1alpha4.Node{Role: v1alpha4.ControlPlaneRole})
		for range o.Nodes - 1 {
			c.Nodes = append(c.Nodes, v1alpha4.Node{Role: v1alpha4.WorkerRole})
		}
	}
	for i := range c.Nodes {
		if c.Nodes[i].Labels == nil {
			c.Nodes[i].Labels = map[string]string{}
		}
		c.Nodes[i].Labels[Label] = o.Name
		if o.NodeImage != "" {
			c.Nodes[i].Image = o.NodeImage
		}
	}
	if e.CgroupVersion == "1" && (o.KubernetesVersion == "" || semver.Compare(o.KubernetesVersion, "v1.35.0") >= 0) {
		c.KubeadmConfigPatches = append(c.KubeadmConfigPatches, cgroupV1)
	}
	v1alpha4.SetDefaultsCluster(c)
	return c, nil
}

// Label is on every node of a cluster of this package; its value is the
// cluster's name.
const Label = "causeway-gateway.github.io/cluster"

// ErrNoDocker says that no Docker engine answers.
var ErrNoDocker = errors.New("kind needs Docker, and no engine answers: install and start it (https://docs.docker.com/engine/install/), " +
	"or name it with DOCKER_HOST; without one, use an embedded cluster")

package kind

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
)

// The load balancers of others. Both are pulled, so they need a registry.
const (
	cloudProviderImage = "registry.k8s.io/cloud-provider-kind/cloud-controller-manager:v0.10.0"
	metalLBManifest    = "https://raw.githubusercontent.com/metallb/metallb/v0.15.3/config/manifests/metallb-native.yaml"
)

func cloudProviderName(cluster string) string { return inDocker(cluster) + "-cloud-provider" }

// startCloudProvider runs cloud-provider-kind beside the nodes. It serves every
// kind cluster of the engine, as it always does, so one of them is enough; each
// cluster has its own all the same, since the first one may be deleted first.
func startCloudProvider(ctx context.Context, cluster string) error {
	_, err := docker(ctx, "run", "--detach", "--name", cloudProviderName(cluster), "--network", "kind",
		"--volume", "/var/run/docker.sock:/var/run/docker.sock", cloudProviderImage)
	if err != nil {
		return fmt.Errorf("cloud-provider-kind: %w", err)
	}
	return nil
}

// stopCloudProvider removes it, if it was started.
func stopCloudProvider(ctx context.Context, cluster string) error {
	out, err := docker(ctx, "ps", "--all", "--quiet", "--filter", "name=^"+cloudProviderName(cluster)+"$")
	if err != nil || strings.TrimSpace(string(out)) == "" {
		return err
	}
	_, err = docker(ctx, "rm", "--force", "--volumes", cloudProviderName(cluster))
	return err
}

// installMetalLB installs MetalLB with this cluster's block of addresses.
func (p *Provider) installMetalLB(ctx context.Context) error {
	own, err := addresses(ctx, inDocker(p.options.Name)+"-control-plane")
	if err != nil {
		return err
	}
	pool, err := metalLBPool(own)
	if err != nil {
		return err
	}
	all, err := p.nodes()
	if err != nil {
		return err
	}
	node, err := nodeutils.BootstrapControlPlaneNode(all)
	if err != nil {
		return err
	}
	const admin = "--kubeconfig=/etc/kubernetes/admin.conf"
	if err := node.CommandContext(ctx, "kubectl", admin, "apply", "-f", metalLBManifest).Run(); err != nil {
		return fmt.Errorf("metallb: %w", explained(err))
	}
	// Its admission webhook takes the pool only once the controller runs.
	var last error
	err = wait.PollUntilContextTimeout(ctx, 2*time.Second, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		last = explained(node.CommandContext(ctx, "kubectl", admin, "apply", "-f", "-").SetStdin(strings.NewReader(pool)).Run())
		return last == nil, nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("metallb: %w", last)
	}
	return err
}

// metalLBPool is the configuration of MetalLB for the nodes' addresses.
func metalLBPool(own []address) (string, error) {
	var ranges strings.Builder
	for _, a := range own {
		b, err := blockOf(a.Prefix)
		if err != nil {
			return "", err
		}
		first, last := b.usable()
		fmt.Fprintf(&ranges, "  - %s-%s\n", first, last)
	}
	return `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: causeway, namespace: metallb-system}
spec:
  addresses:
` + ranges.String() + `---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: causeway, namespace: metallb-system}
`, nil
}

// usable are the first and the last address that a load balancer may get.
func (b block) usable() (first, last netip.Addr) {
	first = b.first.Next()
	last = first
	for range b.size - 3 {
		last = last.Next()
	}
	return first, last
}

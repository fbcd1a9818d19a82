//go:build linux

package node

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
)

// corefile answers for the cluster's names and for no others: there is no way
// out of the cluster.
const corefile = `.:53 {
    bind NODE
    errors
    kubernetes cluster.local in-addr.arpa {
        kubeconfig KUBECONFIG
        pods insecure
        ttl 1
    }
}
`

// dns starts CoreDNS at the node's address. Without cache and with a TTL of a
// second: tests change Services and ask at once.
func (n *node) dns(ctx context.Context, admin *rest.Config) error {
	kubeconfig := filepath.Join(n.work, "coredns.kubeconfig")
	if err := writeKubeconfig(admin, n.Name, kubeconfig); err != nil {
		return err
	}
	file := filepath.Join(n.work, "Corefile")
	text := strings.NewReplacer("NODE", nodeIP.String(), "KUBECONFIG", kubeconfig).Replace(corefile)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	return n.program(ctx, "coredns", "-conf", file)
}

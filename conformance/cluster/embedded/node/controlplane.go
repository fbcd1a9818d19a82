//go:build linux

package node

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/agent"
)

// patience is how long a part of the control plane may take to start, on a
// machine that is busy with other things.
const patience = 2 * time.Minute

// etcdPort is the port of etcd, in a network where nobody else has one.
const etcdPort = 2379

// controlPlane starts etcd and the API server through envtest, then the
// controller manager. It returns the configuration of an administrator and the
// certificate by which the API server and the node agent know each other.
func (n *node) controlPlane(ctx context.Context) (*rest.Config, agent.Certificate, error) {
	var none agent.Certificate
	bin, certs := filepath.Join(n.work, "bin"), filepath.Join(n.work, "certs")
	data := filepath.Join(n.work, "etcd")
	for _, dir := range []string{bin, certs, data} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, none, err
		}
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "coredns"} {
		if err := os.Symlink(n.ControlPlane, filepath.Join(bin, name)); err != nil {
			return nil, none, err
		}
	}
	ca, kubelet, err := writeCertificates(certs)
	if err != nil {
		return nil, none, fmt.Errorf("certificates: %w", err)
	}
	etcdLog, err := n.log("etcd")
	if err != nil {
		return nil, none, err
	}
	apiLog, err := n.log("kube-apiserver")
	if err != nil {
		return nil, none, err
	}
	plane := &envtest.ControlPlane{
		Etcd: &envtest.Etcd{
			Path: filepath.Join(bin, "etcd"), DataDir: data, Out: etcdLog, Err: etcdLog, StartTimeout: patience,
			URL: &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(etcdPort))},
		},
		APIServer: &envtest.APIServer{
			Path: filepath.Join(bin, "kube-apiserver"), CertDir: certs, Out: apiLog, Err: apiLog, StartTimeout: patience,
		},
	}
	plane.APIServer.SecureServing.Address = "127.0.0.1"
	plane.APIServer.SecureServing.Port = strconv.Itoa(n.Port)
	plane.APIServer.SecureServing.CA = ca
	for flag, value := range apiServerFlags(kubelet) {
		plane.APIServer.Configure().Set(flag, value)
	}
	plane.APIServer.Configure().Disable("disable-admission-plugins") // the ServiceAccount plugin is wanted
	if err := plane.Start(); err != nil {
		return nil, none, fmt.Errorf("control plane: %w", err)
	}
	n.say("API server is ready")
	user, err := plane.AddUser(envtest.User{Name: "causeway", Groups: []string{"system:masters"}}, &rest.Config{QPS: -1})
	if err != nil {
		return nil, none, err
	}
	admin := user.Config()
	return admin, kubelet, n.controllerManager(ctx, admin, certs)
}

// apiServerFlags are set besides envtest's own.
func apiServerFlags(kubelet agent.Certificate) map[string]string {
	return map[string]string{
		// Pods reach it at the node's address, through the Service "kubernetes".
		"bind-address":                    "0.0.0.0",
		"advertise-address":               nodeIP.String(),
		"service-cluster-ip-range":        serviceRange.String(),
		"service-account-issuer":          "https://kubernetes.default.svc.cluster.local",
		"kubelet-preferred-address-types": "InternalIP",
		"kubelet-client-certificate":      kubelet.CertFile,
		"kubelet-client-key":              kubelet.KeyFile,
		"kubelet-certificate-authority":   filepath.Join(filepath.Dir(kubelet.CertFile), caCert),
		"enable-priority-and-fairness":    "false", // one user
		"max-requests-inflight":           "0",
		"max-mutating-requests-inflight":  "0",
	}
}

// controllerManager starts the controllers that the suite and common
// implementations live on. There is one node and it is always well, so none of
// those that look after nodes.
func (n *node) controllerManager(ctx context.Context, admin *rest.Config, certs string) error {
	kubeconfig := filepath.Join(n.work, "controller-manager.kubeconfig")
	if err := writeKubeconfig(admin, n.Name, kubeconfig); err != nil {
		return err
	}
	return n.program(ctx, "kube-controller-manager",
		"--kubeconfig="+kubeconfig,
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		"--use-service-account-credentials=false",
		"--service-account-private-key-file="+filepath.Join(certs, signerKey),
		"--root-ca-file="+filepath.Join(certs, caCert),
		"--controllers="+controllers,
		"--concurrent-service-endpoint-syncs=5",
		"--kube-api-qps=1000", "--kube-api-burst=1000",
		"--endpointslice-updates-batch-period=0",
	)
}

const controllers = "deployment-controller,replicaset-controller,daemonset-controller,statefulset-controller,job-controller," +
	"endpointslice-controller,namespace-controller,garbage-collector-controller,serviceaccount-controller," +
	"root-ca-certificate-publisher-controller,clusterrole-aggregation-controller"

// program starts a part of the control plane and watches over it.
func (n *node) program(ctx context.Context, name string, args ...string) error {
	log, err := n.log(name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(n.work, "bin", name), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	n.watch(name, func() error {
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%w; see %s", err, log.Name())
		}
		return nil
	})
	return nil
}

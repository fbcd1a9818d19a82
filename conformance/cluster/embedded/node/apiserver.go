//go:build linux

package node

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// manager is controller-runtime's.
type manager = ctrl.Manager

func newManager(admin *rest.Config, out io.Writer) (manager, error) {
	logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(out)))
	log.SetLogger(logger)
	klog.SetLogger(logger)
	config := rest.CopyConfig(admin)
	config.QPS = -1 // one user, one machine
	m, err := ctrl.NewManager(config, ctrl.Options{Metrics: server.Options{BindAddress: "0"}, Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("controllers: %w", err)
	}
	return m, nil
}

// writeKubeconfig writes a kubeconfig whose only context has the cluster's name.
func writeKubeconfig(c *rest.Config, name, path string) error {
	config := api.NewConfig()
	config.Clusters[name] = &api.Cluster{Server: c.Host, CertificateAuthorityData: c.CAData}
	config.AuthInfos[name] = &api.AuthInfo{ClientCertificateData: c.CertData, ClientKeyData: c.KeyData}
	config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	// Whole at once: its presence says that the cluster runs.
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// forward passes connections from outside to the API server.
func forward(ctx context.Context, outside net.Listener, host string) error {
	u, err := url.Parse(host)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { outside.Close() })()
	for {
		conn, err := outside.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			inside, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
			if err != nil {
				return // the client sees the connection close
			}
			defer inside.Close()
			done := make(chan struct{}, 2)
			for _, pair := range [][2]net.Conn{{inside, conn}, {conn, inside}} {
				go func() {
					_, _ = io.Copy(pair[0], pair[1])
					_ = pair[0].(*net.TCPConn).CloseWrite()
					done <- struct{}{}
				}()
			}
			<-done
			<-done
		}()
	}
}

// healthy returns when the API server has not answered for a while: envtest
// does not tell when one of its processes ends.
func (n *node) healthy(ctx context.Context, admin *rest.Config) error {
	const every, limit = 2 * time.Second, 15
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return err
	}
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
		probe, cancel := context.WithTimeout(ctx, every)
		err := client.Discovery().RESTClient().Get().AbsPath("/livez").Do(probe).Error()
		cancel()
		if err == nil {
			failures = 0
			continue
		}
		if failures++; failures == limit {
			return fmt.Errorf("no answer for %s: %w", limit*every, err)
		}
	}
}

// settle waits for what every pod needs: the account "default" of the
// namespace "default", which a controller makes.
func (n *node) settle(ctx context.Context, admin *rest.Config) error {
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		select {
		case err := <-n.lost:
			return false, err
		default:
		}
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		node, err := client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil && ready(node), err
	})
	if err != nil {
		return fmt.Errorf("wait for the node to take pods: %w", err)
	}
	return nil
}

func ready(node *corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

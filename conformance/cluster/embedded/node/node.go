//go:build linux

// Package node is the inside of an embedded cluster: what runs in its
// namespaces. It prepares mounts and network, starts the control plane, the
// cluster's DNS, the node agent and the service proxy, reports how far it is,
// and ends when any of them is lost. It does not make the namespaces, and
// ending the processes is the business of the kernel.
package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/agent"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/control"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/services"
)

// Config is what the outside decides.
type Config struct {
	// Name is the name of cluster and node.
	Name string `json:"name"`
	// Dir is the cluster's folder, with logs/ in it; the same path on both sides.
	Dir string `json:"dir"`
	// Port of the API server on 127.0.0.1, inside and outside.
	Port int `json:"port"`
	// ControlPlane is the program that acts as each part of the control plane.
	ControlPlane string `json:"controlPlane"`
	// Images is the table of images to begin with.
	Images map[string]image.Program `json:"images"`
}

// Report is one message to the outside.
type Report struct {
	Line  string `json:"line,omitempty"`  // progress
	Error string `json:"error,omitempty"` // the last message: why it ended
	Ready bool   `json:"ready,omitempty"` // the node takes pods
}

// node is a running inside.
type node struct {
	Config
	work   string // on a file system in memory that vanishes with the namespaces
	report func(Report)
	start  time.Time
	lost   chan error // parts that ended although they should not
}

// Run starts everything and returns when something of it ended, or when it was
// asked to stop over the control socket. outside accepts, in the network of
// the host, connections for the API server.
func Run(ctx context.Context, c Config, outside net.Listener, report func(Report)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	n := &node{Config: c, work: filepath.Join(c.Dir, "work"), report: report, start: time.Now(), lost: make(chan error, 16)}
	table, err := image.NewTable(c.Images)
	if err != nil {
		return err
	}
	if err := n.mounts(); err != nil {
		return fmt.Errorf("mounts of the cluster: %w", err)
	}
	if err := n.network(); err != nil {
		return fmt.Errorf("network of the cluster: %w", err)
	}
	admin, kubelet, err := n.controlPlane(ctx)
	if err != nil {
		return err
	}
	n.watch("API server outside", func() error { return forward(ctx, outside, admin.Host) })
	if err := n.dns(ctx, admin); err != nil {
		return err
	}
	manager, err := n.controllers(admin, table, kubelet)
	if err != nil {
		return err
	}
	n.watch("node agent", func() error { return manager.Start(ctx) })
	n.watch("API server", func() error { return n.healthy(ctx, admin) })
	if err := n.settle(ctx, admin); err != nil {
		return err
	}
	if err := n.control(ctx, table, stop); err != nil {
		return err
	}
	if err := writeKubeconfig(admin, c.Name, filepath.Join(c.Dir, "kubeconfig")); err != nil {
		return err
	}
	n.say("cluster %q is ready", c.Name)
	report(Report{Ready: true})
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.lost:
		return err
	}
}

// say reports progress with the time since the start.
func (n *node) say(format string, args ...any) {
	n.report(Report{Line: fmt.Sprintf(format, args...) + fmt.Sprintf(" (%.1f s)", time.Since(n.start).Seconds())})
}

// watch runs a part of the node. Its end is the end of the node.
func (n *node) watch(name string, run func() error) {
	go func() {
		err := run()
		if err == nil {
			err = errors.New("it ended")
		}
		n.lost <- fmt.Errorf("%s: %w", name, err)
	}()
}

// control listens for what the outside wants. The folder is the user's own.
func (n *node) control(ctx context.Context, table *image.Table, stop func()) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(n.Dir, "control.sock")})
	if err != nil {
		return err
	}
	log, err := n.log("control")
	if err != nil {
		return err
	}
	s := &control.Server{Images: table, Stop: stop, Logf: func(format string, args ...any) {
		fmt.Fprintf(log, format+"\n", args...)
	}}
	n.watch("control socket", func() error { return s.Serve(ctx, l) })
	return nil
}

// log opens the log of a part.
func (n *node) log(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(n.Dir, "logs", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// controllers are the node agent and the service proxy in one manager, which
// watches each kind of object once.
func (n *node) controllers(admin *rest.Config, table *image.Table, cert agent.Certificate) (manager, error) {
	log, err := n.log("agent")
	if err != nil {
		return nil, err
	}
	m, err := newManager(admin, log)
	if err != nil {
		return nil, err
	}
	if err := services.Add(m, services.Options{Node: nodeIP, ClusterIPs: serviceRange, LoadBalancers: balancerRange}); err != nil {
		return nil, fmt.Errorf("service proxy: %w", err)
	}
	err = agent.Add(m, agent.Options{
		Node: n.Name, IP: nodeIP, Pods: podRange,
		Work: filepath.Join(n.work, "pods"), Logs: filepath.Join(n.Dir, "logs", "pods"),
		Images: table, Certificate: cert,
		DNS: nodeIP, APIServer: apiService, APIServerPort: 443,
	})
	if err != nil {
		return nil, fmt.Errorf("node agent: %w", err)
	}
	return m, nil
}

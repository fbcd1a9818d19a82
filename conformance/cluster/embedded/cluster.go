//go:build linux

package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/control"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/node"
)

// Cluster is a running cluster: one that this process holds, from [Up], or one
// that a process in the background holds, from [Start] and [Attach].
type Cluster struct {
	dir dir
	// held is what this process holds; nil for a cluster in the background.
	held *held
}

// held is the process that holds a cluster's namespaces.
type held struct {
	lifeline *os.File      // its closing ends the cluster
	lock     *os.File      // of the cluster's folder
	ended    chan struct{} // closed once the process is gone
	err      error         // why it went, to be read after ended
}

// Up starts a cluster that lasts until [Cluster.Down] or the end of this
// process, whichever comes first. It returns once the API server is ready and
// the node takes pods. A cluster of the same name that runs is an error.
func Up(ctx context.Context, o Options) (*Cluster, error) {
	if err := mustNotPlay(os.Args); err != nil {
		return nil, err
	}
	return up(ctx, o)
}

func up(ctx context.Context, o Options) (*Cluster, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := supported(); err != nil {
		return nil, err
	}
	programs, err := find(ctx, o.Components)
	if err != nil {
		return nil, err
	}
	d, err := dirOf(o.Name)
	if err != nil {
		return nil, err
	}
	// A moment's patience: whoever asks for the status holds the lock as well.
	moment, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	lock, err := awaitLock(moment, d)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("cluster %q: %w; end it with `causeway cluster down --name %s` or choose another name", o.Name, err, o.Name)
	}
	if err != nil {
		return nil, err
	}
	c, err := start(ctx, d, lock, o, programs)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cluster %q: %w", o.Name, err), d.remove(), lock.Close())
	}
	return c, nil
}

// find looks for the control plane's programs.
func find(ctx context.Context, f components.Finder) (map[string]string, error) {
	found := map[string]string{}
	for _, name := range []string{components.ControlPlane, components.EchoBasic, components.EchoAdvanced, components.EchoAdvancedClient} {
		path, err := f.Find(ctx, name)
		if err != nil {
			return nil, err
		}
		found[name] = path
	}
	return found, nil
}

func start(ctx context.Context, d dir, lock *os.File, o Options, programs map[string]string) (*Cluster, error) {
	if err := d.create(); err != nil {
		return nil, err
	}
	who, err := self()
	if err != nil {
		return nil, err
	}
	if err := d.writeInfo(who); err != nil {
		return nil, err
	}
	images, err := imagesFor(d, o, programs)
	if err != nil {
		return nil, err
	}
	// The port is taken outside, so no two clusters have the same one; inside
	// it is free, and so the address of the API server is the same on both sides.
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	config := node.Config{
		Name:         o.Name,
		Dir:          d.path(),
		Port:         listener.Addr().(*net.TCPAddr).Port,
		ControlPlane: programs[components.ControlPlane],
		Images:       images,
	}
	outside, err := listener.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	defer outside.Close()
	o.Logf("starting cluster %q", o.Name)
	h, reports, err := spawn(config, outside, lock)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: d, held: h}
	if err := h.await(ctx, reports, o.Logf); err != nil {
		h.end()
		return nil, fmt.Errorf("%w%s", err, tails(d.logs()))
	}
	return c, nil
}

// await passes on what the inside reports until it is ready.
func (h *held) await(ctx context.Context, reports io.ReadCloser, logf func(string, ...any)) error {
	defer context.AfterFunc(ctx, func() { reports.Close() })()
	in := json.NewDecoder(reports)
	for {
		var r node.Report
		err := in.Decode(&r)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("the node ended before it was ready: %w", err)
		case r.Error != "":
			return errors.New(r.Error)
		case r.Ready:
			// What comes later is why the cluster ended.
			go func() {
				defer reports.Close()
				for in.Decode(&r) == nil {
					logf("%s%s", r.Line, r.Error)
				}
			}()
			return nil
		}
		logf("%s", r.Line)
	}
}

// end ends the namespaces' first process and with it all others.
func (h *held) end() {
	h.lifeline.Close()
	<-h.ended
}

// tails are the last lines of the logs of a cluster that did not start.
func tails(logs string) string {
	const lines, size = 5, 1000
	var out strings.Builder
	files, _ := filepath.Glob(filepath.Join(logs, "*.log"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil || len(data) == 0 {
			continue
		}
		all := strings.Split(strings.TrimSpace(string(data)), "\n")
		tail := strings.Join(all[max(0, len(all)-lines):], "\n")
		fmt.Fprintf(&out, "\n== %s\n%s", filepath.Base(f), tail[max(0, len(tail)-size):])
	}
	return out.String()
}

// Attach returns the running cluster of that name.
func Attach(name string) (*Cluster, error) {
	d, err := dirOf(name)
	if err != nil {
		return nil, err
	}
	s, err := statusOf(d)
	if err != nil {
		return nil, err
	}
	if s.State != Running {
		return nil, fmt.Errorf("cluster %q is %s; start it with `causeway cluster up --name %s`", name, s.State, name)
	}
	return &Cluster{dir: d}, nil
}

// Name is the cluster's name.
func (c *Cluster) Name() string { return c.dir.name }

// Kubeconfig is the path of a kubeconfig of a cluster administrator. Its
// address serves outside and inside of the cluster alike.
func (c *Cluster) Kubeconfig() string { return c.dir.kubeconfig() }

// Context is the name of the context in [Cluster.Kubeconfig].
func (c *Cluster) Context() string { return c.dir.name }

// Logs is the folder of the logs of the control plane (NAME.log) and of the
// pods (pods/NAMESPACE_NAME_UID/CONTAINER/RESTART.log, in the CRI's format).
func (c *Cluster) Logs() string { return c.dir.logs() }

// Command is like [exec.CommandContext] for a program of this machine that
// runs inside the cluster, where Services, pods and gateways have addresses
// and names. It sees the same files. Its end is certain: with ctx, with the
// process that was started, with the cluster.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return reexec(ctx, roleExec, append([]string{c.dir.socket(), name}, args...)...)
}

// MapImage adds or replaces a row of the cluster's table of images. Pods that
// wait for the image find it within seconds.
func (c *Cluster) MapImage(ctx context.Context, name string, p image.Program) error {
	return control.Client{Socket: c.dir.socket()}.MapImage(ctx, name, p)
}

// Done is closed when a cluster from [Up] has ended; nil for others.
func (c *Cluster) Done() <-chan struct{} {
	if c.held == nil {
		return nil
	}
	return c.held.ended
}

// downTimeout is how long a cluster in the background may take to end before
// it is killed.
const downTimeout = 10 * time.Second

// Down ends the cluster and removes what it left, logs included. It returns
// once no process of it is left.
func (c *Cluster) Down(ctx context.Context) error {
	if c.held != nil {
		c.held.end()
		return errors.Join(c.dir.remove(), c.held.lock.Close())
	}
	return down(ctx, c.dir)
}

func down(ctx context.Context, d dir) error {
	info, infoErr := d.readInfo()
	polite, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	if err := (control.Client{Socket: d.socket()}).Stop(polite); err != nil && infoErr == nil {
		// It does not listen: it starts, hangs, or is gone already.
		if err := info.kill(); err != nil {
			return fmt.Errorf("end process %d of cluster %q: %w", info.PID, d.name, err)
		}
	}
	lock, err := awaitLock(polite, d)
	if errors.Is(err, errLocked) && ctx.Err() == nil && infoErr == nil {
		if err := info.kill(); err != nil {
			return fmt.Errorf("end process %d of cluster %q: %w", info.PID, d.name, err)
		}
		again, cancel := context.WithTimeout(ctx, downTimeout)
		defer cancel()
		lock, err = awaitLock(again, d)
	}
	if err != nil {
		return fmt.Errorf("cluster %q does not end: %w", d.name, err)
	}
	return errors.Join(d.remove(), lock.Close())
}

// awaitLock takes the lock as soon as it is free, until ctx ends.
func awaitLock(ctx context.Context, d dir) (*os.File, error) {
	for {
		lock, err := d.lock()
		if !errors.Is(err, errLocked) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

//go:build linux

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/runtime"
)

// idle is how long a stream may be quiet, as in the kubelet.
const idle = 4 * time.Hour

// serve answers the API server on behalf of kubectl, at the kubelet's paths,
// until ctx ends.
func (a *agent) serve(ctx context.Context) error {
	config, err := a.Certificate.config()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", a.serveLogs)
	for _, method := range []string{"GET", "POST"} {
		mux.HandleFunc(method+" /exec/{namespace}/{pod}/{container}", a.serveExec)
		mux.HandleFunc(method+" /portForward/{namespace}/{pod}", a.servePortForward)
	}
	server := &http.Server{
		Addr: net.JoinHostPort(a.IP.String(), strconv.Itoa(port)), Handler: mux, TLSConfig: config,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the node's API: %w", err)
	}
	return nil
}

func (a *agent) worker(w http.ResponseWriter, r *http.Request) *worker {
	found, err := a.find(r.PathValue("namespace"), r.PathValue("pod"), types.UID(r.FormValue("uid")))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return nil
	}
	return found
}

func (a *agent) serveLogs(w http.ResponseWriter, r *http.Request) {
	pod := a.worker(w, r)
	if pod == nil {
		return
	}
	o, err := logOptions(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var out io.Writer = w
	if o.Follow {
		out = flusher{w, http.NewResponseController(w)}
	}
	if err := pod.writeLogs(r.Context(), r.PathValue("container"), o, out); err != nil && r.Context().Err() == nil {
		http.Error(w, err.Error(), http.StatusBadRequest) // without effect once something was written
	}
}

func (a *agent) serveExec(w http.ResponseWriter, r *http.Request) {
	pod := a.worker(w, r)
	if pod == nil {
		return
	}
	o, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(w, r, executor{pod}, r.PathValue("pod"), string(pod.uid), r.PathValue("container"), r.Form["command"],
		o, idle, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

// executor runs commands in a pod's containers.
type executor struct{ pod *worker }

// ExecInContainer implements remotecommand.Executor.
func (e executor) ExecInContainer(ctx context.Context, _, _, name string, cmd []string, in io.Reader, out, errOut io.WriteCloser,
	tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	c, err := e.pod.container(name)
	if err != nil {
		return err
	}
	p, ok := c.running()
	if !ok {
		return fmt.Errorf("container %q does not run", name)
	}
	var exit runtime.Exit
	if tty {
		exit, err = p.ExecTerminal(ctx, cmd, in, writer(out), sizes(ctx, resize))
	} else {
		exit, err = p.Exec(ctx, cmd, runtime.Streams{In: in, Out: writer(out), Err: writer(errOut)})
	}
	if err != nil {
		return err
	}
	if exit.Code != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("command ended with code %d", exit.Code), Code: exit.Code}
	}
	return nil
}

// writer keeps a nil interface nil.
func writer(w io.WriteCloser) io.Writer {
	if w == nil {
		return nil
	}
	return w
}

func sizes(ctx context.Context, in <-chan remotecommand.TerminalSize) <-chan runtime.Size {
	out := make(chan runtime.Size)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case s, ok := <-in:
				if !ok {
					return
				}
				select {
				case out <- runtime.Size{Width: s.Width, Height: s.Height}:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

func (a *agent) servePortForward(w http.ResponseWriter, r *http.Request) {
	pod := a.worker(w, r)
	if pod == nil {
		return
	}
	o, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, r, forwarder{pod}, r.PathValue("pod"), string(pod.uid), o, idle,
		remotecommand.DefaultStreamCreationTimeout, portforward.SupportedProtocols)
}

// forwarder connects to a pod's ports at its address.
type forwarder struct{ pod *worker }

// PortForward implements portforward.PortForwarder.
func (f forwarder) PortForward(ctx context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(f.pod.placed().podIP.String(), strconv.Itoa(int(port))))
	if err != nil {
		return fmt.Errorf("pod %s: %w", name, err)
	}
	defer conn.Close()
	ctrl.Log.V(1).Info("forwarding a port", "pod", name, "port", port)
	go func() {
		_, _ = io.Copy(conn, stream)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, conn)
	return err
}

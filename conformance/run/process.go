package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// grace is how long a suite binary has to end once it was told to, and its
// output to end once it has.
const grace = 5 * time.Second

// process is a running suite binary. Its standard input is its lifeline: it ends
// when that closes, so it does not outlive us however we end.
type process struct {
	cmd  *exec.Cmd
	out  *os.File
	done chan struct{} // closed when it has ended
	err  error         // how; valid once done is closed

	mu sync.Mutex // guards in
	in io.WriteCloser
}

// startProcess starts a suite binary where the cluster's addresses are reachable.
func startProcess(ctx context.Context, c Cluster, dir, path string, args ...string) (*process, error) {
	// It is stopped through its input, in time to keep what it has to say.
	cmd := c.Command(context.WithoutCancel(ctx), path, args...)
	if !hasEnv(cmd.Env, "KUBECONFIG") {
		cmd.Env = append(cmd.Environ(), "KUBECONFIG="+c.Kubeconfig())
	}
	if cmd.Dir == "" {
		cmd.Dir = dir
	}
	ownGroup(cmd)
	out, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting the suite: %w", err)
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.WaitDelay = grace
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("starting the suite: %w", err)
	}
	p := &process{cmd: cmd, out: out, in: in, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		// A child of its own may hold the pipe open for ever.
		_ = out.SetReadDeadline(time.Now().Add(grace))
		close(p.done)
	}()
	return p, nil
}

func hasEnv(env []string, name string) bool {
	for _, e := range env {
		if strings.HasPrefix(e, name+"=") {
			return true
		}
	}
	return false
}

// Read reads what the process prints, until it and its children ended.
func (p *process) Read(b []byte) (int, error) {
	n, err := p.out.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// order sends a line to the process, if it still listens.
func (p *process) order(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.in, line+"\n")
}

// stop ends the process: it is asked first, and killed when it takes too long.
func (p *process) stop() {
	p.in.Close() // not under the lock: an order may hang in a process that does
	select {
	case <-p.done:
	case <-time.After(grace):
		killGroup(p.cmd)
		<-p.done
	}
}

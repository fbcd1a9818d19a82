package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// Start makes a cluster that outlives this process and returns the path of its
// kubeconfig. Hold has to be run in the background by the command that hold
// returns, which must start in a session of its own: it gives Services of type
// LoadBalancer their addresses.
func Start(ctx context.Context, o Options, hold func() (*exec.Cmd, error)) (kubeconfig string, err error) {
	p := NewProvider(o)
	if kubeconfig, err = p.Create(ctx); err != nil {
		return "", err
	}
	if p.balancer != nil {
		p.balancer.stop()
	}
	if err := p.lock.Unlock(); err != nil {
		return "", errors.Join(err, p.Destroy(context.WithoutCancel(ctx)))
	}
	if p.balancer == nil {
		return kubeconfig, nil
	}
	err = p.startHolder(hold)
	if err != nil {
		p.balancer = nil
		return "", errors.Join(err, p.Destroy(context.WithoutCancel(ctx)))
	}
	return kubeconfig, nil
}

func (p *Provider) startHolder(hold func() (*exec.Cmd, error)) error {
	cmd, err := hold()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(p.state.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !p.state.kept() {
		select {
		case err := <-ended:
			return fmt.Errorf("the process that gives Services their addresses ended: %w; see %s", err, p.state.log())
		case <-tick.C:
		}
	}
	return nil
}

// gone is how often a holder looks whether its cluster is still there.
const gone = 200 * time.Millisecond

// Hold gives the Services of a cluster that was started before their addresses,
// until the cluster is deleted or ctx ends.
func Hold(ctx context.Context, name string, logf func(string, ...any)) error {
	s, err := stateOf(name)
	if err != nil {
		return err
	}
	lock := s.keeping()
	if ok, err := lock.TryLock(); err != nil || !ok {
		return errors.Join(err, fmt.Errorf("kind cluster %q is kept by another process", name))
	}
	defer func() { _ = lock.Unlock() }()
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig())
	if err != nil {
		return err
	}
	b, err := startBalancer(ctx, name, config, logf)
	if err != nil {
		return err
	}
	defer b.stop()
	for tick := time.NewTicker(gone); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := os.Stat(s.kubeconfig()); err != nil {
			return nil
		}
	}
}

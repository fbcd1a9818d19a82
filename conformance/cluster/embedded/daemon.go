//go:build linux

package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// order is what the daemon reads from its standard input.
type order struct {
	Name       string                   `json:"name"`
	Images     map[string]image.Program `json:"images"`
	Components components.Finder        `json:"components"`
}

// The daemon's last line says how the start went.
const (
	daemonReady  = "ready"
	daemonFailed = "failed: "
	daemonSays   = "- "
)

// Start starts a cluster in the background: it lasts until [Cluster.Down],
// whoever calls it, or until the machine stops. It returns once the cluster is
// ready. If ctx ends before, or this process, so does the cluster.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if err := mustNotPlay(os.Args); err != nil {
		return nil, err
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := supported(); err != nil {
		return nil, err
	}
	// Built here, where there is someone to see the progress.
	if _, err := find(ctx, o.Components); err != nil {
		return nil, err
	}
	finder := o.Components
	finder.Logf = nil
	input, err := json.Marshal(order{Name: o.Name, Images: o.Images, Components: finder})
	if err != nil {
		return nil, err
	}
	cmd := reexec(ctx, roleDaemon)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ready, err := follow(out, o.Logf)
	if !ready {
		if werr := cmd.Wait(); err == nil {
			err = fmt.Errorf("cluster %q: the process in the background ended: %w", o.Name, errors.Join(werr, context.Cause(ctx)))
		}
		return nil, err
	}
	if err := cmd.Process.Release(); err != nil {
		return nil, err
	}
	return Attach(o.Name)
}

// follow reads the daemon's lines until it is ready or has failed.
func follow(out io.Reader, logf func(string, ...any)) (ready bool, err error) {
	var failure []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if line == daemonReady {
			return true, nil
		}
		if message, ok := strings.CutPrefix(line, daemonSays); ok {
			logf("%s", message)
			continue
		}
		failure = append(failure, strings.TrimPrefix(line, daemonFailed))
	}
	if failure != nil {
		return false, errors.New(strings.Join(failure, "\n"))
	}
	return false, nil
}

// runDaemon holds a cluster in the background. Its standard output goes to
// whoever waits for the start, and after that nowhere.
func runDaemon([]string) int {
	var mu sync.Mutex
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := fmt.Printf(format+"\n", args...); err != nil {
			stop() // nobody waits any more
		}
	}
	var in order
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		say(daemonFailed+"%v", err)
		return 1
	}
	started := make(chan struct{})
	go abandon(started, stop)
	c, err := up(ctx, Options{
		Name: in.Name, Images: in.Images, Components: in.Components,
		Logf: func(format string, args ...any) { say(daemonSays+format, args...) },
	})
	close(started)
	if err != nil {
		say(daemonFailed+"%v", err)
		return 1
	}
	say(daemonReady)
	if err := detach(c.dir); err != nil {
		return fail(errors.Join(err, c.Down(context.Background())))
	}
	select {
	case <-ctx.Done():
	case <-c.Done():
	}
	if err := c.Down(context.Background()); err != nil {
		return fail(err)
	}
	return 0
}

// abandon stops the start when nobody reads the standard output any more.
func abandon(started <-chan struct{}, stop func()) {
	for {
		fds := []unix.PollFd{{Fd: 1}} // a hang-up is always reported
		n, err := unix.Poll(fds, 100)
		select {
		case <-started:
			return
		default:
		}
		if n > 0 && err == nil {
			stop()
			return
		}
	}
}

// detach lets go of the streams of whoever started the daemon.
func detach(d dir) error {
	log, err := os.OpenFile(d.logs()+"/causeway.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	return errors.Join(unix.Dup3(int(null.Fd()), 0, 0), unix.Dup3(int(log.Fd()), 1, 0), unix.Dup3(int(log.Fd()), 2, 0))
}

//go:build unix

package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// Client speaks with the cluster that listens on Socket.
type Client struct {
	Socket string
}

// MapImage adds or replaces a row of the cluster's table of images.
func (c Client) MapImage(ctx context.Context, name string, p image.Program) error {
	_, err := c.ask(ctx, request{Image: &imageRow{Image: name, Program: p}})
	return err
}

// Stop asks the cluster to end. It returns when the cluster has agreed, not
// when it is gone.
func (c Client) Stop(ctx context.Context) error {
	_, err := c.ask(ctx, request{Stop: true})
	return err
}

func (c Client) ask(ctx context.Context, r request) (response, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return response{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return response{}, fmt.Errorf("ask the cluster: %w", err)
	}
	return receive(json.NewDecoder(conn))
}

func (c Client) dial(ctx context.Context) (*net.UnixConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.Socket)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	return conn.(*net.UnixConn), nil
}

func receive(in *json.Decoder) (response, error) {
	var r response
	if err := in.Decode(&r); err != nil {
		return r, fmt.Errorf("the cluster went away: %w", err)
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

// Exec runs a program in the cluster with the standard streams, environment
// and working directory of this process, passes on the signals that end
// programs, and returns its exit code: 128 and the number for a signal, as
// shells say it. args has the program's name first.
func (c Client) Exec(ctx context.Context, args []string) (code int, err error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	message, err := json.Marshal(request{Exec: &command{Path: args[0], Args: args, Env: os.Environ(), Dir: dir}})
	if err != nil {
		return 0, err
	}
	// Before the command can run: a signal in between would end this process
	// instead, and the command with it.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)
	rights := unix.UnixRights(int(os.Stdin.Fd()), int(os.Stdout.Fd()), int(os.Stderr.Fd()))
	// The files go with the first byte; a message of any length follows.
	if _, _, err := conn.WriteMsgUnix(message[:1], rights, nil); err != nil {
		return 0, fmt.Errorf("ask the cluster: %w", err)
	}
	if _, err := conn.Write(append(message[1:], '\n')); err != nil {
		return 0, fmt.Errorf("ask the cluster: %w", err)
	}

	go func() {
		out := json.NewEncoder(conn)
		for s := range signals {
			n, _ := s.(syscall.Signal)
			if out.Encode(signalled{Signal: int(n)}) != nil {
				return
			}
		}
	}()

	r, err := receive(json.NewDecoder(conn))
	if r.Signal != 0 {
		return 128 + r.Signal, err
	}
	return r.Code, err
}

// forwarded are the signals that a command in the cluster gets as well.
var forwarded = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}

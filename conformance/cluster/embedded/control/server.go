//go:build unix

package control

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
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// Server answers clients. Whoever may open the socket may do all of it, so the
// socket belongs into a folder of the user's own.
type Server struct {
	// Images is the table that clients add to.
	Images *image.Table
	// Stop is called when a client asks for the end.
	Stop func()
	// Logf receives what went wrong with clients.
	Logf func(format string, args ...any)
}

// Serve accepts clients until ctx ends, then closes the listener.
func (s *Server) Serve(ctx context.Context, l *net.UnixListener) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		go func() {
			defer conn.Close()
			if err := s.serve(ctx, conn); err != nil {
				s.Logf("control: %v", err)
			}
		}()
	}
}

func (s *Server) serve(ctx context.Context, conn *net.UnixConn) error {
	first, files, err := readFirst(conn)
	if err != nil {
		return err
	}
	defer closeAll(files)
	in := json.NewDecoder(io.MultiReader(strings.NewReader(first), conn))
	var req request
	if err := in.Decode(&req); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	var resp response
	switch {
	case req.Exec != nil:
		resp = run(ctx, req.Exec, files, in)
	case req.Image != nil:
		if err := s.Images.Set(req.Image.Image, req.Image.Program); err != nil {
			resp.Error = err.Error()
		}
	case req.Stop:
		defer s.Stop()
	default:
		resp.Error = "a request without content"
	}
	return json.NewEncoder(conn).Encode(resp)
}

// readFirst reads the start of a request and the files that came with it.
func readFirst(conn *net.UnixConn) (string, []*os.File, error) {
	buf, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4*streams))
	n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
	if err != nil {
		return "", nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return "", nil, err
	}
	var files []*os.File
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue // not files
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "stream"))
		}
	}
	return string(buf[:n]), files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// run runs a command until it ends or the client goes away.
func run(ctx context.Context, c *command, files []*os.File, in *json.Decoder) response {
	if len(files) != streams || len(c.Args) == 0 {
		return response{Error: "an exec needs a program and three files"}
	}
	path, err := lookPath(c)
	if err != nil {
		return response{Error: err.Error()}
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Args, cmd.Env, cmd.Dir = c.Args, c.Env, c.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kill := func(sig syscall.Signal) { _ = syscall.Kill(-cmd.Process.Pid, sig) }
	cmd.Cancel = func() error { kill(syscall.SIGKILL); return nil }
	if err := cmd.Start(); err != nil {
		return response{Error: fmt.Sprintf("start %s in the cluster: %v", c.Path, err)}
	}
	done := make(chan struct{})
	go func() {
		for {
			var s signalled
			if err := in.Decode(&s); err != nil {
				select {
				case <-done: // the connection closed after the end
				default:
					kill(syscall.SIGKILL)
				}
				return
			}
			kill(syscall.Signal(s.Signal))
		}
	}()
	err = cmd.Wait()
	close(done)
	return result(err)
}

func result(err error) response {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			return response{Error: err.Error()}
		}
		return response{}
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return response{Signal: int(status.Signal())}
	}
	return response{Code: exit.ExitCode()}
}

// lookPath finds a program as a shell would with the client's environment and
// working directory, not the server's.
func lookPath(c *command) (string, error) {
	if strings.Contains(c.Path, "/") {
		if filepath.IsAbs(c.Path) {
			return c.Path, nil
		}
		return filepath.Join(c.Dir, c.Path), nil
	}
	for _, kv := range c.Env {
		dirs, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(dirs) {
			path := filepath.Join(dir, c.Path)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s: %w", c.Path, exec.ErrNotFound)
}

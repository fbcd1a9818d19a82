//go:build unix

package control

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// TestMain lets the test be its own client of an exec, which uses the standard
// streams of its process.
func TestMain(m *testing.M) {
	if socket := os.Getenv("CONTROL_SOCKET"); socket != "" {
		_ = os.Setenv("CLIENT", strconv.Itoa(os.Getpid()))
		code, err := Client{Socket: socket}.Exec(context.Background(), os.Args[1:])
		if err != nil {
			os.Stderr.WriteString(err.Error())
			code = 99
		}
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func serve(t *testing.T) (Client, *image.Table, <-chan struct{}) {
	t.Helper()
	dir, err := os.MkdirTemp("", "control") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s")})
	if err != nil {
		t.Fatal(err)
	}
	table, err := image.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	s := &Server{Images: table, Stop: func() { close(stopped) }, Logf: t.Logf}
	ctx := t.Context() // ends before what follows
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return Client{Socket: l.Addr().String()}, table, stopped
}

func TestMapImage(t *testing.T) {
	c, table, _ := serve(t)
	if err := c.MapImage(t.Context(), "a/b", image.Program{Path: "/p"}); err != nil {
		t.Fatal(err)
	}
	if p, err := table.Lookup("a/b:v1"); err != nil || p.Path != "/p" {
		t.Errorf("got %v, %v", p, err)
	}
	if err := c.MapImage(t.Context(), "a/b", image.Program{Path: "p"}); err == nil || !strings.Contains(err.Error(), "absolute") {
		t.Errorf("the server's words come back, not %v", err)
	}
}

func TestStop(t *testing.T) {
	c, _, stopped := serve(t)
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-stopped
}

func TestExec(t *testing.T) {
	c, _, _ := serve(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		reason string
		args   []string
		stdin  string
		out    string
		code   int
	}{
		"Streams":  {reason: "the caller's own streams", args: []string{"cat"}, stdin: "in", out: "in"},
		"Code":     {reason: "the program's exit code", args: []string{"sh", "-c", "exit 7"}, code: 7},
		"Signal":   {reason: "as shells say it", args: []string{"sh", "-c", "kill -9 $$"}, code: 137},
		"Passed":   {reason: "a signal to the client is the program's, from its first moment", args: []string{"sh", "-c", "trap 'exit 6' TERM; kill -TERM $CLIENT; while :; do sleep 0.01; done"}, code: 6},
		"Env":      {reason: "the caller's environment", args: []string{"sh", "-c", "printf $MARK"}, out: "mark"},
		"Dir":      {reason: "the caller's working directory", args: []string{"pwd"}, out: "/usr\n"},
		"Missing":  {reason: "an error, no exit code", args: []string{"no-such-program"}, code: 99},
		"LongArgs": {reason: "longer than one message", args: []string{"sh", "-c", "printf ${#0}", strings.Repeat("x", 1<<16)}, out: "65536"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := client(t, self, c.Socket, tc.args...)
			cmd.Stdin = strings.NewReader(tc.stdin)
			out, _ := cmd.Output()
			if string(out) != tc.out || cmd.ProcessState.ExitCode() != tc.code {
				t.Errorf("%s: got %q and code %d, want %q and %d", tc.reason, out, cmd.ProcessState.ExitCode(), tc.out, tc.code)
			}
		})
	}
}

func client(t *testing.T, self, socket string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "CONTROL_SOCKET="+socket, "MARK=mark")
	cmd.Dir = "/usr"
	return cmd
}

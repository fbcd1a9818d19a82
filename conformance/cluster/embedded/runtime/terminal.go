//go:build linux

package runtime

import (
	"context"
	"io"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
)

// Size is that of a terminal, in characters.
type Size struct{ Width, Height uint16 }

// ExecTerminal is like [Process.Exec] with a terminal for the three streams,
// whose size follows resize until that is closed.
func (p *Process) ExecTerminal(ctx context.Context, args []string, in io.Reader, out io.Writer, resize <-chan Size) (Exit, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return Exit{}, err
	}
	defer master.Close()
	cmd, err := p.startExec(args, func(cmd *exec.Cmd) error {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		return cmd.Start()
	})
	slave.Close()
	if err != nil {
		return Exit{}, err
	}
	defer killWith(ctx, cmd)()
	go func() {
		for s := range resize {
			_ = pty.Setsize(master, &pty.Winsize{Cols: s.Width, Rows: s.Height})
		}
	}()
	if in != nil {
		go func() { _, _ = io.Copy(master, in) }()
	}
	// Reading a terminal fails once nobody holds the other side.
	if out != nil {
		_, _ = io.Copy(out, master)
	}
	return exitOf(cmd.Wait()), nil
}

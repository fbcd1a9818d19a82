//go:build unix

package cmd

import (
	"os/exec"
	"syscall"
)

// detach lets a command live on when this one and its terminal are gone.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

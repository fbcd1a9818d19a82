//go:build !unix

package cmd

import "os/exec"

// detach does nothing: the process lives on by itself.
func detach(*exec.Cmd) {}

package buildcache

import (
	"os/exec"
	"runtime"
	"syscall"
)

// runMortal runs a command that is interrupted when this process dies, by kill
// -9 too: nobody waits for what it builds any more. The kernel means the death
// of the thread that started it (prctl(2), PR_SET_PDEATHSIG), so that one stays.
func runMortal(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	return cmd.Run()
}

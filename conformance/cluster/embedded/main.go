//go:build linux

package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/control"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/node"
)

// reexecArg is the first argument of this program when it plays a role of an
// embedded cluster, and the role is the second.
const reexecArg = "embedded-cluster"

// executable is this program, even if its file was replaced meanwhile.
const executable = "/proc/self/exe"

// The roles.
const (
	roleInit   = "init"   // the first process of the namespaces
	roleNode   = "node"   // its only child: what the cluster is made of
	roleExec   = "exec"   // a command's stand-in outside
	roleDaemon = "daemon" // holds a cluster in the background
)

var roles = map[string]func(args []string) int{
	roleInit:   runInit,
	roleNode:   runNode,
	roleExec:   runExec,
	roleDaemon: runDaemon,
}

// Main plays the role that the arguments of this process ask for and returns
// its exit code. handled is false if they ask for none: then the process is an
// ordinary one. A program that starts clusters, or a test's TestMain, calls it
// before anything else.
func Main(args []string) (code int, handled bool) {
	if len(args) < 3 || args[1] != reexecArg {
		return 0, false
	}
	role, ok := roles[args[2]]
	if !ok {
		fmt.Fprintf(os.Stderr, "error: there is no role %q\n", args[2])
		return 2, true
	}
	return role(args[3:]), true
}

// errNoMain is a mistake of a program: it re-executed itself to play a role, and
// started a cluster instead. Unchecked, it would go on to do so for ever.
var errNoMain = errors.New("this program starts embedded clusters, so its main function, or TestMain, has to begin with embedded.Main(os.Args)")

// mustNotPlay is an error in a process that was started to play a role.
func mustNotPlay(args []string) error {
	if len(args) >= 2 && args[1] == reexecArg {
		return errNoMain
	}
	return nil
}

// reexec is this program in a role.
func reexec(ctx context.Context, role string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, executable, append([]string{reexecArg, role}, args...)...)
}

func fail(err error) int {
	fmt.Fprintf(os.Stderr, "error: %v\n", err)
	return 1
}

// runInit is the first process of the namespaces: it takes in the processes
// that lost their parents and ends when the holder or the node does. The
// kernel then ends all others.
func runInit([]string) int {
	// Pdeathsig does the same, unless the holder died before it was set.
	go func() {
		_, _ = os.NewFile(fdLifeline, "lifeline").Read(make([]byte, 1))
		os.Exit(1)
	}()
	unix.CloseOnExec(fdLifeline)
	unix.CloseOnExec(fdLock)
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	child, err := syscall.ForkExec(executable, []string{"causeway", reexecArg, roleNode}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2, fdLink, fdOutside},
	})
	if err != nil {
		return fail(fmt.Errorf("start the node: %w", err))
	}
	unix.Close(fdLink)
	unix.Close(fdOutside)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return fail(fmt.Errorf("wait for the node: %w", err))
		case pid == child:
			return status.ExitStatus()
		}
	}
}

// runNode is the inside of a cluster.
func runNode([]string) int {
	const fdLink, fdOutside = 3, 4 // as runInit passes them
	unix.CloseOnExec(fdLink)
	unix.CloseOnExec(fdOutside)
	link := os.NewFile(fdLink, "link")
	reports := json.NewEncoder(link)
	report := func(r node.Report) { _ = reports.Encode(r) } // without a reader there is nobody to tell
	var config node.Config
	if err := json.NewDecoder(link).Decode(&config); err != nil {
		return fail(fmt.Errorf("configuration of the node: %w", err))
	}
	file := os.NewFile(fdOutside, "outside")
	outside, err := net.FileListener(file)
	if err != nil {
		return fail(err)
	}
	file.Close()
	if err := node.Run(context.Background(), config, outside, report); err != nil {
		report(node.Report{Error: err.Error()})
		return 1
	}
	return 0
}

// runExec runs a command in a cluster: the socket, then the command.
func runExec(args []string) int {
	if len(args) < 2 {
		return fail(errors.New("exec needs a socket and a command"))
	}
	code, err := control.Client{Socket: args[0]}.Exec(context.Background(), args[1:])
	if err != nil {
		return fail(err)
	}
	return code
}

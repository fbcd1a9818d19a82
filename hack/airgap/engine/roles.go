//go:build linux

package engine

import (
	"fmt"
	"os"
	"path/filepath"
)

// A process of this executable learns its role from the variable, or, when
// Docker starts it as a runtime, from its own name.
const (
	roleVariable = "CAUSEWAY_AIRGAP_ROLE"
	roleInner    = "inner"
	runtimeName  = "airgap-runtime"
)

var roles = map[string]func() int{
	roleInner:   inner,
	runtimeName: wrapRuntime,
}

func role() string {
	if filepath.Base(os.Args[0]) == runtimeName {
		return runtimeName
	}
	return os.Getenv(roleVariable)
}

// Reexecuted reports whether this process was started by the package.
func Reexecuted() bool { return roles[role()] != nil }

// Main plays the role that the process was started for, and returns its exit code.
func Main() int { return roles[role()]() }

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "airgap:", err)
	return 1
}

// Package clustername says what clusters may be called, whoever provides them.
package clustername

import (
	"fmt"
	"regexp"
)

// names are file names and host names of any system, with room for what
// providers add to them, and short, since a socket's path may not be longer than
// 107 bytes.
var names = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// Check returns an error that says what a cluster may be called, if it may not
// be called so.
func Check(name string) error {
	if !names.MatchString(name) {
		return fmt.Errorf("%q is no name for a cluster: up to 40 of a-z, 0-9 and -, the ends without -", name)
	}
	return nil
}

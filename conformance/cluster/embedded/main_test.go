//go:build linux

package embedded

import (
	"context"
	"errors"
	"os"
	"testing"
)

// A program whose main function does not begin with Main starts itself to play
// a role, and comes to the place again where it starts a cluster.
func TestARoleStartsNoCluster(t *testing.T) {
	args := os.Args
	t.Cleanup(func() { os.Args = args })
	os.Args = []string{args[0], reexecArg, roleDaemon}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing starts, whatever happens
	for name, start := range map[string]func(context.Context, Options) (*Cluster, error){"Up": Up, "Start": Start} {
		if _, err := start(ctx, Options{Name: "role"}); !errors.Is(err, errNoMain) {
			t.Errorf("%s: %v, want %v", name, err, errNoMain)
		}
	}
}

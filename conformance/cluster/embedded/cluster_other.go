//go:build !linux

package embedded

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// Cluster does not exist on this platform.
type Cluster struct{}

func unsupported() error {
	return fmt.Errorf("an embedded cluster needs Linux, this is %s: use a cluster of another provider (--cluster kind, --cluster existing)", runtime.GOOS)
}

// Up says that there is no embedded cluster on this platform.
func Up(context.Context, Options) (*Cluster, error) { return nil, unsupported() }

// Start says that there is no embedded cluster on this platform.
func Start(context.Context, Options) (*Cluster, error) { return nil, unsupported() }

// Attach says that there is no embedded cluster on this platform.
func Attach(string) (*Cluster, error) { return nil, unsupported() }

// Down says that there is no embedded cluster on this platform.
func Down(context.Context, string) (bool, error) { return false, unsupported() }

// List is empty on this platform.
func List() ([]Status, error) { return nil, nil }

// Name is empty.
func (*Cluster) Name() string { return "" }

// Kubeconfig is empty.
func (*Cluster) Kubeconfig() string { return "" }

// Context is empty.
func (*Cluster) Context() string { return "" }

// Logs is empty.
func (*Cluster) Logs() string { return "" }

// Command runs on this machine.
func (*Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

// MapImage says that there is no embedded cluster on this platform.
func (*Cluster) MapImage(context.Context, string, image.Program) error { return unsupported() }

// Done is never closed.
func (*Cluster) Done() <-chan struct{} { return nil }

// Down does nothing.
func (*Cluster) Down(context.Context) error { return nil }

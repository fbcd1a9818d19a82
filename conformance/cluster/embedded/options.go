package embedded

import (
	"errors"
	"fmt"

	"github.com/causeway-gateway/causeway/conformance/cluster/clustername"
	"github.com/causeway-gateway/causeway/conformance/cluster/components"
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// DefaultName is the name of a cluster that was given none.
const DefaultName = "causeway"

// Options say what cluster to start.
type Options struct {
	// Name tells clusters of one user apart; empty for [DefaultName].
	Name string
	// Images are rows for the table of images, besides echo-basic,
	// echo-advanced and CoreDNS that are always there. See [image.Table.Set] for the keys.
	Images map[string]image.Program
	// Components finds the control plane's programs.
	Components components.Finder
	// Logf receives progress, one line a call without a line end; nil for none.
	Logf func(format string, args ...any)
}

// ErrOptions marks options that make no sense, rather than clusters that fail.
var ErrOptions = errors.New("wrong options")

func (o *Options) complete() error {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	if o.Components.Logf == nil {
		o.Components.Logf = o.Logf
	}
	if _, err := image.NewTable(o.Images); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return CheckName(o.Name)
}

// CheckName returns an error that says what a cluster may be called, if it may
// not be called so.
func CheckName(name string) error {
	if err := clustername.Check(name); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return nil
}

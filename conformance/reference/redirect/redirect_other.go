//go:build !linux

package redirect

import (
	"errors"
	"net/netip"
)

// Redirect exists on Linux only.
type Redirect struct{}

var errLinux = errors.New("connections of pods are redirected on Linux only")

// New is an error.
func New(netip.AddrPort) (*Redirect, error) { return nil, errLinux }

// Apply is an error.
func (*Redirect) Apply([]netip.AddrPort) error { return errLinux }

// Close does nothing.
func (*Redirect) Close() error { return nil }

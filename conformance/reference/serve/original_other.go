//go:build !linux

package serve

import (
	"net"
	"net/netip"
)

// originalDestination is known on Linux only.
func originalDestination(net.Conn) (netip.AddrPort, error) { return netip.AddrPort{}, errNotRedirected }

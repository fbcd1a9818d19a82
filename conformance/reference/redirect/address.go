package redirect

import (
	"fmt"
	"net"
	"net/netip"
)

// LocalAddress is the address of this node that packets to another carry as
// their source. Nothing is sent.
func LocalAddress(to netip.Addr) (netip.Addr, error) {
	const anyPort = 9
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, anyPort)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("address of this node towards %s: %w", to, err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

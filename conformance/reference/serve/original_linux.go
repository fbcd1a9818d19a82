package serve

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// originalDestination returns where a connection was going before netfilter
// redirected it (SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST of
// linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h).
func originalDestination(c net.Conn) (netip.AddrPort, error) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return netip.AddrPort{}, errNotRedirected
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	v6 := addrPortOf(c.LocalAddr()).Addr().Is6()
	var to netip.AddrPort
	var sockopt error
	err = raw.Control(func(fd uintptr) {
		if v6 {
			var info *unix.IPv6MTUInfo // begins with a sockaddr_in6
			if info, sockopt = unix.GetsockoptIPv6MTUInfo(int(fd), unix.IPPROTO_IPV6, unix.SO_ORIGINAL_DST); sockopt == nil {
				to = netip.AddrPortFrom(netip.AddrFrom16(info.Addr.Addr), networkOrder(info.Addr.Port))
			}
			return
		}
		var mreq *unix.IPv6Mreq // as long as a sockaddr_in and four bytes: family, port, address
		if mreq, sockopt = unix.GetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IP, unix.SO_ORIGINAL_DST); sockopt == nil {
			b := mreq.Multiaddr
			to = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:4]))
		}
	})
	if err == nil {
		err = sockopt
	}
	return to, err
}

// networkOrder reads a port as it stands in a sockaddr.
func networkOrder(port uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&port))[:]) //nolint:gosec // its own two bytes
}

package kind

import (
	"fmt"
	"net/netip"
)

// block is the range of addresses that a cluster's load balancers get: a slice
// from the end of the node network, which Docker fills from its start. Its
// place follows from the control plane's own address, so the clusters of one
// network do not meet.
type block struct {
	first netip.Addr
	size  int
}

// blockOf divides the network into as many slices as a slice has addresses,
// and takes the one that the node's number in the network counts from the end.
// Networks of IPv6 are so large that only their last 16 bits are divided.
func blockOf(node netip.Prefix) (block, error) {
	host := node.Addr().BitLen() - node.Bits()
	if host < 8 {
		return block{}, fmt.Errorf("the node network %s is too small for load balancers: it needs 256 addresses; "+
			"remove the network with `docker network rm kind` and let it be made anew, or use --load-balancer none", node.Masked())
	}
	host = min(host, 16)
	bits := host / 2
	size, slices := 1<<bits, 1<<(host-bits)
	bytes := node.Addr().AsSlice()
	number := int(bytes[len(bytes)-1]) | int(bytes[len(bytes)-2])<<8
	number &= 1<<host - 1

	network := node.Masked().Addr().AsSlice()
	offset := (slices - 1 - number%slices) * size
	network[len(network)-1] |= byte(offset)
	network[len(network)-2] |= byte(offset >> 8)
	if node.Addr().Is6() { // the rest of a large network's bits are ones
		for i := node.Bits() / 8; i < len(network)-2; i++ {
			network[i] = 0xff
		}
	}
	first, _ := netip.AddrFromSlice(network)
	return block{first: first, size: size}, nil
}

// contains reports whether an address is one of the block's. The first and the
// last stay free: they may be the network's own.
func (b block) contains(a netip.Addr) bool {
	for i, c := 1, b.first.Next(); i < b.size-1; i, c = i+1, c.Next() {
		if c == a {
			return true
		}
	}
	return false
}

// free is the first address that is not taken.
func (b block) free(taken func(netip.Addr) bool) (netip.Addr, error) {
	for i, c := 1, b.first.Next(); i < b.size-1; i, c = i+1, c.Next() {
		if !taken(c) {
			return c, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("all %d addresses from %s on are taken: delete a Service of type LoadBalancer", b.size-2, b.first)
}

//go:build linux

package node

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
)

// The addresses of a cluster lie in 198.18.0.0/15, which RFC 2544 sets apart
// for benchmarks, so that no address of the machine's own networks is hidden.
var (
	nodeIP        = netip.MustParseAddr("198.18.0.1")
	podRange      = netip.MustParsePrefix("198.18.0.0/16")
	allServices   = netip.MustParsePrefix("198.19.0.0/16")
	serviceRange  = netip.MustParsePrefix("198.19.0.0/17")
	balancerRange = netip.MustParsePrefix("198.19.128.0/17")
	apiService    = netip.MustParseAddr("198.19.0.1") // the API server takes the first one
)

// network prepares the cluster's own network namespace as a router between
// pods. The node's address is on the loopback device: each pod hangs on a link
// of its own, and there is no common bridge.
func (n *node) network() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	address := &net.IPNet{IP: nodeIP.AsSlice(), Mask: net.CIDRMask(32, 32)}
	if err := netlink.AddrAdd(lo, &netlink.Addr{IPNet: address}); err != nil {
		return fmt.Errorf("address of the node: %w", err)
	}
	// Addresses of services exist in rules only, but a local process may not
	// send to what has no route.
	route := &netlink.Route{
		LinkIndex: lo.Attrs().Index,
		Dst:       &net.IPNet{IP: allServices.Addr().AsSlice(), Mask: net.CIDRMask(allServices.Bits(), 32)},
		Src:       nodeIP.AsSlice(),
		Scope:     netlink.SCOPE_LINK,
	}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("route to services: %w", err)
	}
	for name, value := range map[string]string{
		"net/ipv4/ip_forward":                 "1",
		"net/ipv4/conf/all/rp_filter":         "0",
		"net/ipv4/conf/default/rp_filter":     "0",
		"net/ipv4/ip_unprivileged_port_start": "0",
	} {
		if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

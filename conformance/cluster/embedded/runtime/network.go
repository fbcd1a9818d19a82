//go:build linux

package runtime

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// handle configures the network of another namespace.
type handle struct{ *netlink.Handle }

func inside(ns int) (handle, error) {
	h, err := netlink.NewHandleAt(netns.NsHandle(ns))
	return handle{h}, err
}

// configure brings up loopback and eth0.
func (h handle) configure(ip, gateway netip.Addr) error {
	lo, err := h.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := h.LinkSetUp(lo); err != nil {
		return err
	}
	eth, err := h.LinkByName("eth0")
	if err != nil {
		return err
	}
	if err := h.AddrAdd(eth, &netlink.Addr{IPNet: host(ip)}); err != nil {
		return fmt.Errorf("address %s: %w", ip, err)
	}
	if err := h.LinkSetUp(eth); err != nil {
		return err
	}
	index := eth.Attrs().Index
	for _, r := range []*netlink.Route{
		{LinkIndex: index, Dst: host(gateway), Scope: netlink.SCOPE_LINK},
		{LinkIndex: index, Gw: gateway.AsSlice()},
	} {
		if err := h.RouteAdd(r); err != nil {
			return fmt.Errorf("route %s: %w", r, err)
		}
	}
	return nil
}

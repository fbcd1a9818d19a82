//go:build linux

package runtime

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Sandbox is what the containers of a pod share: network, host name and
// System V IPC.
type Sandbox struct {
	network, uts, ipc *os.File
	link              string // of the host's end; empty in the host's network
}

// NewSandbox makes a sandbox whose network has one device, eth0, with the
// address ip and a default route to gateway, an address of this host. The link
// between the two is named link here.
func NewSandbox(hostname, link string, ip, gateway netip.Addr) (_ *Sandbox, err error) {
	s := &Sandbox{link: link}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	err = onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC); err != nil {
			return fmt.Errorf("make namespaces: %w", err)
		}
		if err := unix.Sethostname([]byte(hostname)); err != nil {
			return fmt.Errorf("host name %s: %w", hostname, err)
		}
		return s.open("net", "uts", "ipc")
	})
	if err != nil {
		return s, err
	}
	if err := connect(link, int(s.network.Fd()), ip, gateway); err != nil {
		return s, fmt.Errorf("network of %s: %w", hostname, err)
	}
	return s, nil
}

// HostSandbox is a sandbox in the network of this host.
func HostSandbox() *Sandbox { return &Sandbox{} }

func (s *Sandbox) open(kinds ...string) error {
	to := map[string]**os.File{"net": &s.network, "uts": &s.uts, "ipc": &s.ipc}
	for _, kind := range kinds {
		f, err := own(kind)
		if err != nil {
			return err
		}
		*to[kind] = f
	}
	return nil
}

// enter moves the calling thread into the sandbox.
func (s *Sandbox) enter() error {
	return errors.Join(enter(s.network, unix.CLONE_NEWNET), enter(s.uts, unix.CLONE_NEWUTS), enter(s.ipc, unix.CLONE_NEWIPC))
}

// Close lets go of the sandbox. Its address is free at once; the rest goes
// when the last of its processes has ended.
func (s *Sandbox) Close() error {
	var errs []error
	if s.link != "" {
		if l, err := netlink.LinkByName(s.link); err == nil {
			errs = append(errs, netlink.LinkDel(l))
		}
	}
	for _, f := range []*os.File{s.network, s.uts, s.ipc} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// host is an address as a network of one.
func host(a netip.Addr) *net.IPNet {
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())}
}

// connect lays a link into a network namespace. Both ends know only each
// other: packets between pods are routed, so that the rules for Services see
// them in both directions, which on a bridge would need br_netfilter.
func connect(name string, ns int, ip, gateway netip.Addr) error {
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: "eth0", PeerNamespace: netlink.NsFd(ns)}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("add link %s: %w", name, err)
	}
	here, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(here); err != nil {
		return err
	}
	there, err := inside(ns)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := there.configure(ip, gateway); err != nil {
		return err
	}
	err = netlink.RouteAdd(&netlink.Route{
		LinkIndex: here.Attrs().Index, Dst: host(ip), Src: gateway.AsSlice(), Scope: netlink.SCOPE_LINK,
	})
	if err != nil {
		return fmt.Errorf("route to %s: %w", ip, err)
	}
	return nil
}

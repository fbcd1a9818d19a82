//go:build linux

package engine

import (
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"
)

// dnsAddress is where the engine's own DNS server forwards names that it does
// not know (an address for documentation, RFC 5737: nothing real has it).
var dnsAddress = netip.MustParseAddr("198.51.100.53")

// serveDNS answers that no name exists. There is no uplink, and the engine
// would let everybody who asks for a name outside wait until they give up.
func serveDNS() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	host := &net.IPNet{IP: dnsAddress.AsSlice(), Mask: net.CIDRMask(32, 32)}
	if err := netlink.AddrAdd(lo, &netlink.Addr{IPNet: host}); err != nil {
		return err
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(dnsAddress, 53)))
	if err != nil {
		return err
	}
	go func() {
		defer conn.Close()
		for buf := make([]byte, 4096); ; {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if answer, ok := nameError(buf[:n]); ok {
				_, _ = conn.WriteToUDPAddrPort(answer, from)
			}
		}
	}()
	return nil
}

// nameError is the answer to a query that its name does not exist.
func nameError(query []byte) ([]byte, bool) {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil || header.Response {
		return nil, false
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return nil, false
	}
	answer, err := (&dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, OpCode: header.OpCode, RCode: dnsmessage.RCodeNameError,
			RecursionDesired: header.RecursionDesired, RecursionAvailable: true,
		},
		Questions: questions,
	}).Pack()
	return answer, err == nil
}

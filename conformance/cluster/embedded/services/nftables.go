//go:build linux

package services

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	corev1 "k8s.io/api/core/v1"
)

// tableName is the table that this package owns in its network namespace.
const tableName = "causeway"

// protocols are the numbers in IP headers.
var protocols = map[corev1.Protocol]uint8{corev1.ProtocolTCP: unix.IPPROTO_TCP, corev1.ProtocolUDP: unix.IPPROTO_UDP}

// The registers of a lookup by address, protocol and port: each field of a
// concatenation takes four bytes.
const (
	regAddr = unix.NFT_REG32_00 + iota
	regProto
	regPort
)

// write replaces the kernel's rules in one transaction. In nft's language:
//
//	table ip causeway {
//	  map targets { type ipv4_addr . inet_proto . inet_service : verdict }
//	  set hairpin { type ipv4_addr . ipv4_addr }
//	  chain prerouting { type nat hook prerouting priority dstnat; ip daddr . meta l4proto . th dport vmap @targets }
//	  chain output { type nat hook output priority -100; ip daddr . meta l4proto . th dport vmap @targets }
//	  chain postrouting { type nat hook postrouting priority srcnat; ip saddr . ip daddr @hairpin masquerade }
//	  chain forward { type filter hook forward priority filter; ip daddr SERVICES meta l4proto tcp reject with tcp reset; ip daddr SERVICES reject }
//	  chain local { type filter hook output priority filter; ip daddr SERVICES meta l4proto tcp reject with tcp reset; ip daddr SERVICES reject }
//	  chain t0 { numgen random mod 2 == 0 dnat to A; dnat to B }
//	}
func write(rules []Rule, o Options) error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName}
	c.AddTable(table) // so that there is one to delete
	c.DelTable(table)
	c.AddTable(table)

	targets := &nftables.Set{
		Table: table, Name: "targets", IsMap: true, Concatenation: true,
		KeyType:  nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetProto, nftables.TypeInetService),
		DataType: nftables.TypeVerdict,
	}
	var elements []nftables.SetElement
	pods := map[netip.Addr]bool{}
	for i, r := range rules {
		if len(r.Endpoints) == 0 {
			continue // refused below
		}
		chain := c.AddChain(&nftables.Chain{Table: table, Name: fmt.Sprintf("t%d", i)})
		for left := len(r.Endpoints); left > 0; left-- {
			to := r.Endpoints[len(r.Endpoints)-left]
			pods[to.Addr()] = true
			c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: sendTo(to, uint32(left))})
		}
		elements = append(elements, nftables.SetElement{
			Key:         targetKey(r.Target),
			VerdictData: &expr.Verdict{Kind: expr.VerdictGoto, Chain: chain.Name},
		})
	}
	if err := c.AddSet(targets, elements); err != nil {
		return err
	}
	hairpin := &nftables.Set{
		Table: table, Name: "hairpin", Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeIPAddr),
	}
	var pairs []nftables.SetElement
	for pod := range pods {
		pairs = append(pairs, nftables.SetElement{Key: append(pod.AsSlice(), pod.AsSlice()...)})
	}
	if err := c.AddSet(hairpin, pairs); err != nil {
		return err
	}
	for _, b := range []struct {
		name     string
		kind     nftables.ChainType
		hook     *nftables.ChainHook
		priority *nftables.ChainPriority
		rules    [][]expr.Any
	}{
		{"prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest, [][]expr.Any{lookUp(targets)}},
		{"output", nftables.ChainTypeNAT, nftables.ChainHookOutput, nftables.ChainPriorityNATDest, [][]expr.Any{lookUp(targets)}},
		{"postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, [][]expr.Any{masquerade(hairpin)}},
		{"forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, refuse(o)},
		{"local", nftables.ChainTypeFilter, nftables.ChainHookOutput, nftables.ChainPriorityFilter, refuse(o)},
	} {
		chain := c.AddChain(&nftables.Chain{Table: table, Name: b.name, Type: b.kind, Hooknum: b.hook, Priority: b.priority})
		for _, exprs := range b.rules {
			c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs})
		}
	}
	return c.Flush()
}

// targetKey is a key of the map of targets.
func targetKey(t Target) []byte {
	key := append(t.Addr.AsSlice(), protocols[t.Protocol], 0, 0, 0)
	return append(append(key, binaryutil.BigEndian.PutUint16(t.Port)...), 0, 0)
}

// The addresses of an IPv4 header, and the destination port of TCP and UDP.
func loadSource(register uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4}
}

func loadDestination(register uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4}
}

func loadPort(register uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
}

func lookUp(targets *nftables.Set) []expr.Any {
	return []expr.Any{
		loadDestination(regAddr),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: regProto},
		loadPort(regPort),
		&expr.Lookup{SourceRegister: regAddr, SetName: targets.Name, SetID: targets.ID, IsDestRegSet: true},
	}
}

// sendTo sends one in left connections to an endpoint.
func sendTo(to netip.AddrPort, left uint32) []expr.Any {
	var out []expr.Any
	if left > 1 {
		out = append(out,
			&expr.Numgen{Register: 1, Modulus: left, Type: unix.NFT_NG_RANDOM},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(0)})
	}
	return append(out,
		&expr.Immediate{Register: 1, Data: to.Addr().AsSlice()},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(to.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2, Specified: true})
}

// masquerade gives the node's address to a pod that reaches itself through a
// Service: a reply from its own address would never leave it.
func masquerade(hairpin *nftables.Set) []expr.Any {
	return []expr.Any{
		loadSource(unix.NFT_REG32_00),
		loadDestination(unix.NFT_REG32_01),
		&expr.Lookup{SourceRegister: unix.NFT_REG32_00, SetName: hairpin.Name, SetID: hairpin.ID},
		&expr.Masq{},
	}
}

// refuse turns away what goes to an address of Services that no rule has sent
// on: a client learns at once that there is nobody. TCP by a reset, since the
// kernel sends no ICMP about packets of its own that leave by the loopback
// device.
func refuse(o Options) [][]expr.Any {
	var out [][]expr.Any
	for _, p := range []netip.Prefix{o.ClusterIPs, o.LoadBalancers} {
		match := []expr.Any{
			loadDestination(1),
			&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(p.Bits(), 32), Xor: make([]byte, 4)},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: p.Masked().Addr().AsSlice()},
		}
		tcp := []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
			&expr.Reject{Type: unix.NFT_REJECT_TCP_RST},
		}
		const portUnreachable = 3
		out = append(out, slices.Concat(match, tcp),
			append(match, &expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: portUnreachable}))
	}
	return out
}

// forget removes the kernel's memory of UDP flows to endpoints that are gone:
// unlike connections they never end while a client goes on sending.
func forget(before, after []Rule) error {
	still := map[Target]map[netip.AddrPort]bool{}
	for _, r := range after {
		still[r.Target] = map[netip.AddrPort]bool{}
		for _, e := range r.Endpoints {
			still[r.Target][e] = true
		}
	}
	var errs []error
	for _, r := range before {
		if r.Target.Protocol != corev1.ProtocolUDP {
			continue
		}
		for _, e := range r.Endpoints {
			if still[r.Target][e] {
				continue
			}
			filter := &netlink.ConntrackFilter{}
			errs = append(errs,
				filter.AddProtocol(unix.IPPROTO_UDP),
				filter.AddIP(netlink.ConntrackOrigDstIP, r.Target.Addr.AsSlice()),
				filter.AddPort(netlink.ConntrackOrigDstPort, r.Target.Port),
				filter.AddIP(netlink.ConntrackReplySrcIP, e.Addr().AsSlice()))
			_, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, netlink.InetFamily(unix.AF_INET), filter)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

package redirect

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// tableName is the table that this package owns in its network namespace.
const tableName = "causeway-mesh"

// priority is before that of the rules which send Services to their endpoints,
// kube-proxy's among them: of the nat chains of a hook the first that rewrites
// a connection decides.
const priority = -110 // dstnat - 10

// lock is an abstract Unix socket, which the network namespace has once and which
// goes with its process (unix(7)). Without it a proxy that ends would take away
// the table of the one that follows it.
const lock = "@" + tableName

// Redirect is the table while it is there.
type Redirect struct {
	proxy netip.AddrPort
	lock  net.Listener

	mu      sync.Mutex
	targets []netip.AddrPort // as the kernel has them, sorted
	closed  bool
}

// New makes the table, without targets. proxy is where connections go: an IPv4
// address of this node, not one of the loopback network, and the proxy's port.
//
// Connections that this node makes itself, the proxy's among them, are not
// redirected. A table that a killed process left behind is replaced; while
// another process has one there is an error.
func New(proxy netip.AddrPort) (*Redirect, error) {
	if a := proxy.Addr(); !a.Is4() || a.IsUnspecified() || a.IsLoopback() || proxy.Port() == 0 {
		return nil, fmt.Errorf("redirect to %s: it takes an IPv4 address of this node, which is not the loopback one, and a port", proxy)
	}
	l, err := net.Listen("unix", lock)
	if err != nil {
		return nil, fmt.Errorf("redirect to %s: another process may do so already: %w", proxy, err)
	}
	r := &Redirect{proxy: proxy, lock: l}
	if err := r.write(nil); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return r, nil
}

// Apply replaces all targets at once: addresses and TCP ports that pods connect
// to. Connections that are there already stay where they are. On an error, and
// for an IPv6 target, nothing changes.
func (r *Redirect) Apply(targets []netip.AddrPort) error {
	targets = slices.Clone(targets)
	slices.SortFunc(targets, netip.AddrPort.Compare)
	targets = slices.Compact(targets)
	for _, t := range targets {
		if !t.Addr().Is4() || t.Port() == 0 {
			return fmt.Errorf("redirect %s: only IPv4 addresses and ports are redirected", t)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosed
	}
	if slices.Equal(targets, r.targets) {
		return nil
	}
	if err := r.write(targets); err != nil {
		return err
	}
	r.targets = targets
	return nil
}

var errClosed = errors.New("the redirect is closed")

// Close takes the table away: new connections go where they did before.
func (r *Redirect) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	c, err := nftables.New()
	if err != nil {
		return explain(err)
	}
	c.DelTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName})
	if err := c.Flush(); err != nil {
		return explain(err)
	}
	r.closed = true
	return r.lock.Close()
}

// write replaces the table in one transaction. In nft's language:
//
//	table ip causeway-mesh {
//	  set targets { type ipv4_addr . inet_service }
//	  chain prerouting { type nat hook prerouting priority dstnat - 10; meta l4proto tcp ip daddr . th dport @targets dnat to PROXY }
//	}
//
// It is dnat and not redirect, which takes the address of the device that a
// packet came in by: devices of pods may have none.
func (r *Redirect) write(targets []netip.AddrPort) error {
	c, err := nftables.New()
	if err != nil {
		return explain(err)
	}
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName}
	c.AddTable(table) // so that there is one to delete
	c.DelTable(table)
	c.AddTable(table)
	set := &nftables.Set{
		Table: table, Name: "targets", Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService),
	}
	elements := make([]nftables.SetElement, 0, len(targets))
	for _, t := range targets {
		// Each field of a concatenation takes four bytes.
		key := append(t.Addr().AsSlice(), binaryutil.BigEndian.PutUint16(t.Port())...)
		elements = append(elements, nftables.SetElement{Key: append(key, 0, 0)})
	}
	if err := c.AddSet(set, elements); err != nil {
		return explain(err)
	}
	chain := c.AddChain(&nftables.Chain{
		Table: table, Name: "prerouting", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRef(priority),
	})
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: unix.NFT_REG32_00, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4},
		&expr.Payload{DestRegister: unix.NFT_REG32_01, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: unix.NFT_REG32_00, SetName: set.Name, SetID: set.ID},
		&expr.Immediate{Register: 1, Data: r.proxy.Addr().AsSlice()},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(r.proxy.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2, Specified: true},
	}})
	return explain(c.Flush())
}

// explain adds a remedy to an error that is about rights.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("nftables table %s: %w: run with CAP_NET_ADMIN in the node's network", tableName, err)
	}
	return fmt.Errorf("nftables table %s: %w", tableName, err)
}

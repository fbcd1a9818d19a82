package serve

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/causeway-gateway/causeway/routing"
)

// redirected makes a network namespace of this thread in which TCP connections
// to the service addresses lead to a port of loopback.
func redirected(t *testing.T, port uint16) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	lo := loopback(t)
	for source, dst := range map[string]string{"198.18.0.9/32": "198.19.0.0/16", "fd00:18::9/128": "fd00:19::/64"} {
		address, err := netlink.ParseAddr(source) // the sender's: an address of loopback is none
		if err != nil {
			t.Fatal(err)
		}
		address.Flags = unix.IFA_F_NODAD
		if err := netlink.AddrAdd(lo, address); err != nil {
			t.Fatal(err)
		}
		_, prefix, err := net.ParseCIDR(dst)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.RouteAdd(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: prefix}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := nftables.New(nftables.WithNetNSFd(int(ns)))
	if err != nil {
		t.Fatal(err)
	}
	table := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "test"})
	out := c.AddChain(&nftables.Chain{Name: "out", Table: table, Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest})
	c.AddRule(&nftables.Rule{Table: table, Chain: out, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
		&expr.Immediate{Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
		&expr.Redir{RegisterProtoMin: 1},
	}})
	if err := c.Flush(); err != nil {
		t.Fatalf("does the kernel have NAT (nf_tables, nft_redir)? %v", err)
	}
}

// loopback brings up the loopback interface of a new network namespace.
func loopback(t *testing.T) netlink.Link {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	return lo
}

// insideVariable is set in the child of a test that is root of its own namespaces.
const insideVariable = "CAUSEWAY_TEST_INSIDE"

// asRoot runs a test in a child of this process that is root of a user and a
// network namespace, and reports whether this is that child. Without user
// namespaces, which embedded clusters need as well, the test is skipped; .ci/run
// begins with finding that out.
func asRoot(t *testing.T) (inside bool) {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		loopback(t)
		return true
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), insideVariable+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.CombinedOutput()
	if c.Process == nil {
		t.Skipf("no user namespace can be made, see Limits in docs/embedded-cluster.md: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// Connections that netfilter redirects are served as what they were before, over
// IPv4 and IPv6.
func TestOriginalDestination(t *testing.T) {
	if !asRoot(t) {
		return
	}
	// Made before the thread moves: the backend is outside, as other nodes are.
	up := startBackend(t, echo("v1"), nil)
	const port = 15001
	redirected(t, port)
	for _, c := range []struct{ bind, to string }{{"127.0.0.1", "198.19.0.7:8080"}, {"::", "198.19.0.8:80"}, {"::", "[fd00:19::7]:8080"}} {
		to := netip.MustParseAddrPort(c.to)
		asked := make(chan netip.AddrPort, 1)
		s := serve(t, &Config{
			Endpoints: map[string][]netip.AddrPort{fmt.Sprint("shop/cart:", to.Port()): {up}},
			Mesh: &Mesh{
				Bind: netip.AddrPortFrom(netip.MustParseAddr(c.bind), port), Table: &routing.Table{},
				Service: func(a netip.AddrPort) (string, bool) { asked <- a; return "shop/cart", true },
				Client:  func(netip.Addr) *routing.Client { return nil },
			},
		})
		conn, err := net.Dial("tcp", c.to)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(conn, "GET /x HTTP/1.1\r\nHost: cart\r\nConnection: close\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		conn.Close()
		if a := <-asked; a != to || res.StatusCode != 200 {
			t.Errorf("to %s at %s: it was taken for one to %s; status %d", c.to, c.bind, a, res.StatusCode)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

package kind

import (
	"net/netip"
	"testing"
)

func TestBlockOf(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, node, first, last string
	}{
		"Usual":      {reason: "256 slices of 256 in Docker's usual network", node: "172.18.0.2/16", first: "172.18.253.1", last: "172.18.253.254"},
		"Next":       {reason: "the next cluster's slice is another", node: "172.18.0.3/16", first: "172.18.252.1", last: "172.18.252.254"},
		"Small":      {reason: "Docker's last networks have 4096 addresses", node: "192.168.16.2/20", first: "192.168.31.65", last: "192.168.31.126"},
		"IPv6":       {reason: "the last 16 bits are divided", node: "fc00:f853:ccd:e793::2/64", first: "fc00:f853:ccd:e793:ffff:ffff:ffff:fd01", last: "fc00:f853:ccd:e793:ffff:ffff:ffff:fdfe"},
		"Smallest":   {reason: "16 of 256", node: "10.0.0.2/24", first: "10.0.0.209", last: "10.0.0.222"},
		"Wraps":      {reason: "there are only 256 slices", node: "172.18.1.2/16", first: "172.18.253.1", last: "172.18.253.254"},
		"NotAligned": {reason: "the network begins anywhere", node: "172.18.32.5/20", first: "172.18.46.129", last: "172.18.46.190"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := blockOf(netip.MustParsePrefix(tc.node))
			if err != nil {
				t.Fatal(err)
			}
			first, last := b.usable()
			if first.String() != tc.first || last.String() != tc.last {
				t.Errorf("%s: %s to %s, want %s to %s", tc.reason, first, last, tc.first, tc.last)
			}
			if !netip.MustParsePrefix(tc.node).Masked().Contains(last) {
				t.Errorf("%s is outside the network", last)
			}
			if !b.contains(first) || !b.contains(last) || b.contains(b.first) || b.contains(last.Next()) {
				t.Errorf("the block does not contain just what is usable")
			}
		})
	}
	if _, err := blockOf(netip.MustParsePrefix("10.0.0.2/28")); err == nil {
		t.Error("16 addresses are too few")
	}
}

func TestBlockFree(t *testing.T) {
	b, err := blockOf(netip.MustParsePrefix("10.0.0.2/24"))
	if err != nil {
		t.Fatal(err)
	}
	taken := map[netip.Addr]bool{}
	for range b.size - 2 {
		a, err := b.free(func(a netip.Addr) bool { return taken[a] })
		if err != nil {
			t.Fatal(err)
		}
		if taken[a] || !b.contains(a) {
			t.Fatalf("%s is taken or not of the block", a)
		}
		taken[a] = true
	}
	if a, err := b.free(func(a netip.Addr) bool { return taken[a] }); err == nil {
		t.Errorf("%s is one too many", a)
	}
}

func TestParseAddresses(t *testing.T) {
	got, err := parseAddresses([]byte(`{"kind":{"IPAddress":"172.18.0.2","IPPrefixLen":16,"GlobalIPv6Address":"fc00::2","GlobalIPv6PrefixLen":64}}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].String() != "172.18.0.2/16" || got[1].String() != "fc00::2/64" {
		t.Errorf("addresses %v", got)
	}
	for name, bad := range map[string]string{
		"stopped":     `{"kind":{"IPAddress":""}}`,
		"not JSON":    `no`,
		"bad address": `{"kind":{"IPAddress":"x","IPPrefixLen":16}}`,
		"bad prefix":  `{"kind":{"IPAddress":"172.18.0.2","IPPrefixLen":99}}`,
	} {
		if a, err := parseAddresses([]byte(bad)); err == nil {
			t.Errorf("%s: %v", name, a)
		}
	}
}

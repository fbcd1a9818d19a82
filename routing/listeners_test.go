package routing

import "testing"

// TestMisdirectedRequests holds Reading.DetectMisdirected to the rules of
// Listener.Hostname (Gateway API): 421 where another listener has the best
// match for the host, 404 where none has any.
func TestMisdirectedRequests(t *testing.T) {
	listener := func(hostname string) *Listener {
		l := &Listener{Name: hostname, Port: 443, Protocol: HTTPS, TLS: &ListenerTLS{}}
		h := &Host{Rules: []*Rule{{Action: &Action{Respond: &Response{Status: 204}}}}}
		if hostname != "" {
			l.Hostname = ParseHost(hostname, SuffixHost)
			h.Names = []HostPattern{l.Hostname}
		}
		l.Hosts = []*Host{h}
		return l
	}
	names := &Table{Reading: Reading{DetectMisdirected: true}, Listeners: []*Listener{listener("a.example"), listener("*.b.example"), listener("x.b.example")}}
	withAny := &Table{Reading: names.Reading, Listeners: append([]*Listener{listener("")}, names.Listeners...)}
	for _, c := range []struct {
		reason    string
		table     *Table
		sni, host string
		status    int
	}{
		{"one name for both", names, "a.example", "a.example", 204},
		{"another listener has the host", names, "a.example", "y.b.example", 421},
		{"another listener is more specific", names, "y.b.example", "x.b.example", 421},
		{"the same wildcard has both", names, "y.b.example", "z.b.example", 204},
		{"the connection's listener is more specific, the wildcard has the host", names, "x.b.example", "y.b.example", 421},
		{"no listener has the host", names, "a.example", "c.example", 404},
		{"the listener of all hosts has it", withAny, "a.example", "c.example", 421},
		{"the listener of all hosts has both", withAny, "d.example", "c.example", 204},
		{"without SNI the host decides", names, "", "a.example", 204},
	} {
		if d := c.table.Route(&Request{Scheme: "https", Port: 443, Host: c.host, SNI: c.sni}); d.Status != c.status {
			t.Errorf("%s: %d, want %d", c.reason, d.Status, c.status)
		}
	}
}

// "When specified, Listeners that use TLS must match the SNI; the most specific
// hostname takes the connection" (Listener.Hostname; GEP-3567).
func TestListenersFor(t *testing.T) {
	host := []*Host{{Rules: []*Rule{{Action: &Action{}}}}}
	table := &Table{Listeners: []*Listener{
		{Name: "any", Port: 443, Protocol: HTTPS, Hosts: host},
		{Name: "wild", Port: 443, Protocol: HTTPS, Hostname: ParseHost("*.example.com", SuffixHost), Hosts: host},
		{Name: "exact", Port: 443, Protocol: TLS, Hostname: ParseHost("a.example.com", SuffixHost), TLS: &ListenerTLS{Passthrough: true}, Hosts: host},
		{Name: "other", Port: 8443, Protocol: HTTPS, Hostname: ParseHost("b.example.com", SuffixHost), Hosts: host},
	}}
	for _, c := range []struct {
		reason, sni string
		port        int
		want        string
	}{
		{"the exact name", "a.example.com", 443, "exact"},
		{"the wildcard", "b.example.com", 443, "wild"},
		{"neither", "example.org", 443, "any"},
		{"no name at all", "", 443, "any"},
		{"another port", "b.example.com", 8443, "other"},
		{"a name that the port does not have", "example.org", 8443, ""},
	} {
		got := ""
		for _, l := range table.ListenersFor(&Request{Scheme: "https", Host: c.sni, SNI: c.sni, Port: c.port}) {
			got += l.Name
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.reason, got, c.want)
		}
	}
}

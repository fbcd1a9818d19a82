package routing

import "testing"

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

package serve

import (
	"crypto/tls"
	"testing"

	"github.com/causeway-gateway/causeway/routing"
)

// TestLongestName: "The GatewayClass MUST use the longest matching SNI out of all
// available certificates for any TLS handshake" (Listener.TLS).
func TestLongestName(t *testing.T) {
	ca := newAuthority(t, "ca")
	v := &view{config: &Config{Certificates: map[string]*tls.Certificate{
		"d/other": ca.issue(t, "b.test"), "d/wild": ca.issue(t, "*.a.test"), "d/exact": ca.issue(t, "www.a.test", "c.test"),
	}}}
	l := &routing.Listener{Protocol: routing.HTTPS, TLS: &routing.ListenerTLS{Certificates: []string{"d/other", "d/wild", "d/exact"}}}
	for _, c := range []struct{ reason, name, want string }{
		{"the name itself before a wildcard", "www.a.test", "www.a.test"},
		{"the wildcard where nothing else is", "x.a.test", "*.a.test"},
		{"a second name of a certificate", "C.test", "www.a.test"},
		{"the first one where none is for the name", "d.test", "b.test"},
		{"without a name the first one", "", "b.test"},
	} {
		if got := v.serverTLS(l, c.name, nil).Certificates[0].Leaf.Subject.CommonName; got != c.want {
			t.Errorf("%s: %s gets the certificate of %s, want %s", c.reason, c.name, got, c.want)
		}
	}
}

package routing

import "testing"

// The Service that a mesh request was sent to decides, not its host header:
// "if the destination ip address for a given connection is the ClusterIP of
// that parentRef Service" (GEP-1294).
func TestMeshRoutesByAddressOfService(t *testing.T) {
	rule := &Rule{Action: &Action{Backends: []Backend{{Namespace: "shop", Name: "cart-v2", Port: 80, Weight: 1}}}}
	table := &Table{Listeners: []*Listener{{Port: 80, Protocol: HTTP, Mesh: "shop/cart", Hosts: []*Host{{Rules: []*Rule{rule}}}}}}
	for _, c := range []struct {
		reason, service, host, backend string
	}{
		{"the name leads there", "", "cart.shop", "shop/cart-v2:80"},
		{"the address leads there, the header elsewhere", "shop/cart", "www.example.com", "shop/cart-v2:80"},
		{"the header leads there, the address elsewhere", "shop/other", "cart.shop", "shop/other:80"},
	} {
		d := table.Route(&Request{Host: c.host, Service: c.service, Port: 80, Client: &Client{Namespace: "shop"}})
		if d.Backends[c.backend] != 1 {
			t.Errorf("%s: %v", c.reason, d.Backends)
		}
	}
}

package routing

import "testing"

// A * in an origin is one label unless AnyLabels says otherwise
// (HTTPCORSFilter.AllowOrigins: "`*` will include any number of period `.`
// characters to the left of its position").
func TestCORSAllows(t *testing.T) {
	for _, c := range []struct {
		reason, allowed, origin string
		one, any                bool
	}{
		{"the same origin", "https://www.foo.com", "https://www.foo.com", true, true},
		{"another scheme", "https://www.foo.com", "http://www.foo.com", false, false},
		{"another port", "https://www.foo.com", "https://www.foo.com:8443", false, false},
		{"one label", "https://*.bar.com", "https://www.bar.com", true, true},
		{"two labels", "https://*.bar.com", "https://xpto.www.bar.com", false, true},
		{"no label", "https://*.bar.com", "https://bar.com", false, false},
		{"a label of another host", "https://*.bar.com", "https://evil.com/.bar.com", false, false},
		{"the port of the scheme is left out", "https://www.foo.com:443", "https://www.foo.com", false, true},
		{"the port of the scheme is sent", "http://www.foo.com", "http://www.foo.com:80", false, true},
		{"the port of the other scheme", "https://www.foo.com", "https://www.foo.com:80", false, false},
		{"a wildcard with the port of the scheme", "https://*.bar.com:443", "https://www.bar.com", false, true},
		{"every origin", "*", "https://foobar.com:12345", true, true},
	} {
		for anyLabels, want := range map[bool]bool{false: c.one, true: c.any} {
			cors := &CORS{AllowOrigins: []string{c.allowed}, AnyLabels: anyLabels}
			if got := cors.Allows(c.origin); got != want {
				t.Errorf("%s: AnyLabels %v: %s allows %s: %v, want %v", c.reason, anyLabels, c.allowed, c.origin, got, want)
			}
		}
	}
}

// "If the request Origin does not match the configured allowed origins, the
// gateway returns 204/200 response" (HTTPCORSFilter.AllowOrigins).
func TestCORSAnswerAll(t *testing.T) {
	for all, want := range map[bool]int{false: 200, true: 204} {
		rule := &Rule{Action: &Action{CORS: &CORS{AllowOrigins: []string{"https://a.example"}, AnswerAll: all}, Backends: []Backend{{Namespace: "d", Name: "b", Port: 80, Weight: 1}}}}
		table := &Table{Listeners: []*Listener{{Port: 80, Protocol: HTTP, Hosts: []*Host{{Rules: []*Rule{rule}}}}}}
		d := table.Route(&Request{Method: "OPTIONS", Host: "x", Headers: map[string]string{"Origin": "https://b.example", "Access-Control-Request-Method": "PUT"}})
		if d.Status != want {
			t.Errorf("AnswerAll %v: status %d, want %d", all, d.Status, want)
		}
	}
}

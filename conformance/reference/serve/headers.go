package serve

import (
	"net/http"
	"net/textproto"

	"github.com/causeway-gateway/causeway/routing"
)

// change carries out header changes: set, add, remove, in that order
// ([routing.HeaderChange]).
func change(h http.Header, c *routing.HeaderChange) {
	for _, x := range c.Set {
		h.Set(x.Name, x.Value)
	}
	for _, x := range c.Add {
		h.Add(x.Name, x.Value)
	}
	for _, name := range c.Remove {
		h.Del(name)
	}
}

// hostOf returns the Host header that changes set, which Go keeps apart from
// the other headers.
func hostOf(c *routing.HeaderChange) (string, bool) {
	for _, x := range c.Set {
		if textproto.CanonicalMIMEHeaderKey(x.Name) == "Host" {
			return x.Value, true
		}
	}
	return "", false
}

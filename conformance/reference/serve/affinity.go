package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/causeway-gateway/causeway/routing"
)

// Session persistence (GEP-1619): the first response gives the client a token,
// a cookie or a header, that leads its next requests to the same endpoint while
// it is ready. The token is a digest, so that it tells nothing about the
// cluster and no state has to be kept.

// defaultSession names sessions that the route does not name.
const defaultSession = "causeway-session"

func sessionName(a *routing.Affinity) string {
	if a.Name != "" {
		return a.Name
	}
	return defaultSession
}

func sessionToken(d destination) string {
	sum := sha256.Sum256([]byte(d.key + " " + d.endpoint.String()))
	return hex.EncodeToString(sum[:16])
}

// persisted returns the endpoint that the client's token stands for: one of a
// backend that still is in the rule. A backend of weight 0 keeps its sessions
// (GEP-1619, "Traffic splitting").
func (v *view) persisted(a *routing.Affinity, d *routing.Decision, h http.Header) (destination, bool) {
	if a == nil || d.Why == nil {
		return destination{}, false
	}
	token := ""
	switch a.Kind {
	case "cookie":
		c, err := (&http.Request{Header: h}).Cookie(sessionName(a))
		if err != nil {
			return destination{}, false
		}
		token = c.Value
	case "header":
		token = h.Get(sessionName(a))
	}
	if token == "" {
		return destination{}, false
	}
	for i := range d.Why.Action.Backends {
		b := &d.Why.Action.Backends[i]
		if b.Invalid != "" {
			continue
		}
		key := b.Key()
		for _, e := range v.config.Endpoints[key] {
			if x := (destination{b, key, e}); sessionToken(x) == token {
				return x, true
			}
		}
	}
	return destination{}, false
}

// persist gives the client its token, once for each session.
func persist(a *routing.Affinity, x destination, h http.Header) {
	switch a.Kind {
	case "cookie":
		c := &http.Cookie{ //nolint:gosec // the route says how the cookie is sent
			Name: sessionName(a), Value: sessionToken(x), Path: a.Path, Domain: a.Domain,
			Secure: a.Secure, HttpOnly: true, MaxAge: int(a.MaxAge.Seconds()), SameSite: sameSites[a.SameSite],
		}
		if c.Path == "" {
			c.Path = "/"
		}
		h.Add("Set-Cookie", c.String())
	case "header":
		h.Set(sessionName(a), sessionToken(x))
	}
}

var sameSites = map[string]http.SameSite{"Strict": http.SameSiteStrictMode, "Lax": http.SameSiteLaxMode, "None": http.SameSiteNoneMode}

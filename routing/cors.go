package routing

import "strings"

// preflight reports whether the request is answered as a CORS preflight.
// Source: https://fetch.spec.whatwg.org/#cors-preflight-request; ingress-nginx
// answers every OPTIONS of an allowed origin (template CORS in
// rootfs/etc/nginx/template/nginx.tmpl).
func (c *CORS) preflight(v *view) bool {
	if v.method != "OPTIONS" {
		return false
	}
	origin, has := v.header("Origin")
	if !c.AnyOptions {
		if _, asks := v.header("Access-Control-Request-Method"); !asks || !has {
			return false
		}
	}
	return c.Allows(origin)
}

// Allows reports whether an origin may read responses.
func (c *CORS) Allows(origin string) bool {
	for _, o := range c.AllowOrigins {
		if re, ok := strings.CutPrefix(o, "~"); ok {
			if NewRegex(re, false, true).Match(origin) {
				return true
			}
			continue
		}
		if o == "*" || originMatches(o, origin, c.SuffixMatch) {
			return true
		}
	}
	return false
}

// originMatches compares an allowed origin, in which one * stands for
// characters of one label, with the header, without case.
func originMatches(allowed, origin string, suffix bool) bool {
	allowed, origin = strings.ToLower(allowed), strings.ToLower(origin)
	head, tail, wild := strings.Cut(allowed, "*")
	if !wild {
		return origin == allowed || suffix && strings.HasSuffix(origin, allowed)
	}
	if !strings.HasSuffix(origin, tail) {
		return false
	}
	rest := origin[:len(origin)-len(tail)]
	i := strings.Index(rest, head)
	if i < 0 || i > 0 && !suffix {
		return false
	}
	label := rest[i+len(head):]
	for j := 0; j < len(label); j++ {
		if c := label[j]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return label != ""
}

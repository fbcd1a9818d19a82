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
	return c.AnswerAll || c.Allows(origin)
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
		if o == "*" || c.originMatches(o, origin) {
			return true
		}
	}
	return false
}

// withoutPort returns an origin without the port of its scheme: "if not included,
// port `80` is assumed for `http` scheme origins, and port `443` is assumed for
// `https` origins. This may affect origin matching" (HTTPCORSFilter.AllowOrigins).
func withoutPort(origin string) string {
	switch {
	case strings.HasPrefix(origin, "http://"):
		return strings.TrimSuffix(origin, ":80")
	case strings.HasPrefix(origin, "https://"):
		return strings.TrimSuffix(origin, ":443")
	}
	return origin
}

// originMatches compares an allowed origin, in which one * stands for
// characters of one label, or of any number of them, with the header, without
// case.
func (c *CORS) originMatches(allowed, origin string) bool {
	suffix := c.SuffixMatch
	allowed, origin = strings.ToLower(allowed), strings.ToLower(origin)
	if c.AnyLabels {
		allowed, origin = withoutPort(allowed), withoutPort(origin)
	}
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
		if b := label[j]; !(b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '.' && c.AnyLabels) {
			return false
		}
	}
	return label != ""
}

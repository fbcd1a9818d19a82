package routing

import "strings"

// NormalizePath returns the path that nginx matches locations against: percent
// escapes decoded, runs of slashes merged, dot segments resolved. ok is false
// where nginx answers 400: a broken escape, a NUL, a path that climbs above
// the root, or one without a leading slash.
// Source: https://nginx.org/en/docs/http/ngx_http_core_module.html#location
// ("The matching is performed against a normalized URI").
func NormalizePath(raw string) (path string, ok bool) {
	if raw == "" || raw[0] != '/' {
		return raw, false
	}
	if clean(raw) {
		return raw, true
	}
	decoded := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' {
			if i+2 >= len(raw) {
				return raw, false
			}
			hi, lo := unhex(raw[i+1]), unhex(raw[i+2])
			if hi < 0 || lo < 0 {
				return raw, false
			}
			c = byte(hi<<4 | lo)
			i += 2
		}
		if c == 0 {
			return raw, false
		}
		decoded = append(decoded, c)
	}
	return resolve(string(decoded))
}

// clean reports whether normalisation would change nothing.
func clean(p string) bool {
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '%', 0:
			return false
		case '/':
			if i+1 < len(p) && (p[i+1] == '/' || p[i+1] == '.') {
				return false
			}
		}
	}
	return true
}

// resolve merges slashes and removes dot segments; a trailing dot segment
// leaves a trailing slash.
func resolve(p string) (string, bool) {
	out := make([]byte, 0, len(p))
	for i := 0; i < len(p); {
		for i < len(p) && p[i] == '/' {
			i++
		}
		j := i
		for j < len(p) && p[j] != '/' {
			j++
		}
		switch seg := p[i:j]; seg {
		case "", ".":
			if len(out) == 0 || out[len(out)-1] != '/' {
				out = append(out, '/')
			}
		case "..":
			s := strings.TrimSuffix(string(out), "/")
			k := strings.LastIndexByte(s, '/')
			if k < 0 {
				return p, false
			}
			out = out[:k+1]
		default:
			if len(out) == 0 || out[len(out)-1] != '/' {
				out = append(out, '/')
			}
			out = append(out, seg...)
			if j < len(p) {
				out = append(out, '/')
			}
		}
		i = j
	}
	if len(out) == 0 {
		return "/", true
	}
	return string(out), true
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// EscapePath encodes a normalised path for the wire the way nginx does when it
// proxies a changed URI (control bytes, space, non-ASCII, and "#%?<>\^`{|}
// since nginx 1.21.1, https://nginx.org/en/CHANGES).
func EscapePath(p string) string {
	const hex = "0123456789ABCDEF"
	var out []byte
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c > ' ' && c < 0x7f && strings.IndexByte("\"#%?<>\\^`{|}", c) < 0 {
			if out != nil {
				out = append(out, c)
			}
			continue
		}
		if out == nil {
			out = append(make([]byte, 0, len(p)+16), p[:i]...)
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	if out == nil {
		return p
	}
	return string(out)
}

func unescapeQuery(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			out = append(out, ' ')
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

package routing

import (
	"strconv"
	"strings"
)

// apply changes what a backend gets. It reports false when the new path is
// empty.
func (w *Rewrite) apply(m *PathMatch, v *view, to *Upstream) bool {
	if w == nil {
		return true
	}
	if w.Host != "" {
		to.Host = w.Host
	}
	if w.Path == nil {
		return true
	}
	uri, ok := w.Path.apply(m, v, true)
	if ok {
		to.URI = uri
	}
	return ok
}

// apply returns the new path and query. ok is false when the result is empty.
// escape encodes the result for the wire where paths were normalised first.
func (p *PathRewrite) apply(m *PathMatch, v *view, escape bool) (string, bool) {
	path, extra := p.replace(m, v.path)
	if path == "" {
		return "", false
	}
	if escape && v.reading.NormalizePath {
		path = EscapePath(path)
	}
	query := extra
	if v.hasQuery && v.query != "" {
		if query != "" {
			query += "&"
		}
		query += v.query
	}
	if query != "" {
		path += "?" + query
	}
	return path, true
}

// replace returns the new path and the query that the replacement brings.
func (p *PathRewrite) replace(m *PathMatch, path string) (newPath, query string) {
	switch p.Kind {
	case ReplaceFull:
		return cutQuery(p.Value)
	case ReplacePrefix:
		prefix := p.Prefix
		if prefix == "" && m != nil && m.Kind != RegexPath {
			prefix = m.Value
		}
		rest := strings.TrimPrefix(path, strings.TrimSuffix(prefix, "/"))
		out := strings.TrimSuffix(p.Value, "/") + rest
		if !strings.HasPrefix(out, "/") {
			out = "/" + out
		}
		return out, ""
	case ReplaceStringPrefix:
		prefix := p.Prefix
		if prefix == "" && m != nil {
			prefix = m.Value
		}
		if !hasPrefix(path, prefix, true) {
			return path, ""
		}
		return p.Value + path[len(prefix):], ""
	case ReplaceRegex:
		re := p.re
		if re == nil {
			re = NewRegex(p.Pattern, p.IgnoreCase, false)
		}
		if !p.Whole {
			return re.ReplaceAll(path, p.Value), ""
		}
		groups := re.Submatch(path)
		if groups == nil {
			return path, ""
		}
		base, q := cutQuery(p.Value)
		return expandGroups(base, groups), expandGroups(q, groups)
	}
	return path, ""
}

func cutQuery(s string) (path, query string) {
	path, query, _ = strings.Cut(s, "?")
	return path, query
}

// expandGroups replaces $1…$9 (and ${1}); groups that do not exist are empty.
func expandGroups(value string, groups []string) string {
	if strings.IndexByte(value, '$') < 0 {
		return value
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '$' && i+1 < len(value) {
			j, braced := i+1, false
			if value[j] == '{' && j+2 < len(value) && value[j+2] == '}' {
				j, braced = j+1, true
			}
			if c := value[j]; c >= '0' && c <= '9' {
				if n := int(c - '0'); n < len(groups) {
					b.WriteString(groups[n])
				}
				i = j
				if braced {
					i++
				}
				continue
			}
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// location builds the Location header of a redirect.
func (r *Redirect) location(rule *Rule, v *view) string {
	if r.Location != "" {
		return r.literal(rule, v)
	}
	target := v.rawPath
	if r.Path != nil {
		var ok bool
		if target, ok = r.Path.apply(&rule.Match.Path, v, true); !ok {
			target = "/"
		}
		if r.StripQuery {
			target, _, _ = strings.Cut(target, "?")
		}
	} else if v.hasQuery && !r.StripQuery {
		target += "?" + v.query
	}
	if r.TrimSlash {
		target = strings.TrimSuffix(target, "/")
	}
	if r.Relative {
		return target
	}
	scheme, host := r.Scheme, r.Host
	if scheme == "" {
		scheme = v.scheme
	}
	if host == "" {
		if host = v.sentHost(); !r.KeepHostPort {
			host = hostOnly(host)
		}
	}
	switch {
	case r.Port > 0:
		host += ":" + strconv.Itoa(r.Port)
	case r.Port == -1:
		if p := defaultPorts[schemeProtocols[scheme]]; p != 0 {
			host += ":" + strconv.Itoa(p)
		}
	case r.Port == -2 && v.req.Port != 0:
		host += ":" + strconv.Itoa(v.req.Port)
	}
	return scheme + "://" + host + target
}

// literal expands the nginx variables that a redirect target may hold.
func (r *Redirect) literal(rule *Rule, v *view) string {
	if strings.IndexByte(r.Location, '$') < 0 {
		return r.Location
	}
	requestURI, isArgs := v.rawPath, ""
	if v.hasQuery {
		requestURI += "?" + v.query
		if v.query != "" {
			isArgs = "?"
		}
	}
	out := strings.NewReplacer(
		"$request_uri", requestURI, "$http_host", v.sentHost(), "$host", v.host,
		"$scheme", v.scheme, "$uri", v.path, "$is_args", isArgs, "$args", v.query,
	).Replace(r.Location)
	if rule.Match.Path.re != nil {
		if groups := rule.Match.Path.re.Submatch(v.path); groups != nil {
			out = expandGroups(out, groups)
		}
	}
	return out
}

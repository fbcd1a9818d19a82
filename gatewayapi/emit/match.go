package emit

import (
	"regexp"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// formKind is how a path is written.
type formKind uint8

const (
	formPrefix formKind = iota
	formRegex
	formExact
)

// form is a path as it is written, with what counts for its precedence.
type form struct {
	kind  formKind
	value string
}

// formOf writes a plain path condition; ok is false when it needs a regular
// expression that is not portable or too long.
func formOf(p routing.PathMatch, asRegex bool) (form, bool) {
	if !asRegex && !p.IgnoreCase {
		switch {
		case p.Kind == routing.ExactPath && validPath(p.Value):
			return form{formExact, p.Value}, true
		case p.Kind == routing.SegmentPrefix && validPath(p.Value):
			return form{formPrefix, p.Value}, true
		}
	}
	v := spell(p)
	return form{formRegex, v}, len(v) <= gatewayapi.MaxPath && routing.Portable(v)
}

// pathCharacters are the characters of Exact and PathPrefix values (CEL on
// HTTPPathMatch in apis/v1/httproute_types.go).
var pathCharacters = regexp.MustCompile(`^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$`)

// validPath holds a value against the CEL rules of HTTPPathMatch.
func validPath(v string) bool {
	if !strings.HasPrefix(v, "/") || len(v) > gatewayapi.MaxPath || strings.HasSuffix(v, "/..") || strings.HasSuffix(v, "/.") {
		return false
	}
	for _, bad := range []string{"//", "/./", "/../", "%2f", "%2F", "#"} {
		if strings.Contains(v, bad) {
			return false
		}
	}
	return pathCharacters.MatchString(v)
}

// encoded writes the literal characters of a path as clients send them: what a
// path value may not hold becomes an escape, and so does a percent sign that is
// none. ok is false when even that is no valid value.
func encoded(v string) (string, bool) {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-/._~!$&'()*+,;=:@", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	out := b.String()
	return out, validPath(out)
}

var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "DELETE": true, "CONNECT": true, "OPTIONS": true, "TRACE": true, "PATCH": true}

// headerName is the pattern of HeaderName (apis/v1/shared_types.go).
var headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$`)

// valueForm writes a header or query condition; ok is false when Gateway API
// cannot say it: it has no negation, and RE2 no look-ahead.
func valueForm(v routing.ValueMatch, limit int) (value string, regex, ok bool) {
	if v.Negate || !headerName.MatchString(v.Name) || len(v.Name) > gatewayapi.MaxHeaderNameLength {
		return "", false, false
	}
	flag := ""
	if v.IgnoreCase {
		flag = "(?i)"
	}
	switch v.Kind {
	case routing.ExactValue:
		if value, regex = v.Value, v.IgnoreCase && hasLetters(v.Value) || v.Value == ""; regex {
			value = flag + "^" + regexp.QuoteMeta(v.Value) + "$"
		}
	case routing.PrefixValue:
		value, regex = flag+"^"+regexp.QuoteMeta(v.Value)+".*", true
	case routing.RegexValue:
		value, regex = flag+spellPattern(v.Value, !v.Search), true
	case routing.PresentValue:
		value, regex = ".*", true
	}
	return value, regex, len(value) <= limit && (!regex || routing.Portable(value))
}

// httpMatch writes the match of an entry, whose parts are known to be
// expressible.
func httpMatch(en *entry) gwv1.HTTPRouteMatch {
	kind := [...]gwv1.PathMatchType{formPrefix: gwv1.PathMatchPathPrefix, formRegex: gwv1.PathMatchRegularExpression, formExact: gwv1.PathMatchExact}[en.form.kind]
	value := en.form.value
	m := gwv1.HTTPRouteMatch{Path: &gwv1.HTTPPathMatch{Type: &kind, Value: &value}}
	if en.m.Method != "" {
		method := gwv1.HTTPMethod(en.m.Method)
		m.Method = &method
	}
	for _, h := range en.m.Headers {
		v, regex, _ := valueForm(h, gatewayapi.MaxHeaderValue)
		t := gwv1.HeaderMatchExact
		if regex {
			t = gwv1.HeaderMatchRegularExpression
		}
		m.Headers = append(m.Headers, gwv1.HTTPHeaderMatch{Type: &t, Name: gwv1.HTTPHeaderName(h.Name), Value: v})
	}
	for _, q := range en.m.Query {
		v, regex, _ := valueForm(q, gatewayapi.MaxQueryValue)
		t := gwv1.QueryParamMatchExact
		if regex {
			t = gwv1.QueryParamMatchRegularExpression
		}
		m.QueryParams = append(m.QueryParams, gwv1.HTTPQueryParamMatch{Type: &t, Name: gwv1.HTTPHeaderName(q.Name), Value: v})
	}
	return m
}

// sameValue compares two conditions without what Freeze adds.
func sameValue(a, b *routing.ValueMatch, header bool) bool {
	return sameName(a.Name, b.Name, header) && a.Kind == b.Kind && a.Value == b.Value && a.IgnoreCase == b.IgnoreCase && a.Search == b.Search && a.Negate == b.Negate
}

func sameName(a, b string, header bool) bool {
	return a == b || header && strings.EqualFold(a, b)
}

func samePath(a, b *routing.PathMatch) bool {
	return a.Kind == b.Kind && a.Value == b.Value && a.IgnoreCase == b.IgnoreCase && a.Full == b.Full
}

func sameMatch(a, b *routing.Match) bool {
	return samePath(&a.Path, &b.Path) && a.Method == b.Method && a.Scheme == b.Scheme && len(a.Headers) == len(b.Headers) && len(a.Query) == len(b.Query) &&
		a.Client.Namespace == b.Client.Namespace && len(a.Client.Labels) == len(b.Client.Labels) &&
		within(a.Headers, b.Headers, true) && within(a.Query, b.Query, false)
}

// within reports whether every condition of a is among those of b.
func within(a, b []routing.ValueMatch, header bool) bool {
	for i := range a {
		found := false
		for j := range b {
			if sameValue(&a[i], &b[j], header) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// exclusive reports whether no request satisfies both lists.
func exclusive(a, b []routing.ValueMatch, header bool) bool {
	for i := range a {
		for j := range b {
			if x, y := &a[i], &b[j]; sameName(x.Name, y.Name, header) && x.Kind == routing.ExactValue && y.Kind == routing.ExactValue &&
				!x.Negate && !y.Negate && !x.IgnoreCase && !y.IgnoreCase && x.Value != y.Value {
				return true
			}
		}
	}
	return false
}

// both joins two lists of conditions; ok is false when one name has two
// conditions, of which implementations look at the first only.
func both(a, b []routing.ValueMatch, header bool) ([]routing.ValueMatch, bool) {
	out := append([]routing.ValueMatch(nil), a...)
	for j := range b {
		known := false
		for i := range a {
			if sameName(a[i].Name, b[j].Name, header) {
				if !sameValue(&a[i], &b[j], header) {
					return nil, false
				}
				known = true
			}
		}
		if !known {
			out = append(out, b[j])
		}
	}
	return out, true
}

// repeated reports whether a name has two different conditions.
func repeated(vs []routing.ValueMatch, header bool) bool {
	for i := range vs {
		for j := i + 1; j < len(vs); j++ {
			if sameName(vs[i].Name, vs[j].Name, header) {
				return true
			}
		}
	}
	return false
}

// pathsOverlap reports whether some path may satisfy both; true when unsure.
func pathsOverlap(a, b *routing.PathMatch) bool {
	if a.Kind == routing.ExactPath && !a.IgnoreCase {
		return b.Matches(a.Value)
	}
	if b.Kind == routing.ExactPath && !b.IgnoreCase {
		return a.Matches(b.Value)
	}
	ha, hb := headOf(a), headOf(b)
	n := min(len(ha), len(hb))
	if !strings.EqualFold(ha[:n], hb[:n]) {
		return false
	}
	if !a.IgnoreCase && !b.IgnoreCase && a.Kind != routing.RegexPath && b.Kind != routing.RegexPath && ha[:n] != hb[:n] {
		return false
	}
	if a.Kind == routing.SegmentPrefix && len(ha) < len(hb) && ha != "" && hb[len(ha)] != '/' {
		return false
	}
	if b.Kind == routing.SegmentPrefix && len(hb) < len(ha) && hb != "" && ha[len(hb)] != '/' {
		return false
	}
	return true
}

// headOf is the literal every matching path starts with.
func headOf(p *routing.PathMatch) string {
	if p.Kind == routing.RegexPath {
		h, _ := literalHead(*p)
		return h
	}
	if p.Kind == routing.SegmentPrefix {
		return strings.TrimRight(p.Value, "/")
	}
	return p.Value
}

// pathCovers reports whether every path of b surely satisfies a.
func pathCovers(a, b *routing.PathMatch) bool {
	if samePath(a, b) || a.Kind == routing.SegmentPrefix && a.Value == "/" {
		return true
	}
	if b.IgnoreCase && !a.IgnoreCase {
		return false
	}
	switch b.Kind {
	case routing.ExactPath:
		return a.Matches(b.Value) && (!b.IgnoreCase || a.Kind != routing.RegexPath)
	case routing.SegmentPrefix:
		return a.Kind == routing.SegmentPrefix && a.Matches(b.Value) || a.Kind == routing.StringPrefix && a.Matches(b.Value)
	case routing.StringPrefix, routing.RegexPath:
		h := headOf(b)
		if h == "" {
			return false
		}
		if _, fold := literalHead(*b); b.Kind == routing.RegexPath && fold && !a.IgnoreCase {
			return false
		}
		switch a.Kind {
		case routing.StringPrefix:
			return a.Matches(h)
		case routing.SegmentPrefix:
			v := strings.TrimRight(a.Value, "/")
			return len(h) > len(v) && h[len(v)] == '/' && a.Matches(h)
		}
	}
	return false
}

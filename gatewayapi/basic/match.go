package emit

import (
	"regexp"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// maxPathValue and maxHeaderRegex are limits of apis/v1/httproute_types.go.
const (
	maxPathValue   = 1024
	maxHeaderValue = 4096
)

// plainPath is what the API accepts as an exact or prefix path (CEL rules of
// HTTPPathMatch: no //, dot segments, encoded slashes or fragments).
var plainPath = regexp.MustCompile(`^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$`)

func writable(p string) bool {
	if !plainPath.MatchString(p) || len(p) > maxPathValue || !strings.HasPrefix(p, "/") {
		return false
	}
	for _, bad := range []string{"//", "/./", "/../", "%2f", "%2F", "#"} {
		if strings.Contains(p, bad) {
			return false
		}
	}
	return !strings.HasSuffix(p, "/..") && !strings.HasSuffix(p, "/.")
}

// pathMatch writes a path. On a host with regular expressions every path but
// exact ones is one, because how implementations order prefixes against them
// is not specified (HTTPRouteRule.matches: "The precedence of
// RegularExpression path matches are implementation-specific").
func pathMatch(p *routing.PathMatch, regex bool) (*gatewayv1.HTTPPathMatch, bool) {
	of := func(t gatewayv1.PathMatchType, v string) (*gatewayv1.HTTPPathMatch, bool) {
		return &gatewayv1.HTTPPathMatch{Type: &t, Value: &v}, len(v) <= maxPathValue
	}
	switch {
	case p.Kind == routing.AnyPath || p.Kind == routing.SegmentPrefix && p.Value == "/":
		if regex {
			return of(gatewayv1.PathMatchRegularExpression, "^/.*")
		}
		return of(gatewayv1.PathMatchPathPrefix, "/")
	case p.Kind == routing.ExactPath && !p.IgnoreCase && writable(p.Value):
		return of(gatewayv1.PathMatchExact, p.Value)
	case !regex && !p.IgnoreCase && (p.Kind == routing.SegmentPrefix || p.Kind == routing.StringPrefix && strings.HasSuffix(p.Value, "/")) && writable(p.Value):
		// A string prefix that ends in a slash leaves the path without it to
		// another rule, which the front end gives an exact path.
		return of(gatewayv1.PathMatchPathPrefix, strings.TrimSuffix(p.Value, "/"))
	}
	re, ok := fullRegex(p)
	if !ok {
		return nil, false
	}
	return of(gatewayv1.PathMatchRegularExpression, re)
}

// fullRegex spells a path so that engines that match whole strings and engines
// that search agree: anchored at the start, open to the end where it is a
// prefix.
func fullRegex(p *routing.PathMatch) (string, bool) {
	quoted := regexp.QuoteMeta(p.Value)
	var re string
	switch p.Kind {
	case routing.ExactPath:
		re = "^" + quoted + "$"
	case routing.SegmentPrefix:
		re = "^" + regexp.QuoteMeta(strings.TrimSuffix(p.Value, "/")) + "(/.*)?$"
	case routing.StringPrefix:
		re = "^" + quoted + ".*"
	case routing.RegexPath:
		switch v := p.Value; {
		case p.Full:
			re = v
		case strings.HasPrefix(v, "^") && strings.ContainsAny(v, "|"):
			re = "^(?:" + v[1:] + ").*"
			if !balancedAlternation(v[1:]) { // ^a|b is not ^(a|b)
				re = "^.*?(?:" + v + ").*"
			}
		case strings.HasPrefix(v, "^"):
			re = v + ".*"
		default:
			re = "^.*(?:" + v + ").*"
		}
	}
	if p.IgnoreCase {
		re = "(?i)" + re
	}
	return re, routing.Portable(re)
}

// balancedAlternation reports whether every | stands inside a group, so that
// an anchor in front binds the whole pattern.
func balancedAlternation(re string) bool {
	depth, class := 0, false
	for i := 0; i < len(re); i++ {
		switch c := re[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			return false
		}
	}
	return true
}

// headerMatches writes header conditions; ok is false where one cannot be.
func headerMatches(ms []routing.ValueMatch) (out []gatewayv1.HTTPHeaderMatch, ok bool) {
	seen := map[string]bool{}
	for _, m := range ms {
		name := strings.ToLower(m.Name)
		if m.Negate || seen[name] || len(ms) > 16 {
			return nil, false
		}
		seen[name] = true
		value, re := m.Value, true
		switch m.Kind {
		case routing.ExactValue:
			if re = m.IgnoreCase; re {
				value = "(?i)^" + regexp.QuoteMeta(value) + "$"
			}
		case routing.PrefixValue:
			value = "^" + regexp.QuoteMeta(value) + ".*"
		case routing.PresentValue:
			value = ".*"
		case routing.RegexValue:
			if m.Search {
				value = ".*(?:" + value + ").*"
			}
		}
		if re && !routing.Portable(value) || value == "" || len(value) > maxHeaderValue {
			return nil, false
		}
		t := gatewayv1.HeaderMatchExact
		if re {
			t = gatewayv1.HeaderMatchRegularExpression
		}
		out = append(out, gatewayv1.HTTPHeaderMatch{Type: &t, Name: gatewayv1.HTTPHeaderName(m.Name), Value: value})
	}
	return out, true
}

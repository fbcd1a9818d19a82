package emit

import (
	"regexp"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// keepApart writes regular expressions that stand for a prefix without the
// paths of earlier rules, where one of these can be nothing but a PathPrefix,
// since it replaces it. Between the two kinds the precedence is implementation-specific
// (HTTPRouteRule.Matches); where they do not meet it does not matter. Of an
// earlier rule with further conditions, the requests that it leaves get a
// PathPrefix of their own.
func (e *emitter) keepApart(v *vhost) {
	if len(v.entries) > maxPairwise {
		return
	}
	out := make([]*entry, 0, len(v.entries))
	for i, en := range v.entries {
		out = append(out, en)
		if en.form.kind != formRegex || en.m.Path.IgnoreCase || en.m.Path.Kind != routing.StringPrefix && en.m.Path.Kind != routing.SegmentPrefix {
			continue
		}
		base := en.m.Path.Value
		if en.m.Path.Kind == routing.SegmentPrefix && base != "/" {
			continue
		}
		var left []leftOut
		var rest []*entry
		needed := false
		for _, p := range v.entries[:i] {
			segment := p.m.Path.Kind == routing.SegmentPrefix
			if p.form.kind == formExact || p.m.Path.IgnoreCase || !segment && p.m.Path.Kind != routing.StringPrefix ||
				p.m.Path.Value == "/" || !strings.HasPrefix(p.m.Path.Value, base) || e.sameEffect(p, en) {
				continue
			}
			needed = needed || p.prefixOnly
			left = append(left, leftOut{p.m.Path.Value, segment})
			if p.m.Method != "" || len(p.m.Headers)+len(p.m.Query) > 0 {
				c := *en
				c.m.Path, c.form = p.m.Path, form{p.form.kind, p.form.value}
				rest = append(rest, &c)
			}
		}
		if !needed {
			continue
		}
		if value := "^" + regexp.QuoteMeta(base) + without(base, left) + "$"; len(value) <= gatewayapi.MaxPath {
			en.form.value, en.apart = value, left
			out = append(out, rest...)
		}
	}
	v.entries = out
}

// leftOut is a prefix whose paths an expression leaves out, by path elements or
// byte by byte.
type leftOut struct {
	value   string
	segment bool
}

func (p leftOut) match() routing.PathMatch {
	if p.segment {
		return routing.PathMatch{Kind: routing.SegmentPrefix, Value: p.value}
	}
	return routing.PathMatch{Kind: routing.StringPrefix, Value: p.value}
}

// without is an expression for what may follow base in paths that none of the
// prefixes takes. Its length is linear in that of the prefixes.
func without(base string, prefixes []leftOut) string {
	next := map[byte][]leftOut{}
	ends := false // at the end of a prefix by path elements
	for _, p := range prefixes {
		switch rest := p.value[len(base):]; {
		case rest == "" && !p.segment:
			return "[^\\x00-\\x{10FFFF}]" // nothing may follow, nor may this be the end
		case rest == "":
			ends = true
		default:
			next[rest[0]] = append(next[rest[0]], p)
		}
	}
	var chars []byte
	for c := range next {
		if !ends || c != '/' {
			chars = append(chars, c)
		}
	}
	slices.Sort(chars)
	var class strings.Builder
	if ends {
		class.WriteByte('/')
	}
	ways := []string{""}
	for _, c := range chars {
		if strings.IndexByte(`\]^-[`, c) >= 0 {
			class.WriteByte('\\')
		}
		class.WriteByte(c)
		below := without(base+string(c), next[c])
		if !strings.HasPrefix(below, "[^\\x00") {
			ways = append(ways, regexp.QuoteMeta(string(c))+below)
		}
	}
	ways[0] = "[^" + class.String() + "].*"
	out := "(?:" + strings.Join(ways, "|") + ")"
	if !ends {
		out += "?" // base itself
	}
	return out
}

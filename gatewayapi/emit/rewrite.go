package emit

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// rewriteRemedy names what implementations offer where the standard has no
// rewrite by regular expression.
const rewriteRemedy = "use the implementation's own rewrite: Envoy Gateway HTTPRouteFilter urlRewrite ReplaceRegexMatch, Traefik Middleware replacePathRegex, NGINX Gateway Fabric SnippetsFilter"

// unwritable: only a PathPrefix can be replaced, and its value has the characters
// of validPath (HTTPPathModifier.ReplacePrefixMatch).
const unwritable = "a prefix with characters that no PathPrefix may hold is replaced"

// replaced is a path replacement in Gateway API's terms.
type replaced struct {
	same   bool // the path stays as it is
	full   bool
	value  string
	prefix *routing.PathMatch // the match that ReplacePrefixMatch needs
	notes  []remark
}

func (r replaced) modifier() *gwv1.HTTPPathModifier {
	v := r.value
	if r.full {
		return &gwv1.HTTPPathModifier{Type: gwv1.FullPathHTTPPathModifier, ReplaceFullPath: &v}
	}
	return &gwv1.HTTPPathModifier{Type: gwv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: &v}
}

func (r replaced) variant() string {
	if r.full {
		return "full " + r.value
	}
	return "prefix " + r.prefix.Value + " " + r.value
}

var group = regexp.MustCompile(`\$(?:[0-9]|\{[0-9]\})`)

// replacement expresses a rewrite of the path; why is set when it cannot.
func replacement(p *routing.PathRewrite, m *routing.PathMatch) (out replaced, why string) {
	switch p.Kind {
	case routing.ReplaceFull:
		out.full, out.value = true, p.Value
	case routing.ReplacePrefix:
		prefix := p.Prefix
		if prefix == "" && m.Kind != routing.RegexPath {
			prefix = m.Value
		}
		if prefix == p.Value {
			out.same = true
			return out, ""
		}
		q := plain(routing.PathMatch{Kind: routing.SegmentPrefix, Value: prefix})
		if m.Kind != routing.SegmentPrefix || m.IgnoreCase || q.Value != m.Value {
			return out, "a prefix can only be replaced where the rule matches by that prefix"
		}
		if !validPath(q.Value) {
			return out, unwritable
		}
		out.value, out.prefix = p.Value, &q
	case routing.ReplaceStringPrefix:
		prefix := p.Prefix
		if prefix == "" {
			prefix = m.Value
		}
		if prefix == p.Value {
			out.same = true
			return out, ""
		}
		q := plain(routing.PathMatch{Kind: routing.SegmentPrefix, Value: prefix})
		if m.Kind == routing.RegexPath || m.Kind == routing.ExactPath {
			return out, "a prefix can only be replaced where the rule matches by that prefix"
		}
		if !validPath(q.Value) {
			return out, unwritable
		}
		out.value, out.prefix = p.Value, &q
		if m.Kind != routing.SegmentPrefix || m.IgnoreCase || q.Value != m.Value {
			out.notes = narrowing(m, &q)
		}
		out.notes = append(out.notes, joining(prefix, p.Value)...)
	case routing.ReplaceRegex:
		if !p.Whole {
			return out, "every occurrence of a regular expression is replaced"
		}
		if value := withoutAbsent(p.Pattern, p.Value); !group.MatchString(value) {
			out.full, out.value = true, value
			break
		}
		if rewritesToItself(p, m) {
			out.same = true
			out.notes = []remark{{feature: FeatureRewrite, fate: Approximated, message: "the path stays as it is; escapes, doubled slashes and dot segments in it reach the backend as they were sent"}}
			return out, ""
		}
		if out, why = prefixAndRest(p, m); why != "" {
			return out, why
		}
	}
	if strings.ContainsAny(out.value, "?#") {
		return out, "the replacement brings a query string of its own"
	}
	if group.MatchString(out.value) || len(out.value) > gatewayapi.MaxPath {
		return out, "the replacement refers to groups of a regular expression"
	}
	if out.full && !strings.HasPrefix(out.value, "/") {
		out.notes = append(out.notes, remark{feature: FeatureRewrite, fate: Approximated, message: "the new path " + clip(out.value) + " gets the slash at its beginning that it lacks", remedy: "write the slash"})
		out.value = "/" + out.value
	}
	return out, ""
}

// joining says what becomes otherwise when a prefix is replaced path element by
// path element rather than byte by byte: the elements are joined by one slash
// (HTTPPathModifier.ReplacePrefixMatch), so that it matters when only one of the
// prefix and its replacement ends in a slash.
func joining(prefix, value string) []remark {
	if strings.HasSuffix(prefix, "/") == strings.HasSuffix(value, "/") {
		return nil
	}
	path := strings.TrimSuffix(prefix, "/") + "/x"
	return []remark{{feature: FeatureRewrite, fate: Approximated, message: path + " is sent on as " + strings.TrimSuffix(value, "/") + "/x, not as " + value + path[len(prefix):],
		remedy: "end both the prefix and its replacement in a slash, or neither"}}
}

// rewritesToItself recognises replacements that put together again what they
// took apart: /(.+) to /$1, /(api/.*) to /$1, where the rule matches by the same
// expression, so that the match begins where the path does.
func rewritesToItself(p *routing.PathRewrite, m *routing.PathMatch) bool {
	if m.Kind != routing.RegexPath || strings.TrimPrefix(m.Value, "^") != strings.TrimPrefix(p.Pattern, "^") {
		return false
	}
	parts, anchored := anchoredParts(m.Value, false, m.Full)
	if !anchored || len(parts) != 2 || !isLiteral(parts[0]) || parts[1].Op != syntax.OpCapture {
		return false
	}
	lit, _ := literalOf(parts[0])
	if (m.IgnoreCase || p.IgnoreCase) && hasLetters(lit) {
		return false // the spelling changes
	}
	value := strings.NewReplacer("${", "$", "}", "").Replace(p.Value)
	return value == lit+"$"+strconv.Itoa(parts[1].Cap) && toTheEnd(parts[1].Sub[0])
}

// toTheEnd reports whether an expression takes everything that follows.
func toTheEnd(re *syntax.Regexp) bool {
	if re.Op == syntax.OpConcat {
		re = re.Sub[len(re.Sub)-1]
	}
	return (re.Op == syntax.OpStar || re.Op == syntax.OpPlus) && re.Flags&syntax.NonGreedy == 0 && (re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL)
}

// withoutAbsent leaves out references to groups that the pattern does not have:
// they are empty (https://nginx.org/en/docs/http/ngx_http_rewrite_module.html,
// as measured on hosts where one path's rewrite meets a plain one).
func withoutAbsent(pattern, value string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return value
	}
	most := re.MaxCap()
	return group.ReplaceAllStringFunc(value, func(ref string) string {
		if n := int(strings.Trim(ref, "${}")[0] - '0'); n > most {
			return ""
		}
		return ref
	})
}

// prefixAndRest recognises replacements that keep what follows a literal
// prefix: /api(/|$)(.*) to /$2, /api/(.*) to /x/$1, /(.*) or /?(.*) to /x/$1.
func prefixAndRest(p *routing.PathRewrite, m *routing.PathMatch) (out replaced, why string) {
	why = "the path is rewritten by a regular expression"
	parts, anchored := anchoredParts(p.Pattern, p.IgnoreCase, false)
	if !anchored && !strings.HasPrefix(p.Pattern, "/") {
		return out, why
	}
	if len(parts) == 0 {
		return out, why
	}
	lit, rest := "/", parts[1:]
	switch {
	case isLiteral(parts[0]):
		lit, _ = literalOf(parts[0])
	case len(rest) == 1 && isOptionalSlash(parts[0]): // /?(.*), where every path has the slash
	default:
		return out, why
	}
	if len(rest) > 0 && isEnd(rest[len(rest)-1]) {
		rest = rest[:len(rest)-1]
	}
	slash := false // a separator of its own stands before the rest
	if len(rest) == 2 && (isSlashOrEnd(rest[0]) || isOptionalSlash(rest[0])) {
		slash, rest = true, rest[1:]
	}
	if len(rest) != 1 || rest[0].Op != syntax.OpCapture || !isRest(rest[0]) || !strings.HasPrefix(lit, "/") {
		return out, why
	}
	// The value must end in the group of the rest, and hold no other.
	ref := "$" + string(rune('0'+rest[0].Cap))
	head, ok := strings.CutSuffix(strings.ReplaceAll(p.Value, "${"+ref[1:]+"}", ref), ref)
	if !ok || group.MatchString(head) {
		return out, why
	}
	// ReplacePrefixMatch joins by one slash: the rest without its slash must
	// be put after a slash (HTTPPathModifier.ReplacePrefixMatch).
	separated := slash || strings.HasSuffix(lit, "/")
	if !separated || !strings.HasSuffix(head, "/") {
		return out, why
	}
	prefix := strings.TrimRight(lit, "/")
	if prefix == "" {
		prefix = "/"
	}
	if value := strings.TrimRight(head, "/"); value != "" {
		out.value = value
	} else {
		out.value = "/"
	}
	q := routing.PathMatch{Kind: routing.SegmentPrefix, Value: prefix}
	if !validPath(prefix) || !related(m, &q) {
		return out, why
	}
	out.prefix = &q
	if !samePath(m, &q) {
		out.notes = narrowing(m, &q)
	}
	if slash && out.value != "/" {
		out.notes = append(out.notes, remark{feature: FeatureRewrite, fate: Approximated, message: prefix + " itself is sent on as " + out.value + ", not as " + out.value + "/"})
	}
	return out, ""
}

// related reports whether the rule's match and the prefix speak of the same
// paths: the match must not reach beyond the prefix but by case or by
// characters that follow it.
func related(m, q *routing.PathMatch) bool {
	h := strings.TrimRight(headOf(m), "/")
	v := strings.TrimRight(q.Value, "/")
	return strings.EqualFold(h, v)
}

// narrowing says which requests a prefix by path elements takes otherwise.
func narrowing(m, q *routing.PathMatch) []remark {
	var says []string
	base := strings.TrimRight(q.Value, "/")
	if m.IgnoreCase && hasLetters(base) {
		says = append(says, "other spellings such as "+strings.ToUpper(base)+"/x are no longer matched")
	}
	slashed := strings.HasSuffix(headOf(m), "/") && base != ""
	switch {
	case m.Kind == routing.StringPrefix && !slashed && base != "", m.Kind == routing.RegexPath && !slashed && base != "" && m.Matches(base+"x"):
		says = append(says, "paths that go on without a slash such as "+base+"x are no longer matched")
	case slashed && !m.Matches(base):
		says = append(says, base+" itself is matched too")
	}
	if len(says) == 0 {
		return nil
	}
	return []remark{{feature: FeaturePath, fate: Approximated, message: "the match becomes the prefix " + q.Value + ", which the rewrite needs: " + strings.Join(says, "; "),
		remedy: "use the implementation's own regular expression rewrite if clients send such paths"}}
}

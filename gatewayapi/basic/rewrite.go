package emit

import (
	"regexp/syntax"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// rewrite writes a URLRewrite filter; it may narrow the match to a PathPrefix,
// which ReplacePrefixMatch demands (CEL of HTTPRouteRule). false closes the
// rule.
func (e *emitter) rewrite(r *routing.Rule, m *gatewayv1.HTTPRouteMatch) (gatewayv1.HTTPRouteFilter, bool) {
	f := &gatewayv1.HTTPURLRewriteFilter{}
	out := gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterURLRewrite, URLRewrite: f}
	w := r.Action.Rewrite
	if w.Host != "" {
		if strings.ContainsAny(w.Host, "$:") {
			e.note(Note{Rule: r, Feature: "host-rewrite", Fate: Lost, Closed: true, Message: "the host for the backend cannot be written: " + clip(w.Host), Remedy: "use a plain host name"})
			return out, false
		}
		f.Hostname = ptr(gatewayv1.PreciseHostname(strings.ToLower(w.Host)))
	}
	p := w.Path
	if p == nil {
		return out, true
	}
	switch {
	case p.Kind == routing.ReplacePrefix && r.Match.Path.Kind == routing.SegmentPrefix:
		f.Path = &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr(p.Value)}
		return out, true
	case strings.Contains(p.Value, "?"):
	case p.Kind == routing.ReplaceFull, p.Kind == routing.ReplaceRegex && p.Whole && !strings.Contains(p.Value, "$"):
		f.Path = &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: ptr(p.Value)}
		return out, true
	case p.Kind == routing.ReplaceRegex && p.Whole:
		prefix, to, loose, ok := prefixRewrite(p.Pattern, p.Value)
		if ok && writable(prefix) && strings.HasPrefix(to, "/") {
			f.Path = &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr(to)}
			m.Path = &gatewayv1.HTTPPathMatch{Type: ptr(gatewayv1.PathMatchPathPrefix), Value: ptr(prefix)}
			msg := "written as the prefix " + prefix + ": paths in another case (" + strings.ToUpper(prefix) + ") are no longer taken"
			if loose {
				msg += ", and the prefix is matched by path element"
			}
			e.note(Note{Rule: r, Feature: "path", Fate: Approximated, Message: msg, Remedy: "add a rule for the other spellings if clients use them"})
			return out, true
		}
	}
	e.note(Note{Rule: r, Feature: "rewrite", Fate: NeedsExtension, Closed: true,
		Message: "the standard has no regular-expression rewrite (" + clip(p.Pattern) + " to " + clip(p.Value) + "); the route is closed",
		Remedy:  "use the implementation's own: HTTPRouteFilter urlRewrite ReplaceRegexMatch (Envoy Gateway), ReplacePathRegex middleware (Traefik)"})
	return out, false
}

// prefixRewrite recognises rewrites that take a literal prefix off and keep the
// rest: /api(/|$)(.*) to /$2, /api/(.*) to /x/$1, /api/?(.*) to /$1. loose says
// that the pattern also takes paths that the prefix by element does not.
func prefixRewrite(pattern, value string) (prefix, to string, loose, ok bool) {
	re, err := syntax.Parse(strings.TrimPrefix(pattern, "^"), syntax.Perl)
	if err != nil {
		return "", "", false, false
	}
	re = re.Simplify()
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	if len(parts) < 2 || parts[0].Op != syntax.OpLiteral {
		return "", "", false, false
	}
	prefix = string(parts[0].Rune)
	last := parts[len(parts)-1]
	if last.Op == syntax.OpEndText || last.Op == syntax.OpEndLine {
		parts = parts[:len(parts)-1]
		if len(parts) < 2 {
			return "", "", false, false
		}
		last = parts[len(parts)-1]
	}
	if last.Op != syntax.OpCapture || !everything(last.Sub[0]) {
		return "", "", false, false
	}
	slash := strings.HasSuffix(prefix, "/")
	switch middle := parts[1 : len(parts)-1]; {
	case len(middle) == 0:
		loose = true // /api/(.*) does not take /api; /api(.*) takes /apix
		if !slash {
			return "", "", false, false
		}
	case len(middle) == 1 && slashOrEnd(middle[0]):
		slash = true
	case len(middle) == 1 && middle[0].Op == syntax.OpQuest && middle[0].Sub[0].Op == syntax.OpLiteral && string(middle[0].Sub[0].Rune) == "/":
		slash, loose = true, true
	default:
		return "", "", false, false
	}
	rest := "$" + string(rune('0'+last.Cap))
	to, found := strings.CutSuffix(value, rest)
	if !found || strings.Contains(to, "$") || !slash || !strings.HasSuffix(to, "/") {
		return "", "", false, false
	}
	prefix = strings.TrimSuffix(prefix, "/")
	if prefix == "" {
		prefix = "/"
	}
	if to != "/" {
		to = strings.TrimSuffix(to, "/")
	}
	return prefix, to, loose, true
}

func everything(re *syntax.Regexp) bool {
	return re.Op == syntax.OpStar && (re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL)
}

// slashOrEnd recognises (/|$).
func slashOrEnd(re *syntax.Regexp) bool {
	if re.Op != syntax.OpCapture || re.Sub[0].Op != syntax.OpAlternate || len(re.Sub[0].Sub) != 2 {
		return false
	}
	a, b := re.Sub[0].Sub[0], re.Sub[0].Sub[1]
	return a.Op == syntax.OpLiteral && string(a.Rune) == "/" && (b.Op == syntax.OpEndText || b.Op == syntax.OpEndLine)
}

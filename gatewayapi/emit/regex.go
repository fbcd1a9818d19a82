package emit

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// plain rewrites a path condition into the simplest kind that matches the same
// paths: a regular expression that is a literal, a prefix or "prefix by path
// elements" becomes that, and case is dropped where there are no letters.
func plain(p routing.PathMatch) routing.PathMatch {
	switch p.Kind {
	case routing.AnyPath:
		return routing.PathMatch{Kind: routing.SegmentPrefix, Value: "/"}
	case routing.RegexPath:
		if q, ok := literalRegex(p); ok {
			return plain(q)
		}
		return p
	case routing.StringPrefix:
		if p.Value == "" || p.Value == "/" {
			return routing.PathMatch{Kind: routing.SegmentPrefix, Value: "/"}
		}
	case routing.SegmentPrefix:
		if v := strings.TrimRight(p.Value, "/"); v != "" {
			p.Value = v
		} else {
			p.Value = "/"
		}
	}
	return routing.PathMatch{Kind: p.Kind, Value: p.Value, IgnoreCase: p.IgnoreCase && hasLetters(p.Value)}
}

func hasLetters(s string) bool { return strings.ToLower(s) != strings.ToUpper(s) }

// literalRegex recognises patterns that need no regular expression.
func literalRegex(p routing.PathMatch) (routing.PathMatch, bool) {
	parts, ok := anchoredParts(p.Value, p.IgnoreCase, p.Full)
	if !ok || len(parts) == 0 || !isLiteral(parts[0]) {
		return p, false
	}
	lit, fold := literalOf(parts[0])
	if !strings.HasPrefix(lit, "/") {
		return p, false
	}
	rest := parts[1:]
	out := routing.PathMatch{Value: lit, IgnoreCase: fold}
	switch {
	case p.Full && len(rest) == 0, len(rest) == 1 && isEnd(rest[0]):
		out.Kind = routing.ExactPath
		return out, true
	case len(rest) > 0 && isSlashOrEnd(rest[0]) && openEnded(rest[1:], p.Full):
		out.Kind = routing.SegmentPrefix
		return out, !strings.HasSuffix(lit, "/")
	case openEnded(rest, p.Full):
		out.Kind = routing.StringPrefix
		return out, true
	}
	return p, false
}

// anchoredParts parses a pattern and returns its concatenated parts after the
// anchor at the start; ok is false for patterns that are not anchored.
func anchoredParts(pattern string, ignoreCase, full bool) ([]*syntax.Regexp, bool) {
	flags := syntax.Perl
	if ignoreCase {
		flags |= syntax.FoldCase
	}
	if len(pattern) > routing.MaxRegex {
		return nil, false
	}
	re, err := syntax.Parse(pattern, flags)
	if err != nil {
		return nil, false
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		return parts[1:], true
	}
	return parts, full
}

func isLiteral(re *syntax.Regexp) bool { return re.Op == syntax.OpLiteral }

func literalOf(re *syntax.Regexp) (string, bool) {
	s := string(re.Rune)
	return foldLower(s, re), re.Flags&syntax.FoldCase != 0 && hasLetters(s)
}

// foldLower undoes the parser's choice of upper case for folded literals.
func foldLower(s string, re *syntax.Regexp) string {
	if re.Flags&syntax.FoldCase != 0 {
		return strings.ToLower(s)
	}
	return s
}

func isEnd(re *syntax.Regexp) bool { return re.Op == syntax.OpEndText }

func uncapture(re *syntax.Regexp) *syntax.Regexp {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	return re
}

// isRest reports whether a part is .* (captured or not).
func isRest(re *syntax.Regexp) bool {
	re = uncapture(re)
	return re.Op == syntax.OpStar && (re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL)
}

// isSlashOrEnd reports whether a part is (/|$).
func isSlashOrEnd(re *syntax.Regexp) bool {
	re = uncapture(re)
	return re.Op == syntax.OpAlternate && len(re.Sub) == 2 &&
		(isSlash(re.Sub[0]) && isEnd(re.Sub[1]) || isEnd(re.Sub[0]) && isSlash(re.Sub[1]))
}

func isSlash(re *syntax.Regexp) bool {
	re = uncapture(re)
	return re.Op == syntax.OpLiteral && string(re.Rune) == "/"
}

func isOptionalSlash(re *syntax.Regexp) bool {
	re = uncapture(re)
	return re.Op == syntax.OpQuest && isSlash(re.Sub[0])
}

// openEnded reports whether the parts accept any further characters: for a
// search everything that can be empty does, for a full match (or before an end
// anchor) there must be .*.
func openEnded(parts []*syntax.Regexp, full bool) bool {
	for i, p := range parts {
		switch {
		case isRest(p):
			return i == len(parts)-1 || i == len(parts)-2 && isEnd(parts[i+1])
		case isOptionalSlash(p):
		default:
			return false
		}
	}
	return !full
}

// literalHead returns the literal that every match of an anchored pattern
// starts with, and whether its case counts.
func literalHead(p routing.PathMatch) (lit string, fold bool) {
	parts, ok := anchoredParts(p.Value, p.IgnoreCase, p.Full)
	if !ok || len(parts) == 0 || !isLiteral(parts[0]) {
		return "", false
	}
	lit, fold = literalOf(parts[0])
	return lit, fold
}

// spell writes a path condition as a regular expression that means the same to
// engines that match the whole path and to engines that search: anchored at
// both ends or open with .* (the specification leaves the dialect to
// implementations: PathMatchRegularExpression in apis/v1/httproute_types.go).
func spell(p routing.PathMatch) string {
	flag := ""
	if p.IgnoreCase && (p.Kind == routing.RegexPath || hasLetters(p.Value)) {
		flag = "(?i)"
	}
	switch p.Kind {
	case routing.ExactPath:
		return flag + "^" + regexp.QuoteMeta(p.Value) + "$"
	case routing.StringPrefix:
		return flag + "^" + regexp.QuoteMeta(p.Value) + ".*"
	case routing.SegmentPrefix:
		v := strings.TrimRight(p.Value, "/")
		if v == "" {
			return "^/.*"
		}
		return flag + "^" + regexp.QuoteMeta(v) + "(?:/.*)?$"
	case routing.RegexPath:
		return flag + spellPattern(p.Value, p.Full)
	}
	return "^/.*"
}

// spellPattern anchors or opens a pattern at both ends. It works on the text, to
// keep the author's spelling, where the parser agrees that this is safe.
func spellPattern(pattern string, full bool) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || alternates(pattern) || strings.HasPrefix(pattern, "(?") {
		if full {
			return "^(?:" + pattern + ")$"
		}
		return ".*(?:" + pattern + ").*"
	}
	first, last := re, re
	if re.Op == syntax.OpConcat {
		first, last = re.Sub[0], re.Sub[len(re.Sub)-1]
	}
	if first.Op != syntax.OpBeginText {
		if !full {
			return ".*(?:" + pattern + ").*"
		}
		pattern = "^" + pattern
	}
	switch {
	case isEnd(last), !full && isRest(last):
		return pattern
	case full:
		return pattern + "$"
	}
	return pattern + ".*"
}

// alternates reports whether a | stands outside every group and class: what is
// put before or after the pattern would then belong to one side only.
func alternates(pattern string) bool {
	depth, class := 0, false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			if i++; i < len(pattern) && pattern[i] == 'Q' {
				return true // quoted text: not worth following
			}
		case class:
			class = c != ']'
		case c == '[':
			class = true
			if i+1 < len(pattern) && pattern[i+1] == '^' {
				i++
			}
			if i+1 < len(pattern) && pattern[i+1] == ']' {
				i++ // a ] in front is a member
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			return true
		}
	}
	return false
}

package verify

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

// Bounds on what is derived from one regular expression.
const (
	maxSamples = 12
	maxSample  = 512 // bytes
)

// samples returns strings that a regular expression matches: one of each
// alternative, with repetitions at their least and one above it, from the first
// and the last of a class. A pattern that RE2 does not know yields its literal
// beginning, so that it is met at least when it matches that.
func samples(pattern string) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return []string{literalHead(pattern)}
	}
	var out []string
	seen := map[string]bool{}
	for _, s := range generate(re.Simplify(), 0) {
		if len(s) <= maxSample && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// literalHead is the part of a pattern before its first operator.
func literalHead(pattern string) string {
	p := strings.TrimPrefix(pattern, "^")
	if i := strings.IndexAny(p, `\.+*?()|[]{}^$`); i >= 0 {
		if strings.IndexByte("*?{", p[i]) >= 0 && i > 0 {
			i--
		}
		p = p[:i]
	}
	return p
}

// generate returns strings of the expression, at most maxSamples.
func generate(re *syntax.Regexp, depth int) []string {
	if depth > 100 {
		return []string{""}
	}
	sub := func(i int) []string { return generate(re.Sub[i], depth+1) }
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		return class(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"x", "7"}
	case syntax.OpCapture:
		return sub(0)
	case syntax.OpStar, syntax.OpQuest:
		return bounded(append([]string{""}, sub(0)...))
	case syntax.OpPlus:
		once := sub(0)
		if len(once) == 0 {
			return nil
		}
		return bounded(append(once, once[0]+once[len(once)-1]))
	case syntax.OpAlternate:
		var out []string
		for i := range re.Sub {
			out = append(out, sub(i)...)
		}
		return spread(out)
	case syntax.OpConcat:
		out := []string{""}
		for i := range re.Sub {
			out = product(out, sub(i))
		}
		return out
	case syntax.OpNoMatch:
		return nil
	}
	return []string{""} // anchors, empty matches
}

// class gives the first and the last printable character, and one in between
// when there is an ordinary letter.
func class(ranges []rune) []string {
	var out []string
	add := func(r rune) {
		if unicode.IsPrint(r) && r < 0x80 && len(out) < 3 {
			out = append(out, string(r))
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= 'x' && 'x' <= ranges[i+1] {
			add('x')
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= min(ranges[i+1], 0x7e); r++ {
			if unicode.IsPrint(r) {
				add(r)
				break
			}
		}
	}
	if n := len(ranges); n > 0 {
		add(min(ranges[n-1], '~'))
	}
	if len(out) == 0 && len(ranges) > 0 {
		return []string{string(ranges[0])}
	}
	return out
}

// product joins the parts so that each occurs, not each with each.
func product(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	n := max(len(a), len(b))
	if len(a)*len(b) <= maxSamples/2 {
		out := make([]string, 0, len(a)*len(b))
		for _, x := range a {
			for _, y := range b {
				out = append(out, x+y)
			}
		}
		return out
	}
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, a[i%len(a)]+b[i%len(b)])
	}
	return bounded(out)
}

func bounded(s []string) []string { return s[:min(len(s), maxSamples)] }

// spread keeps maxSamples of a longer list, evenly.
func spread(s []string) []string {
	if len(s) <= maxSamples {
		return s
	}
	out := make([]string, 0, maxSamples)
	for i := range maxSamples {
		out = append(out, s[i*len(s)/maxSamples])
	}
	return out
}

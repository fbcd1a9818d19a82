package routing

import (
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/dlclark/regexp2"
)

// MaxRegex bounds the length of a pattern, in bytes; longer ones never match
// and are reported by CheckRegex. Hostile input must not buy unbounded memory.
const MaxRegex = 16 << 10

// matchTimeout bounds one match of a backtracking pattern.
const matchTimeout = 50 * time.Millisecond

// Regex is a pattern compiled on first use. Patterns that RE2 accepts run in
// linear time; the rest (look-around, back-references: PCRE's extras) run on a
// backtracking engine with a time limit, after which they count as no match.
type Regex struct {
	pattern string
	once    sync.Once
	re2     *regexp.Regexp
	pcre    *regexp2.Regexp
	err     error
}

// NewRegex describes a pattern: ignoreCase adds (?i), full demands a match of
// the whole string.
func NewRegex(pattern string, ignoreCase, full bool) *Regex {
	p := pattern
	if full {
		p = `\A(?:` + p + `)\z`
	}
	if ignoreCase {
		p = `(?i)` + p
	}
	return &Regex{pattern: p}
}

// CheckRegex says whether a PCRE pattern can be compiled here.
func CheckRegex(pattern string) error {
	r := NewRegex(pattern, false, false)
	r.compile()
	return r.err
}

// Portable reports whether the pattern is within RE2, the engine that most
// Gateway API implementations share.
func Portable(pattern string) bool {
	if len(pattern) > MaxRegex {
		return false
	}
	_, err := regexp.Compile(pattern)
	return err == nil
}

func (r *Regex) compile() {
	r.once.Do(func() {
		if len(r.pattern) > MaxRegex {
			r.err = fmt.Errorf("pattern of %d bytes is over the limit of %d", len(r.pattern), MaxRegex)
			return
		}
		if r.re2, r.err = regexp.Compile(r.pattern); r.err == nil {
			return
		}
		re, err := regexp2.Compile(r.pattern, regexp2.None)
		if err != nil {
			r.err = err
			return
		}
		re.MatchTimeout = matchTimeout
		r.pcre, r.err = re, nil
	})
}

// Match reports whether the pattern occurs in s.
func (r *Regex) Match(s string) bool {
	r.compile()
	switch {
	case r.re2 != nil:
		return r.re2.MatchString(s)
	case r.pcre != nil:
		ok, err := r.pcre.MatchString(s)
		return err == nil && ok
	}
	return false
}

// Submatch returns the groups of the leftmost match, the whole match first, or
// nil. Groups that took no part are empty.
func (r *Regex) Submatch(s string) []string {
	r.compile()
	switch {
	case r.re2 != nil:
		return r.re2.FindStringSubmatch(s)
	case r.pcre != nil:
		m, err := r.pcre.FindStringMatch(s)
		if err != nil || m == nil {
			return nil
		}
		groups := m.Groups()
		out := make([]string, len(groups))
		for i := range groups {
			out[i] = groups[i].String()
		}
		return out
	}
	return nil
}

// ReplaceAll replaces every match, expanding $1…$9 in value.
func (r *Regex) ReplaceAll(s, value string) string {
	r.compile()
	switch {
	case r.re2 != nil:
		var out []byte
		last := 0
		for _, loc := range r.re2.FindAllStringSubmatchIndex(s, -1) {
			out = append(out, s[last:loc[0]]...)
			groups := make([]string, len(loc)/2)
			for i := range groups {
				if loc[2*i] >= 0 {
					groups[i] = s[loc[2*i]:loc[2*i+1]]
				}
			}
			out = append(out, expandGroups(value, groups)...)
			last = loc[1]
		}
		return string(append(out, s[last:]...))
	case r.pcre != nil:
		if t, err := r.pcre.Replace(s, value, -1, -1); err == nil {
			return t
		}
	}
	return s
}

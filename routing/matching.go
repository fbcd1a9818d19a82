package routing

import "strings"

// Matches reports whether the request view fits every part of the match.
func (m *Match) matches(v *view) bool {
	if m.Scheme != "" && m.Scheme != v.scheme {
		return false
	}
	if m.Method != "" && m.Method != v.method {
		return false
	}
	if !m.Path.Matches(v.path) || !m.Client.matches(v.req.Client) {
		return false
	}
	for i := range m.Headers {
		got, ok := v.header(m.Headers[i].Name)
		if !m.Headers[i].Holds(got, ok) {
			return false
		}
	}
	for i := range m.Query {
		got, ok := v.queryValue(m.Query[i].Name)
		if !m.Query[i].Holds(got, ok) {
			return false
		}
	}
	return true
}

// Matches reports whether a path without query fits.
func (p *PathMatch) Matches(path string) bool {
	switch p.Kind {
	case AnyPath:
		return true
	case ExactPath:
		return path == p.Value || p.IgnoreCase && strings.EqualFold(path, p.Value)
	case SegmentPrefix:
		prefix := strings.TrimSuffix(p.Value, "/")
		if !hasPrefix(path, prefix, p.IgnoreCase) {
			return false
		}
		return len(path) == len(prefix) || path[len(prefix)] == '/'
	case StringPrefix:
		return hasPrefix(path, p.Value, p.IgnoreCase)
	case RegexPath:
		if p.re == nil {
			return NewRegex(p.Value, p.IgnoreCase, p.Full).Match(path)
		}
		return p.re.Match(path)
	}
	return false
}

func hasPrefix(s, prefix string, ignoreCase bool) bool {
	if len(s) < len(prefix) {
		return false
	}
	return s[:len(prefix)] == prefix || ignoreCase && strings.EqualFold(s[:len(prefix)], prefix)
}

// Holds reports whether a value, or its absence, satisfies the condition.
func (m *ValueMatch) Holds(value string, present bool) bool {
	return m.positive(value, present) != m.Negate
}

func (m *ValueMatch) positive(value string, present bool) bool {
	if !present {
		return false
	}
	switch m.Kind {
	case PresentValue:
		return true
	case ExactValue:
		return value == m.Value || m.IgnoreCase && strings.EqualFold(value, m.Value)
	case PrefixValue:
		return hasPrefix(value, m.Value, m.IgnoreCase)
	case RegexValue:
		if m.re == nil {
			return NewRegex(m.Value, m.IgnoreCase, !m.Search).Match(value)
		}
		return m.re.Match(value)
	}
	return false
}

func (m *ClientMatch) matches(c *Client) bool {
	if m.Namespace == "" && len(m.Labels) == 0 {
		return true
	}
	if c == nil || m.Namespace != "" && m.Namespace != c.Namespace {
		return false
	}
	for k, want := range m.Labels {
		if c.Labels[k] != want {
			return false
		}
	}
	return true
}

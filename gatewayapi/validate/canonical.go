package validate

import "strconv"

// renamed are the fields whose values CEL rules only compare with each other:
// no rule of the CRDs looks inside them or stands on them
// (TestRulesOnlyCompareNames), so a rule gives the same verdict when they are
// renamed one to one. Empty values keep their meaning and their spelling.
var renamed = map[string]bool{"name": true, "namespace": true, "sectionName": true, "hostname": true, "hostnames": true}

// unread are lists in which rules look at no name at all, not even to compare
// it (TestRulesOnlyCompareNames).
var unread = map[string]bool{"certificateRefs": true, "backendRefs": true}

// dropped are fields that no rule reads, stands in or compares as part of
// something larger (TestRulesNeverReadDroppedFields).
var dropped = map[string]bool{"allowedRoutes": true}

// canonical copies content with the renamed fields numbered in order of
// appearance, so that objects that differ only in names look the same. Order
// is that of sorted keys, which encoding/json uses too.
//
// Fields of dropped are left out altogether.
type canonical struct {
	numbers map[string]string
	blank   bool // inside a list of unread
}

func (c *canonical) value(field string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, k := range sortedKeys(v) {
			if dropped[k] {
				continue
			}
			was := c.blank
			c.blank = was || unread[k]
			out[k] = c.value(k, v[k])
			c.blank = was
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = c.value(field, v[i])
		}
		return out
	case string:
		if !renamed[field] || v == "" {
			return v
		}
		if c.blank {
			return "x"
		}
		n, ok := c.numbers[v]
		if !ok {
			n = "x" + strconv.Itoa(len(c.numbers))
			c.numbers[v] = n
		}
		return n
	}
	return v
}

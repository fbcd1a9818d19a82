package verify

import (
	"maps"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

func clone(r *routing.Request) routing.Request {
	out := *r
	out.Headers = maps.Clone(r.Headers)
	if r.Client != nil {
		c := *r.Client
		out.Client = &c
	}
	return out
}

// simpler orders requests by how easily a reader takes them in: few headers, an
// ordinary method, no query, no escapes or dots, short; then by text, so that
// the choice does not depend on the order of asking.
func simpler(a, b *routing.Request) bool {
	if x, y := effort(a), effort(b); x != y {
		return x < y
	}
	return text(a) < text(b)
}

func effort(r *routing.Request) int {
	n := len(r.Path) + len(r.Host) + 40*len(r.Headers)
	for k, v := range r.Headers {
		n += len(k) + len(v)
	}
	if r.Method != "GET" && r.Method != "" {
		n += 30
	}
	for _, odd := range []string{"?", "%", "//", "/."} {
		n += 25 * strings.Count(r.Path, odd)
	}
	if r.Scheme == "http" {
		n -= 2
	}
	return n
}

func text(r *routing.Request) string {
	s := r.Scheme + r.Host + r.Path + r.Method
	for _, k := range slices.Sorted(maps.Keys(r.Headers)) {
		s += k + r.Headers[k]
	}
	if r.Client != nil {
		s += r.Client.Namespace
	}
	return s
}

// minimise takes away what the difference does not need: headers, query
// parameters, path segments, as long as the same rules decide and the same
// aspects differ.
func (c *comparison) minimise(d *Difference) {
	same := func(r *routing.Request) bool {
		b, a := c.tables[Before].Route(r), c.tables[After].Route(r)
		if b.Why != d.Before.Why || a.Why != d.After.Why || Differ(&b, &a) != d.Aspects {
			return false
		}
		d.Request, d.Before, d.After = clone(r), b, a
		return true
	}
	for _, h := range slices.Sorted(maps.Keys(d.Request.Headers)) {
		r := clone(&d.Request)
		delete(r.Headers, h)
		if len(r.Headers) == 0 {
			r.Headers = nil
		}
		same(&r)
	}
	if r := clone(&d.Request); r.Method != "GET" {
		r.Method = "GET"
		same(&r)
	}
	if path, query, ok := strings.Cut(d.Request.Path, "?"); ok {
		params := strings.Split(query, "&")
		for i := 0; i < len(params); i++ {
			fewer := slices.Delete(slices.Clone(params), i, i+1)
			r := clone(&d.Request)
			r.Path = path
			if len(fewer) > 0 {
				r.Path += "?" + strings.Join(fewer, "&")
			}
			if same(&r) {
				params = fewer
				i--
			}
		}
	}
	for {
		path, query, ok := strings.Cut(d.Request.Path, "?")
		i := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')
		if i < 0 || path == "/" {
			return
		}
		r := clone(&d.Request)
		r.Path = max(path[:i], "/")
		if ok {
			r.Path += "?" + query
		}
		if !same(&r) {
			return
		}
	}
}

package verify

import (
	"fmt"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// maxPaths bounds the paths asked of one group of hosts; what is beyond is
// reported as uncovered.
const maxPaths = 8192

// pathSet collects request targets, each once, in order.
type pathSet struct {
	list    []string
	seen    map[string]bool
	dropped int
}

func (p *pathSet) add(target string) {
	if target == "" || target[0] != '/' {
		target = "/" + target
	}
	if p.seen[target] {
		return
	}
	if len(p.list) >= maxPaths {
		p.dropped++
		return
	}
	p.seen[target] = true
	p.list = append(p.list, target)
}

// pathsOf returns the request targets at the boundaries of the rules' path
// matches.
func pathsOf(hosts []*routing.Host) *pathSet {
	p := &pathSet{seen: map[string]bool{}}
	p.add("/")
	p.add("/zz")
	done := map[routing.PathMatch]bool{}
	for _, h := range hosts {
		for _, r := range h.Ordered() {
			m := r.Match.Path
			key := routing.PathMatch{Kind: m.Kind, Value: m.Value, IgnoreCase: m.IgnoreCase, Full: m.Full}
			if done[key] {
				continue
			}
			done[key] = true
			switch m.Kind {
			case routing.ExactPath, routing.SegmentPrefix, routing.StringPrefix:
				p.around(m.Value)
			case routing.RegexPath:
				for _, s := range samples(m.Value) {
					p.around(s)
				}
			}
		}
	}
	return p
}

// around adds the boundaries of a literal: itself, with and without the slash
// at its end, one segment and one character more, one character less, in the
// other case, percent-encoded, with doubled slashes and dot segments.
func (p *pathSet) around(v string) {
	if v == "" || v[0] != '/' {
		v = "/" + v
	}
	bare := strings.TrimRight(v, "/")
	p.add(routing.EscapePath(v))
	if bare == "" {
		p.add("/x")
		p.add("//")
		p.add("/./")
		return
	}
	b := routing.EscapePath(bare)
	p.add(b)
	p.add(b + "/")
	p.add(b + "/zz")
	p.add(b + "z")
	p.add(routing.EscapePath(bare[:len(bare)-1]))
	p.add(routing.EscapePath(flip(bare)))
	p.add(routing.EscapePath(bare[:len(bare)-1]) + fmt.Sprintf("%%%02X", bare[len(bare)-1]))
	p.add("/" + b)
	p.add("/zz/.." + b)
	p.add(b + "/.")
	p.add(b + "//zz")
	p.add(b + "/..")
}

// flip changes the case of every ASCII letter.
func flip(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

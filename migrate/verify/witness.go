package verify

import (
	"fmt"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// group asks the witnesses of one group of hosts.
func (w *worker) group(g *group) {
	if len(g.entrances) == 1 && (g.entrances[0].scheme == "tcp" || g.entrances[0].scheme == "udp") {
		r := g.entrances[0].request(g.names[0])
		w.ask(&r)
		return
	}
	paths := pathsOf(g.hosts)
	w.full(g, g.names[0], paths)
	for _, name := range g.names[1:] {
		w.brief(g, name, paths)
	}
	if paths.dropped > 0 {
		w.uncovered = append(w.uncovered, Uncovered{Reason: fmt.Sprintf("%s has more than %d path boundaries: %d were left out", g.names[0], maxPaths, paths.dropped)})
	}
}

// full asks every path with the settings that matter there. Rules see the path
// and the rest of a request independently, so the boundaries of conditions are
// tried at one path for each set of rules that compete.
func (w *worker) full(g *group, name string, paths *pathSet) {
	thoroughly := map[string]bool{}
	var key []byte
	var rules []*routing.Rule
	droppedPairs := 0
	requests := make([]routing.Request, len(g.entrances))
	for i, e := range g.entrances {
		requests[i] = e.request(name)
	}
	for _, path := range paths.list {
		rules, key = rules[:0], key[:0]
		normal, ok := routing.NormalizePath(path)
		if !ok {
			normal = path
		}
		interesting := false
		for _, h := range g.hosts {
			for i, r := range h.Ordered() {
				if r.Match.Path.Matches(normal) {
					rules = append(rules, r)
					key = append(key, byte(i), byte(i>>8))
					interesting = interesting || r.Match.Method != "" || len(r.Match.Headers)+len(r.Match.Query) > 0 || r.Action.CORS != nil
				}
			}
			key = append(key, 0xff, 0xff)
		}
		settings := []setting{{method: "GET"}}
		if interesting {
			if k := string(key); !thoroughly[k] {
				thoroughly[k] = true
				var dropped int
				settings, dropped = thorough(rules)
				droppedPairs += dropped
			} else {
				settings = simple(rules)
			}
		}
		for e := range requests {
			for i := range settings {
				settings[i].on(&requests[e], path)
				w.ask(&requests[e])
			}
		}
	}
	w.extras(g, name)
	if droppedPairs > 0 {
		w.uncovered = append(w.uncovered, Uncovered{Reason: fmt.Sprintf("%s has paths at which more than %d pairs of rules compete by header, query or method: %d pairs were left out", name, maxPairs, droppedPairs)})
	}
}

// on gives a request the path and the setting.
func (s *setting) on(r *routing.Request, path string) {
	r.Path, r.Method, r.Headers = path, s.method, s.headers
	if s.query != "" {
		r.Path += "?" + s.query
	}
}

// extras are what is the same for every path: a query that no rule looks at, and
// X-Forwarded-Proto where a table trusts it.
func (w *worker) extras(g *group, name string) {
	for _, e := range g.entrances {
		r := e.request(name)
		r.Path = "/?zz=1"
		w.ask(&r)
		r.Path = "/"
		if w.tables[Before].Reading.TrustForwarded || w.tables[After].Reading.TrustForwarded {
			for _, h := range []map[string]string{{"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "http"}} {
				r.Headers = h
				w.ask(&r)
			}
			r.Headers = nil
		}
	}
}

// briefPaths bounds the paths asked of a further name of a group.
const briefPaths = 4

// brief asks enough of a further name to see that it belongs to the group.
func (w *worker) brief(g *group, name string, paths *pathSet) {
	for _, e := range g.entrances {
		r := e.request(name)
		for i, n := 0, 0; i < len(paths.list) && n < briefPaths; i++ {
			if strings.Contains(paths.list[i], "%") {
				continue
			}
			n++
			r.Path = paths.list[i]
			w.ask(&r)
		}
	}
}

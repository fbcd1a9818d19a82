package emit

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// site is a name served by one listener of the table.
type site struct {
	name     string // as Gateway API writes it; "" takes every name
	listener *routing.Listener
	host     *routing.Host
}

// vhost is a set of names that share rules, on one or more listeners.
type vhost struct {
	names   []string // sorted; empty takes every name
	sites   []site
	rules   []*routing.Rule // in the order the source tries them
	entries []*entry
	refs    map[string][]attachment // by namespace of the routes
	http    bool                    // some site is plain HTTP
	https   bool
	scheme  bool // some rule looks at the scheme
	fall    bool // a broader host could take what this one leaves
	live    bool // some entry forwards or redirects

	mesh      string // the Service "namespace/name" of requests within the mesh
	namespace string // of the routes of a mesh
	// settled are rules without conditions that the names settle, each with the
	// rule that it is made of.
	settled [][2]*routing.Rule
}

// collect builds virtual hosts from the table and plans their entries.
func (e *emitter) collect() {
	type key struct {
		protocol routing.Protocol
		port     int
		names    string
	}
	byHost := map[*routing.Host][]*vhost{}
	byNames := map[string][]*vhost{}
	seen := map[key]*vhost{}
	for _, l := range e.table.Listeners {
		if l.Protocol != routing.HTTP && l.Protocol != routing.HTTPS {
			continue
		}
		if l.Mesh != "" {
			e.collectMesh(l)
			continue
		}
		e.noteDeeper(l)
		for _, h := range l.Hosts {
			names, ok := e.hostnames(l, h)
			if !ok {
				continue
			}
			for i := 0; i == 0 || i < len(names); i += gatewayapi.MaxHostnames {
				part := names[i:min(i+gatewayapi.MaxHostnames, len(names))]
				id := strings.Join(part, ",")
				if v := seen[key{l.Protocol, l.Port, id}]; v != nil {
					// A second host of the same names comes after the first.
					v.rules = append(v.rules[:len(v.rules):len(v.rules)], inOrder(h)...)
					continue
				}
				v := e.vhostFor(l, h, part, id, byHost, byNames)
				seen[key{l.Protocol, l.Port, id}] = v
				for _, n := range orAny(part) {
					v.sites = append(v.sites, site{n, l, h})
				}
				v.http = v.http || l.Protocol == routing.HTTP
				v.https = v.https || l.Protocol == routing.HTTPS
			}
		}
	}
	e.splitAuthorities()
	e.shareHostnames()
	e.markFall()
	for _, v := range e.vhosts {
		for _, s := range v.settled {
			e.alias(s[0], s[1])
		}
		e.plan(v)
	}
}

func orAny(names []string) []string {
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

// vhostFor finds the virtual host of the other protocol that has the same
// rules, or makes a new one.
func (e *emitter) vhostFor(l *routing.Listener, h *routing.Host, names []string, id string, byHost map[*routing.Host][]*vhost, byNames map[string][]*vhost) *vhost {
	fits := func(v *vhost) bool {
		if v.scheme && e.table.Reading.TrustForwarded || v.scheme && v.sites[0].listener.Protocol != l.Protocol {
			return false
		}
		for _, s := range v.sites {
			if s.listener.Protocol == l.Protocol {
				return false
			}
		}
		return true
	}
	for _, v := range byHost[h] {
		if fits(v) && strings.Join(v.names, ",") == id {
			return v
		}
	}
	rules := inOrder(h)
	for _, v := range byNames[id] {
		if fits(v) && e.sameRules(v.rules, rules) {
			for i := range rules {
				e.alias(v.rules[i], rules[i])
			}
			return v
		}
	}
	v := &vhost{names: names, rules: rules, refs: map[string][]attachment{}}
	for _, r := range rules {
		v.scheme = v.scheme || r.Match.Scheme != ""
	}
	e.vhosts = append(e.vhosts, v)
	byHost[h] = append(byHost[h], v)
	byNames[id] = append(byNames[id], v)
	return v
}

// hostnames writes the names of a host; ok is false when none can be written.
func (e *emitter) hostnames(l *routing.Listener, h *routing.Host) (names []string, ok bool) {
	patterns := h.Names
	if len(patterns) == 0 {
		patterns = []routing.HostPattern{l.Hostname}
	}
	for _, p := range patterns {
		switch p.Kind {
		case routing.AnyHost:
			if l.Hostname.Kind == routing.AnyHost {
				return nil, true
			}
			p = l.Hostname
		case routing.RegexHost:
			e.noteHost(h, remark{feature: FeatureHost, fate: Lost, message: "the host " + p.String() + " is a regular expression, which hostnames cannot be", remedy: "name the hosts one by one"})
			continue
		case routing.OneLabelHost:
			e.noteHost(h, remark{feature: FeatureHost, fate: Approximated, message: "the host " + p.String() + " took names with exactly one label in place of *; in Gateway API it also takes several", remedy: "name the hosts one by one if deeper names must not be served"})
		}
		name := p.String()
		if !validObjectName(strings.TrimPrefix(name, "*.")) {
			e.noteHost(h, remark{feature: FeatureHost, fate: Lost, message: "the host " + name + " is no valid hostname in Gateway API", remedy: "rename the host"})
			continue
		}
		names = append(names, name)
	}
	sort.Strings(names)
	out := names[:0]
	for i, n := range names {
		if i == 0 || n != names[i-1] {
			out = append(out, n)
		}
	}
	return out, len(out) > 0
}

// noteDeeper tells the broader hosts of wildcards that take one label: names of
// several labels no longer come to them, since a wildcard of Gateway API takes
// those, too (Hostname, "matches any number of labels").
func (e *emitter) noteDeeper(l *routing.Listener) {
	one := map[string]bool{}
	for _, h := range l.Hosts {
		for _, p := range h.Names {
			if p.Kind == routing.OneLabelHost {
				one[p.Value] = true
			}
		}
	}
	if len(one) == 0 {
		return
	}
	narrowed := map[string]bool{} // suffixes with a one-label wildcard at or below them
	for v := range one {
		for rest := v; rest != ""; _, rest, _ = strings.Cut(rest, ".") {
			narrowed[rest] = true
		}
	}
	for _, h := range l.Hosts {
		broad := len(h.Names) == 0
		for _, p := range h.Names {
			broad = broad || p.Kind == routing.AnyHost || p.Kind == routing.SuffixHost && narrowed[p.Value] || p.Kind == routing.RegexHost
		}
		if broad {
			e.noteHost(h, remark{feature: FeatureHost, fate: Approximated, message: "names of several labels below a wildcard no longer come here; in Gateway API the wildcard takes them", remedy: "name such hosts one by one"})
		}
	}
}

// inOrder returns the rules of a host in the order the source tries them.
func inOrder(h *routing.Host) []*routing.Rule {
	rules := h.Rules
	switch h.Order {
	case routing.MostSpecific:
		rules = append([]*routing.Rule(nil), rules...)
		sort.SliceStable(rules, func(i, j int) bool { return routing.MoreSpecific(rules[i], rules[j]) })
	case routing.LongestPath:
		rules = append([]*routing.Rule(nil), rules...)
		sort.SliceStable(rules, func(i, j int) bool { return longer(&rules[i].Match.Path, &rules[j].Match.Path) })
	}
	return rules
}

// longer is nginx's order of locations: exact, then regular expressions, then
// the longest prefix.
func longer(a, b *routing.PathMatch) bool {
	rank := func(p *routing.PathMatch) int {
		switch p.Kind {
		case routing.ExactPath:
			return 2
		case routing.RegexPath:
			return 1
		}
		return 0
	}
	length := func(p *routing.PathMatch) int {
		n := len(p.Value)
		if p.Kind == routing.SegmentPrefix && n > 1 && p.Value[n-1] == '/' {
			n--
		}
		if p.Kind == routing.AnyPath || n == 0 {
			return 1
		}
		return n
	}
	if ra, rb := rank(a), rank(b); ra != rb {
		return ra > rb
	}
	return length(a) > length(b)
}

func (e *emitter) sameRules(a, b []*routing.Rule) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		if a[i].Origin.Object != b[i].Origin.Object || !sameMatch(&a[i].Match, &b[i].Match) || !e.sameAction(a[i].Action, b[i].Action) {
			return false
		}
	}
	return true
}

// shareHostnames joins virtual hosts of one object whose rules are the same,
// so that they become one route with several hostnames.
func (e *emitter) shareHostnames() {
	type key struct {
		owner routing.ObjectRef
		rules int
		ports string
	}
	buckets := map[key][]*vhost{}
	out := e.vhosts[:0:0]
	for _, v := range e.vhosts {
		owner, single := ownerOf(v.rules)
		if !single || len(v.names) == 0 || owner.Name == "" {
			out = append(out, v)
			continue
		}
		k := key{owner, len(v.rules), v.served()}
		joined := false
		for _, w := range buckets[k] {
			if len(w.names)+len(v.names) <= gatewayapi.MaxHostnames && len(w.sites)+len(v.sites) <= gatewayapi.MaxParentRefs && e.sameRules(w.rules, v.rules) && w.scheme == v.scheme {
				w.names = append(w.names, v.names...)
				sort.Strings(w.names)
				w.sites = append(w.sites, v.sites...)
				// Rules of the joined host are placed where their twins are.
				for i := range v.rules {
					e.alias(w.rules[i], v.rules[i])
				}
				joined = true
				break
			}
		}
		if !joined {
			// Only the last few can have room: keeps this linear.
			if b := buckets[k]; len(b) >= 8 {
				buckets[k] = b[1:]
			}
			buckets[k] = append(buckets[k], v)
			out = append(out, v)
		}
	}
	e.vhosts = out
}

// served names the kinds and ports of listeners, each of which serves every name
// of the virtual host.
func (v *vhost) served() string {
	var all []string
	for _, s := range v.sites {
		all = append(all, fmt.Sprint(s.listener.Protocol, ":", s.listener.Port))
	}
	sort.Strings(all)
	return strings.Join(slices.Compact(all), ",")
}

func ownerOf(rules []*routing.Rule) (routing.ObjectRef, bool) {
	for _, r := range rules[min(1, len(rules)):] {
		if r.Origin.Object != rules[0].Origin.Object {
			return routing.ObjectRef{}, false
		}
	}
	if len(rules) == 0 {
		return routing.ObjectRef{}, false
	}
	return rules[0].Origin.Object, true
}

// markFall finds virtual hosts beside which a broader one exists on the same
// kind of listener: an implementation without listener isolation could let it
// take the requests that they leave.
func (e *emitter) markFall() {
	all := map[routing.Protocol]*vhost{}
	wild := map[string][]*vhost{}
	for _, v := range e.vhosts {
		for _, s := range v.sites {
			if s.name == "" {
				all[s.listener.Protocol] = v
			} else if rest, ok := strings.CutPrefix(s.name, "*."); ok {
				wild[rest] = append(wild[rest], v)
			}
		}
	}
	for _, v := range e.vhosts {
		v.fall = v.broader(all, wild, func(*vhost) bool { return true })
	}
}

// broader reports whether a virtual host that ok accepts has a broader name on
// a protocol of v.
func (v *vhost) broader(all map[routing.Protocol]*vhost, wild map[string][]*vhost, ok func(*vhost) bool) bool {
	for _, s := range v.sites {
		if s.name == "" {
			continue
		}
		if w := all[s.listener.Protocol]; w != nil && w != v && ok(w) {
			return true
		}
		name := strings.TrimPrefix(s.name, "*.")
		for i := 0; i < len(name); i++ {
			if i > 0 && name[i-1] != '.' {
				continue
			}
			if i == 0 && s.name != name {
				continue // itself
			}
			for _, w := range wild[name[i:]] {
				if w != v && ok(w) && "*."+name[i:] != s.name {
					return true
				}
			}
		}
	}
	return false
}

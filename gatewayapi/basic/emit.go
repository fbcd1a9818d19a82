// Package emit writes Gateway API objects from a routing table. It owns how
// rules, listeners and policies are spelled within the limits of the API, in
// an order of precedence that keeps the table's winners, and it says what
// could not be kept. It knows no source dialect and validates nothing.
package emit

import (
	"sort"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// Mode is where listeners go.
type Mode uint8

// Modes.
const (
	Shared       Mode = iota // one Gateway
	PerNamespace             // one Gateway in each namespace that owns rules
	Existing                 // the user's own Gateway; new listeners go to ListenerSets
)

// Layout names the Gateway.
type Layout struct {
	Mode            Mode
	Namespace, Name string
}

// Options of the output.
type Options struct {
	Version            gatewayapi.Version
	Channel            gatewayapi.Channel
	GatewayClass       string
	Gateway            Layout
	AllowUnguarded     bool
	DefaultCertificate string // "namespace/name"
	// AnnotationsOf returns labels and annotations of a source object; may be
	// nil.
	AnnotationsOf func(routing.ObjectRef) (labels, annotations map[string]string)
}

// Feature is a part of a rule that can be kept or lost.
type Feature string

// Fate is what became of a feature.
type Fate uint8

// Fates.
const (
	Kept Fate = iota
	Approximated
	NeedsExtension
	Lost
)

// Note says that a feature was not kept exactly.
type Note struct {
	Rule    *routing.Rule // nil at listener level
	Origin  routing.Origin
	Feature Feature
	Fate    Fate
	Message string
	Remedy  string
	Closed  bool // the rule answers 500, or is left out, rather than opening
}

// Target is a place in the output.
type Target struct{ Kind, Namespace, Name, Path string }

// Result is the output and what is to be said about it.
type Result struct {
	Objects    []client.Object
	Notes      []Note
	Placements map[*routing.Rule][]Target
}

type emitter struct {
	Options
	table     *routing.Table
	res       *Result
	seen      map[Note]bool
	listeners []listener
	routes    map[string]*route // by namespace/name
	order     []string
	grants    map[grant]bool
	secured   map[string]bool     // hosts with an HTTPS listener
	attached  map[string][]*route // routes by section; built when listeners are placed
	isolated  bool                // each host has an HTTP listener of its own
}

// Emit writes the table. Its cost is linear in the rules apart from sorting.
func Emit(t *routing.Table, o Options) *Result {
	if o.GatewayClass == "" {
		o.GatewayClass = "gateway"
	}
	if o.Gateway.Name == "" {
		o.Gateway.Name = "causeway"
	}
	if o.Gateway.Namespace == "" {
		o.Gateway.Namespace = "gateway"
	}
	if o.Version == "" {
		o.Version = gatewayapi.Default
	}
	t.Freeze()
	e := &emitter{Options: o, table: t, res: &Result{Placements: map[*routing.Rule][]Target{}},
		seen: map[Note]bool{}, routes: map[string]*route{}, grants: map[grant]bool{}, secured: map[string]bool{}}
	e.hosts()
	e.res.Objects = e.gateways()
	for _, k := range e.order {
		e.res.Objects = append(e.res.Objects, e.routes[k].shards()...)
	}
	e.place()
	e.res.Objects = append(e.res.Objects, e.referenceGrants()...)
	rank := map[string]int{"Gateway": 0, "ListenerSet": 1, "HTTPRoute": 2, "GRPCRoute": 3, "TLSRoute": 4, "ReferenceGrant": 9}
	sort.SliceStable(e.res.Objects, func(i, j int) bool {
		a, b := e.res.Objects[i], e.res.Objects[j]
		if ra, rb := rank[kindOf(a)], rank[kindOf(b)]; ra != rb {
			return ra < rb
		}
		if a.GetNamespace() != b.GetNamespace() {
			return a.GetNamespace() < b.GetNamespace()
		}
		return a.GetName() < b.GetName()
	})
	return e.res
}

func kindOf(o client.Object) string { return o.GetObjectKind().GroupVersionKind().Kind }

func (e *emitter) note(n Note) {
	if n.Rule != nil && n.Origin.Object.Name == "" {
		n.Origin = n.Rule.Origin
	}
	key := n
	key.Rule = nil
	if !e.seen[key] {
		e.seen[key] = true
		e.res.Notes = append(e.res.Notes, n)
	}
}

// hosts goes through the virtual hosts, the HTTP side with its HTTPS side.
func (e *emitter) hosts() {
	type pair struct{ plain, secure *routing.Host }
	pairs := map[string]*pair{}
	var keys []string
	at := func(h *routing.Host) *pair {
		k := hostKey(h)
		if pairs[k] == nil {
			pairs[k] = &pair{}
			keys = append(keys, k)
		}
		return pairs[k]
	}
	for _, l := range e.table.Listeners {
		for _, h := range l.Hosts {
			switch l.Protocol {
			case routing.HTTP:
				at(h).plain = h
			case routing.HTTPS:
				at(h).secure = h
			case routing.TLS:
				e.passthrough(h, l)
			}
		}
	}
	sort.Strings(keys)
	e.isolated = e.needsIsolation()
	for _, k := range keys {
		e.host(pairs[k].plain, pairs[k].secure)
	}
}

func hostKey(h *routing.Host) string {
	k := ""
	for _, n := range h.Names {
		k += n.String() + " "
	}
	return k
}

// needsIsolation reports whether a broader host with rules stands beside a
// narrower one. Listeners of their own keep requests for the narrower host
// from the broader host's rules ("the most specific match MUST be used",
// GatewaySpec.listeners), which hostnames of routes alone do not.
func (e *emitter) needsIsolation() bool {
	broad, narrow := false, false
	for _, l := range e.table.Listeners {
		if l.Protocol != routing.HTTP {
			continue
		}
		for _, h := range l.Hosts {
			if len(h.Names) > 0 && h.Names[0].Kind == routing.ExactHost {
				narrow = true
				continue
			}
			for _, r := range h.Rules {
				broad = broad || r.Action.Redirect != nil || len(r.Action.Backends) > 0
			}
		}
	}
	return broad && narrow
}

func ptr[T any](v T) *T { return &v }

// host writes the routes of one virtual host.
func (e *emitter) host(plain, secure *routing.Host) {
	some := plain
	if some == nil {
		some = secure
	}
	names := e.hostnames(some)
	if names == nil {
		return
	}
	secured := secure != nil && e.secure(secure, names)
	switch {
	case plain != nil && secured && plain == secure:
		e.rules(plain, names, "both")
	case plain != nil && secured:
		e.rules(plain, names, "http")
		e.rules(secure, names, "https")
	case plain != nil:
		e.rules(plain, names, "http")
	case secured:
		e.rules(secure, names, "https")
	}
	if plain != nil && e.isolated {
		for _, n := range names {
			e.listeners = append(e.listeners, listener{host: n, protocol: gatewayv1.HTTPProtocolType, port: 80, origin: plain.Origin})
		}
	}
}

// hostnames returns the names of a host as the API writes them; "" is every
// name. nil means that none can be written.
func (e *emitter) hostnames(h *routing.Host) []string {
	if len(h.Names) == 0 {
		return []string{""}
	}
	var out []string
	for _, n := range h.Names {
		switch n.Kind {
		case routing.AnyHost:
			out = append(out, "")
		case routing.RegexHost:
			e.note(Note{Origin: h.Origin, Feature: "host", Fate: Lost, Message: "host names cannot be regular expressions: " + n.String(),
				Remedy: "list the names that are really used as hosts"})
		case routing.OneLabelHost:
			e.note(Note{Origin: h.Origin, Feature: "host", Fate: Approximated,
				Message: n.String() + " also takes names with more than one label in front", Remedy: "list the names if that matters"})
			out = append(out, n.String())
		default:
			out = append(out, n.String())
		}
	}
	return out
}

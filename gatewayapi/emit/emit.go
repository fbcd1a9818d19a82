// Package emit turns a routing table into Gateway API objects that send every
// request where the table sends it, within the limits of the API and of the
// chosen release and channel. What cannot be kept exactly is in the notes, and
// a rule whose access control or meaning would be lost is closed rather than
// opened. The package knows no source dialect and writes no files.
package emit

import (
	"cmp"
	"hash/maphash"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// LayoutKind is how many Gateways are written.
type LayoutKind uint8

const (
	// Shared writes one Gateway for everything.
	Shared LayoutKind = iota
	// PerNamespace writes one Gateway into each namespace that owns rules.
	PerNamespace
	// Existing writes routes for a Gateway that is there already, and a
	// ListenerSet with the listeners they need.
	Existing
	// TeamListeners writes one Gateway, and the HTTPS listeners of hosts whose
	// namespace holds their certificates into ListenerSets there (v1.5).
	TeamListeners
)

// Layout says which Gateways carry the routes. An empty Namespace is
// "default", an empty Name "gateway".
type Layout struct {
	Kind            LayoutKind
	Namespace, Name string
}

// Options of Emit; the zero value writes for the default release's standard
// channel with one shared Gateway default/gateway of class "gateway".
type Options struct {
	Version      gatewayapi.Version
	Channel      gatewayapi.Channel
	GatewayClass string
	Gateway      Layout
	// AllowUnguarded emits rules although their access control is lost.
	AllowUnguarded bool
	// DefaultCertificate is the Secret "namespace/name" of HTTPS hosts that
	// have none of their own.
	DefaultCertificate string
	// Names that other tables have taken already; nil when this one is alone.
	Names Names
	// AnnotationsOf returns labels and annotations of a source object; see
	// metadata.go for which are copied. May be nil.
	AnnotationsOf func(routing.ObjectRef) (labels, annotations map[string]string)
}

// Target is the part of an output object that a rule became.
type Target struct{ Kind, Namespace, Name, Path string }

// Result of Emit.
type Result struct {
	// Objects in the order Gateway, ListenerSet, routes, policies,
	// ReferenceGrant, each by namespace and name.
	Objects []client.Object
	// Assumed is the Gateway that is taken to exist, as it must be for the
	// objects to work; only with the layout Existing.
	Assumed []client.Object
	// Notes say what is not kept exactly, in the order of the table.
	Notes []Note
	// Placements says where each rule went; rules that went nowhere are absent.
	Placements map[*routing.Rule][]Target
	// Services are those that routes refer to, as "namespace/name".
	Services map[string]bool
}

// Emit writes Gateway API objects for a table. It never fails: what cannot be
// expressed is noted. It does not change the table.
//
// The work is linear in the rules, apart from the comparison of rules within
// one virtual host whose order Gateway API would not keep: that is quadratic
// and ends at maxPairwise rules per host, beyond which the order is noted as
// approximated.
func Emit(t *routing.Table, o Options) *Result {
	e := newEmitter(t, o)
	e.presize()
	e.collect()
	e.settleClosed()
	e.attach()
	e.writeRoutes()
	e.streams()
	e.forwarded()
	e.writeGateways()
	e.writePolicies()
	e.writeGrants()
	sortObjects(e.objects)
	e.finishPlacements()
	return &Result{Objects: e.objects, Assumed: e.assumed, Notes: e.notes, Placements: e.placements, Services: e.services}
}

// emitter holds the state of one Emit.
type emitter struct {
	table *routing.Table
	o     Options

	vhosts    []*vhost
	listeners listenerPlan
	grants    map[grantKey]map[string]bool
	policies  map[string]*policy
	services  map[string]bool // that routes refer to
	names     Names
	outcomes  map[outcomeKey]*outcome
	keys      map[*routing.Action]string
	noted     map[uint64]int32 // index of the note by the hash of its key
	seed      maphash.Seed
	twins     map[*routing.Rule][]*routing.Rule
	pending   []*stream

	objects    []client.Object
	assumed    []client.Object
	notes      []Note
	placements map[*routing.Rule][]Target
}

func newEmitter(t *routing.Table, o Options) *emitter {
	if o.Version == "" {
		o.Version = gatewayapi.Default
	}
	if o.Channel == "" {
		o.Channel = gatewayapi.Standard
	}
	if o.GatewayClass == "" {
		o.GatewayClass = "gateway"
	}
	if o.Gateway.Namespace == "" {
		o.Gateway.Namespace = "default"
	}
	if o.Gateway.Name == "" {
		o.Gateway.Name = "gateway"
	}
	if o.Names == nil {
		o.Names = Names{}
	}
	if t == nil {
		t = &routing.Table{}
	}
	return &emitter{
		table: t, o: o, grants: map[grantKey]map[string]bool{}, policies: map[string]*policy{}, services: map[string]bool{}, names: o.Names,
		outcomes: map[outcomeKey]*outcome{}, keys: map[*routing.Action]string{}, noted: map[uint64]int32{}, seed: maphash.MakeSeed(), twins: map[*routing.Rule][]*routing.Rule{},
		placements: map[*routing.Rule][]Target{},
	}
}

// presize makes room for what a table of this size usually becomes.
func (e *emitter) presize() {
	hosts, rules := 0, 0
	for _, l := range e.table.Listeners {
		hosts += len(l.Hosts)
		for _, h := range l.Hosts {
			rules += len(h.Rules)
		}
	}
	e.vhosts = make([]*vhost, 0, hosts)
	e.outcomes = make(map[outcomeKey]*outcome, rules)
	e.placements = make(map[*routing.Rule][]Target, rules)
	e.notes = make([]Note, 0, rules)
	e.noted = make(map[uint64]int32, rules)
	e.objects = make([]client.Object, 0, hosts)
}

func (e *emitter) has(f gatewayapi.Feature) bool { return gatewayapi.Has(e.o.Version, e.o.Channel, f) }

func (e *emitter) place(r *routing.Rule, t Target) {
	e.placements[r] = append(e.placements[r], t)
	for _, twin := range e.twins[r] {
		e.placements[twin] = append(e.placements[twin], t)
	}
}

// finishPlacements sorts the targets of each rule and drops repetitions.
func (e *emitter) finishPlacements() {
	for r, list := range e.placements {
		if len(list) < 2 {
			continue
		}
		slices.SortStableFunc(list, func(a, b Target) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
		})
		e.placements[r] = slices.Compact(list)
	}
}

var kindOrder = map[string]int{"Gateway": 0, "ListenerSet": 1, "HTTPRoute": 2, "GRPCRoute": 3, "TLSRoute": 4, "TCPRoute": 5, "UDPRoute": 6, "BackendTLSPolicy": 7, "ReferenceGrant": 8}

func sortObjects(objs []client.Object) {
	slices.SortStableFunc(objs, func(a, b client.Object) int {
		return cmp.Or(
			cmp.Compare(kindOrder[a.GetObjectKind().GroupVersionKind().Kind], kindOrder[b.GetObjectKind().GroupVersionKind().Kind]),
			cmp.Compare(a.GetNamespace(), b.GetNamespace()),
			cmp.Compare(a.GetName(), b.GetName()))
	})
}

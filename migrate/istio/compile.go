package istio

import (
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"

	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// Result is what pilot would configure for the objects of the input.
type Result struct {
	// Edges are the gateway workloads that some Gateway selects, the default
	// installation's (or that of [Options.Workload]) first.
	Edges []*Edge
	// Mesh is what sidecars do with the requests of workloads; nil when no
	// VirtualService is for the mesh.
	Mesh *routing.Table
	// Generated are Services that backends of the tables refer to: one for each
	// subset, and one of type ExternalName for each host of a ServiceEntry.
	Generated []*Generated
	// Findings are facts about objects that the tables do not show.
	Findings []Finding

	compiler *compiler
	leftOut  map[string]bool              // Services that no route refers to, see LeftOut
	reads    func(routing.ObjectRef) bool // see Written
}

// Written tells which objects have a part in some rule that is written: claims of
// DestinationRules depend on it.
func (r *Result) Written(reads func(routing.ObjectRef) bool) { r.reads = reads }

// uses reports whether a rule that is written reads a DestinationRule.
func (r *Result) uses(o *source.Object) bool {
	return r.compiler.usedRules[o] && (r.reads == nil || r.reads(o.Ref))
}

// LeftOut tells that a generated Service is not written, because no route that
// is written refers to it; the claims of the objects that ask for it say so.
func (r *Result) LeftOut(g *Generated) {
	if r.leftOut == nil {
		r.leftOut = map[string]bool{}
	}
	r.leftOut[g.Service.Namespace+"/"+g.Service.Name] = true
}

// Edge is one gateway workload: the pods with certain labels, and their table.
type Edge struct {
	Labels          map[string]string
	Namespace, Name string // of the workload's Service, or what it is taken to be
	Table           *routing.Table
	Gateways        []routing.ObjectRef
}

// Generated is a Service to create, and the object that asks for it.
type Generated struct {
	Service *corev1.Service
	From    routing.ObjectRef
}

// Finding is a fact about an object that no rule carries.
type Finding struct {
	Object  *source.Object
	Kind    FindingKind
	Path    string // JSON path; empty for the whole object
	Message string
	Remedy  string
}

// FindingKind sorts findings.
type FindingKind uint8

// Kinds of findings.
const (
	Rejected   FindingKind = iota // the API server refuses the object
	Inert                         // has no effect today
	Unresolved                    // refers to something that the input does not have
	Manual                        // has to be done by hand
	Assumed                       // something the input does not tell was assumed
	Differs                       // implementations differ in what becomes of it
)

type versionOf struct{ path, service string }

// plan is a root VirtualService with full names and its HTTP routes flattened.
type plan struct {
	spec  *networking.VirtualService
	steps []step
}

type compiler struct {
	o        Options
	set      *source.Set
	in       objects
	registry *registry
	plans    map[*virtualService]*plan
	roots    []*virtualService
	known    map[*source.Object]bool
	rejected map[*source.Object]bool
	findings []Finding
	found    map[Finding]bool

	delegates map[string]*virtualService
	delegated map[*source.Object][]*virtualService
	generated map[string]*Generated
	versions  map[*source.Object][]versionOf
	ruleIndex *ruleIndex
	byGateway map[string][]*virtualService // roots; mesh among the gateways
	// conditional are rules that take everything by a condition which always
	// holds; pilot does not see that they do.
	conditional map[*routing.Rule]bool
	usedRules   map[*source.Object]bool
	reads       []routing.Origin // DestinationRules that the rule at hand reads
	usedEntries map[*source.Object][]string
	served      map[*source.Object]bool            // VirtualServices that some place serves
	hosts       map[*source.Object]map[string]bool // their hosts that are served
}

// Compile builds the tables of the Istio objects in the input. It never fails:
// what has no effect or cannot be is in the findings. Time is linear in the
// objects, apart from sorting and from the VirtualServices of one gateway, each
// of which meets each of its servers.
func Compile(set *source.Set, o Options) *Result {
	c := &compiler{
		o: o.complete(), set: set, plans: map[*virtualService]*plan{}, known: map[*source.Object]bool{}, rejected: map[*source.Object]bool{}, found: map[Finding]bool{},
		byGateway: map[string][]*virtualService{}, conditional: map[*routing.Rule]bool{}, delegates: map[string]*virtualService{}, delegated: map[*source.Object][]*virtualService{}, generated: map[string]*Generated{},
		versions: map[*source.Object][]versionOf{}, usedRules: map[*source.Object]bool{}, usedEntries: map[*source.Object][]string{}, served: map[*source.Object]bool{}, hosts: map[*source.Object]map[string]bool{},
	}
	c.read(set)
	c.registry = newRegistry(set, &c.in, c.o.Domain)
	c.ruleIndex = c.newRuleIndex()
	for _, v := range c.in.virtualServices {
		if len(v.Spec.Hosts) == 0 {
			c.delegates[v.id()] = v
		} else {
			c.roots = append(c.roots, v)
		}
	}
	for _, v := range c.roots {
		spec := c.resolved(v)
		c.plans[v] = &plan{spec: spec}
		c.plans[v].steps = c.steps(v, spec)
		gateways := spec.Gateways
		if len(gateways) == 0 {
			gateways = []string{mesh}
		}
		for _, g := range gateways {
			if list := c.byGateway[g]; len(list) == 0 || list[len(list)-1] != v { // named once
				c.byGateway[g] = append(list, v)
			}
		}
	}
	res := &Result{Edges: c.edges(), Mesh: c.mesh(), compiler: c}
	c.report()
	for _, k := range slices.Sorted(maps.Keys(c.generated)) {
		res.Generated = append(res.Generated, c.generated[k])
	}
	res.Findings = c.findings
	return res
}

// find records a finding once.
func (c *compiler) find(f Finding) {
	if !c.found[f] {
		c.found[f] = true
		c.findings = append(c.findings, f)
	}
}

func (c *compiler) origin(o *source.Object, path string) routing.Origin {
	return routing.Origin{Object: o.Ref, Path: path, File: o.File, Line: o.LineOf(path)}
}

// serve remembers that a place serves a host of a VirtualService.
func (c *compiler) serve(v *virtualService, host string) {
	c.served[v.Object] = true
	if c.hosts[v.Object] == nil {
		c.hosts[v.Object] = map[string]bool{}
	}
	c.hosts[v.Object][host] = true
}

// visible lists the VirtualServices of a gateway, or of the mesh, that a
// namespace sees: those of its own that are exported to it alone, those that
// others export to it, then those that all see
// (pilot/pkg/model/push_context.go, VirtualServicesForGateway).
func (c *compiler) visible(gateway, namespace string) []*virtualService {
	var private, exported, public []*virtualService
	for _, v := range c.byGateway[gateway] {
		spec := c.plans[v].spec
		switch vis := visibilityOf(spec.ExportTo, v.Namespace); {
		case vis.public:
			public = append(public, v)
		case vis.namespaces[namespace] && v.Namespace == namespace:
			private = append(private, v)
		case vis.namespaces[namespace]:
			exported = append(exported, v)
		}
	}
	return slices.Concat(private, exported, public)
}

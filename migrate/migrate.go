package migrate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/gatewayapi/validate"
	"github.com/causeway-gateway/causeway/internal/parallel"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/istio"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// Options of a migration.
type Options struct {
	Nginx    nginx.Options
	Istio    istio.Options
	Emit     emit.Options
	Validate validate.Level
}

// Result of a migration.
type Result struct {
	// Parts are the entrances of the input, each with the table of its source.
	Parts   []*Part
	Objects []client.Object
	Ledger  *ledger.Ledger
	// From names the source objects of each output object.
	From map[routing.ObjectRef][]routing.ObjectRef
	// Issues are violations of the CRDs in what was emitted: always a bug here,
	// never written out silently.
	Issues []validate.Issue
}

// Part is one entrance: an Ingress controller, the pods of an Istio gateway, or
// the mesh. Its objects are written, and verified, for themselves.
type Part struct {
	Name  string // as messages call it
	Table *routing.Table
	// After is the table of what was written; set by [Check].
	After *routing.Table
	// Assumed are objects that must exist already, as they are taken to be.
	Assumed []client.Object

	layout  emit.Layout
	emitted *emit.Result
	owns    map[routing.ObjectRef]bool
}

// Run converts everything in the set. It fails only when options do not fit;
// what cannot be converted is in the ledger.
func Run(ctx context.Context, set *source.Set, o Options) (*Result, error) {
	compiled, err := nginx.Compile(set, o.Nginx)
	if err != nil {
		return nil, err
	}
	s := &settlement{set: set, o: o, nginx: compiled}
	res := &Result{From: map[routing.ObjectRef][]routing.ObjectRef{}}
	if istio.Holds(set) {
		s.istio = istio.Compile(set, o.Istio)
	}
	if res.Parts, err = parts(set, compiled, s.istio, o.Emit); err != nil {
		return nil, err
	}
	o.Emit.Names = emit.Names{}
	for _, p := range res.Parts {
		p.emit(o.Emit)
		res.Objects = append(res.Objects, p.emitted.Objects...)
		s.notes = append(s.notes, p.emitted.Notes...)
		s.placements = append(s.placements, p.emitted.Placements)
		addSources(res.From, p.emitted.Placements)
	}
	sortSources(res.From)
	if s.istio != nil {
		res.addServices(s.istio)
	}
	s.parts = res.Parts
	res.Ledger = s.settle(ctx)
	if o.Validate != validate.Off {
		v, err := validate.New(o.Emit.Version, o.Emit.Channel)
		if err != nil {
			return nil, fmt.Errorf("loading the schemas of Gateway API %s: %w", o.Emit.Version, err)
		}
		res.Issues = v.Validate(ctx, gatewayOnly(res.Objects), o.Validate)
	}
	return res, ctx.Err()
}

// addServices adds the Services that stand for subsets and hosts of
// ServiceEntries, where a route that was written refers to them.
func (r *Result) addServices(compiled *istio.Result) {
	for _, g := range compiled.Generated {
		id := g.Service.Namespace + "/" + g.Service.Name
		if !slices.ContainsFunc(r.Parts, func(p *Part) bool { return p.emitted.Services[id] }) {
			compiled.LeftOut(g)
			continue
		}
		r.Objects = append(r.Objects, g.Service)
		r.From[refOf(g.Service)] = []routing.ObjectRef{g.From}
	}
}

// settlement is what the ledger is written from.
type settlement struct {
	set        *source.Set
	o          Options
	nginx      *nginx.Result
	istio      *istio.Result // nil without Istio objects
	parts      []*Part
	notes      []emit.Note
	placements []map[*routing.Rule][]emit.Target
}

// settle writes the ledger: objects in the order of their kinds and of the
// input, each settled for itself on all cores.
func (x *settlement) settle(ctx context.Context) *ledger.Ledger {
	set, compiled := x.set, x.nginx
	s := &settler{
		nginx: x.o.Nginx, notes: collect(x.notes), targets: placements(x.placements), findings: map[*source.Ingress][]nginx.Finding{},
		istio: x.istio, facts: map[*source.Object][]istio.Finding{}, asked: asked(x.parts),
	}
	for _, f := range compiled.Findings {
		s.findings[f.Ingress] = append(s.findings[f.Ingress], f)
	}
	if x.istio != nil {
		x.istio.Written(func(o routing.ObjectRef) bool { return len(s.targets[o]) > 0 })
		for _, f := range x.istio.Findings {
			s.facts[f.Object] = append(s.facts[f.Object], f)
		}
	}
	served := make(map[*source.Ingress]bool, len(compiled.Served))
	for _, ing := range compiled.Served {
		served[ing] = true
	}
	var parts [][]ledger.Entry
	parts = inParallel(ctx, parts, set.Ingresses, func(ing *source.Ingress) []ledger.Entry {
		switch {
		case len(ing.Rejected) > 0:
			return whole(ing.Object, ledger.Unsupported, "the API server refuses this Ingress: "+ing.Rejected[0], "correct it; it cannot exist in a cluster as it stands")
		case served[ing]:
			return s.ingress(ing, x.o.Nginx, compiled.Idle[ing])
		}
		return whole(ing.Object, ledger.Unsupported, otherController(set, ing), "if that is an ingress-nginx too, migrate it in a run of its own with --controller-class and --ingress-class; otherwise with that controller's own tools")
	})
	parts = append(parts, s.beside(x.notes))
	parts = inParallel(ctx, parts, set.Services, func(x *source.Service) []ledger.Entry {
		return whole(x.Object, ledger.Ignored, "read to resolve backends; Services stay as they are", "")
	})
	parts = inParallel(ctx, parts, set.IngressClasses, func(x *source.IngressClass) []ledger.Entry {
		return whole(x.Object, ledger.Ignored, "read to select Ingresses; a GatewayClass takes its place", "")
	})
	parts = inParallel(ctx, parts, set.Secrets, func(x *source.Secret) []ledger.Entry {
		return whole(x.Object, ledger.Ignored, "referenced by name only; Secrets stay as they are", "")
	})
	parts = inParallel(ctx, parts, set.ConfigMaps, func(x *source.ConfigMap) []ledger.Entry {
		if claims := compiled.Streams[x]; len(claims) > 0 {
			return s.streams(x, claims)
		}
		if c, o := x.Namespace+"/"+x.Name, s.nginx; c == o.ConfigMap {
			return s.controllerConfig(x)
		} else if message, remedy := nginx.UnreadConfig(x, o); message != "" {
			return whole(x.Object, ledger.Unsupported, message, remedy)
		}
		return whole(x.Object, ledger.Ignored, "read where an Ingress or the controller refers to it; it stays as it is", "")
	})
	parts = inParallel(ctx, parts, set.Namespaces, func(x *source.Object) []ledger.Entry {
		return whole(x, ledger.Ignored, "namespaces stay as they are", "")
	})
	parts = inParallel(ctx, parts, set.Others, func(x *source.Object) []ledger.Entry {
		return s.other(x)
	})
	return &ledger.Ledger{Entries: slices.Concat(parts...)}
}

// inParallel appends what f returns for each object, in order.
func inParallel[T any](ctx context.Context, out [][]ledger.Entry, objects []T, f func(T) []ledger.Entry) [][]ledger.Entry {
	results := make([][]ledger.Entry, len(objects))
	const batch = 64
	parallel.Chunks(ctx, len(objects), batch, func(_, from, to int) {
		for i := from; i < to; i++ {
			results[i] = f(objects[i])
		}
	})
	return append(out, results...)
}

// otherController says who serves an Ingress that this controller does not.
func otherController(set *source.Set, ing *source.Ingress) string {
	class := ing.Annotations["kubernetes.io/ingress.class"]
	if ing.Spec.IngressClassName != nil {
		class = *ing.Spec.IngressClassName
	}
	if class == "" {
		return "it names no class, and the controller serves only its own"
	}
	for _, c := range set.IngressClasses {
		if c.Name == class {
			return fmt.Sprintf("its class %s is served by the controller %s, not by this one", class, c.Spec.Controller)
		}
	}
	return fmt.Sprintf("its class %s is served by another controller", class)
}

// whole accounts for an object in one stroke: every top-level part with leaves
// gets the same entry.
func whole(o *source.Object, status ledger.Status, message, remedy string) []ledger.Entry {
	parts := o.Tree().Parts()
	out := make([]ledger.Entry, len(parts))
	subject := &ledger.Subject{Object: o.Ref, File: o.File}
	for i, part := range parts {
		out[i] = ledger.Entry{Subject: subject, Status: status, Path: part, Line: int32(o.LineOf(part)), Message: message, Remedy: remedy}
	}
	slices.SortFunc(out, func(a, b ledger.Entry) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// addSources adds the source objects of what rules became.
func addSources(out map[routing.ObjectRef][]routing.ObjectRef, placements map[*routing.Rule][]emit.Target) {
	seen := map[[2]routing.ObjectRef]bool{}
	for rule, places := range placements {
		for _, p := range places {
			ref := routing.ObjectRef{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name}
			add := func(from routing.ObjectRef) {
				if key := [2]routing.ObjectRef{ref, from}; !seen[key] {
					seen[key] = true
					out[ref] = append(out[ref], from)
				}
			}
			add(rule.Origin.Object)
			for _, o := range rule.Also {
				add(o.Object)
			}
		}
	}
}

func sortSources(from map[routing.ObjectRef][]routing.ObjectRef) {
	for _, list := range from {
		sort.Slice(list, func(i, j int) bool { return list[i].String() < list[j].String() })
	}
}

func refOf(obj client.Object) routing.ObjectRef {
	return routing.ObjectRef{Kind: obj.GetObjectKind().GroupVersionKind().Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// gatewayOnly leaves out the Services that are written beside the objects of
// the Gateway API.
func gatewayOnly(objs []client.Object) []client.Object {
	return slices.DeleteFunc(slices.Clone(objs), func(o client.Object) bool { return o.GetObjectKind().GroupVersionKind().Kind == "Service" })
}

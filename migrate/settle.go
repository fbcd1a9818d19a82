package migrate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/istio"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// fateStatus turns what the back end says of a feature into a status.
var fateStatus = map[emit.Fate]ledger.Status{
	emit.Kept: ledger.Converted, emit.Approximated: ledger.Approximated,
	emit.NeedsExtension: ledger.Extension, emit.Lost: ledger.Unsupported,
}

var rank = map[ledger.Status]int{ledger.Ignored: 0, ledger.Converted: 1, ledger.Approximated: 2, ledger.Extension: 3, ledger.Unsupported: 4}

// findingEntry says how each kind of finding appears in the ledger.
var findingEntry = map[nginx.FindingKind]struct {
	status  ledger.Status
	urgency ledger.Urgency
}{
	nginx.Dropped:    {ledger.Unsupported, ledger.Dropped},
	nginx.Broken:     {ledger.Unsupported, ledger.Broken},
	nginx.Denied:     {ledger.Unsupported, ledger.Closed},
	nginx.Shadowed:   {ledger.Ignored, ledger.Routine},
	nginx.Unmatched:  {ledger.Ignored, ledger.Routine},
	nginx.Unresolved: {ledger.Unsupported, ledger.Routine},
	nginx.Assumed:    {ledger.Converted, ledger.Routine},
}

// notes of one source object.
type notes []*emit.Note

func collect(ns []emit.Note) map[routing.ObjectRef]notes {
	out := map[routing.ObjectRef]notes{}
	for i := range ns {
		ref := ns[i].Origin.Object
		out[ref] = append(out[ref], &ns[i])
	}
	return out
}

// settler closes the account of one Ingress after the other.
type settler struct {
	notes    map[routing.ObjectRef]notes
	targets  map[routing.ObjectRef][]placed
	findings map[*source.Ingress][]nginx.Finding
	istio    *istio.Result
	facts    map[*source.Object][]istio.Finding
	nginx    nginx.Options
	asked    map[place]bool
}

// inputs are the kinds that rules come from.
var inputs = map[string]bool{"Ingress": true, "ConfigMap": true, "VirtualService": true, "DestinationRule": true, "ServiceEntry": true}

// beside lists what the back end says of objects that are no input: the
// Gateway it writes for, and what the source controller does of its own accord.
func (s *settler) beside(ns []emit.Note) []ledger.Entry {
	var out []ledger.Entry
	for i := range ns {
		n := &ns[i]
		k := n.Origin.Object.Kind
		if n.Fate == emit.Kept && k != "Controller" || inputs[k] || n.Origin.File != "" && k == "Gateway" {
			continue
		}
		e := entryOf(n, n.Origin.Path)
		if n.Fate == emit.Kept { // what the source controller does for itself
			e.Status, e.Features = ledger.Ignored, ledger.Features(n.Feature)
		}
		e.Subject = &ledger.Subject{Object: n.Origin.Object}
		out = append(out, e)
	}
	return out
}

func account(o *source.Object) *ledger.Account {
	return &ledger.Account{Object: o.Ref, File: o.File, Line: o.Line, Tree: o.Tree()}
}

// ingress settles a served Ingress: each claim gets the worst fate of the
// features that carry it; notes that no leaf carries stand for themselves.
func (s *settler) ingress(ing *source.Ingress, o nginx.Options, idle nginx.Idle) []ledger.Entry {
	acct := account(ing.Object)
	dropped := false
	for _, f := range s.findings[ing] {
		e := findingEntry[f.Kind]
		dropped = dropped || f.Kind == nginx.Dropped
		path := f.Path
		if path != "" {
			path = ing.Written(path)
		}
		entry := ledger.Entry{Status: e.status, Urgency: e.urgency, Path: path, Message: f.Message, Remedy: f.Remedy}
		if e.status == ledger.Unsupported {
			entry.Features = everything
		}
		acct.Note(entry)
	}
	if dropped {
		for _, part := range []string{"metadata", "spec"} {
			acct.Mark(ledger.Ignored, part, "the running controller does not serve this Ingress, so nothing of it was converted", "")
		}
		return acct.Close()
	}
	own := s.notes[ing.Object.Ref]
	used := map[*emit.Note]bool{}
	targets := s.targets[ing.Object.Ref]
	for c := range nginx.Claims(ing, o, idle) {
		s.claim(acct, c, own, used, targets)
	}
	own.remaining(acct, used, targets, ing.Written)
	return acct.Close()
}

// remaining enters the notes that no leaf carries.
func (o notes) remaining(acct *ledger.Account, used map[*emit.Note]bool, targets []placed, written func(path string) string) {
	for _, n := range o {
		if used[n] || n.Fate == emit.Kept {
			continue
		}
		e := entryOf(n, written(n.Origin.Path))
		e.Targets = targetsOf(targets, rulePath(acct.Object.Kind, n.Origin.Path))
		acct.Note(e)
	}
}

// streams settles a ConfigMap of TCP or UDP services.
func (s *settler) streams(cm *source.ConfigMap, claims []nginx.Claim) []ledger.Entry {
	acct := account(cm.Object)
	acct.Mark(ledger.Ignored, "metadata", "names the ConfigMap only", "")
	own, used := s.notes[cm.Object.Ref], map[*emit.Note]bool{}
	for _, c := range claims {
		s.claim(acct, c, own, used, s.targets[cm.Object.Ref])
	}
	return acct.Close()
}

// controllerConfig settles the ConfigMap of the Ingress controller itself.
func (s *settler) controllerConfig(cm *source.ConfigMap) []ledger.Entry {
	acct := account(cm.Object)
	acct.Mark(ledger.Ignored, "metadata", "names the ConfigMap only", "")
	for c := range nginx.ConfigClaims(cm, s.nginx) {
		s.claim(acct, c, nil, nil, nil)
	}
	return acct.Close()
}

// claim settles a claim if the object has its path.
func (s *settler) claim(acct *ledger.Account, c nginx.Claim, own notes, used map[*emit.Note]bool, targets []placed) {
	acct.Present(c.Path, func() ledger.Entry {
		e := ledger.Entry{Status: c.Status, Path: c.Path, Message: c.Message, Remedy: c.Remedy}
		if len(c.Features) > 0 {
			e.Status, e.Remedy = ledger.Converted, ""
			e = own.worst(acct.Object.Kind, e, c.Features, used)
		}
		rule := rulePath(acct.Object.Kind, c.Path)
		e.Targets = targetsOf(targets, rule)
		if acct.Object.Kind == "VirtualService" && rule != "" && len(c.Features) > 0 && e.Status == ledger.Converted && len(e.Targets) == 0 {
			e = own.unwritten(acct, e, s.asked[place{acct.Object, rule}])
		}
		return e
	})
}

// unwritten is what is said of a leaf whose features are kept, but whose rule is
// written nowhere: why the rule is not. Rules that no table has are not asked.
func (o notes) unwritten(acct *ledger.Account, e ledger.Entry, asked bool) ledger.Entry {
	for _, n := range o {
		if concerns(acct.Object.Kind, n, e.Path) && (n.Fate == emit.Lost || n.Closed) {
			x := entryOf(n, e.Path)
			x.Urgency, x.Features = ledger.Routine, "" // said once, where it belongs
			return x
		}
	}
	if !asked && strings.HasPrefix(e.Path, "spec.http[") {
		e.Status, e.Message = ledger.Ignored, "no request reaches this rule: it is left out"
	}
	return e
}

// asked are the rules of VirtualServices that some table has, and the routes that
// they belong to.
func asked(parts []*Part) map[place]bool {
	out := map[place]bool{}
	at := func(o routing.Origin) {
		if o.Object.Kind != "VirtualService" {
			return
		}
		rule := rulePath(o.Object.Kind, o.Path)
		out[place{o.Object, rule}] = true
		if route, _, ok := strings.Cut(rule, ".match["); ok {
			out[place{o.Object, route}] = true
		}
	}
	for _, p := range parts {
		for _, l := range p.Table.Listeners {
			for _, h := range l.Hosts {
				for _, r := range h.Rules {
					at(r.Origin)
					for _, o := range r.Also {
						at(o)
					}
				}
			}
		}
	}
	return out
}

// worst is the worst fate of the features that carry a leaf.
func (o notes) worst(kind string, e ledger.Entry, features []string, used map[*emit.Note]bool) ledger.Entry {
	path := e.Path
	var said []*emit.Note
	for _, f := range features {
		for _, n := range o {
			if string(n.Feature) != f {
				continue
			}
			if !concerns(kind, n, path) {
				continue
			}
			used[n] = true
			if n.Fate != emit.Kept && !slices.ContainsFunc(said, func(s *emit.Note) bool { return s.Message == n.Message && s.Feature == n.Feature }) {
				said = append(said, n)
			}
			if x := entryOf(n, path); rank[x.Status] > rank[e.Status] || x.Urgency > e.Urgency {
				e = x
			}
		}
	}
	return also(e, said)
}

// maxAlso bounds the further findings that one entry names.
const maxAlso = 3

// also names what else is not kept of a leaf that several features carry.
func also(e ledger.Entry, said []*emit.Note) ledger.Entry {
	if len(said) == 0 {
		return e
	}
	e.Features = ""
	named := map[string]bool{e.Message: true}
	for _, s := range said {
		e.Features = e.Features.With(string(s.Feature))
		if !named[s.Message] && len(named) <= maxAlso {
			named[s.Message] = true
			e.Message += "; also: " + s.Message
		}
	}
	return e
}

func entryOf(n *emit.Note, path string) ledger.Entry {
	e := ledger.Entry{Status: fateStatus[n.Fate], Path: path, Message: n.Message, Remedy: n.Remedy}
	if n.Closed {
		e.Urgency = ledger.Closed
	}
	if n.Fate != emit.Kept {
		e.Features = ledger.Features(n.Feature)
	}
	return e
}

// placed is where a rule of an object went.
type placed struct {
	path    string // of the rule in the object
	targets []emit.Target
}

func placements(all []map[*routing.Rule][]emit.Target) map[routing.ObjectRef][]placed {
	out := map[routing.ObjectRef][]placed{}
	for _, part := range all {
		for rule, places := range part {
			out[rule.Origin.Object] = append(out[rule.Origin.Object], placed{rule.Origin.Path, places})
			for _, o := range rule.Also {
				out[o.Object] = append(out[o.Object], placed{o.Path, places})
			}
		}
	}
	return out
}

// targetsOf lists where the rules of a path went, each place once, in the order
// of their names.
func targetsOf(list []placed, path string) []ledger.Target {
	if path == "" {
		return nil
	}
	var out []ledger.Target
	for _, p := range list {
		if p.path == path || under(p.path, path) {
			out = slices.Grow(out, len(p.targets))
			for _, t := range p.targets {
				out = append(out, ledger.Target(t))
			}
		}
	}
	slices.SortFunc(out, func(a, b ledger.Target) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
	return slices.Compact(out)
}

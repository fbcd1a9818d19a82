package migrate

import (
	"sort"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
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
type notes struct {
	byFeature map[string][]emit.Note
	all       []emit.Note
}

func collect(ns []emit.Note) map[routing.ObjectRef]*notes {
	out := map[routing.ObjectRef]*notes{}
	for _, n := range ns {
		o := out[n.Origin.Object]
		if o == nil {
			o = &notes{byFeature: map[string][]emit.Note{}}
			out[n.Origin.Object] = o
		}
		o.byFeature[string(n.Feature)] = append(o.byFeature[string(n.Feature)], n)
		o.all = append(o.all, n)
	}
	return out
}

// settler closes the account of one Ingress after the other.
type settler struct {
	notes    map[routing.ObjectRef]*notes
	targets  map[routing.ObjectRef]map[string][]ledger.Target // by rule path
	findings map[*source.Ingress][]nginx.Finding
}

// beside lists what the back end says of objects that are no input: the
// Gateway it writes for, and what the source controller does of its own accord.
func (s *settler) beside(ns []emit.Note) []ledger.Entry {
	var out []ledger.Entry
	for _, n := range ns {
		if k := n.Origin.Object.Kind; n.Fate == emit.Kept || k == "Ingress" || k == "ConfigMap" {
			continue
		}
		e := entryOf(n, n.Origin.Path)
		e.Object = n.Origin.Object
		out = append(out, e)
	}
	return out
}

func account(o *source.Object) *ledger.Account {
	return &ledger.Account{Object: o.Ref, File: o.File, Line: o.Line, Tree: o.Tree()}
}

// ingress settles a served Ingress: each claim gets the worst fate of the
// features that carry it; notes that no leaf carries stand for themselves.
func (s *settler) ingress(ing *source.Ingress, o nginx.Options) []ledger.Entry {
	acct := account(ing.Object)
	dropped := false
	for _, f := range s.findings[ing] {
		e := findingEntry[f.Kind]
		dropped = dropped || f.Kind == nginx.Dropped
		path := f.Path
		if path != "" {
			path = ing.Written(path)
		}
		acct.Note(ledger.Entry{Status: e.status, Urgency: e.urgency, Path: path, Message: f.Message, Remedy: f.Remedy})
	}
	if dropped {
		for _, part := range []string{"metadata", "spec"} {
			acct.Mark(ledger.Ignored, part, "the running controller does not serve this Ingress, so nothing of it was converted", "")
		}
		return acct.Close()
	}
	own := s.notes[ing.Object.Ref]
	used := map[string]bool{}
	targets := s.targets[ing.Object.Ref]
	for _, c := range nginx.Claims(ing, o) {
		s.claim(acct, c, own, used, targets)
	}
	if own != nil {
		for _, n := range own.all {
			if !used[string(n.Feature)] && n.Fate != emit.Kept {
				acct.Note(entryOf(n, ing.Written(n.Origin.Path)))
			}
		}
	}
	return acct.Close()
}

// streams settles a ConfigMap of TCP or UDP services.
func (s *settler) streams(cm *source.ConfigMap, claims []nginx.Claim) []ledger.Entry {
	acct := account(cm.Object)
	acct.Mark(ledger.Ignored, "metadata", "names the ConfigMap only", "")
	own, used := s.notes[cm.Object.Ref], map[string]bool{}
	for _, c := range claims {
		s.claim(acct, c, own, used, s.targets[cm.Object.Ref])
	}
	return acct.Close()
}

// claim settles a claim if the object has its path.
func (s *settler) claim(acct *ledger.Account, c nginx.Claim, own *notes, used map[string]bool, targets map[string][]ledger.Target) {
	acct.Present(c.Path, func() ledger.Entry {
		e := ledger.Entry{Status: c.Status, Path: c.Path, Message: c.Message, Remedy: c.Remedy}
		if len(c.Features) > 0 {
			e.Status, e.Remedy = ledger.Converted, ""
			if own != nil {
				e = own.worst(e, c.Features, used)
			}
		}
		e.Targets = targets[rulePath(c.Path)]
		return e
	})
}

// worst is the worst fate of the features that carry a leaf.
func (o *notes) worst(e ledger.Entry, features []string, used map[string]bool) ledger.Entry {
	path := e.Path
	for _, f := range features {
		for _, n := range o.byFeature[f] {
			used[f] = true
			if !concerns(n, path) {
				continue
			}
			if x := entryOf(n, path); rank[x.Status] > rank[e.Status] || x.Urgency > e.Urgency {
				e = x
			}
		}
	}
	return e
}

// concerns reports whether a note about one path of an Ingress is about the
// leaf: notes of other paths are not, notes of annotations and hosts are about
// every leaf that the feature carries.
func concerns(n emit.Note, path string) bool {
	if strings.HasPrefix(path, "data[") || strings.HasPrefix(path, "data.") {
		return n.Origin.Path == path
	}
	if !strings.HasPrefix(path, "spec.rules[") || !strings.Contains(path, ".paths[") {
		return true
	}
	return !strings.Contains(n.Origin.Path, ".paths[") || strings.HasPrefix(path, n.Origin.Path+".")
}

// rulePath is the path of the Ingress path that a leaf belongs to, or "".
func rulePath(path string) string {
	if strings.HasPrefix(path, "data[") || strings.HasPrefix(path, "data.") {
		return path
	}
	i := strings.Index(path, ".paths[")
	if i < 0 {
		return ""
	}
	if j := strings.IndexByte(path[i:], ']'); j > 0 {
		return path[:i+j+1]
	}
	return ""
}

func entryOf(n emit.Note, path string) ledger.Entry {
	e := ledger.Entry{Status: fateStatus[n.Fate], Path: path, Message: n.Message, Remedy: n.Remedy}
	if n.Closed {
		e.Urgency = ledger.Closed
	}
	return e
}

// targetsOf turns placements into ledger targets by source path.
func targetsOf(res *emit.Result) map[routing.ObjectRef]map[string][]ledger.Target {
	out := map[routing.ObjectRef]map[string][]ledger.Target{}
	for rule, places := range res.Placements {
		m := out[rule.Origin.Object]
		if m == nil {
			m = map[string][]ledger.Target{}
			out[rule.Origin.Object] = m
		}
		for _, p := range places {
			m[rule.Origin.Path] = append(m[rule.Origin.Path], ledger.Target{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name, Path: p.Path})
		}
	}
	for _, m := range out {
		for k, list := range m {
			sort.Slice(list, func(i, j int) bool {
				a, b := list[i], list[j]
				return a.Kind+"\x00"+a.Namespace+"\x00"+a.Name+"\x00"+a.Path < b.Kind+"\x00"+b.Namespace+"\x00"+b.Name+"\x00"+b.Path
			})
			uniq := list[:0]
			for i, t := range list {
				if i == 0 || t != list[i-1] {
					uniq = append(uniq, t)
				}
			}
			m[k] = uniq
		}
	}
	return out
}

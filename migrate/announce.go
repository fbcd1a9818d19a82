package migrate

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

// everything is the feature of an entry that says of a whole rule or object
// that it is not kept.
const everything = "*"

// anything are all aspects: another rule may decide.
const anything = ^verify.Aspect(0)

// foretold says which aspects of a decision may differ when a feature is not
// kept.
var foretold = map[string]verify.Aspect{
	everything:               anything,
	string(emit.FeaturePath): anything, string(emit.FeatureHost): anything, string(emit.FeatureMethod): anything,
	string(emit.FeatureHeaders): anything, string(emit.FeatureQuery): anything, string(emit.FeatureOrder): anything,
	string(emit.FeatureListener): anything, string(emit.FeatureTLS): anything,
	string(emit.FeatureBackend): anything, string(emit.FeatureWeights): verify.Backends | verify.Status,
	string(emit.FeatureBackendProtocol): verify.BackendTLS, string(emit.FeatureBackendTLS): verify.BackendTLS,
	string(emit.FeatureRedirect): verify.Location | verify.Status, string(emit.FeatureRespond): verify.Status | verify.ResponseHeaders,
	string(emit.FeatureRewrite): verify.URI, string(emit.FeatureHostRewrite): verify.UpstreamHost,
	string(emit.FeatureRequestHeaders): verify.RequestHeaders | verify.BackendTLS, string(emit.FeatureResponseHeaders): verify.ResponseHeaders | verify.BackendTLS,
	string(emit.FeatureCORS): verify.CORS, string(emit.FeatureMirror): verify.Mirrors,
	string(emit.FeatureTimeouts): verify.Timeouts, string(emit.FeatureConnectTimeout): verify.Timeouts,
	string(emit.FeatureRetry): verify.Retries | verify.Timeouts, string(emit.FeatureAffinity): verify.Affinity, string(emit.FeatureFault): verify.Fault,
	string(emit.FeatureClientCertificate): verify.Guards,
}

// ofSites are the features of whole virtual hosts and listeners: what is said
// of one rule holds for every rule of the object.
var ofSites = map[string]bool{string(emit.FeatureHost): true, string(emit.FeatureTLS): true, string(emit.FeatureListener): true}

// ofMatches are the features that say which rule decides. They explain nothing
// where the same rule decides before and after.
var ofMatches = map[string]bool{
	string(emit.FeaturePath): true, string(emit.FeatureHost): true, string(emit.FeatureMethod): true,
	string(emit.FeatureHeaders): true, string(emit.FeatureQuery): true, string(emit.FeatureOrder): true,
	string(emit.FeatureTLS): true, string(emit.FeatureListener): true,
}

// aspects returns what an entry says may differ for a request: in decisions of
// its own rule, and in those of other rules of the same object. same says that
// one rule decides before and after.
func aspects(e *ledger.Entry, d *verify.Difference, same bool) (own, others verify.Aspect) {
	r := &d.Request
	for f := range e.Features.Each() {
		if same && ofMatches[f] {
			continue
		}
		a := foretold[f]
		switch {
		case f == string(emit.FeatureCORS) && r.Method == "OPTIONS": // who answers it
			a |= verify.Status | verify.Backends | verify.Guards
		case f == string(emit.FeatureTLS) && r.Scheme == "http", f == string(emit.FeatureBackend) && astray(d):
			a = 0
		case f == string(emit.FeatureRespond) && e.Object.Kind == "Controller": // others may take its requests
			a = anything
		case f == string(emit.FeatureForwarded) && forwarded(r):
			a = anything
		}
		if strings.HasPrefix(f, "guard:") {
			a = verify.Guards | verify.Status // a source list that is known answers 403
		}
		own |= a
		if ofSites[f] {
			others |= a
		}
	}
	return own, others
}

// astray reports whether a request that found no backend before goes to one
// that its rule does not name: that a backend does not resolve explains none.
func astray(d *verify.Difference) bool {
	if len(d.Before.Backends) > 0 || d.Before.Why == nil || len(d.Before.Why.Action.Backends) == 0 {
		return false
	}
	for k := range d.After.Backends {
		if !slices.ContainsFunc(d.Before.Why.Action.Backends, func(b routing.Backend) bool { return b.Key() == k }) {
			return true
		}
	}
	return false
}

// closes reports whether an entry explains that nobody is served.
func closes(e *ledger.Entry, d *verify.Difference) bool {
	return e.Urgency == ledger.Closed && len(d.After.Backends) == 0 && d.After.Location == ""
}

// Announced returns the callback by which verification asks the ledger about a
// difference: the entries of the objects involved that say of each aspect that
// it is not kept, or none if they do not say it of all. from names the source
// objects of each output object; nil takes them from the entries' targets.
func Announced(l *ledger.Ledger, from map[routing.ObjectRef][]routing.ObjectRef) func(*verify.Difference) []int {
	byObject := map[routing.ObjectRef][]int{}
	var general []int
	learn := from == nil
	if learn {
		from = map[routing.ObjectRef][]routing.ObjectRef{}
	}
	became := map[place][]ledger.Target{}
	for i := range l.Entries {
		e := &l.Entries[i]
		if rule := rulePath(e.Object.Kind, e.Path); rule != "" && len(e.Targets) > 0 {
			k := place{e.Object, rule}
			if len(became[k]) == 0 {
				became[k] = e.Targets
			}
		}
		if learn {
			for _, t := range e.Targets {
				from[t.Ref()] = append(from[t.Ref()], e.Object)
			}
		}
		if e.Features == "" && e.Urgency != ledger.Closed {
			continue
		}
		if e.Object.Kind == "Gateway" {
			general = append(general, i)
			continue
		}
		byObject[e.Object] = append(byObject[e.Object], i)
	}
	return func(d *verify.Difference) []int {
		var found []explanation
		var told verify.Aspect
		same := sameRule(became, d)
		consider := func(entries []int) {
			for _, i := range entries {
				e := &l.Entries[i]
				own, others := aspects(e, d, same)
				a := own
				switch related := relates(e, d); {
				case !related:
					a = others
				case closes(e, d):
					a = anything
				}
				if a &= d.Aspects; a != 0 {
					told |= a
					found = append(found, explanation{i, bits.OnesCount32(uint32(own))})
				}
			}
		}
		consider(general)
		seen := map[routing.ObjectRef]bool{}
		object := func(o routing.ObjectRef) {
			if !seen[o] {
				seen[o] = true
				consider(byObject[o])
			}
		}
		if r := cmp.Or(d.Before.Why, d.Before.Near); r != nil {
			object(r.Origin.Object)
			for _, at := range r.Also {
				object(at.Object)
			}
		}
		if r := cmp.Or(d.After.Why, d.After.Near); r != nil {
			for _, o := range from[r.Origin.Object] {
				object(o)
			}
		}
		if d.Aspects&^told != 0 {
			return nil
		}
		// What says the least beyond the difference explains it best.
		slices.SortStableFunc(found, func(x, y explanation) int { return cmp.Compare(x.breadth, y.breadth) })
		out := make([]int, len(found))
		for i, f := range found {
			out[i] = f.entry
		}
		return out
	}
}

// explanation is an entry that says of a part of a difference that it is not
// kept.
type explanation struct {
	entry   int
	breadth int // number of aspects that it speaks of
}

// forwarded reports whether a request speaks for another host, client or scheme
// in a way that matches cannot say.
func forwarded(r *routing.Request) bool {
	for name, value := range r.Headers {
		switch strings.ToLower(name) {
		case "x-forwarded-host", "x-forwarded-for":
			return true
		case "x-forwarded-proto":
			return value != "http" && value != "https"
		}
	}
	return false
}

// place is a rule in a source object.
type place struct {
	object routing.ObjectRef
	path   string
}

// sameRule reports whether the rule that decides after is what became of the
// one that decided before. A rule may have become a redirect or a closed rule
// beside a route; these are not the same.
func sameRule(became map[place][]ledger.Target, d *verify.Difference) bool {
	if d.Before.Why == nil || d.After.Why == nil || (d.Before.Location == "") != (d.After.Location == "") || (len(d.Before.Backends) == 0) != (len(d.After.Backends) == 0) {
		return false
	}
	after, found := d.After.Why.Origin, false
	for _, at := range slices.Concat([]routing.Origin{d.Before.Why.Origin}, d.Before.Why.Also) {
		targets, ok := became[place{at.Object, at.Path}]
		if !ok {
			continue // read by the rule, and none itself
		}
		// The routes of a delegate share the place of the root's.
		if found = slices.ContainsFunc(targets, func(t ledger.Target) bool { return after.Object == t.Ref() && t.Path == after.Path }); !found {
			return false
		}
	}
	return found
}

// relates reports whether an entry is about the rules that decided: an entry of
// one path of an Ingress is about that path's rule and what became of it, any
// other about the whole object.
func relates(e *ledger.Entry, d *verify.Difference) bool {
	rule := rulePath(e.Object.Kind, e.Path)
	if rule == "" || e.Object.Kind == "ConfigMap" {
		return true
	}
	if d.Before.Why != nil {
		for _, at := range slices.Concat(d.Before.Why.Also, []routing.Origin{d.Before.Why.Origin}) {
			if at.Object == e.Object && (at.Path == rule || under(at.Path, rule) || under(rule, at.Path)) {
				return true
			}
		}
	}
	if d.After.Why != nil {
		at := d.After.Why.Origin
		for _, t := range e.Targets {
			if at.Object == t.Ref() && (t.Path == at.Path || strings.HasPrefix(at.Path, t.Path+".")) {
				return true
			}
		}
	}
	return false
}

package emit

import (
	"sort"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// Limits of HTTPRouteSpec.rules (apis/v1/httproute_types.go): 16 rules.
const maxRules = 16

// route collects the rules of one source object on one set of hostnames; it
// becomes as many HTTPRoutes as the limits ask for.
type route struct {
	namespace, name string
	hostnames       []string
	sections        []string
	parents         []gatewayv1.ParentReference
	labels          map[string]string
	rules           []built
	tls             *gatewayv1.TLSRoute
	shardOf         []int // shard of each rule
}

// built is a rule with the key that ties are told by: rules with one path must
// stay together, in order.
type built struct {
	rule gatewayv1.HTTPRouteRule
	from *routing.Rule
	path string
}

// rules writes the rules of a host for the listeners of side: http, https or
// both.
func (e *emitter) rules(h *routing.Host, names []string, side string) {
	ordered := h.Ordered()
	regex := false
	for _, r := range ordered {
		regex = regex || r.Match.Path.Kind == routing.RegexPath
	}
	taken := map[string]bool{} // matches that an earlier rule takes whole
	objects := map[string]bool{}
	for i, r := range ordered {
		if r.Match.Scheme != "" && side != "http" {
			e.note(Note{Rule: r, Feature: "redirect", Fate: Approximated, Message: "X-Forwarded-Proto is not looked at on the HTTPS listener"})
			continue
		}
		if missing(r.Action) && !e.competes(ordered[i+1:], h) {
			continue
		}
		b, ok := e.build(r, regex)
		if !ok {
			continue
		}
		if taken[b.path] {
			continue // the same path was taken without further conditions
		}
		if len(b.rule.Matches) == 1 && b.rule.Matches[0].Headers == nil && b.rule.Matches[0].QueryParams == nil && b.rule.Matches[0].Method == nil {
			taken[b.path] = true
		}
		rt := e.route(r.Origin.Object, names, side)
		rt.rules = append(rt.rules, b)
		objects[rt.namespace+"/"+rt.name] = true
	}
	if regex && len(objects) > 1 {
		for _, r := range ordered {
			if r.Match.Path.Kind == routing.RegexPath && r.Origin.Object.Kind == "Ingress" {
				e.note(Note{Rule: r, Feature: "order", Fate: Approximated,
					Message: "the order of regular expressions in several routes of one host is up to the implementation; the source tries longer patterns first",
					Remedy:  "check that overlapping patterns of this host resolve the same way, or merge them into one route"})
			}
		}
	}
}

// missing reports a rule that answers "not found", as no rule does too.
func missing(a *routing.Action) bool {
	return a.Respond != nil && a.Respond.Status == 404
}

// competes reports whether leaving a rule out would hand its requests to
// another: a later rule of the host.
func (e *emitter) competes(later []*routing.Rule, _ *routing.Host) bool {
	for _, r := range later {
		if !missing(r.Action) {
			return true
		}
	}
	return false
}

// route finds or makes the collection for a source object. HTTP and HTTPS
// sides that differ get routes of their own.
func (e *emitter) route(o routing.ObjectRef, names []string, side string) *route {
	ns := o.Namespace
	if ns == "" {
		ns = e.Gateway.Namespace
	}
	base := dnsName(o.Name, 200)
	if side == "http" && e.splitSides(names) {
		base += "-http"
	}
	key := ns + "/" + base
	for n := 0; ; n++ {
		k := key
		if n > 0 {
			k = key + "-" + slug(names[0])
			if n > 1 {
				k += "-" + strconv.Itoa(n)
			}
		}
		r := e.routes[k]
		if r == nil {
			r = &route{namespace: ns, name: strings.TrimPrefix(k, ns+"/"), sections: e.sections(names, side)}
			for _, h := range names {
				if h != "" {
					r.hostnames = append(r.hostnames, h)
				}
			}
			if e.AnnotationsOf != nil {
				r.labels, _ = e.AnnotationsOf(o)
			}
			e.routes[k] = r
			e.order = append(e.order, k)
			return r
		}
		if sameNames(r.sections, e.sections(names, side)) && sameNames(r.hostnames, nonEmpty(names)) {
			return r
		}
	}
}

func (e *emitter) splitSides(names []string) bool {
	for _, n := range names {
		if e.secured[n] {
			return true
		}
	}
	return false
}

func nonEmpty(names []string) []string {
	var out []string
	for _, n := range names {
		if n != "" {
			out = append(out, n)
		}
	}
	return out
}

func sameNames(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

func slug(host string) string {
	if host == "" {
		return "any"
	}
	return dnsName(strings.ReplaceAll(strings.Replace(host, "*", "wildcard", 1), ".", "-"), 120)
}

// sections names the listeners that the host's requests arrive at.
func (e *emitter) sections(names []string, side string) []string {
	var out []string
	for _, n := range names {
		if side != "https" {
			l := listener{protocol: gatewayv1.HTTPProtocolType}
			if e.isolated {
				l.host = n
			}
			out = append(out, l.name())
		}
		if side != "http" {
			out = append(out, listener{protocol: gatewayv1.HTTPSProtocolType, host: n}.name())
		}
	}
	sort.Strings(out)
	uniq := out[:0]
	for i, s := range out {
		if i == 0 || s != out[i-1] {
			uniq = append(uniq, s)
		}
	}
	return uniq
}

// shards cuts a route into HTTPRoutes within the limits. Rules that share a
// path are told apart only by conditions and position, so they stay together.
func (r *route) shards() []client.Object {
	if r.tls != nil {
		r.tls.Spec.ParentRefs = r.parents
		return []client.Object{r.tls}
	}
	var out []client.Object
	r.shardOf = make([]int, len(r.rules))
	for i := 0; i < len(r.rules); {
		j := i
		for j < len(r.rules) {
			k := j + 1
			for k < len(r.rules) && r.rules[k].path == r.rules[j].path {
				k++
			}
			if k-i > maxRules && j > i {
				break
			}
			j = k
			if j-i >= maxRules {
				break
			}
		}
		h := &gatewayv1.HTTPRoute{
			TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "HTTPRoute"},
			ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: r.shardName(len(out)), Labels: r.labels},
		}
		h.Spec.ParentRefs = r.parents
		for _, n := range r.hostnames {
			h.Spec.Hostnames = append(h.Spec.Hostnames, gatewayv1.Hostname(n))
		}
		for x := i; x < j; x++ {
			r.shardOf[x] = len(out)
			h.Spec.Rules = append(h.Spec.Rules, r.rules[x].rule)
		}
		out = append(out, h)
		i = j
	}
	return out
}

func (r *route) shardName(n int) string {
	if n == 0 {
		return r.name
	}
	return r.name + "-" + strconv.Itoa(n+1)
}

// place records where each rule went.
func (e *emitter) place() {
	for _, k := range e.order {
		r := e.routes[k]
		first := 0
		for i, b := range r.rules {
			if i > 0 && r.shardOf[i] != r.shardOf[i-1] {
				first = i
			}
			e.res.Placements[b.from] = append(e.res.Placements[b.from], Target{"HTTPRoute", r.namespace, r.shardName(r.shardOf[i]), "spec.rules[" + strconv.Itoa(i-first) + "]"})
		}
	}
}

// passthrough writes a TLSRoute and its listener.
func (e *emitter) passthrough(h *routing.Host, l *routing.Listener) {
	names := e.hostnames(h)
	for _, rule := range h.Rules {
		if len(rule.Action.Backends) == 0 {
			continue
		}
		o := rule.Origin.Object
		r := &route{namespace: o.Namespace, name: dnsName(o.Name, 200) + "-tls", tls: &gatewayv1.TLSRoute{
			TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "TLSRoute"},
			ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: dnsName(o.Name, 200) + "-tls"},
		}}
		for _, n := range names {
			ll := listener{host: n, port: int32(l.Port), protocol: gatewayv1.TLSProtocolType, passthrough: true, origin: h.Origin}
			e.listeners = append(e.listeners, ll)
			r.sections = append(r.sections, ll.name())
			r.tls.Spec.Hostnames = append(r.tls.Spec.Hostnames, gatewayv1.Hostname(n))
		}
		tr := gatewayv1.TLSRouteRule{}
		for _, b := range rule.Action.Backends {
			tr.BackendRefs = append(tr.BackendRefs, e.backendRef(rule, &b))
		}
		r.tls.Spec.Rules = []gatewayv1.TLSRouteRule{tr}
		key := r.namespace + "/" + r.name
		if e.routes[key] == nil {
			e.routes[key] = r
			e.order = append(e.order, key)
		}
	}
}

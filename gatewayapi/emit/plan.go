package emit

import (
	"fmt"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// plan turns the rules of a virtual host into entries.
func (e *emitter) plan(v *vhost) {
	var own []*entry
	at := v.ports()
	exact := map[string]bool{}
	for _, it := range e.withoutNegation(e.byMethods(e.bySchemes(v))) {
		r, m := it.rule, it.match
		if v.mesh != "" {
			m.Client.Namespace = ""
		}
		m.Path = plain(m.Path)
		if p := strings.TrimSuffix(m.Path.Value, "/"); m.Path.Kind == routing.StringPrefix && !m.Path.IgnoreCase && p != m.Path.Value && exact[p] {
			// An earlier rule takes /foo itself, so that the prefix by path
			// elements matches what is left: /foo/ and below.
			m.Path = routing.PathMatch{Kind: routing.SegmentPrefix, Value: p}
		}
		if m.Path.Kind == routing.ExactPath && !m.Path.IgnoreCase && m.Method == "" && len(m.Headers)+len(m.Query) == 0 {
			exact[m.Path.Value] = true
		}
		en := &entry{rule: r, m: m, out: e.outcomeOf(r, &m, at)}
		if r.Origin.Object.Kind == ownKind && r.Action.Respond != nil && en.out.closed && !en.out.silent {
			own = append(own, en) // closing it would break health checks of what serves the rest
			continue
		}
		for _, k := range en.out.remarks {
			e.note(r, k)
		}
		en.closed, en.silent = en.out.closed, en.out.silent
		if en.out.prefix != nil {
			en.m.Path, en.prefixOnly = *en.out.prefix, true
		}
		if !e.express(en) {
			continue
		}
		v.entries = append(v.entries, en)
		v.live = v.live || !en.closed
	}
	e.ownAnswers(v, own)
	if len(v.entries) == 0 && (v.mesh != "" || v.fall) {
		v.entries = append(v.entries, e.nothing(v, at))
	}
}

// nothing is the rule of a virtual host that takes no request and answers 404.
// Without a route its requests would go to a broader host, or, in the mesh,
// where they went without one.
func (e *emitter) nothing(v *vhost, at ports) *entry {
	r := &routing.Rule{Action: &routing.Action{Respond: &routing.Response{Status: 404}}}
	switch {
	case len(v.rules) > 0:
		r.Origin = v.rules[0].Origin
	case len(v.sites) > 0:
		r.Origin = v.sites[0].host.Origin
	}
	return &entry{rule: r, m: routing.Match{Path: routing.PathMatch{Kind: routing.SegmentPrefix, Value: "/"}}, form: form{formPrefix, "/"}, out: e.outcomeOf(r, &r.Match, at), closed: true, silent: true, whole: true}
}

// ownAnswers notes what the source controller answers by itself where a rule
// takes those requests now; the answer is of no use behind another controller.
func (e *emitter) ownAnswers(v *vhost, own []*entry) {
	for _, a := range own {
		taken := false
		for _, b := range v.entries {
			if !b.closed && a.overlaps(b) {
				e.note(a.rule, remark{feature: FeatureRespond, fate: Approximated, message: fmt.Sprintf("the source controller answered %s itself (%d); %s takes these requests now", a.m.Path.Value, a.rule.Action.Respond.Status, b.rule.Origin.Object)})
				taken = true
				break
			}
		}
		if !taken {
			e.note(a.rule, remark{feature: FeatureRespond, fate: Kept, message: fmt.Sprintf("the source controller answered %s itself (%d); an implementation has health checks of its own", a.m.Path.Value, a.rule.Action.Respond.Status)})
		}
	}
}

// ownKind is the kind of rules that the source controller has of its own, such
// as its health endpoint.
const ownKind = "Controller"

type conditioned struct {
	rule  *routing.Rule
	match routing.Match
}

// forwardedProto is the header that stands for the scheme where the source
// trusts X-Forwarded-* (Reading.TrustForwarded).
const forwardedProto = "X-Forwarded-Proto"

// bySchemes settles conditions on the scheme: it is the listener's, or, where
// the source trusts X-Forwarded-Proto, the header's with the listener's as the
// default. A request that says it came over the other scheme then finds the
// rules of that scheme first.
func (e *emitter) bySchemes(v *vhost) []conditioned {
	var own, other []conditioned
	scheme := map[bool]string{true: "http", false: "https"}[v.http]
	trust := e.table.Reading.TrustForwarded && v.scheme
	for _, r := range v.rules {
		m := r.Match
		m.Scheme = ""
		if r.Match.Scheme == "" || r.Match.Scheme == scheme {
			own = append(own, conditioned{r, m})
		}
		if trust && r.Match.Scheme != scheme {
			o := m
			value := map[string]string{"http": "https", "https": "http"}[scheme]
			o.Headers = append(append([]routing.ValueMatch(nil), m.Headers...), routing.ValueMatch{Name: forwardedProto, Value: value})
			other = append(other, conditioned{r, o})
		}
	}
	if !trust {
		return own
	}
	return append(other, own...)
}

// forwarded notes what trust in X-Forwarded-* means beyond the scheme: Gateway
// API leaves it to implementations which hops they believe.
func (e *emitter) forwarded() {
	if !e.table.Reading.TrustForwarded || len(e.vhosts) == 0 {
		return
	}
	at := routing.Origin{Object: routing.ObjectRef{Kind: "Gateway", Namespace: e.o.Gateway.Namespace, Name: e.o.Gateway.Name}}
	e.noteAt(nil, at, remark{feature: FeatureForwarded, fate: NeedsExtension, message: "the source takes the host and the client's address from X-Forwarded-Host and X-Forwarded-For; Gateway API has no field for it, and an X-Forwarded-Proto other than http and https counts as none",
		remedy: "name the proxies to trust in the implementation, such as Envoy Gateway ClientTrafficPolicy clientIPDetection; have the load balancer in front pass the Host header on"})
}

// express checks every part of an entry's match and writes its path. What
// cannot be said closes the rule for the requests that can be told apart; false
// leaves the rule out.
func (e *emitter) express(en *entry) bool {
	lost := func(f Feature, what, remedy string) {
		e.note(en.rule, remark{feature: f, fate: Lost, message: what + ": the rule is closed for the requests it could have taken", remedy: remedy, closed: true})
		en.closed, en.wider = true, true
	}
	if en.m.Client.Namespace != "" || len(en.m.Client.Labels) > 0 {
		e.note(en.rule, remark{feature: FeatureListener, fate: Lost, message: "the rule is for requests of certain workloads within the mesh", remedy: "attach a route to the Service by hand"})
		return false
	}
	if en.m.Method != "" && !methods[en.m.Method] {
		lost(FeatureMethod, "the method "+en.m.Method+" is none that Gateway API names", "match a header instead, or drop the condition")
		en.m.Method = ""
	}
	en.m.Headers = e.expressible(en.m.Headers, true, gatewayapi.MaxHeaderMatches, gatewayapi.MaxHeaderValue, func(what string) {
		lost(FeatureHeaders, "the condition on "+what+" cannot be said in Gateway API", "turn the condition round in a rule of its own before this one")
	})
	en.m.Query = e.expressible(en.m.Query, false, gatewayapi.MaxQueryMatches, gatewayapi.MaxQueryValue, func(what string) {
		lost(FeatureQuery, "the condition on "+what+" cannot be said in Gateway API", "turn the condition round in a rule of its own before this one")
	})
	return e.expressPath(en, lost)
}

func (e *emitter) expressible(vs []routing.ValueMatch, header bool, most, limit int, lost func(string)) []routing.ValueMatch {
	if len(vs) == 0 {
		return nil
	}
	kind := "query parameter "
	if header {
		kind = "header "
	}
	var out []routing.ValueMatch
	for i := range vs {
		if within(vs[i:i+1], out, header) {
			continue
		}
		if _, _, ok := valueForm(vs[i], limit); !ok || len(out) == most || repeated(append(out[:len(out):len(out)], vs[i]), header) {
			lost(kind + vs[i].Name)
			continue
		}
		out = append(out, vs[i])
	}
	return out
}

func (e *emitter) expressPath(en *entry, lost func(Feature, string, string)) bool {
	p := &en.m.Path
	var ok bool
	if !p.IgnoreCase && (p.Kind == routing.ExactPath || p.Kind == routing.SegmentPrefix) && (!validPath(p.Value) || strings.Contains(p.Value, "%")) && e.table.Reading.NormalizePath {
		if v, valid := encoded(p.Value); valid && v != p.Value {
			e.note(en.rule, remark{feature: FeaturePath, fate: Approximated, message: "the path holds characters that are written as escapes (" + v + "): requests that spell them otherwise are not matched", remedy: "rename the path"})
			en.form, ok = formOf(routing.PathMatch{Kind: p.Kind, Value: v}, false)
		}
	}
	if !ok {
		en.form, ok = formOf(*p, false)
	}
	if ok {
		return true
	}
	head, _ := literalHead(*p)
	if i := strings.LastIndexByte(head, '/'); i > 0 {
		head = head[:i]
	} else {
		head = "/"
	}
	if head == "/" && !en.guarded() || !validPath(head) {
		e.note(en.rule, remark{feature: FeaturePath, fate: Lost, message: "the pattern " + clip(p.Value) + " is no regular expression that implementations share (RE2), so the rule is left out; broader rules take its requests", remedy: "rewrite the pattern without look-around and back-references"})
		return false
	}
	lost(FeaturePath, "the pattern "+clip(p.Value)+" is no regular expression that implementations share (RE2); all of "+head+" is closed", "rewrite the pattern without look-around and back-references")
	en.m.Path = routing.PathMatch{Kind: routing.SegmentPrefix, Value: head}
	en.form = form{formPrefix, head}
	return true
}

func (en *entry) guarded() bool {
	for _, g := range en.rule.Action.Guards {
		if g.Access() {
			return true
		}
	}
	return false
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// settleClosed leaves closed entries out where nothing else could take their
// requests, spells competing paths alike and settles the order.
func (e *emitter) settleClosed() {
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
		if v.fall {
			v.fall = v.broader(all, wild, func(w *vhost) bool { return w.live })
		}
		v.dropClosed(e)
	}
	kept := e.vhosts[:0]
	for _, v := range e.vhosts {
		if len(v.entries) == 0 {
			continue
		}
		kept = append(kept, v)
		e.absorb(v)
		e.competingRegexes(v)
		e.keepApart(v)
		e.keepOrder(v)
	}
	e.vhosts = kept
}

// absorb leaves out matches that another match of the same effect covers, where
// a virtual host does one thing only: the redirect of every path to HTTPS needs
// no more than "/".
func (e *emitter) absorb(v *vhost) {
	first := v.entries[0]
	if len(v.entries) > maxPairwise {
		return
	}
	for _, en := range v.entries[1:] {
		if en.prefixOnly || first.prefixOnly || en.rule.Origin.Object != first.rule.Origin.Object || !e.sameEffect(first, en) {
			return
		}
	}
	out := v.entries[:0:0]
	for i, en := range v.entries {
		covered := false
		for j, x := range v.entries {
			if i != j && x.covers(en) && (j < i || !en.covers(x)) {
				e.alias(x.rule, en.rule)
				covered = true
				break
			}
		}
		if !covered {
			out = append(out, en)
		}
	}
	v.entries = out
}

// dropClosed removes closed entries whose requests would get 404 anyway.
func (v *vhost) dropClosed(e *emitter) {
	needed := func(i int) bool {
		if v.fall || v.mesh != "" && !v.live {
			return true // without a route the request would go on as if nothing were said
		}
		if len(v.entries)-i > maxPairwise {
			return true
		}
		for _, b := range v.entries[i+1:] {
			if !b.closed && v.entries[i].overlaps(b) {
				return true
			}
		}
		return false
	}
	out := v.entries[:0:0]
	for i, en := range v.entries {
		if !en.closed {
			out = append(out, en)
			continue
		}
		if !needed(i) {
			continue
		}
		if en.silent {
			said := remark{feature: FeatureRespond, fate: Approximated, message: "answers 500 in place of 404, because another rule would take these requests otherwise", closed: true}
			if en.whole {
				said.feature, said.message = FeatureHost, "no rule takes requests of this host: it answers 500 in place of 404, because they would go elsewhere otherwise"
			}
			e.note(en.rule, said)
		}
		out = append(out, en)
	}
	v.entries = out
}

// competingRegexes writes the prefixes that compete with a regular expression
// as regular expressions too, because the precedence between the two is
// implementation-specific (HTTPRouteRule.Matches). Exact paths stay: they win
// everywhere, and keepOrder sees to those that should not.
func (e *emitter) competingRegexes(v *vhost) {
	any := false
	for _, en := range v.entries {
		any = any || en.form.kind == formRegex
	}
	if !any || len(v.entries) == 1 {
		return
	}
	for changed := true; changed; {
		changed = false
		for _, a := range v.entries {
			if a.form.kind != formPrefix || a.prefixOnly {
				continue
			}
			for _, b := range v.entries {
				if b.form.kind != formRegex || len(v.entries) <= maxPairwise && !pathsOverlap(&a.m.Path, &b.m.Path) {
					continue
				}
				if f, ok := formOf(a.m.Path, true); ok {
					a.form, changed = f, true
				}
				break
			}
		}
	}
}

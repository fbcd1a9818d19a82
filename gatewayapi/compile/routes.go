package compile

import (
	"fmt"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// httpRoute adds the rules of an HTTPRoute to every place it attaches to. A
// rule without matches takes every path (HTTPRouteRule.Matches).
func (c *compiler) httpRoute(r *gwv1.HTTPRoute) {
	ref := refOf("HTTPRoute", r)
	rules := r.Spec.Rules
	if rules == nil {
		rules = make([]gwv1.HTTPRouteRule, 1) // the API's default: one rule for every path
	}
	checked, valid := check(rules, func(rule *gwv1.HTTPRouteRule, path string) flaws { return c.httpFlaws(ref, rule, path) })
	places := c.attach(ref, r.Spec.CommonRouteSpec, r.Spec.Hostnames, valid)
	index := 0
	for i, rule := range rules {
		path := fmt.Sprintf("spec.rules[%d]", i)
		b := actionBuilder{c: c, route: ref, path: path, mesh: inMesh(r.Spec.ParentRefs)}
		actions := b.actions(places, func(b *actionBuilder) *routing.Action { return checked[i].settle(b.http(&rule)) })
		if checked[i].unmatched {
			continue
		}
		matches := rule.Matches
		if len(matches) == 0 {
			matches = []gwv1.HTTPRouteMatch{{}}
		}
		for j, m := range matches {
			at := path
			if len(rule.Matches) > 0 {
				at = fmt.Sprintf("%s.matches[%d]", path, j)
			}
			c.add(actions, routing.Rule{Match: c.httpMatch(m), Origin: c.origin(ref, at), Age: age(r), Route: ref.Namespace + "/" + ref.Name, Index: index})
			index++
		}
	}
}

// grpcRoute adds the rules of a GRPCRoute.
func (c *compiler) grpcRoute(r *gwv1.GRPCRoute) {
	ref := refOf("GRPCRoute", r)
	checked, valid := check(r.Spec.Rules, func(rule *gwv1.GRPCRouteRule, path string) flaws { return c.grpcFlaws(ref, rule, path) })
	places := c.attach(ref, r.Spec.CommonRouteSpec, r.Spec.Hostnames, valid)
	index := 0
	for i, rule := range r.Spec.Rules {
		path := fmt.Sprintf("spec.rules[%d]", i)
		b := actionBuilder{c: c, route: ref, path: path, mesh: inMesh(r.Spec.ParentRefs)}
		actions := b.actions(places, func(b *actionBuilder) *routing.Action { return checked[i].settle(b.grpc(&rule)) })
		if checked[i].unmatched {
			continue
		}
		matches := rule.Matches
		if len(matches) == 0 {
			matches = []gwv1.GRPCRouteMatch{{}}
		}
		for j, m := range matches {
			at := path
			if len(rule.Matches) > 0 {
				at = fmt.Sprintf("%s.matches[%d]", path, j)
			}
			c.add(actions, routing.Rule{Match: grpcMatch(m), Precedence: grpcPrecedence(m), Origin: c.origin(ref, at), Age: age(r), Route: ref.Namespace + "/" + ref.Name, Index: index})
			index++
		}
	}
}

// hostnameShift puts the rank of hostnames above all that a kind of route counts
// in its precedence.
const hostnameShift = 32

// grpcPrecedence counts "characters in a matching service", then "characters in
// a matching method" (GRPCRouteRule.Matches).
func grpcPrecedence(m gwv1.GRPCRouteMatch) int {
	if m.Method == nil {
		return 0
	}
	return len(value(m.Method.Service, ""))<<12 + len(value(m.Method.Method, ""))
}

// streamRoute adds a TLSRoute, TCPRoute or UDPRoute: only its first rule counts
// where streams cannot be told apart (TCPRouteSpec.Rules).
func (c *compiler) streamRoute(r *streamRoute) {
	ref := refOf(r.Kind, r)
	var names []gwv1.Hostname
	if r.Kind == "TLSRoute" {
		names = r.Spec.Hostnames
	}
	checked, valid := check(r.Spec.Rules, func(rule *streamRule, path string) flaws {
		f := flaws{c: c, route: ref}
		for i := range rule.BackendRefs {
			f.weight(rule.BackendRefs[i].Weight, fmt.Sprintf("%s.backendRefs[%d]", path, i))
		}
		return f
	})
	places := c.attach(ref, r.Spec.CommonRouteSpec, names, valid)
	for i, rule := range r.Spec.Rules {
		path := fmt.Sprintf("spec.rules[%d]", i)
		b := actionBuilder{c: c, route: ref, path: path, mesh: inMesh(r.Spec.ParentRefs)}
		actions := b.actions(places, func(b *actionBuilder) *routing.Action {
			return checked[i].settle(&routing.Action{Backends: b.backends(rule.BackendRefs)})
		})
		c.add(actions, routing.Rule{Origin: c.origin(ref, path), Age: age(r), Route: ref.Namespace + "/" + ref.Name, Index: i})
	}
}

// add puts a copy of the rule into every place, with the place's action. The
// port of a redirect that names none is the listener's, so such actions differ
// by place.
func (c *compiler) add(actions []action, rule routing.Rule) {
	for _, x := range actions {
		for _, a := range x.places {
			r := rule
			r.Match.Client.Namespace = a.consumer
			r.Precedence += a.rank << hostnameShift
			r.Action = atListener(x.Action, a.place.listener)
			h := c.host(a.place, a.host, rule.Origin)
			h.Rules = append(h.Rules, &r)
		}
	}
}

// atListener settles the port of a redirect: that of the scheme if one is
// given, otherwise the listener's; ports that a scheme implies are not written
// (HTTPRequestRedirectFilter.Port).
func atListener(a *routing.Action, l *routing.Listener) *routing.Action {
	if a.Redirect == nil {
		return a
	}
	scheme := a.Redirect.Scheme
	port := a.Redirect.Port
	if scheme == "" {
		scheme = map[bool]string{true: "https", false: "http"}[l.Protocol == routing.HTTPS]
		if port == 0 {
			port = l.Port
		}
	}
	if port == 80 && scheme == "http" || port == 443 && scheme == "https" {
		port = 0
	}
	if port == a.Redirect.Port {
		return a
	}
	b, r := *a, *a.Redirect
	r.Port = port
	b.Redirect = &r
	return &b
}

package istio

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

// step is one HTTP route of a VirtualService under one of its matches, with
// names made full and delegates merged.
type step struct {
	route *networking.HTTPRoute
	match *networking.HTTPMatchRequest // nil takes every request
	http  int                          // index of the route that it comes from
	// origin is the place in the root VirtualService, also that in its delegate.
	origin routing.Origin
	also   []routing.Origin
}

// resolved returns the specification with full names of hosts and gateways
// (pilot/pkg/model/virtualservice.go, ResolveVirtualServiceShortnames).
func (c *compiler) resolved(v *virtualService) *networking.VirtualService {
	spec := proto.Clone(v.Spec).(*networking.VirtualService)
	ns := v.Namespace
	for i, h := range spec.Hosts {
		spec.Hosts[i] = strings.ToLower(c.resolveHost(h, ns))
	}
	gateways := func(list []string) {
		for i, g := range list {
			list[i] = resolveGateway(g, ns)
		}
	}
	destination := func(d *networking.Destination) {
		if d != nil {
			d.Host = c.resolveHost(d.Host, ns)
		}
	}
	gateways(spec.Gateways)
	for _, h := range spec.Http {
		for _, m := range h.Match {
			gateways(m.Gateways)
		}
		for _, r := range h.Route {
			destination(r.Destination)
		}
		destination(h.Mirror)
		for _, m := range h.Mirrors {
			destination(m.Destination)
		}
	}
	for _, t := range spec.Tls {
		for _, m := range t.Match {
			gateways(m.Gateways)
		}
		for _, r := range t.Route {
			destination(r.Destination)
		}
	}
	for _, t := range spec.Tcp {
		for _, m := range t.Match {
			gateways(m.Gateways)
		}
		for _, r := range t.Route {
			destination(r.Destination)
		}
	}
	return spec
}

// steps flattens the HTTP routes of a root VirtualService. A delegate that is
// missing or not exported to the root takes its route along
// (pilot/pkg/model/virtualservice_controller.go, mergeVirtualServices).
func (c *compiler) steps(v *virtualService, spec *networking.VirtualService) []step {
	var out []step
	for i, h := range spec.Http {
		at := fmt.Sprintf("spec.http[%d]", i)
		if h.Delegate == nil {
			out = append(out, c.ownSteps(v, h, i, at)...)
			continue
		}
		ns := h.Delegate.Namespace
		if ns == "" {
			ns = v.Namespace
		}
		d := c.delegates[ns+"/"+h.Delegate.Name]
		switch {
		case d == nil:
			c.find(Finding{Object: v.Object, Kind: Unresolved, Path: at + ".delegate", Message: "the delegate " + ns + "/" + h.Delegate.Name + " is not in the input (a delegate has no hosts): this route takes no requests", Remedy: "give the delegate along, or remove the route"})
			continue
		case !exports(d.Spec.ExportTo, d.Namespace, v.Namespace):
			c.find(Finding{Object: v.Object, Kind: Inert, Path: at + ".delegate", Message: "the delegate " + d.id() + " is not exported to the namespace " + v.Namespace + ": this route takes no requests"})
			continue
		}
		c.delegated[d.Object] = append(c.delegated[d.Object], v)
		out = append(out, c.delegateSteps(v, h, i, at, d)...)
	}
	return out
}

func (c *compiler) ownSteps(v *virtualService, h *networking.HTTPRoute, i int, at string) []step {
	if len(h.Match) == 0 {
		return []step{{route: h, http: i, origin: c.origin(v.Object, at)}}
	}
	out := make([]step, len(h.Match))
	for j, m := range h.Match {
		out[j] = step{route: h, match: m, http: i, origin: c.origin(v.Object, fmt.Sprintf("%s.match[%d]", at, j))}
	}
	return out
}

// delegateSteps merges a root's route with those of its delegate. A delegate's
// route of which some match fits none of the root's is left out as a whole; a
// delegate's own settings win over the root's
// (pilot/pkg/model/virtualservice.go, MergeHTTPRoutes).
func (c *compiler) delegateSteps(v *virtualService, root *networking.HTTPRoute, i int, at string, d *virtualService) []step {
	var out []step
	spec := c.resolved(d)
	for k, leaf := range spec.Http {
		leafAt := fmt.Sprintf("spec.http[%d]", k)
		merged := mergeRoutes(root, leaf)
		matches, conflict := c.mergeMatches(v, root, at, d, leaf, leafAt)
		if conflict {
			c.find(Finding{Object: d.Object, Kind: Inert, Path: leafAt, Message: "its matches are not within those of " + v.id() + " " + at + ", so that this route takes no requests from there"})
			continue
		}
		for _, m := range matches {
			// Each route of a delegate is a route of its own after the merge.
			m.route, m.http = merged, i*len(spec.Http)+k+1<<20
			out = append(out, m)
		}
	}
	return out
}

// mergeMatches joins each match of the delegate with every match of the root
// that it is within; conflict when one is within none.
func (c *compiler) mergeMatches(v *virtualService, root *networking.HTTPRoute, at string, d *virtualService, leaf *networking.HTTPRoute, leafAt string) (out []step, conflict bool) {
	where := func(base string, list []*networking.HTTPMatchRequest, j int) string {
		if len(list) == 0 {
			return base
		}
		return fmt.Sprintf("%s.match[%d]", base, j)
	}
	one := func(m *networking.HTTPMatchRequest, i, j int) step {
		return step{match: m, origin: c.origin(v.Object, where(at, root.Match, i)), also: []routing.Origin{c.origin(d.Object, where(leafAt, leaf.Match, j))}}
	}
	switch {
	case len(root.Match)+len(leaf.Match) == 0:
		return []step{one(nil, 0, 0)}, false
	case len(root.Match) == 0:
		for j, m := range leaf.Match {
			out = append(out, one(m, 0, j))
		}
		return out, false
	case len(leaf.Match) == 0:
		for i, m := range root.Match {
			out = append(out, one(m, i, 0))
		}
		return out, false
	}
	for j, lm := range leaf.Match {
		found := false
		for i, rm := range root.Match {
			if !matchesConflict(rm, lm) {
				found = true
				out = append(out, one(mergeMatch(rm, lm), i, j))
			}
		}
		if !found {
			return nil, true
		}
	}
	return out, false
}

// mergeRoutes gives a delegate's route what it leaves to the root
// (pilot/pkg/model/virtualservice.go, mergeHTTPRoute).
func mergeRoutes(root, leaf *networking.HTTPRoute) *networking.HTTPRoute {
	m := proto.Clone(leaf).(*networking.HTTPRoute)
	set := func(empty bool, copy func()) {
		if empty {
			copy()
		}
	}
	set(m.Rewrite == nil, func() { m.Rewrite = root.Rewrite })
	set(m.DirectResponse == nil, func() { m.DirectResponse = root.DirectResponse })
	set(m.Timeout == nil, func() { m.Timeout = root.Timeout })
	set(m.Retries == nil, func() { m.Retries = root.Retries })
	set(m.Fault == nil, func() { m.Fault = root.Fault })
	set(m.Mirror == nil, func() { m.Mirror = root.Mirror })
	set(m.MirrorPercent == nil, func() { m.MirrorPercent = root.MirrorPercent }) //nolint:staticcheck // still served
	set(m.MirrorPercentage == nil, func() { m.MirrorPercentage = root.MirrorPercentage })
	set(m.CorsPolicy == nil, func() { m.CorsPolicy = root.CorsPolicy })
	set(m.Mirrors == nil, func() { m.Mirrors = root.Mirrors })
	set(m.Headers == nil, func() { m.Headers = root.Headers })
	return m
}

// mergeMatch is a delegate's match with what it leaves to the root's
// (mergeHTTPMatchRequest); whether case counts is the delegate's alone.
func mergeMatch(root, leaf *networking.HTTPMatchRequest) *networking.HTTPMatchRequest {
	m := proto.Clone(leaf).(*networking.HTTPMatchRequest)
	for _, x := range []struct{ to, from **networking.StringMatch }{{&m.Uri, &root.Uri}, {&m.Scheme, &root.Scheme}, {&m.Method, &root.Method}, {&m.Authority, &root.Authority}} {
		if *x.to == nil {
			*x.to = *x.from
		}
	}
	m.Headers, m.WithoutHeaders, m.QueryParams = joined(root.Headers, leaf.Headers), joined(root.WithoutHeaders, leaf.WithoutHeaders), joined(root.QueryParams, leaf.QueryParams)
	m.SourceLabels = joined(root.SourceLabels, leaf.SourceLabels)
	if m.Port == 0 {
		m.Port = root.Port
	}
	if m.SourceNamespace == "" {
		m.SourceNamespace = root.SourceNamespace
	}
	if len(m.Gateways) == 0 {
		m.Gateways = root.Gateways
	}
	return m
}

func joined[V any](a, b map[string]V) map[string]V {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := make(map[string]V, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}

// matchesConflict reports whether a delegate's match reaches beyond the root's
// (hasConflict in pilot/pkg/model/virtualservice.go).
func matchesConflict(root, leaf *networking.HTTPMatchRequest) bool {
	if stringsConflict(root.Uri, leaf.Uri) || stringsConflict(root.Scheme, leaf.Scheme) || stringsConflict(root.Method, leaf.Method) || stringsConflict(root.Authority, leaf.Authority) {
		return true
	}
	for _, x := range []struct {
		root, leaf map[string]*networking.StringMatch
	}{{root.Headers, leaf.Headers}, {root.WithoutHeaders, leaf.WithoutHeaders}, {root.QueryParams, leaf.QueryParams}} {
		for k, m := range x.leaf {
			if stringsConflict(x.root[k], m) {
				return true
			}
		}
	}
	if root.IgnoreUriCase != leaf.IgnoreUriCase || root.Port > 0 && leaf.Port > 0 && root.Port != leaf.Port || root.SourceNamespace != "" && leaf.SourceNamespace != root.SourceNamespace {
		return true
	}
	for k, v := range leaf.SourceLabels {
		if have, ok := root.SourceLabels[k]; ok && have != v {
			return true
		}
	}
	if len(root.Gateways) > 0 {
		for _, g := range leaf.Gateways {
			if !slices.Contains(root.Gateways, g) {
				return true
			}
		}
		return len(root.Gateways) < len(leaf.Gateways)
	}
	return false
}

// stringsConflict reports whether a delegate's condition is not within the
// root's; a regular expression is within nothing (stringMatchConflict).
func stringsConflict(root, leaf *networking.StringMatch) bool {
	switch {
	case root == nil || leaf == nil:
		return false
	case root.GetRegex() != "" && (leaf.GetRegex() != "" || leaf.GetPrefix() != "" || leaf.GetExact() != ""),
		leaf.GetRegex() != "" && (root.GetPrefix() != "" || root.GetExact() != ""):
		return true
	case root.GetExact() != "":
		return leaf.GetPrefix() != "" || leaf.GetExact() != root.GetExact()
	case root.GetPrefix() != "":
		if p := leaf.GetPrefix(); p != "" {
			return !strings.HasPrefix(p, root.GetPrefix())
		}
		if e := leaf.GetExact(); e != "" {
			return !strings.HasPrefix(e, root.GetPrefix())
		}
	}
	return true
}

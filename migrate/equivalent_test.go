package migrate_test

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// rewrites lists edits that leave the routing as it is, by the words of the
// specification.
func rewrites(objs []client.Object) []change {
	var out []change
	whole := func(name string, f func([]client.Object) ([]client.Object, bool)) {
		out = append(out, change{name, f})
	}
	whole("objects in reverse", func(objs []client.Object) ([]client.Object, bool) { slices.Reverse(objs); return objs, true })
	whole("other listener names", renameSections)
	for i, o := range objs {
		at := func(name string, f func(client.Object) bool) {
			whole(fmt.Sprintf("%s: %s %s/%s", name, o.GetObjectKind().GroupVersionKind().Kind, o.GetNamespace(), o.GetName()),
				func(objs []client.Object) ([]client.Object, bool) { return objs, f(objs[i]) })
		}
		switch x := o.(type) {
		case *gwv1.Gateway:
			at("listeners in reverse", func(o client.Object) bool {
				slices.Reverse(o.(*gwv1.Gateway).Spec.Listeners)
				return len(x.Spec.Listeners) > 1
			})
		case *gwv1.ReferenceGrant:
			at("grant to all of the kind", func(o client.Object) bool {
				g := o.(*gwv1.ReferenceGrant)
				g.Spec.To[0].Name = nil
				return true
			})
			at("grant from one namespace more", func(o client.Object) bool {
				g := o.(*gwv1.ReferenceGrant)
				more := g.Spec.From[0]
				more.Namespace = "unrelated"
				g.Spec.From = append(g.Spec.From, more)
				return true
			})
		case *gwv1.HTTPRoute:
			routeRewrites(i, x, at, whole)
		}
	}
	return out
}

func routeRewrites(i int, x *gwv1.HTTPRoute, at func(string, func(client.Object) bool), whole func(string, func([]client.Object) ([]client.Object, bool))) {
	route := func(name string, f func(*gwv1.HTTPRoute) bool) {
		at(name, func(o client.Object) bool { return f(o.(*gwv1.HTTPRoute)) })
	}
	route("hostnames in reverse", func(r *gwv1.HTTPRoute) bool { slices.Reverse(r.Spec.Hostnames); return len(r.Spec.Hostnames) > 1 })
	route("parents in reverse", func(r *gwv1.HTTPRoute) bool { slices.Reverse(r.Spec.ParentRefs); return len(r.Spec.ParentRefs) > 1 })
	route("a parent twice", func(r *gwv1.HTTPRoute) bool {
		r.Spec.ParentRefs = append(r.Spec.ParentRefs, r.Spec.ParentRefs[0])
		return true
	})
	route("names of headers in capitals", func(r *gwv1.HTTPRoute) bool {
		done := false
		for i := range r.Spec.Rules {
			for j := range r.Spec.Rules[i].Matches {
				for k := range r.Spec.Rules[i].Matches[j].Headers {
					h := &r.Spec.Rules[i].Matches[j].Headers[k]
					h.Name, done = gwv1.HTTPHeaderName(strings.ToUpper(string(h.Name))), true
				}
			}
		}
		return done
	})
	route("weights doubled", func(r *gwv1.HTTPRoute) bool {
		done := false
		for i := range r.Spec.Rules {
			for j := range r.Spec.Rules[i].BackendRefs {
				b := &r.Spec.Rules[i].BackendRefs[j]
				w := int32(1)
				if b.Weight != nil {
					w = *b.Weight
				}
				b.Weight, done = ptr(2*w), true
			}
		}
		return done
	})
	route("backends in reverse", func(r *gwv1.HTTPRoute) bool {
		done := false
		for i := range r.Spec.Rules {
			slices.Reverse(r.Spec.Rules[i].BackendRefs)
			done = done || len(r.Spec.Rules[i].BackendRefs) > 1
		}
		return done
	})
	route("prefixes with a slash at the end", func(r *gwv1.HTTPRoute) bool {
		done := false
		for i := range r.Spec.Rules {
			for j := range r.Spec.Rules[i].Matches {
				if p := r.Spec.Rules[i].Matches[j].Path; p != nil && *p.Type == gwv1.PathMatchPathPrefix && !strings.HasSuffix(*p.Value, "/") {
					p.Value, done = ptr(*p.Value+"/"), true
				}
			}
		}
		return done
	})
	route("a prefix and its exact path", func(r *gwv1.HTTPRoute) bool {
		for i := range r.Spec.Rules {
			rule := &r.Spec.Rules[i]
			for _, m := range rule.Matches {
				if p := m.Path; p != nil && *p.Type == gwv1.PathMatchPathPrefix && *p.Value != "/" && free(r) && len(m.Headers) == 0 && m.Method == nil {
					m.Path = &gwv1.HTTPPathMatch{Type: ptr(gwv1.PathMatchExact), Value: ptr(strings.TrimSuffix(*p.Value, "/"))}
					if !rewritesPrefix(rule) && !hasMore(r) {
						rule.Matches = append(rule.Matches, m)
						return true
					}
				}
			}
		}
		return false
	})
	if !free(x) {
		return // names and order decide between equal matches
	}
	route("rules in reverse", func(r *gwv1.HTTPRoute) bool { slices.Reverse(r.Spec.Rules); return len(r.Spec.Rules) > 1 })
	route("a rule for each match", func(r *gwv1.HTTPRoute) bool {
		var rules []gwv1.HTTPRouteRule
		for _, rule := range r.Spec.Rules {
			for _, m := range rule.Matches {
				one := *rule.DeepCopy()
				one.Matches = []gwv1.HTTPRouteMatch{m}
				rules = append(rules, one)
			}
		}
		done := len(rules) > len(r.Spec.Rules)
		r.Spec.Rules = rules
		return done
	})
	whole("split "+x.Namespace+"/"+x.Name+" by rules", func(objs []client.Object) ([]client.Object, bool) {
		r := objs[i].(*gwv1.HTTPRoute)
		if len(r.Spec.Rules) < 2 {
			return objs, false
		}
		second := r.DeepCopy()
		second.Name += "-2"
		r.Spec.Rules, second.Spec.Rules = r.Spec.Rules[:1], second.Spec.Rules[1:]
		return append(objs, second), alone(objs, r)
	})
	whole("split "+x.Namespace+"/"+x.Name+" by hostnames", func(objs []client.Object) ([]client.Object, bool) {
		r := objs[i].(*gwv1.HTTPRoute)
		if len(r.Spec.Hostnames) < 2 {
			return objs, false
		}
		second := r.DeepCopy()
		second.Name += "-2"
		ok := alone(objs, r)
		r.Spec.Hostnames, second.Spec.Hostnames = r.Spec.Hostnames[:1], second.Spec.Hostnames[1:]
		return append(objs, second), ok
	})
	whole("rename "+x.Namespace+"/"+x.Name, func(objs []client.Object) ([]client.Object, bool) {
		r := objs[i].(*gwv1.HTTPRoute)
		r.Name = "zz-renamed"
		return objs, alone(objs, r)
	})
}

// renameSections gives every listener another name, and tells the routes.
func renameSections(objs []client.Object) ([]client.Object, bool) {
	for _, o := range objs {
		switch x := o.(type) {
		case *gwv1.Gateway:
			for i := range x.Spec.Listeners {
				x.Spec.Listeners[i].Name = "r-" + x.Spec.Listeners[i].Name
			}
		case *gwv1.ListenerSet:
			for i := range x.Spec.Listeners {
				x.Spec.Listeners[i].Name = "r-" + x.Spec.Listeners[i].Name
			}
		case *gwv1.HTTPRoute:
			renameParents(x.Spec.ParentRefs)
		case *gwv1.GRPCRoute:
			renameParents(x.Spec.ParentRefs)
		default:
			if kind := o.GetObjectKind().GroupVersionKind().Kind; kind == "TLSRoute" || kind == "TCPRoute" || kind == "UDPRoute" {
				return objs, false
			}
		}
	}
	return objs, true
}

func renameParents(refs []gwv1.ParentReference) {
	for i := range refs {
		if refs[i].SectionName != nil {
			refs[i].SectionName = ptr("r-" + *refs[i].SectionName)
		}
	}
}

// free reports whether no two matches of a route are of the same rank, so that
// neither names nor positions decide.
func free(r *gwv1.HTTPRoute) bool {
	seen := map[string]bool{}
	for _, rule := range r.Spec.Rules {
		for _, m := range rule.Matches {
			path, kind := "/", gwv1.PathMatchPathPrefix
			if m.Path != nil {
				path, kind = *m.Path.Value, *m.Path.Type
			}
			if kind != gwv1.PathMatchExact {
				path = fmt.Sprint(len(strings.TrimSuffix(path, "/")))
			}
			key := fmt.Sprint(kind, path, m.Method != nil, len(m.Headers), len(m.QueryParams))
			if seen[key] {
				return false
			}
			seen[key] = true
		}
	}
	return true
}

// alone reports whether no other route has one of the route's hostnames.
func alone(objs []client.Object, r *gwv1.HTTPRoute) bool {
	for _, o := range objs {
		other, ok := o.(*gwv1.HTTPRoute)
		if !ok || other == r {
			continue
		}
		for _, h := range other.Spec.Hostnames {
			if slices.Contains(r.Spec.Hostnames, h) {
				return false
			}
		}
		if len(other.Spec.Hostnames) == 0 || len(r.Spec.Hostnames) == 0 {
			return false
		}
	}
	return true
}

func rewritesPrefix(r *gwv1.HTTPRouteRule) bool {
	return slices.ContainsFunc(r.Filters, func(f gwv1.HTTPRouteFilter) bool {
		return f.URLRewrite != nil && f.URLRewrite.Path != nil || f.RequestRedirect != nil && f.RequestRedirect.Path != nil
	})
}

// hasMore reports whether an exact path would take requests from other matches.
func hasMore(r *gwv1.HTTPRoute) bool {
	for _, rule := range r.Spec.Rules {
		for _, m := range rule.Matches {
			if m.Path != nil && *m.Path.Type != gwv1.PathMatchPathPrefix || len(m.Headers)+len(m.QueryParams) > 0 || m.Method != nil {
				return true
			}
		}
	}
	return false
}

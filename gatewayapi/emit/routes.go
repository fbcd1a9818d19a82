package emit

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// writeRoutes writes the routes of every virtual host, named after the objects
// that their rules come from.
func (e *emitter) writeRoutes() {
	type key struct {
		owner routing.ObjectRef
		names string
	}
	all := make([][]*bucket, len(e.vhosts))
	hosts := map[routing.ObjectRef]int{}
	twice := map[key]int{}
	for i, v := range e.vhosts {
		all[i] = e.buckets(v)
		id := v.id()
		for _, b := range all[i] {
			k := key{b.owner, id}
			if twice[k] == 0 {
				hosts[b.owner]++
			}
			twice[k]++
		}
	}
	for i, v := range e.vhosts {
		id := v.id()
		grpc := e.allGRPC(v)
		for _, b := range all[i] {
			if len(v.refs[b.namespace]) == 0 {
				continue // nothing listens: noted with the listener
			}
			base := b.owner.Name
			if !validObjectName(base) {
				base = slug(b.owner.Kind + " " + b.owner.Name)
			}
			if hosts[b.owner] > 1 {
				base += "-" + slug(v.label())
			}
			if twice[key{b.owner, id}] > 1 && v.http {
				base += map[bool]string{true: "-redirect", false: "-http"}[redirectsOnly(b.entries)]
			}
			e.writeBucket(v, b, base, id, grpc)
		}
	}
}

func redirectsOnly(es []*entry) bool {
	for _, en := range es {
		if en.rule.Action.Redirect == nil {
			return false
		}
	}
	return true
}

func (e *emitter) writeBucket(v *vhost, b *bucket, base, id string, grpc bool) {
	kind := "HTTPRoute"
	if grpc {
		kind = "GRPCRoute"
	}
	routes := e.pack(b)
	for i, p := range routes {
		name := base
		if i > 0 {
			name = fmt.Sprintf("%s-%02d", base, i+1)
			if len(routes) > 99 {
				name = fmt.Sprintf("%s-%04d", base, i+1)
			}
		}
		identity := b.owner.String() + "|" + id + "|" + name
		name = e.names.take(kind, b.namespace, fit(name, identity, maxRouteName), identity)
		meta := metav1.ObjectMeta{Namespace: b.namespace, Name: name}
		e.routeMeta(&meta, b.owner)
		var hostnames []gwv1.Hostname
		for _, n := range v.names {
			hostnames = append(hostnames, gwv1.Hostname(n))
		}
		common := gwv1.CommonRouteSpec{ParentRefs: parentRefs(b.namespace, v.refs[b.namespace])}
		if grpc {
			r := &gwv1.GRPCRoute{TypeMeta: typeMeta(kind, "v1"), ObjectMeta: meta, Spec: gwv1.GRPCRouteSpec{CommonRouteSpec: common, Hostnames: hostnames}}
			for _, es := range p.rules {
				r.Spec.Rules = append(r.Spec.Rules, e.grpcRule(b.namespace, es))
			}
			e.objects = append(e.objects, r)
		} else {
			r := &gwv1.HTTPRoute{TypeMeta: typeMeta(kind, "v1"), ObjectMeta: meta, Spec: gwv1.HTTPRouteSpec{CommonRouteSpec: common, Hostnames: hostnames}}
			for _, es := range p.rules {
				r.Spec.Rules = append(r.Spec.Rules, e.httpRule(b.namespace, es))
			}
			e.objects = append(e.objects, r)
		}
		for j, es := range p.rules {
			for k, en := range es {
				t := Target{Kind: kind, Namespace: b.namespace, Name: name, Path: fmt.Sprintf("spec.rules[%d].matches[%d]", j, k)}
				e.place(en.rule, t)
			}
		}
	}
}

// parentRefs names the listeners; HTTPS only or HTTP only rules must not attach
// to the other listener, so the section is always named, or the port where the
// sections of a Gateway are not known.
func parentRefs(namespace string, as []attachment) []gwv1.ParentReference {
	var out []gwv1.ParentReference
	seen := map[string]bool{}
	ports := commonPorts(as)
	for _, a := range as {
		p := a.parent
		section := ""
		if p.sections {
			section = a.name
		}
		port := gwv1.PortNumber(0)
		switch {
		case p.kind == "Service":
			port = gwv1.PortNumber(a.port)
		case p.kind == "Gateway" && !p.sections:
			port = gwv1.PortNumber(ports[p])
		}
		k := fmt.Sprintf("%s/%s/%s/%s/%d", p.kind, p.namespace, p.name, section, port)
		if seen[k] || len(out) == gatewayapi.MaxParentRefs {
			continue
		}
		seen[k] = true
		ref := gwv1.ParentReference{Name: gwv1.ObjectName(p.name)}
		switch p.kind {
		case "Gateway":
		case "Service":
			g, kind := gwv1.Group(""), gwv1.Kind("Service")
			ref.Group, ref.Kind = &g, &kind
		default:
			g, kind := gwv1.Group(gwv1.GroupName), gwv1.Kind(p.kind)
			ref.Group, ref.Kind = &g, &kind
		}
		if p.namespace != namespace {
			ns := gwv1.Namespace(p.namespace)
			ref.Namespace = &ns
		}
		if port != 0 {
			ref.Port = &port
		}
		if section != "" {
			s := gwv1.SectionName(section)
			ref.SectionName = &s
		}
		out = append(out, ref)
	}
	return out
}

// commonPorts are the ports that all listeners of a parent have to which a route
// attaches. A parent with several ports has 0, and the route attaches to it as a
// whole: the standard channel tells references to one parent apart by section
// only.
func commonPorts(as []attachment) map[*parent]int {
	out := map[*parent]int{}
	for _, a := range as {
		if port, seen := out[a.parent]; seen && port != a.port {
			out[a.parent] = 0
		} else {
			out[a.parent] = a.port
		}
	}
	return out
}

func (e *emitter) httpRule(namespace string, es []*entry) gwv1.HTTPRouteRule {
	var r gwv1.HTTPRouteRule
	for _, en := range es {
		r.Matches = append(r.Matches, httpMatch(en))
	}
	if es[0].closed {
		return r
	}
	o := es[0].out
	if o.auth != nil {
		r.Filters = append(r.Filters, e.authFilter(namespace, o.auth))
	}
	r.Filters = append(r.Filters, o.filters...)
	for i := range o.mirrors {
		m := &o.mirrors[i]
		f := &gwv1.HTTPRequestMirrorFilter{BackendRef: e.objectRef("HTTPRoute", namespace, &m.Backend)}
		f.Percent, f.Fraction = mirrorShare(m.Percent)
		r.Filters = append(r.Filters, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterRequestMirror, RequestMirror: f})
	}
	for i, ref := range e.backendRefs("HTTPRoute", namespace, o.backends) {
		r.BackendRefs = append(r.BackendRefs, gwv1.HTTPBackendRef{BackendRef: ref, Filters: o.backendFilters[i]})
	}
	r.Timeouts, r.Retry, r.SessionPersistence = o.timeouts, o.retry, o.session
	return r
}

func (e *emitter) authFilter(namespace string, a *externalAuth) gwv1.HTTPRouteFilter {
	return gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterExternalAuth, ExternalAuth: &gwv1.HTTPExternalAuthFilter{
		ExternalAuthProtocol: gwv1.HTTPRouteExternalAuthHTTPProtocol,
		BackendRef:           e.objectRef("HTTPRoute", namespace, &routing.Backend{Namespace: a.namespace, Name: a.name, Port: a.port}),
		HTTPAuthConfig:       &gwv1.HTTPAuthConfig{Path: a.path, AllowedRequestHeaders: []string{"Cookie"}, AllowedResponseHeaders: a.headers},
	}}
}

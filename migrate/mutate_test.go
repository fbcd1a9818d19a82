package migrate_test

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// change is one edit of a set of objects; it returns false where it does not
// apply. The objects are a copy that it may alter.
type change struct {
	name string
	do   func(objs []client.Object) ([]client.Object, bool)
}

func deepCopy(objs []client.Object) []client.Object {
	out := make([]client.Object, len(objs))
	for i, o := range objs {
		out[i] = o.DeepCopyObject().(client.Object)
	}
	return out
}

func ptr[T any](x T) *T { return &x }

// mutations lists every place where each kind of mistake can be made.
func mutations(objs []client.Object) []change {
	var out []change
	at := func(i int, kind string, f func(client.Object) bool) {
		out = append(out, change{fmt.Sprintf("%s in %s %s/%s", kind, objs[i].GetObjectKind().GroupVersionKind().Kind, objs[i].GetNamespace(), objs[i].GetName()),
			func(objs []client.Object) ([]client.Object, bool) { return objs, f(objs[i]) }})
	}
	for i, o := range objs {
		kind := o.GetObjectKind().GroupVersionKind().Kind
		out = append(out, change{fmt.Sprintf("drop %s %s/%s", kind, o.GetNamespace(), o.GetName()),
			func(objs []client.Object) ([]client.Object, bool) { return slices.Delete(objs, i, i+1), true }})
		switch x := o.(type) {
		case *gwv1.HTTPRoute:
			hostMutations(i, x.Spec.Hostnames, func(o client.Object) *[]gwv1.Hostname { return &o.(*gwv1.HTTPRoute).Spec.Hostnames }, at)
			for r := range x.Spec.Rules {
				ruleMutations(i, r, &x.Spec.Rules[r], at)
			}
			at(i, "no rule 0", func(o client.Object) bool {
				h := o.(*gwv1.HTTPRoute)
				h.Spec.Rules = h.Spec.Rules[1:]
				return true
			})
			for p := range x.Spec.ParentRefs {
				at(i, "other section", func(o client.Object) bool {
					o.(*gwv1.HTTPRoute).Spec.ParentRefs[p].SectionName = ptr(gwv1.SectionName("elsewhere"))
					return true
				})
			}
		case *gwv1.GRPCRoute:
			hostMutations(i, x.Spec.Hostnames, func(o client.Object) *[]gwv1.Hostname { return &o.(*gwv1.GRPCRoute).Spec.Hostnames }, at)
			for r, rule := range x.Spec.Rules {
				if len(rule.BackendRefs) > 0 {
					at(i, "other gRPC backend", func(o client.Object) bool {
						o.(*gwv1.GRPCRoute).Spec.Rules[r].BackendRefs[0].Name = "mutant"
						return true
					})
				}
			}
		case *gwv1.Gateway:
			for l := range x.Spec.Listeners {
				at(i, "other listener port", func(o client.Object) bool { o.(*gwv1.Gateway).Spec.Listeners[l].Port += 1000; return true })
				at(i, "other listener hostname", func(o client.Object) bool {
					o.(*gwv1.Gateway).Spec.Listeners[l].Hostname = ptr(gwv1.Hostname("mutant.example"))
					return true
				})
				at(i, "no listener", func(o client.Object) bool {
					g := o.(*gwv1.Gateway)
					g.Spec.Listeners = slices.Delete(g.Spec.Listeners, l, l+1)
					return true
				})
				at(i, "routes of another namespace only", func(o client.Object) bool {
					o.(*gwv1.Gateway).Spec.Listeners[l].AllowedRoutes = &gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: ptr(gwv1.NamespacesFromSelector), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "mutant"}}}}
					return true
				})
			}
		case *gwv1.ListenerSet:
			at(i, "other parent", func(o client.Object) bool { o.(*gwv1.ListenerSet).Spec.ParentRef.Name = "mutant"; return true })
		case *gwv1.ReferenceGrant:
			for n := range x.Spec.To {
				at(i, "grant to another", func(o client.Object) bool {
					o.(*gwv1.ReferenceGrant).Spec.To[n].Name = ptr(gwv1.ObjectName("mutant"))
					return true
				})
			}
			at(i, "grant from another", func(o client.Object) bool { o.(*gwv1.ReferenceGrant).Spec.From[0].Namespace = "mutant"; return true })
		case *gwv1.BackendTLSPolicy:
			at(i, "other TLS name", func(o client.Object) bool {
				o.(*gwv1.BackendTLSPolicy).Spec.Validation.Hostname = "mutant.example"
				return true
			})
		}
	}
	return out
}

type site func(i int, kind string, f func(client.Object) bool)

func hostMutations(i int, names []gwv1.Hostname, of func(client.Object) *[]gwv1.Hostname, at site) {
	for n := range names {
		at(i, "other hostname", func(o client.Object) bool { (*of(o))[n] = "mutant.example.com"; return true })
		if len(names) > 1 {
			at(i, "no hostname", func(o client.Object) bool { *of(o) = slices.Delete(*of(o), n, n+1); return true })
		}
	}
}

func ruleMutations(i, r int, rule *gwv1.HTTPRouteRule, at site) {
	edit := func(kind string, f func(*gwv1.HTTPRouteRule)) {
		at(i, kind, func(o client.Object) bool { f(&o.(*gwv1.HTTPRoute).Spec.Rules[r]); return true })
	}
	for b, ref := range rule.BackendRefs {
		edit("other backend", func(x *gwv1.HTTPRouteRule) { x.BackendRefs[b].Name = "mutant" })
		edit("other backend port", func(x *gwv1.HTTPRouteRule) { *x.BackendRefs[b].Port++ })
		edit("no backend", func(x *gwv1.HTTPRouteRule) { x.BackendRefs = slices.Delete(x.BackendRefs, b, b+1) })
		if len(rule.BackendRefs) > 1 {
			edit("other weight", func(x *gwv1.HTTPRouteRule) {
				w := int32(1)
				if ref.Weight != nil {
					w = *ref.Weight
				}
				x.BackendRefs[b].Weight = ptr(w + 7)
			})
		}
	}
	if len(rule.BackendRefs) == 0 && len(rule.Filters) == 0 {
		edit("a backend for a closed rule", func(x *gwv1.HTTPRouteRule) {
			x.BackendRefs = []gwv1.HTTPBackendRef{{BackendRef: gwv1.BackendRef{BackendObjectReference: gwv1.BackendObjectReference{Name: "mutant", Port: ptr(gwv1.PortNumber(80))}}}}
		})
	}
	if rule.Timeouts != nil {
		edit("no timeouts", func(x *gwv1.HTTPRouteRule) { x.Timeouts = nil })
		edit("other timeouts", func(x *gwv1.HTTPRouteRule) { x.Timeouts = &gwv1.HTTPRouteTimeouts{Request: ptr(gwv1.Duration("7s"))} })
	}
	if rule.Retry != nil {
		edit("no retry", func(x *gwv1.HTTPRouteRule) { x.Retry = nil })
	}
	if rule.SessionPersistence != nil {
		edit("no session persistence", func(x *gwv1.HTTPRouteRule) { x.SessionPersistence = nil })
	}
	for m := range rule.Matches {
		matchMutations(m, &rule.Matches[m], len(rule.Matches), edit)
	}
	for f := range rule.Filters {
		filterMutations(f, &rule.Filters[f], edit)
	}
}

type editRule func(kind string, f func(*gwv1.HTTPRouteRule))

func matchMutations(m int, match *gwv1.HTTPRouteMatch, of int, edit editRule) {
	in := func(kind string, f func(*gwv1.HTTPRouteMatch)) {
		edit(kind, func(x *gwv1.HTTPRouteRule) { f(&x.Matches[m]) })
	}
	if of > 1 {
		edit("no match", func(x *gwv1.HTTPRouteRule) { x.Matches = slices.Delete(x.Matches, m, m+1) })
	}
	if p := match.Path; p != nil && p.Value != nil {
		switch *p.Type {
		case gwv1.PathMatchExact:
			in("exact to prefix", func(x *gwv1.HTTPRouteMatch) { x.Path.Type = ptr(gwv1.PathMatchPathPrefix) })
		case gwv1.PathMatchPathPrefix:
			in("prefix to exact", func(x *gwv1.HTTPRouteMatch) { x.Path.Type = ptr(gwv1.PathMatchExact) })
		case gwv1.PathMatchRegularExpression:
			in("wider expression", func(x *gwv1.HTTPRouteMatch) { *x.Path.Value = "(?:" + *x.Path.Value + ")|/mutant" })
			in("narrower expression", func(x *gwv1.HTTPRouteMatch) { *x.Path.Value = "/mutant" + *x.Path.Value })
		}
		if *p.Type != gwv1.PathMatchRegularExpression {
			in("longer path", func(x *gwv1.HTTPRouteMatch) { *x.Path.Value = strings.TrimSuffix(*x.Path.Value, "/") + "/mutant" })
			if len(strings.Trim(*p.Value, "/")) > 1 {
				in("shorter path", func(x *gwv1.HTTPRouteMatch) { *x.Path.Value = (*x.Path.Value)[:len(*x.Path.Value)-1] })
				in("path of the parent", func(x *gwv1.HTTPRouteMatch) {
					v := strings.TrimSuffix(*x.Path.Value, "/")
					*x.Path.Value = v[:strings.LastIndexByte(v, '/')+1]
				})
				in("path in capitals", func(x *gwv1.HTTPRouteMatch) { *x.Path.Value = strings.ToUpper(*x.Path.Value) })
			}
		}
	}
	if match.Method == nil {
		in("GET only", func(x *gwv1.HTTPRouteMatch) { x.Method = ptr(gwv1.HTTPMethodGet) })
		in("POST only", func(x *gwv1.HTTPRouteMatch) { x.Method = ptr(gwv1.HTTPMethodPost) })
	} else {
		in("any method", func(x *gwv1.HTTPRouteMatch) { x.Method = nil })
	}
	for h, header := range match.Headers {
		in("no header match", func(x *gwv1.HTTPRouteMatch) { x.Headers = slices.Delete(x.Headers, h, h+1) })
		in("other header", func(x *gwv1.HTTPRouteMatch) { x.Headers[h].Name = "X-Mutant" })
		in("other header value", func(x *gwv1.HTTPRouteMatch) { x.Headers[h].Value += "x" })
		if header.Type == nil || *header.Type == gwv1.HeaderMatchExact {
			in("header value as an expression", func(x *gwv1.HTTPRouteMatch) {
				x.Headers[h].Type = ptr(gwv1.HeaderMatchRegularExpression)
				x.Headers[h].Value += ".*"
			})
		}
	}
	in("one header more", func(x *gwv1.HTTPRouteMatch) {
		x.Headers = append(x.Headers, gwv1.HTTPHeaderMatch{Type: ptr(gwv1.HeaderMatchExact), Name: "X-Mutant", Value: "1"})
	})
	in("one query parameter more", func(x *gwv1.HTTPRouteMatch) {
		x.QueryParams = append(x.QueryParams, gwv1.HTTPQueryParamMatch{Type: ptr(gwv1.QueryParamMatchExact), Name: "mutant", Value: "1"})
	})
}

func filterMutations(n int, f *gwv1.HTTPRouteFilter, edit editRule) {
	edit("no filter "+string(f.Type), func(x *gwv1.HTTPRouteRule) { x.Filters = slices.Delete(x.Filters, n, n+1) })
	in := func(kind string, g func(*gwv1.HTTPRouteFilter)) {
		edit(kind, func(x *gwv1.HTTPRouteRule) { g(&x.Filters[n]) })
	}
	switch {
	case f.RequestRedirect != nil:
		in("other redirect code", func(x *gwv1.HTTPRouteFilter) {
			code := 301
			if x.RequestRedirect.StatusCode != nil && *x.RequestRedirect.StatusCode == 301 {
				code = 302
			}
			x.RequestRedirect.StatusCode = &code
		})
		in("other redirect host", func(x *gwv1.HTTPRouteFilter) {
			x.RequestRedirect.Hostname = ptr(gwv1.PreciseHostname("mutant.example"))
		})
		in("other redirect port", func(x *gwv1.HTTPRouteFilter) { x.RequestRedirect.Port = ptr(gwv1.PortNumber(8443)) })
		in("other redirect path", func(x *gwv1.HTTPRouteFilter) {
			x.RequestRedirect.Path = &gwv1.HTTPPathModifier{Type: gwv1.FullPathHTTPPathModifier, ReplaceFullPath: ptr("/mutant")}
		})
	case f.URLRewrite != nil:
		in("other path rewrite", func(x *gwv1.HTTPRouteFilter) {
			x.URLRewrite.Path = &gwv1.HTTPPathModifier{Type: gwv1.FullPathHTTPPathModifier, ReplaceFullPath: ptr("/mutant")}
		})
		in("other host rewrite", func(x *gwv1.HTTPRouteFilter) { x.URLRewrite.Hostname = ptr(gwv1.PreciseHostname("mutant.example")) })
	case f.RequestHeaderModifier != nil:
		in("other request header", func(x *gwv1.HTTPRouteFilter) {
			x.RequestHeaderModifier.Add = append(x.RequestHeaderModifier.Add, gwv1.HTTPHeader{Name: "X-Mutant", Value: "1"})
		})
	case f.ResponseHeaderModifier != nil:
		in("other response header", func(x *gwv1.HTTPRouteFilter) {
			x.ResponseHeaderModifier.Remove = append(x.ResponseHeaderModifier.Remove, "X-Mutant")
		})
	case f.RequestMirror != nil:
		in("other mirror", func(x *gwv1.HTTPRouteFilter) { x.RequestMirror.BackendRef.Name = "mutant" })
		in("other mirror share", func(x *gwv1.HTTPRouteFilter) { x.RequestMirror.Percent, x.RequestMirror.Fraction = ptr(int32(7)), nil })
	case f.CORS != nil:
		in("other origin", func(x *gwv1.HTTPRouteFilter) {
			x.CORS.AllowOrigins = append(x.CORS.AllowOrigins, "https://mutant.example")
		})
		in("credentials", func(x *gwv1.HTTPRouteFilter) {
			x.CORS.AllowCredentials = ptr(x.CORS.AllowCredentials == nil || !*x.CORS.AllowCredentials)
		})
	}
}

package compile

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// laterFilters notes the filters of listeners, which v1.7 of the API brought and
// the types of this program do not have.
func (in *inputs) laterFilters(o client.Object) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok || u.GetKind() != "Gateway" && u.GetKind() != "ListenerSet" {
		return
	}
	listeners, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "listeners")
	list, _ := listeners.([]any)
	for i, l := range list {
		l, _ := l.(map[string]any)
		if requests, _, _ := unstructured.NestedFieldNoCopy(l, "filters", "requests"); requests == nil {
			continue
		}
		ref := refOf(u.GetKind(), u)
		if in.filtered == nil {
			in.filtered = map[routing.ObjectRef]map[int]bool{}
		}
		if in.filtered[ref] == nil {
			in.filtered[ref] = map[int]bool{}
		}
		in.filtered[ref][i] = true
	}
}

// laterSessions reads sessionPersistence in the form that v1.7 of the API gave
// it, which the types of this program do not have: cookie.name, cookie.path,
// cookie.lifetimeType and header.name in place of sessionName and
// cookieConfig.lifetimeType (SessionPersistence).
func (in *inputs) laterSessions(route any, o client.Object) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return
	}
	var sessions []*gwv1.SessionPersistence
	switch r := route.(type) {
	case *gwv1.HTTPRoute:
		for i := range r.Spec.Rules {
			sessions = append(sessions, r.Spec.Rules[i].SessionPersistence)
		}
	case *gwv1.GRPCRoute:
		for i := range r.Spec.Rules {
			sessions = append(sessions, r.Spec.Rules[i].SessionPersistence)
		}
	default:
		return
	}
	rules, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "rules")
	list, _ := rules.([]any)
	for i, s := range sessions {
		if s == nil || i >= len(list) {
			continue
		}
		rule, _ := list[i].(map[string]any)
		if name := text(rule, "sessionPersistence", "header", "name"); name != "" {
			s.SessionName = &name
		}
		if name := text(rule, "sessionPersistence", "cookie", "name"); name != "" {
			s.SessionName = &name
		}
		if life := gwv1.CookieLifetimeType(text(rule, "sessionPersistence", "cookie", "lifetimeType")); life != "" {
			s.CookieConfig = &gwv1.CookieConfig{LifetimeType: &life}
		}
		if path := text(rule, "sessionPersistence", "cookie", "path"); path != "" {
			if in.cookiePaths == nil {
				in.cookiePaths = map[*gwv1.SessionPersistence]string{}
			}
			in.cookiePaths[s] = path
		}
	}
}

// text is a string at a path in an object; empty where there is none.
func text(o map[string]any, path ...string) string {
	s, _, _ := unstructured.NestedString(o, path...)
	return s
}

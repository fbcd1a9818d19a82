package emit

import (
	"regexp"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
)

// Patterns of exact services and methods (GRPCMethodMatch in
// apis/v1/grpcroute_types.go).
var (
	grpcService = regexp.MustCompile(`^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$`)
	grpcMethod  = regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]*$`)
)

// allGRPC reports whether a virtual host becomes GRPCRoutes: every rule
// forwards gRPC and says nothing that GRPCRoute cannot. HTTPRoutes and
// GRPCRoutes of one hostname may reject each other (GRPCRouteSpec.Hostnames),
// so a host is one or the other.
func (e *emitter) allGRPC(v *vhost) bool {
	if e.wholeGateway() {
		return false // routes attach to every listener, beside HTTPRoutes of the host
	}
	for _, en := range v.entries {
		o := en.out
		if en.closed || len(o.backends) == 0 || o.timeouts != nil || o.retry != nil || o.auth != nil || o.prefix != nil || en.m.Method != "" || len(en.m.Query) > 0 {
			return false
		}
		for _, b := range o.backends {
			if p := strings.ToUpper(b.Protocol); p != "GRPC" && p != "GRPCS" {
				return false
			}
		}
		for _, f := range o.filters {
			if f.RequestHeaderModifier == nil && f.ResponseHeaderModifier == nil {
				return false
			}
		}
		if _, _, ok := grpcPath(en); !ok {
			return false
		}
	}
	return len(v.entries) > 0
}

// grpcPath splits a path into service and method.
func grpcPath(en *entry) (service, method string, ok bool) {
	switch p := strings.TrimPrefix(en.form.value, "/"); en.form.kind {
	case formPrefix:
		return p, "", p == "" || grpcService.MatchString(p)
	case formExact:
		service, method, ok = strings.Cut(p, "/")
		return service, method, ok && grpcService.MatchString(service) && grpcMethod.MatchString(method)
	}
	return "", "", false
}

func (e *emitter) grpcRule(namespace string, es []*entry) gwv1.GRPCRouteRule {
	var r gwv1.GRPCRouteRule
	for _, en := range es {
		var m gwv1.GRPCRouteMatch
		if service, method, _ := grpcPath(en); service != "" {
			exact := gwv1.GRPCMethodMatchExact
			m.Method = &gwv1.GRPCMethodMatch{Type: &exact, Service: &service}
			if method != "" {
				m.Method.Method = &method
			}
		}
		for _, h := range en.m.Headers {
			v, regex, _ := valueForm(h, gatewayapi.MaxHeaderValue)
			t := gwv1.GRPCHeaderMatchExact
			if regex {
				t = gwv1.GRPCHeaderMatchRegularExpression
			}
			m.Headers = append(m.Headers, gwv1.GRPCHeaderMatch{Type: &t, Name: gwv1.GRPCHeaderName(h.Name), Value: v})
		}
		r.Matches = append(r.Matches, m)
	}
	o := es[0].out
	r.Filters = grpcFilters(o.filters)
	for i := range o.mirrors {
		m := &o.mirrors[i]
		f := &gwv1.HTTPRequestMirrorFilter{BackendRef: e.objectRef("GRPCRoute", namespace, &m.Backend)}
		f.Percent, f.Fraction = mirrorShare(m.Percent)
		r.Filters = append(r.Filters, gwv1.GRPCRouteFilter{Type: gwv1.GRPCRouteFilterRequestMirror, RequestMirror: f})
	}
	for i, ref := range e.backendRefs("GRPCRoute", namespace, o.backends) {
		r.BackendRefs = append(r.BackendRefs, gwv1.GRPCBackendRef{BackendRef: ref, Filters: grpcFilters(o.backendFilters[i])})
	}
	r.SessionPersistence = o.session
	return r
}

func grpcFilters(in []gwv1.HTTPRouteFilter) []gwv1.GRPCRouteFilter {
	var out []gwv1.GRPCRouteFilter
	for _, f := range in {
		out = append(out, gwv1.GRPCRouteFilter{Type: gwv1.GRPCRouteFilterType(f.Type), RequestHeaderModifier: f.RequestHeaderModifier, ResponseHeaderModifier: f.ResponseHeaderModifier})
	}
	return out
}

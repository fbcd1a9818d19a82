package oracle

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	cors "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	fault "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"

	"github.com/causeway-gateway/causeway/routing"
)

// action evaluates a route's action.
func (p *proxy) action(x *route.Route, r *routing.Request, path, query string, hasQuery bool) routing.Decision {
	d := routing.Decision{Why: decided, ResponseHeaders: changes(x.ResponseHeadersToAdd, x.ResponseHeadersToRemove)}
	filters(&d, x)
	if d.CORS != nil {
		if _, asks := r.Header("Access-Control-Request-Method"); asks && r.Method == "OPTIONS" {
			if o, ok := r.Header("Origin"); ok && (d.CORS.AnswerAll || d.CORS.Allows(o)) {
				return routing.Decision{Why: decided, Status: 204, CORS: d.CORS}
			}
		}
	}
	if hasQuery {
		query = "?" + query
	}
	switch a := x.Action.(type) {
	case *route.Route_Redirect:
		d.Status, d.Location = redirect(a.Redirect, x.Match, r, path, query)
		return d
	case *route.Route_DirectResponse:
		d.Status = int(a.DirectResponse.Status)
		return d
	case *route.Route_Route:
		p.forward(&d, x, a.Route, r, path, query)
	}
	return d
}

// forward shares a request out. What goes to a cluster that does not exist is
// answered 503 (RouteAction.cluster_not_found_response_code).
func (p *proxy) forward(d *routing.Decision, x *route.Route, a *route.RouteAction, r *routing.Request, path, query string) {
	d.Status, d.Backends = 200, map[string]float64{}
	add := func(cluster string, share float64) {
		if p.clusters[cluster] {
			d.Backends[backend(cluster)] += share
		}
	}
	if c := a.GetCluster(); c != "" {
		add(c, 1)
	}
	total := 0.0
	for _, w := range a.GetWeightedClusters().GetClusters() {
		total += float64(w.Weight.GetValue())
	}
	for _, w := range a.GetWeightedClusters().GetClusters() {
		add(w.Name, float64(w.Weight.GetValue())/total)
	}
	if len(d.Backends) == 0 {
		*d = routing.Decision{Why: decided, Status: 503, CORS: d.CORS, Fault: d.Fault}
		if code := a.GetClusterNotFoundResponseCode(); code == route.RouteAction_INTERNAL_SERVER_ERROR {
			d.Status = 500
		}
		return
	}
	d.URI, d.UpstreamHost = rewritten(a, x.Match, path)+query, r.Host
	if h := a.GetHostRewriteLiteral(); h != "" {
		d.UpstreamHost = h
	}
	d.RequestHeaders = changes(x.RequestHeadersToAdd, x.RequestHeadersToRemove)
	d.Timeouts.Request = a.Timeout.AsDuration()
	for _, m := range a.RequestMirrorPolicies {
		if !p.clusters[m.Cluster] {
			continue
		}
		f := m.GetRuntimeFraction().GetDefaultValue()
		per := map[int32]float64{0: 1, 1: 100, 2: 10000}[int32(f.GetDenominator())]
		d.Mirrors = append(d.Mirrors, routing.Mirror{Backend: mirrored(m.Cluster), Percent: float64(f.GetNumerator()) / per})
	}
	if p := a.RetryPolicy; p == nil {
		d.Retry = &routing.Retry{Attempts: -1}
	} else if !standard(p) {
		d.Retry = &routing.Retry{Attempts: int(p.NumRetries.GetValue()), PerTry: p.PerTryTimeout.AsDuration(), Backoff: p.GetRetryBackOff().GetBaseInterval().AsDuration()}
		if strings.TrimSuffix(p.RetryOn, ",retriable-status-codes") != strings.TrimSuffix(usualRetries, ",retriable-status-codes") { // which stands for nothing said
			for _, on := range strings.Split(p.RetryOn, ",") {
				if on != "" && on != "retriable-status-codes" {
					d.Retry.On = append(d.Retry.On, on)
				}
			}
		}
		for _, c := range p.RetriableStatusCodes {
			d.Retry.On = append(d.Retry.On, strconv.Itoa(int(c)))
		}
		slices.Sort(d.Retry.On)
	}
	for _, h := range a.HashPolicy {
		switch {
		case h.GetHeader() != nil:
			d.Affinity = &routing.Affinity{Kind: "header", Name: h.GetHeader().HeaderName}
		case h.GetCookie() != nil:
			d.Affinity = &routing.Affinity{Kind: "cookie", Name: h.GetCookie().Name, Path: h.GetCookie().Path, MaxAge: h.GetCookie().Ttl.AsDuration()}
		}
	}
}

// usualRetries are what pilot retries on when nothing is said
// (pilot/pkg/networking/core/route/retry/retry.go, DefaultPolicy).
const usualRetries = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"

// standard reports whether a retry policy is the one that every route has.
func standard(p *route.RetryPolicy) bool {
	return p.NumRetries.GetValue() == 2 && p.PerTryTimeout == nil && p.RetryBackOff == nil && p.RetryOn == usualRetries && len(p.RetriableStatusCodes) == 0
}

func mirrored(cluster string) routing.Backend {
	key := backend(cluster)
	name, port, _ := strings.Cut(key, ":")
	ns, svc, _ := strings.Cut(name, "/")
	n, _ := strconv.Atoi(port)
	return routing.Backend{Namespace: ns, Name: svc, Port: n}
}

// rewritten is the path after prefix_rewrite or regex_rewrite.
func rewritten(a *route.RouteAction, m *route.RouteMatch, path string) string {
	if x := a.RegexRewrite; x != nil {
		re, err := regexp.Compile(x.Pattern.Regex)
		if err != nil {
			return path
		}
		return re.ReplaceAllString(path, regexp.MustCompile(`\\([0-9])`).ReplaceAllString(strings.ReplaceAll(x.Substitution, "$", "$$"), "${$1}"))
	}
	if a.PrefixRewrite == "" {
		return path
	}
	return a.PrefixRewrite + path[len(matched(m, path)):]
}

// matched is the part of the path that a match compared.
func matched(m *route.RouteMatch, path string) string {
	switch x := m.PathSpecifier.(type) {
	case *route.RouteMatch_Prefix:
		return path[:len(x.Prefix)]
	case *route.RouteMatch_PathSeparatedPrefix:
		return path[:len(x.PathSeparatedPrefix)]
	}
	return path
}

// sentHost is the Host header as clients write it (RFC 9110 section 7.2).
func sentHost(r *routing.Request) string {
	usual := map[bool]int{true: 443, false: 80}[r.Scheme == "https"]
	if r.Port == 0 || r.Port == usual || strings.Contains(r.Host, ":") {
		return r.Host
	}
	return r.Host + ":" + strconv.Itoa(r.Port)
}

// redirect writes the Location (source/common/router/config_impl.cc, newUri).
func redirect(a *route.RedirectAction, m *route.RouteMatch, r *routing.Request, path, query string) (int, string) {
	scheme := "http"
	if r.Scheme == "https" {
		scheme = "https"
	}
	if s := a.GetSchemeRedirect(); s != "" {
		scheme = s
	}
	if a.GetHttpsRedirect() {
		scheme = "https"
	}
	host := sentHost(r)
	if a.HostRedirect != "" {
		host = a.HostRedirect
	}
	if a.PortRedirect != 0 {
		bare, _, _ := strings.Cut(host, ":")
		host = bare + ":" + strconv.Itoa(int(a.PortRedirect))
	}
	target := path + query
	switch x := a.PathRewriteSpecifier.(type) {
	case *route.RedirectAction_PathRedirect:
		if x.PathRedirect != "" {
			if target = x.PathRedirect; !strings.Contains(target, "?") {
				target += query
			}
		}
	case *route.RedirectAction_PrefixRewrite:
		if x.PrefixRewrite != "" {
			target = x.PrefixRewrite + path[len(matched(m, path)):] + query
		}
	case *route.RedirectAction_RegexRewrite:
		target = rewritten(&route.RouteAction{RegexRewrite: x.RegexRewrite}, m, path) + query
	}
	code := map[route.RedirectAction_RedirectResponseCode]int{0: 301, 1: 302, 2: 303, 3: 307, 4: 308}[a.ResponseCode]
	return code, scheme + "://" + host + target
}

// changes are header changes in the kernel's order.
func changes(add []*core.HeaderValueOption, remove []string) routing.HeaderChange {
	var out routing.HeaderChange
	gone := map[string]bool{}
	for _, n := range remove {
		gone[strings.ToLower(n)] = true
	}
	for _, h := range add {
		x := routing.Header{Name: h.Header.Key, Value: h.Header.Value}
		if h.AppendAction == core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD || gone[strings.ToLower(x.Name)] {
			same := func(o routing.Header) bool { return strings.EqualFold(o.Name, x.Name) }
			out.Set, out.Add = slices.DeleteFunc(out.Set, same), slices.DeleteFunc(out.Add, same) // the last one stays
			out.Set = append(out.Set, x)
			delete(gone, strings.ToLower(x.Name))
		} else {
			out.Add = append(out.Add, x)
		}
	}
	out.Remove = slices.Sorted(maps.Keys(gone))
	return out
}

// anyOrigin is what Istio makes of the origin * of a CORS filter
// (pilot/pkg/config/kube/gateway/conversion.go, createCorsFilter).
const anyOrigin = `^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$`

// filters reads what a route sets for the filters of CORS and faults.
func filters(d *routing.Decision, x *route.Route) {
	for _, any := range x.TypedPerFilterConfig {
		switch {
		case any.MessageIs(&cors.CorsPolicy{}):
			in := &cors.CorsPolicy{}
			if any.UnmarshalTo(in) != nil {
				continue
			}
			c := &routing.CORS{AllowMethods: list(in.AllowMethods), AllowHeaders: list(in.AllowHeaders), ExposeHeaders: list(in.ExposeHeaders), AllowCredentials: in.AllowCredentials.GetValue(), AnswerAll: in.ForwardNotMatchingPreflights != nil && !in.ForwardNotMatchingPreflights.Value}
			c.MaxAge = seconds(5) // what browsers take when nothing is said
			if n, err := strconv.Atoi(in.MaxAge); err == nil {
				c.MaxAge = seconds(n)
			}
			for _, o := range in.AllowOriginStringMatch {
				switch {
				case o.GetExact() != "":
					c.AllowOrigins = append(c.AllowOrigins, o.GetExact())
				case o.GetPrefix() != "":
					c.AllowOrigins = append(c.AllowOrigins, "~"+regexp.QuoteMeta(o.GetPrefix())+".*")
				case o.GetSafeRegex().GetRegex() == ".*", o.GetSafeRegex().GetRegex() == anyOrigin:
					c.AllowOrigins = append(c.AllowOrigins, "*")
				default:
					c.AllowOrigins = append(c.AllowOrigins, "~"+o.GetSafeRegex().GetRegex())
				}
			}
			d.CORS = c
		case any.MessageIs(&fault.HTTPFault{}):
			in := &fault.HTTPFault{}
			if any.UnmarshalTo(in) != nil {
				continue
			}
			d.Fault = &routing.Fault{AbortStatus: int(in.GetAbort().GetHttpStatus()), Delay: in.GetDelay().GetFixedDelay().AsDuration()}
			d.Fault.AbortPercent = float64(in.GetAbort().GetPercentage().GetNumerator()) / 10000
			d.Fault.DelayPercent = float64(in.GetDelay().GetPercentage().GetNumerator()) / 10000
		}
	}
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

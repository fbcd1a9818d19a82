package istio

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/routing"
)

// action translates what a route does with its requests
// (pilot/pkg/networking/core/route/route.go, TranslateRoute).
func (c *compiler) action(v *virtualService, s *step, m *routing.Match, p *place) *routing.Action {
	in := s.route
	a := &routing.Action{NoBackendStatus: 503, CORS: corsOf(in.CorsPolicy), Fault: faultOf(in.Fault)}
	request, response, authority := headersOf(in.Headers)
	switch {
	case in.Redirect != nil:
		a.Redirect = redirectOf(in.Redirect, m, s.match, p)
	case in.DirectResponse != nil:
		a.Respond = &routing.Response{Status: int(in.DirectResponse.Status), Body: bodyOf(in.DirectResponse.Body)}
	default:
		a.Timeouts.Request = in.Timeout.AsDuration()
		if in.Timeout == nil {
			a.Timeouts.Request = 0
		}
		a.Retry = retryOf(in.Retries)
		if r := in.Rewrite; r != nil {
			a.Rewrite = &routing.Rewrite{Path: rewriteOf(r, m, s.match)}
			if r.Authority != "" {
				authority = r.Authority
			}
		}
		request, response, authority = c.destinations(v, a, in, p, request, response, authority)
		if authority != "" {
			if a.Rewrite == nil {
				a.Rewrite = &routing.Rewrite{}
			}
			a.Rewrite.Host = authority
		}
		if a.Rewrite != nil && a.Rewrite.Path == nil && a.Rewrite.Host == "" {
			a.Rewrite = nil
		}
		a.Mirrors = c.mirrors(s, v, p)
	}
	a.RequestHeaders, a.ResponseHeaders = request.change(), response.change()
	return a
}

// destinations shares the requests out. One destination takes all of them
// whatever its weight; of several, those without a weight get none
// (applyHTTPRouteDestination in route.go).
func (c *compiler) destinations(v *virtualService, a *routing.Action, in *networking.HTTPRoute, p *place, request, response headerSteps, authority string) (headerSteps, headerSteps, string) {
	if len(in.Route) == 1 {
		d := in.Route[0]
		b := c.backend(v, d.Destination, p)
		b.Weight = 1
		a.Backends = []routing.Backend{b}
		a.Affinity = c.affinity(d.Destination, p)
		req, resp, own := headersOf(d.Headers)
		if authority == "" {
			authority = own
		}
		return append(request, req...), append(response, resp...), authority
	}
	for _, d := range in.Route {
		if d.Weight == 0 {
			continue
		}
		b := c.backend(v, d.Destination, p)
		b.Weight = int(d.Weight)
		req, resp, own := headersOf(d.Headers)
		b.RequestHeaders, b.ResponseHeaders = req.change(), resp.change()
		if own != "" {
			b.RequestHeaders.Set = append(b.RequestHeaders.Set, routing.Header{Name: "Host", Value: own})
		}
		a.Backends = append(a.Backends, b)
		if a.Affinity == nil {
			a.Affinity = c.affinity(d.Destination, p)
		}
	}
	return request, response, authority
}

// mirrors lists where copies go; what does not exist gets none.
func (c *compiler) mirrors(s *step, v *virtualService, p *place) []routing.Mirror {
	in := s.route
	route, _, _ := strings.Cut(s.origin.Path, ".match[")
	var out []routing.Mirror
	add := func(d *networking.Destination, percent float64, at string) {
		if d == nil || percent <= 0 {
			return
		}
		b := c.backend(v, d, p)
		if b.Invalid != "" {
			c.find(Finding{Object: v.Object, Kind: Unresolved, Path: at, Message: "nothing is mirrored: " + b.Invalid, Remedy: "give along what it refers to, or remove it"})
			return
		}
		out = append(out, routing.Mirror{Backend: b, Percent: percent})
	}
	if in.Mirror != nil {
		percent := 100.0
		switch {
		case in.MirrorPercentage != nil:
			percent = in.MirrorPercentage.Value
		case in.MirrorPercent != nil: //nolint:staticcheck // still served
			percent = float64(in.MirrorPercent.Value) //nolint:staticcheck // still served
		}
		add(in.Mirror, percent, route+".mirror")
	}
	for i, m := range in.Mirrors {
		percent := 100.0
		if m.Percentage != nil {
			percent = m.Percentage.Value
		}
		add(m.Destination, percent, fmt.Sprintf("%s.mirrors[%d]", route, i))
	}
	return out
}

// rewriteOf: the part of the path that matched is replaced; for an exact path or
// a regular expression that is all of it
// (config.route.v3.RouteAction.prefix_rewrite).
func rewriteOf(r *networking.HTTPRewrite, m *routing.Match, in *networking.HTTPMatchRequest) *routing.PathRewrite {
	if x := r.UriRegexRewrite; x != nil {
		return &routing.PathRewrite{Kind: routing.ReplaceRegex, Pattern: x.Match, Value: substitution(x.Rewrite)}
	}
	if r.Uri == "" {
		return nil
	}
	switch {
	case m.Path.Kind == routing.ExactPath || in.GetUri().GetRegex() != "": // also .*, which takes any path
		return &routing.PathRewrite{Kind: routing.ReplaceFull, Value: r.Uri}
	case m.Path.Kind == routing.AnyPath:
		return &routing.PathRewrite{Kind: routing.ReplaceStringPrefix, Value: r.Uri, Prefix: "/"}
	}
	return &routing.PathRewrite{Kind: routing.ReplaceStringPrefix, Value: r.Uri, Prefix: m.Path.Value}
}

var backReference = regexp.MustCompile(`\\([0-9])`)

// substitution writes RE2's \1 as the kernel's ${1}.
func substitution(s string) string { return backReference.ReplaceAllString(s, "${$1}") }

// redirectOf translates a redirect (ApplyRedirect in route.go). A port that is
// the scheme's own is not written; without one the request's stays.
func redirectOf(in *networking.HTTPRedirect, m *routing.Match, match *networking.HTTPMatchRequest, p *place) *routing.Redirect {
	r := &routing.Redirect{Code: int(in.RedirectCode), Scheme: in.Scheme, Host: in.Authority}
	if r.Code == 0 {
		r.Code = 301
	}
	switch rp := in.RedirectPort.(type) {
	case *networking.HTTPRedirect_Port:
		r.Port = int(rp.Port)
	case *networking.HTTPRedirect_DerivePort:
		if rp.DerivePort == networking.HTTPRedirect_FROM_REQUEST_PORT {
			r.Port = p.port
		}
	}
	scheme := r.Scheme
	if scheme == "" {
		scheme = map[bool]string{true: "https", false: "http"}[p.tls]
	}
	if r.Port == 80 && scheme == "http" || r.Port == 443 && scheme == "https" {
		r.Port = 0
	}
	if host, port, err := net.SplitHostPort(in.Authority); err == nil {
		if r.Host = host; r.Port == 0 {
			r.Port, _ = strconv.Atoi(port)
		}
	}
	r.KeepHostPort = r.Host == "" && r.Port == 0
	switch {
	case in.PrefixRewrite != "":
		r.Path = rewriteOf(&networking.HTTPRewrite{Uri: in.PrefixRewrite}, m, match)
	case strings.Contains(in.Uri, "?"):
		// A query in the new path takes the place of the request's.
		host := r.Host
		if host == "" {
			host = map[bool]string{true: "$http_host", false: "$host"}[r.Port == 0]
		}
		if r.Port > 0 {
			host += ":" + strconv.Itoa(r.Port)
		}
		if scheme = r.Scheme; scheme == "" {
			scheme = "$scheme"
		}
		r.Location = scheme + "://" + host + in.Uri
	case in.Uri != "":
		r.Path = &routing.PathRewrite{Kind: routing.ReplaceFull, Value: in.Uri}
	}
	return r
}

func bodyOf(b *networking.HTTPBody) string {
	if s := b.GetString_(); s != "" {
		return s
	}
	return string(b.GetBytes())
}

// retryOf: attempts of zero switch retries off
// (pilot/pkg/networking/core/route/retry/retry.go, ConvertPolicy).
func retryOf(in *networking.HTTPRetry) *routing.Retry {
	if in == nil {
		return nil
	}
	if in.Attempts <= 0 {
		return &routing.Retry{Attempts: -1}
	}
	r := &routing.Retry{Attempts: int(in.Attempts)}
	if in.PerTryTimeout != nil {
		r.PerTry = in.PerTryTimeout.AsDuration()
	}
	if in.Backoff != nil {
		r.Backoff = in.Backoff.AsDuration()
	}
	for _, on := range strings.Split(in.RetryOn, ",") {
		if on = strings.TrimSpace(on); on != "" {
			r.On = append(r.On, on)
		}
	}
	slices.Sort(r.On)
	return r
}

// faultOf: without a percentage nobody is hit (TranslateFault in route.go).
func faultOf(in *networking.HTTPFaultInjection) *routing.Fault {
	if in == nil {
		return nil
	}
	f := &routing.Fault{}
	if d := in.Delay; d.GetFixedDelay() != nil {
		f.Delay, f.DelayPercent = d.GetFixedDelay().AsDuration(), float64(d.Percent) //nolint:staticcheck // still served
		if d.Percentage != nil {
			f.DelayPercent = d.Percentage.Value
		}
	}
	if a := in.Abort; a != nil {
		if f.AbortStatus = int(a.GetHttpStatus()); a.GetGrpcStatus() != "" {
			f.AbortStatus = 200 // a gRPC status travels in a trailer
		}
		f.AbortPercent = a.Percentage.GetValue()
	}
	if (f.Delay == 0 || f.DelayPercent == 0) && (f.AbortStatus == 0 || f.AbortPercent == 0) {
		return nil
	}
	return f
}

// preflightAge is how long browsers keep the answer to a preflight that does not
// say (https://fetch.spec.whatwg.org/#cors-preflight-fetch, "set max-age to 5").
const preflightAge = 5 * time.Second

// corsOf: the exact origin "*" means every origin
// (envoy source/extensions/filters/http/cors/cors_filter.cc, isOriginAllowed).
func corsOf(in *networking.CorsPolicy) *routing.CORS {
	if in == nil {
		return nil
	}
	c := &routing.CORS{AllowMethods: in.AllowMethods, AllowHeaders: in.AllowHeaders, ExposeHeaders: in.ExposeHeaders, AllowCredentials: in.AllowCredentials.GetValue(), MaxAge: in.MaxAge.AsDuration()}
	// "Preflight requests not matching the configured allowed origin will not be
	// forwarded to the upstream" (CorsPolicy.UnmatchedPreflights, IGNORE).
	c.AnswerAll = in.UnmatchedPreflights == networking.CorsPolicy_IGNORE
	if in.MaxAge == nil {
		c.MaxAge = preflightAge
	}
	for _, o := range in.AllowOrigins {
		switch x := o.MatchType.(type) {
		case *networking.StringMatch_Exact:
			c.AllowOrigins = append(c.AllowOrigins, x.Exact)
		case *networking.StringMatch_Prefix:
			c.AllowOrigins = append(c.AllowOrigins, "~"+quoteMeta(x.Prefix)+".*")
		case *networking.StringMatch_Regex:
			if x.Regex == ".*" || x.Regex == "*" {
				c.AllowOrigins = append(c.AllowOrigins, "*")
				continue
			}
			c.AllowOrigins = append(c.AllowOrigins, "~"+x.Regex)
		}
	}
	if in.AllowOrigins == nil {
		c.AllowOrigins = in.AllowOrigin //nolint:staticcheck // still served
	}
	return c
}

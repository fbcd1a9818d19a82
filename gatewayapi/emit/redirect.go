package emit

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// redirectRemedy says what to do where a Location has no form.
const redirectRemedy = "redirect in the backend, or use the implementation's own redirect, such as Traefik Middleware redirectRegex"

// redirect writes a RequestRedirect filter (HTTPRequestRedirectFilter). The
// query always stays in Gateway API.
func (b *builder) redirect(r *routing.Redirect) {
	f := &gwv1.HTTPRequestRedirectFilter{}
	code := b.redirectCode(r.Code)
	f.StatusCode = &code
	if r.Location != "" {
		if why := b.location(f, r.Location); why != "" {
			b.shut(FeatureRedirect, NeedsExtension, "the redirect to "+clip(r.Location)+" "+why, redirectRemedy)
			return
		}
	} else if !b.parts(f, r) {
		return
	}
	b.headers(gwv1.HTTPRouteFilterResponseHeaderModifier, b.a.ResponseHeaders)
	b.out.filters = append(b.out.filters, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterRequestRedirect, RequestRedirect: f})
}

func (b *builder) redirectCode(code int) int {
	switch code {
	case 301, 302:
		return code
	case 303, 307, 308:
		if b.e.has(gatewayapi.FeatureRedirectCodes) {
			return code
		}
	}
	closest := 302
	if code == 308 {
		closest = 301
	}
	b.say(FeatureRedirect, Approximated, fmt.Sprintf("the redirect answers %d in place of %d, which Gateway API %s does not have", closest, code, b.e.o.Version), "")
	return closest
}

// parts writes a redirect that is given by scheme, host, port and path.
func (b *builder) parts(f *gwv1.HTTPRequestRedirectFilter, r *routing.Redirect) bool {
	if s := strings.ToLower(r.Scheme); s == "http" || s == "https" {
		f.Scheme = &s
	} else if s != "" {
		b.shut(FeatureRedirect, NeedsExtension, "the redirect's scheme "+clip(s)+" is neither http nor https", redirectRemedy)
		return false
	}
	if r.Host != "" {
		h := gwv1.PreciseHostname(strings.ToLower(r.Host))
		if !validObjectName(string(h)) {
			b.shut(FeatureRedirect, NeedsExtension, "the redirect's host "+clip(r.Host)+" is no plain host name", redirectRemedy)
			return false
		}
		f.Hostname = &h
	}
	b.port(f, r)
	if r.Path != nil {
		p, why := replacement(r.Path, b.path)
		if why != "" {
			b.shut(FeatureRedirect, NeedsExtension, "in the redirect "+why+", which Gateway API cannot", redirectRemedy)
			return false
		}
		if !p.same {
			f.Path, b.out.prefix, b.out.variant = p.modifier(), p.prefix, p.variant()
		}
		for _, n := range p.notes {
			if n.feature == FeatureRewrite { // here it is the Location that differs
				n.feature = FeatureRedirect
			}
			b.out.remarks = append(b.out.remarks, n)
		}
	}
	if r.StripQuery {
		b.say(FeatureRedirect, Approximated, "the Location keeps the query string, which the source drops", "")
	}
	if r.TrimSlash {
		b.say(FeatureRedirect, Approximated, "the Location keeps a slash at the end of the path, which the source cuts", "")
	}
	if r.Relative {
		b.say(FeatureRedirect, Approximated, "the Location is absolute; the source writes path and query only", "")
	}
	return true
}

// ports says at which ports a virtual host is served: usual are those of the
// schemes themselves, 80 and 443.
type ports struct {
	odd         bool // some port is not usual, or may be any
	http, https bool
}

func (v *vhost) ports() ports {
	p := ports{http: v.http, https: v.https}
	for _, s := range v.sites {
		p.odd = p.odd || s.listener.Port != 0 && s.listener.Port != map[routing.Protocol]int{routing.HTTP: 80, routing.HTTPS: 443}[s.listener.Protocol]
	}
	for _, a := range v.refs[v.namespace] {
		p.odd = p.odd || v.mesh != "" && a.port != 80
	}
	return p
}

// port writes the port of a redirect. Without one Gateway API takes the scheme's
// own where a scheme is given, else the port of the listener
// (HTTPRequestRedirectFilter.Port).
func (b *builder) port(f *gwv1.HTTPRequestRedirectFilter, r *routing.Redirect) {
	set := func(n int) {
		p := gwv1.PortNumber(n)
		f.Port = &p
	}
	switch {
	case r.Port > 0 && r.Port <= 65535:
		set(r.Port)
		if f.Scheme != nil && r.Port == map[string]int{"http": 80, "https": 443}[*f.Scheme] {
			b.say(FeatureRedirect, Approximated, "the Location leaves out the scheme's own port, which the source writes", "")
		}
	case r.Port == -1:
		b.say(FeatureRedirect, Approximated, "the Location leaves out the scheme's own port, which the source writes", "")
	case !b.ports.odd || r.Port != 0:
	case r.KeepHostPort && r.Host == "":
		if f.Scheme != nil {
			b.say(FeatureRedirect, Approximated, "the Location leaves out the port of the request, which the source keeps", "name the port")
		}
	case f.Scheme == nil && b.ports.http && b.ports.https:
		b.say(FeatureRedirect, Approximated, "the Location names the port of the listener, which the source leaves out", "")
	case f.Scheme == nil && b.ports.https:
		set(443)
	case f.Scheme == nil:
		set(80)
	}
}

// location takes a literal Location apart; why says what cannot be written.
func (b *builder) location(f *gwv1.HTTPRequestRedirectFilter, loc string) (why string) {
	rest := loc
	if scheme, after, ok := strings.Cut(loc, "://"); ok {
		authority, path := after, ""
		if i := strings.IndexAny(after, "/?#"); i >= 0 {
			authority, path = after[:i], after[i:]
		} else if j := strings.IndexByte(after, '$'); j > 0 { // https://host$request_uri
			authority, path = after[:j], after[j:]
		} else if a, v := cutVariable(after); v != "" {
			authority, path = a, v
		}
		if scheme != "$scheme" {
			if s := strings.ToLower(scheme); s == "http" || s == "https" {
				f.Scheme = &s
			} else {
				return "has the scheme " + clip(scheme)
			}
		}
		if why := redirectAuthority(f, authority); why != "" {
			return why
		}
		rest = path
	} else if !strings.HasPrefix(loc, "/") {
		return "is no absolute URL"
	}
	switch rest {
	case "$request_uri", "$uri$is_args$args", "$uri":
		if rest == "$uri" {
			b.say(FeatureRedirect, Approximated, "the Location keeps the query string, which the source drops", "")
		}
		return ""
	case "":
		rest = "/"
	}
	if strings.ContainsAny(rest, "$?#") {
		return "holds a query, a fragment or variables, which a redirect filter cannot write"
	}
	u, err := url.PathUnescape(rest)
	if err != nil || len(u) > gatewayapi.MaxPath {
		return "has no valid path"
	}
	f.Path = &gwv1.HTTPPathModifier{Type: gwv1.FullPathHTTPPathModifier, ReplaceFullPath: &rest}
	b.say(FeatureRedirect, Approximated, "the Location keeps the request's query string, which the source drops", "")
	return ""
}

// cutVariable splits "$host$request_uri".
func cutVariable(s string) (authority, rest string) {
	for _, v := range []string{"$http_host", "$host"} {
		if after, ok := strings.CutPrefix(s, v); ok {
			return v, after
		}
	}
	return s, ""
}

func redirectAuthority(f *gwv1.HTTPRequestRedirectFilter, authority string) (why string) {
	host, port, hasPort := strings.Cut(authority, ":")
	if hasPort {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return "has the port " + clip(port)
		}
		p := gwv1.PortNumber(n)
		f.Port = &p
	}
	switch host {
	case "$host", "$http_host":
		return ""
	}
	h := gwv1.PreciseHostname(strings.ToLower(host))
	if !validObjectName(string(h)) {
		return "has no plain host name"
	}
	f.Hostname = &h
	return ""
}

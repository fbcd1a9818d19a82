package nginx

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// readAccess reads what can refuse a request. A location whose access control
// is misconfigured answers 503 (errors.LocationDenied), never opens.
func (r *reader) readAccess() {
	r.readLimits()
	deny, denies := r.list("denylist-source-range", "denylist-source-range")
	allow, restricted := r.list("allowlist-source-range", "whitelist-source-range")
	if !denies && !restricted { // directives of a location replace those of http (ngx_http_access_module)
		deny, denies = r.list("denylist-source-range", "block-cidrs")
	}
	if denies {
		r.set.guards = append(r.set.guards, deny.guard(routing.GuardDeny))
	}
	var guards []routing.Guard
	if restricted {
		guards = append(guards, allow.guard(routing.GuardAllow))
	}
	guards = append(guards, r.credentials()...)
	if r.str("satisfy", "") == "any" && len(guards) > 1 {
		guards = []routing.Guard{{Kind: routing.GuardAnyOf, AnyOf: guards, Origin: r.origin("satisfy")}}
	}
	r.set.guards = append(r.set.guards, guards...)
	if secret, ok := r.get("auth-tls-secret"); ok && r.str("auth-tls-verify-client", "on") != "off" {
		r.set.clientCert = &routing.Guard{Kind: routing.GuardClientCert, Origin: r.origin("auth-tls-secret"),
			Detail: map[string]string{"secret": secret, "verify": r.str("auth-tls-verify-client", "on")}}
	}
	if r.flag("enable-modsecurity", r.cfg.flag("enable-modsecurity", false)) {
		r.set.guards = append(r.set.guards, routing.Guard{Kind: routing.GuardWAF, Origin: r.origin("enable-modsecurity"),
			Detail: map[string]string{"engine": "modsecurity"}})
	}
	if r.cfg.flag("allow-snippet-annotations", false) {
		for _, name := range []string{"configuration-snippet", "server-snippet"} {
			if v, ok := r.get(name); ok {
				r.set.guards = append(r.set.guards, routing.Guard{Kind: routing.GuardSnippet, Origin: r.origin(name),
					Detail: map[string]string{name: v}})
			}
		}
	}
}

// readLimits reads rate, connection and size limits
// (annotations/ratelimit/main.go, annotations/proxy/main.go).
func (r *reader) readLimits() {
	for _, x := range []struct{ name, kind string }{
		{"limit-rps", routing.GuardRateLimit}, {"limit-rpm", routing.GuardRateLimit},
		{"limit-connections", routing.GuardConnLimit},
	} {
		if n := r.number(x.name, 0); n > 0 {
			r.set.guards = append(r.set.guards, routing.Guard{Kind: x.kind, Origin: r.origin(x.name),
				Detail: map[string]string{x.name: strconv.Itoa(n)}})
		}
	}
	if v, ok := r.get("proxy-body-size"); ok && !contains(asIs["proxy-body-size"], v) { // 0 is no limit
		r.set.guards = append(r.set.guards, routing.Guard{Kind: routing.GuardBodySize, Origin: r.origin("proxy-body-size"),
			Detail: map[string]string{"proxy-body-size": v}})
	}
}

type sourceList struct {
	prefixes []netip.Prefix
	text     string
	origin   routing.Origin
}

func (l sourceList) guard(kind string) routing.Guard {
	return routing.Guard{Kind: kind, Sources: l.prefixes, Origin: l.origin, Detail: map[string]string{"sources": l.text}}
}

// list reads a list of addresses; the annotation replaces the ConfigMap's
// value, and one that does not parse denies the location
// (annotations/ipallowlist/main.go).
func (r *reader) list(name, key string) (sourceList, bool) {
	text, ok := r.get(name)
	written := orDefault(r.written[name], name)
	if !ok {
		text = r.cfg.str(key, "")
	}
	if text == "" {
		return sourceList{}, false
	}
	l := sourceList{text: text, origin: r.origin(written)}
	for _, s := range splitList(text) {
		p, err := netip.ParsePrefix(s)
		if a, err2 := netip.ParseAddr(s); err != nil && err2 == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			r.deny(written + " holds " + strconv.Quote(clip(s)) + ", which is no address or range")
			continue
		}
		l.prefixes = append(l.prefixes, p.Masked())
	}
	return l, true
}

// credentials reads basic, digest and external authentication
// (annotations/auth/main.go, annotations/authreq/main.go).
func (r *reader) credentials() []routing.Guard {
	var out []routing.Guard
	if g, ok := r.externalAuth(); ok {
		out = append(out, g)
	}
	kind, ok := r.get("auth-type")
	if !ok {
		return out
	}
	kinds := map[string]string{"basic": routing.GuardBasicAuth, "digest": routing.GuardDigestAuth}
	if kinds[kind] == "" {
		r.deny("auth-type " + strconv.Quote(clip(kind)) + " is neither basic nor digest")
		return out
	}
	ref, ok := r.get("auth-secret")
	if !ok {
		r.deny("auth-type is set but auth-secret is missing")
		return out
	}
	ns, name, qualified := strings.Cut(ref, "/")
	if !qualified {
		ns, name = r.ing.Namespace, ref
	}
	if ns != r.ing.Namespace && !r.cfg.flag("allow-cross-namespace-resources", r.rel.crossNamespace) {
		r.deny("auth-secret " + ref + " is in another namespace, which allow-cross-namespace-resources forbids")
	}
	form := r.str("auth-secret-type", "auth-file")
	if s := r.secrets[ns+"/"+name]; s == nil && r.complete {
		r.deny("auth-secret " + ref + " does not exist")
	} else if s != nil && form == "auth-file" && !contains(s.Keys, "auth") {
		r.deny("auth-secret " + ref + " has no key auth")
	}
	return append(out, routing.Guard{Kind: kinds[kind], Origin: r.origin("auth-type"), Detail: map[string]string{
		"secret": ns + "/" + name, "realm": r.str("auth-realm", ""), "secret-type": form,
	}})
}

// externalAuth reads auth-url, or the ConfigMap's global-auth-url unless
// enable-global-auth is false. A URL that is none denies the location.
func (r *reader) externalAuth() (routing.Guard, bool) {
	u, ok := r.get("auth-url")
	origin := r.origin("auth-url")
	if !ok {
		u = r.cfg.str("global-auth-url", "")
		if u == "" || !r.flag("enable-global-auth", true) {
			return routing.Guard{}, false
		}
		origin = routing.Origin{Object: routing.ObjectRef{Kind: "ConfigMap", Name: "ingress-nginx-controller"}, Path: "data.global-auth-url"}
	}
	scheme, host, found := strings.Cut(u, "://")
	if !found || scheme == "" || host == "" || strings.Contains(host, "..") {
		r.deny("auth-url " + strconv.Quote(clip(u)) + " is not a URL with scheme and host")
	}
	d := map[string]string{"url": u}
	for _, k := range []string{"auth-signin", "auth-response-headers", "auth-method", "auth-signin-redirect-param"} {
		if v, ok := r.get(k); ok {
			d[k] = v
		}
	}
	return routing.Guard{Kind: routing.GuardAuthURL, Detail: d, Origin: origin}, true
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

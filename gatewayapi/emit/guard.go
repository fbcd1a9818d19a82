package emit

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// externalAuth is an authorization service asked before forwarding (GEP-1494).
type externalAuth struct {
	namespace, name string
	port            int
	path            string
	headers         []string // of its answer that the backend gets
}

// guardRemedies say where the policy has a home, per kind of guard.
var guardRemedies = map[string]string{
	routing.GuardAllow:      "use the implementation's own policy, such as Envoy Gateway SecurityPolicy authorization or Traefik Middleware ipAllowList",
	routing.GuardDeny:       "use the implementation's own policy, such as Envoy Gateway SecurityPolicy authorization",
	routing.GuardBasicAuth:  "use the implementation's own policy, such as Envoy Gateway SecurityPolicy basicAuth or Traefik Middleware basicAuth",
	routing.GuardDigestAuth: "use the implementation's own policy, such as Traefik Middleware digestAuth",
	routing.GuardAuthURL:    "use the implementation's own policy, such as Envoy Gateway SecurityPolicy extAuth or Traefik Middleware forwardAuth, or the experimental channel's ExternalAuth filter",
	routing.GuardClientCert: "use client certificate validation of a Gateway of its own (spec.tls.frontend), or the implementation's own policy, such as Envoy Gateway ClientTrafficPolicy tls.clientValidation",
	routing.GuardJWT:        "use the implementation's own policy, such as Envoy Gateway SecurityPolicy jwt",
	routing.GuardRateLimit:  "use the implementation's own policy, such as Envoy Gateway BackendTrafficPolicy rateLimit or Traefik Middleware rateLimit",
	routing.GuardConnLimit:  "use the implementation's own policy, such as Traefik Middleware inFlightReq",
	routing.GuardBodySize:   "use the implementation's own policy, such as Traefik Middleware buffering or NGINX Gateway Fabric ClientSettingsPolicy",
	routing.GuardWAF:        "put a web application firewall in front of the Gateway, or use one of the implementation's",
	routing.GuardSnippet:    "read the snippet and express what it does by the implementation's own policies",
	routing.GuardAnyOf:      "use one policy of the implementation that combines the alternatives, such as Envoy Gateway SecurityPolicy authorization",
}

// guards fails closed: a rule whose access control has no form is emitted
// without a backend, unless the user said that it may be open. Limits on how
// much may enter do not close it.
func (b *builder) guards() {
	for i := range b.a.Guards {
		g := &b.a.Guards[i]
		f := Feature("guard:" + g.Kind)
		remedy := guardRemedies[g.Kind]
		if remedy == "" {
			remedy = "use the implementation's own policy"
		}
		if g.Kind == routing.GuardAuthURL && b.out.auth == nil {
			if auth, why := b.external(g); why == "" {
				b.out.auth = auth
				b.say(f, Approximated, "the service is asked by the ExternalAuth filter, which appends the request's path to "+strconv.Quote(auth.path)+" and hands on every answer but 200 as it is; a sign-in redirect must come from the service", "")
				continue
			}
		}
		switch {
		case !g.Access():
			b.say(f, NeedsExtension, "Gateway API has no "+g.Kind+"; requests go through without it", remedy)
		case b.e.o.AllowUnguarded:
			b.say(f, NeedsExtension, "Gateway API has no "+g.Kind+"; the rule is OPEN, as was asked for", remedy)
		default:
			b.shut(f, NeedsExtension, "Gateway API has no "+g.Kind+"; the rule is closed so that nobody gets in without it", remedy)
		}
	}
}

// external reads an authorization URL that names a Service of the cluster.
func (b *builder) external(g *routing.Guard) (*externalAuth, string) {
	if !b.e.has(gatewayapi.FeatureExternalAuth) {
		return nil, "not in this channel"
	}
	u, err := url.Parse(g.Detail["url"])
	if err != nil || u.Scheme != "http" || strings.ContainsAny(g.Detail["url"], "$?#") || g.Detail["auth-method"] != "" && g.Detail["auth-method"] != "GET" {
		return nil, "no plain URL"
	}
	labels := strings.Split(u.Hostname(), ".")
	if len(labels) < 3 || labels[2] != "svc" || len(labels) != 3 && strings.Join(labels[3:], ".") != "cluster.local" {
		return nil, "no Service of the cluster"
	}
	port := 80
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return nil, "no port"
		}
	}
	out := &externalAuth{namespace: labels[1], name: labels[0], port: port, path: strings.TrimSuffix(u.Path, "/")}
	if out.path != "" && !validPath(out.path) {
		return nil, "no valid path"
	}
	for _, h := range strings.Split(g.Detail["auth-response-headers"], ",") {
		if h = strings.TrimSpace(h); h != "" && headerName.MatchString(h) {
			out.headers = append(out.headers, h)
		}
	}
	return out, ""
}

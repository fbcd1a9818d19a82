package istio

import (
	"slices"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// vhost is a virtual host of Envoy while rules are collected.
type vhost struct {
	domain   string
	rules    []*routing.Rule
	redirect *routing.Rule // to HTTPS, in place of all rules
	origin   routing.Origin
}

// virtualHosts joins servers with the VirtualServices that bind to them: for
// each host that both name, the routes of one after the other, those that take
// everything last (pilot/pkg/networking/core/gateway.go,
// buildGatewayHTTPRouteConfig).
func (w *workload) virtualHosts(servers []*server) []*vhost {
	var out []*vhost
	byDomain := map[string]*vhost{}
	get := func(domain string, at routing.Origin) *vhost {
		if byDomain[domain] == nil {
			byDomain[domain] = &vhost{domain: domain, origin: at}
			out = append(out, byDomain[domain])
		}
		return byDomain[domain]
	}
	type cached struct {
		gateway string
		v       *virtualService
	}
	rules := map[cached][]*routing.Rule{}
	for _, s := range servers {
		gw := s.gw.id()
		p := &place{gateway: gw, port: int(s.Server.Port.Number), tls: s.Tls != nil, labels: w.labels, namespace: w.namespace}
		var redirect *routing.Rule
		if s.Tls.GetHttpsRedirect() {
			redirect = &routing.Rule{Action: &routing.Action{Redirect: &routing.Redirect{Code: 301, Scheme: "https", KeepHostPort: true}}, Origin: w.c.origin(s.gw.Object, s.at+".tls.httpsRedirect")}
		}
		for _, v := range w.bound(gw) {
			spec := w.c.plans[v].spec
			hosts := intersection(serverHosts(s.Hosts, s.gw.Namespace, v.Namespace), spec.Hosts)
			if len(hosts) == 0 {
				continue
			}
			k := cached{gw, v}
			rs, ok := rules[k]
			if !ok {
				rs = w.c.rules(v, p)
				rules[k] = rs
			}
			if len(rs) == 0 {
				continue
			}
			for _, h := range hosts {
				w.serves(v, h)
				x := get(h, w.c.origin(v.Object, "spec.hosts"))
				for _, r := range rs {
					if !slices.Contains(x.rules, r) {
						x.rules = append(x.rules, r)
					}
				}
				if redirect != nil {
					x.redirect = redirect
				}
			}
		}
		if redirect != nil {
			for _, h := range s.Hosts {
				if !strings.Contains(h, "/") {
					get(strings.ToLower(h), w.c.origin(s.gw.Object, s.at+".hosts")).redirect = redirect
				}
			}
		}
	}
	return out
}

// serves notes which hosts of a VirtualService a served domain stands for.
func (w *workload) serves(v *virtualService, domain string) {
	for _, h := range w.c.plans[v].spec.Hosts {
		if hostMatches(h, domain) {
			w.c.serve(v, h)
		}
	}
}

func (w *workload) bound(gateway string) []*virtualService {
	if _, ok := w.virtual[gateway]; !ok {
		w.virtual[gateway] = w.c.visible(gateway, w.namespace)
	}
	return w.virtual[gateway]
}

func (c *compiler) host(x *vhost) *routing.Host {
	h := &routing.Host{Names: []routing.HostPattern{pattern(x.domain)}, Origin: x.origin}
	if x.domain == "*" {
		h.Names = nil
	}
	if x.redirect != nil {
		h.Rules = []*routing.Rule{x.redirect}
		return h
	}
	var last []*routing.Rule
	for _, r := range x.rules {
		if catchAll(&r.Match) && !c.conditional[r] {
			last = append(last, r)
		} else {
			h.Rules = append(h.Rules, r)
		}
	}
	if len(last) > 0 {
		h.Rules = append(h.Rules, last[0]) // the others are never reached
	}
	return h
}

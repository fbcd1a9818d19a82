package routing

import (
	"strconv"
	"strings"
)

// serviceOf is the Service "namespace/name" that a host name means to a client:
// name, name.namespace, or name.namespace.svc with or without the cluster's
// domain. ok is false for names of nothing in the cluster.
func serviceOf(host, clientNamespace string) (service string, ok bool) {
	name, rest, _ := strings.Cut(host, ".")
	ns, domain, deep := strings.Cut(rest, ".")
	if ns == "" {
		ns = clientNamespace
	}
	return ns + "/" + name, name != "" && (!deep || domain == "svc" || strings.HasPrefix(domain, "svc."))
}

// meshed adds the listeners of the Service, or of the host that is no Service,
// that a workload sends to.
func (c *contest) meshed(mesh map[string][]*Listener) {
	service, ok := c.service, c.service != ""
	if ok {
		// A route is for a connection "if the destination ip address for a given
		// connection is the ClusterIP of that parentRef Service" (GEP-1294),
		// whatever the host header says.
		c.add(mesh[service])
		return
	}
	if service, ok = serviceOf(c.host, c.client.Namespace); ok {
		c.add(mesh[service])
	}
	if len(c.best) > 0 {
		return
	}
	if c.add(mesh["/"+c.host]); len(c.best) > 0 {
		return
	}
	for i := 1; i < len(c.host) && len(c.best) == 0; i++ {
		if c.host[i] == '.' {
			c.add(mesh["/*"+c.host[i:]])
		}
	}
	if len(c.best) == 0 {
		c.add(mesh["/*"])
	}
}

// routeMesh answers a workload's request. Where no rule is for this client, the
// request goes where it would go without a mesh: GEP-1294 ("if no routes are
// defined, traffic to the Service is forwarded as usual"), Istio's default route
// (pilot/pkg/networking/core/route/route.go, buildSidecarVirtualHostForService).
func (t *Table) routeMesh(v *view) Decision {
	mine := false
	var near *Rule
	for _, l := range t.listenersFor(v) {
		for _, h := range l.hostsFor(v.host, t.Reading.HostFallthrough) {
			for _, rule := range h.index.rules {
				if near == nil {
					near = rule
				}
				if !rule.Match.Client.matches(v.req.Client) {
					continue
				}
				mine = true
				if rule.Match.matches(v) {
					return rule.decide(v)
				}
			}
		}
	}
	if mine {
		d := t.unmatched()
		d.Near = near
		return d
	}
	port := v.req.Port
	if p := schemeProtocols[v.scheme]; port == 0 && int(p) < len(defaultPorts) {
		port = defaultPorts[p]
	}
	to, ok := v.req.Service, v.req.Service != ""
	if !ok {
		to, ok = serviceOf(v.host, v.req.Client.Namespace)
	}
	if !ok {
		to = v.host
	}
	d := Decision{Status: 200, Backends: map[string]float64{to + ":" + strconv.Itoa(port): 1}, URI: v.rawPath, UpstreamHost: v.rawHost, Near: near,
		Reason: "no route of the mesh is for this client and host: the request goes where its name leads"}
	if v.hasQuery {
		d.URI += "?" + v.query
	}
	return d
}

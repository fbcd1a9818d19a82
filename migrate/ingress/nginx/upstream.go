package nginx

import (
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// upstream is one Service and port as the controller balances over it. It is
// shared by every location that names it, whatever the host: affinity and
// canaries belong to it.
type upstream struct {
	name     string
	backend  routing.Backend
	noServer bool // made by a canary
	policy   canaryPolicy
	affinity *routing.Affinity
	// alternatives are upstream names; only the first is ever used
	// (rootfs/etc/nginx/lua/balancer.lua, route_to_alternative_balancer).
	alternatives []string
	canaryOf     *source.Ingress
}

// upstreamName is internal/ingress/controller/util.go's key of an upstream.
func upstreamName(ns string, b *networkingv1.IngressServiceBackend) string {
	if b.Port.Number > 0 {
		return ns + "-" + b.Name + "-" + strconv.Itoa(int(b.Port.Number))
	}
	if b.Port.Name != "" {
		return ns + "-" + b.Name + "-" + b.Port.Name
	}
	return ns + "-INVALID"
}

// createUpstreams makes an upstream for each backend in the order of the
// Ingresses; the first Ingress to name it decides whether it is a canary's.
func (c *compiler) createUpstreams(ings []*source.Ingress) {
	for _, ing := range ings {
		if b := ing.Spec.DefaultBackend; b != nil && b.Service != nil {
			// The controller makes it anew each time.
			delete(c.upstreams, upstreamName(ing.Namespace, b.Service))
			c.addUpstream(ing, b.Service, "spec.defaultBackend")
		}
		for i := range ing.Spec.Rules {
			if ing.Spec.Rules[i].HTTP == nil {
				continue
			}
			for j := range ing.Spec.Rules[i].HTTP.Paths {
				if b := ing.Spec.Rules[i].HTTP.Paths[j].Backend.Service; b != nil {
					c.addUpstream(ing, b, pathPointer(i, j)+".backend.service.port")
				}
			}
		}
	}
}

func (c *compiler) addUpstream(ing *source.Ingress, b *networkingv1.IngressServiceBackend, at string) {
	name := upstreamName(ing.Namespace, b)
	if c.upstreams[name] != nil {
		return
	}
	s := c.settings[ing]
	u := &upstream{name: name, noServer: s.canary, policy: s.canaryPolicy}
	if s.canary {
		u.canaryOf = ing
	}
	u.backend = routing.Backend{Namespace: ing.Namespace, Name: b.Name, Weight: 1}
	c.resolve(ing, b, &u.backend, at)
	c.upstreams[name] = u
}

// resolve finds the Service port: by number, by name, or by the name of a
// targetPort; a targetPort number or an unknown port has no endpoints and
// answers 503 (internal/ingress/controller/controller.go, serviceEndpoints).
func (c *compiler) resolve(ing *source.Ingress, b *networkingv1.IngressServiceBackend, out *routing.Backend, at string) {
	out.Port = int(b.Port.Number)
	svc := c.services[ing.Namespace+"/"+b.Name]
	if svc == nil {
		switch {
		case c.complete:
			out.Invalid = "Service " + ing.Namespace + "/" + b.Name + " does not exist"
		case out.Port == 0:
			out.Invalid = "Service " + ing.Namespace + "/" + b.Name + " is not in the input, so its port " + strconv.Quote(b.Port.Name) + " has no number"
			c.find(Unresolved, ing, at, "backend "+b.Name+" uses the port name "+strconv.Quote(b.Port.Name)+", and Service "+ing.Namespace+"/"+b.Name+" is not in the input",
				"add the Service to the input, or read from the cluster; Gateway API needs port numbers")
		}
		return
	}
	if svc.Spec.Type == corev1.ServiceTypeExternalName && len(svc.Spec.Ports) == 0 {
		return
	}
	want := b.Port.Name
	if b.Port.Number > 0 {
		want = strconv.Itoa(int(b.Port.Number))
	}
	for i := range svc.Spec.Ports {
		p := &svc.Spec.Ports[i]
		if strconv.Itoa(int(p.Port)) == want || p.Name == want || p.TargetPort.StrVal != "" && p.TargetPort.StrVal == want {
			out.Port = int(p.Port)
			return
		}
	}
	// A targetPort number equal to the wanted number selects the port in
	// the controller but finds no endpoints there.
	out.Invalid = "Service " + ing.Namespace + "/" + b.Name + " has no port " + want
	c.find(Unresolved, ing, at, out.Invalid+": the controller answers 503", "name one of the Service's own ports")
}

// mirrorOf reads a mirror-target: a cluster Service becomes a backend, anything
// else stays a URL.
func mirrorOf(target, namespace string) *routing.Mirror {
	m := &routing.Mirror{URL: target, Percent: 100}
	base, _, _ := strings.Cut(target, "$")
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return m
	}
	labels := strings.Split(u.Hostname(), ".")
	port, _ := strconv.Atoi(u.Port())
	if port == 0 {
		port = 80
	}
	if len(labels) >= 3 && labels[2] == "svc" || len(labels) == 1 {
		ns := namespace
		if len(labels) > 1 {
			ns = labels[1]
		}
		m.URL, m.Backend = "", routing.Backend{Namespace: ns, Name: labels[0], Port: port, Weight: 1}
	}
	return m
}

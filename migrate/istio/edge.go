package istio

import (
	"cmp"
	"maps"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/causeway-gateway/causeway/migrate/source"
)

// edges compiles every gateway workload. Gateways select pods by label; which
// pods there are is known from the Services of the input, and from what the
// default installation has.
func (c *compiler) edges() []*Edge {
	var out []*Edge
	for _, labels := range c.workloads() {
		w := c.workload(labels)
		for _, g := range c.in.gateways {
			if subset(g.Spec.Selector, labels) {
				w.gateways = append(w.gateways, g)
			}
		}
		e := &Edge{Labels: labels, Namespace: w.namespace, Name: w.name, Table: w.table()}
		for _, g := range w.gateways {
			e.Gateways = append(e.Gateways, g.Ref)
		}
		if len(e.Gateways) > 0 || len(out) == 0 && c.asked() {
			out = append(out, e)
		}
	}
	return out
}

// asked reports whether a workload is known to exist though no Gateway may
// select it.
func (c *compiler) asked() bool { return len(c.o.Workload) > 0 || c.service(c.first()) != nil }

func (c *compiler) first() map[string]string {
	if len(c.o.Workload) > 0 {
		return c.o.Workload
	}
	return defaultWorkload
}

// workloads are the labels of the gateway workloads: the first, then one for
// each selector that it does not satisfy.
func (c *compiler) workloads() []map[string]string {
	out := []map[string]string{c.first()}
	for _, g := range c.in.gateways {
		known := false
		for _, w := range out {
			known = known || subset(g.Spec.Selector, w)
		}
		if known {
			continue
		}
		labels := maps.Clone(g.Spec.Selector)
		if s := c.service(labels); s != nil {
			for k, v := range s.Spec.Selector {
				labels[k] = v
			}
		}
		out = append(out, labels)
	}
	return out
}

// service is the Service of the pods with these labels.
func (c *compiler) service(labels map[string]string) *source.Service {
	for _, s := range c.set.Services {
		if len(s.Spec.Selector) == 0 {
			continue
		}
		if subset(s.Spec.Selector, labels) || subset(labels, s.Spec.Selector) {
			return s
		}
	}
	return nil
}

// workload is a gateway's pods while their table is built.
type workload struct {
	c               *compiler
	labels          map[string]string
	namespace, name string
	svc             *source.Service
	gateways        []*gateway
	virtual         map[string][]*virtualService // by gateway

	plain map[int]*plainPort
	ports []int // of plain, in order
	tls   []*server
	tcp   []*server
	sni   map[string]bool // names of passthrough by port and address
}

// plainPort is one port of plain HTTP: its servers share their virtual hosts.
type plainPort struct {
	port    int // that clients use
	http    bool
	servers []*server
}

// server is a server of a Gateway.
type server struct {
	*networking.Server
	gw   *gateway
	at   string
	port int // that clients use
}

func (c *compiler) workload(labels map[string]string) *workload {
	w := &workload{c: c, labels: labels, namespace: c.o.Root, plain: map[int]*plainPort{}, virtual: map[string][]*virtualService{}, sni: map[string]bool{}}
	for _, k := range []string{"istio", "app", "gateway"} {
		w.name = cmp.Or(w.name, labels[k])
	}
	w.name = cmp.Or(w.name, "gateway")
	if s := c.service(labels); s != nil {
		w.svc, w.namespace = s, s.Namespace
	}
	return w
}

// resolve returns the port that pods listen on for a server's port, and the one
// that clients use: a port of the workload's Service is translated to its target
// (pilot/pkg/model/gateway.go, resolvePorts).
func (w *workload) resolve(number int) (listens, clients int) {
	if w.svc == nil {
		// The default installation's Service sends 80 to 8080 and 443 to 8443.
		switch number {
		case 8080:
			return 8080, 80
		case 8443:
			return 8443, 443
		case 80:
			return 8080, 80
		case 443:
			return 8443, 443
		}
		return number, number
	}
	target := func(i int) int {
		p := &w.svc.Spec.Ports[i]
		if t := p.TargetPort.IntValue(); t != 0 {
			return t
		}
		return int(p.Port)
	}
	listens = number
	for i := range w.svc.Spec.Ports {
		if int(w.svc.Spec.Ports[i].Port) == number {
			return target(i), number
		}
	}
	for i := range w.svc.Spec.Ports {
		if target(i) == listens {
			return listens, int(w.svc.Spec.Ports[i].Port)
		}
	}
	return listens, number
}

package compile

import (
	"fmt"
	"maps"
	"slices"
	"sort"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// isService reports whether a parent is a Service. Its group is written, even
// though it is empty: a parentRef without one means the Gateway API's own group
// (ParentReference.Group).
func isService(p gwv1.ParentReference) bool {
	return value(p.Kind, "Gateway") == "Service" && value(p.Group, gwv1.GroupName) == ""
}

// inMesh reports whether all parents of a route are Services.
func inMesh(parents []gwv1.ParentReference) bool {
	return len(parents) > 0 && !slices.ContainsFunc(parents, func(p gwv1.ParentReference) bool { return !isService(p) })
}

// meshProtocols are those of the listeners that kinds of routes have at a
// Service; gRPC is HTTP.
var meshProtocols = map[string]routing.Protocol{"TLSRoute": routing.TLS, "TCPRoute": routing.TCP, "UDPRoute": routing.UDP}

// attachMesh attaches a route to a Service (GEP-1294): a route of the Service's
// namespace is a producer's, others are consumers'.
func (c *compiler) attachMesh(ref routing.ObjectRef, p gwv1.ParentReference, ns, path string, add func(attached)) (found bool) {
	service := ns + "/" + string(p.Name)
	ports, why := c.servicePorts(service, p, ref.Kind)
	if why != "" {
		c.problem(ref, path, "Accepted", "NoMatchingParent", why)
		return false
	}
	a := attached{}
	if ref.Namespace != ns {
		a.consumer = ref.Namespace
	}
	other := ""
	for _, port := range ports {
		if kind := c.frontends.kind(service, port, a.consumer); ref.Kind != "UDPRoute" && kind != ref.Kind {
			other = kind
			continue
		}
		a.place = c.frontend(service, port, meshProtocols[ref.Kind], c.origin(ref, path))
		add(a)
	}
	if a.place == nil {
		c.problem(ref, path, "Accepted", "Conflicted", "a route of the more specific kind "+other+" has this port of the Service for its parent")
	}
	return a.place != nil
}

// servicePorts are the ports of a Service that a route attaches to: "If port is
// set, the implementation MUST associate the route only with that port. If port
// is not set, the implementation MUST associate the route with all ports defined
// in the Service" (GEP-1294, Ports). A section is a port's name
// (ParentReference.SectionName). Port 0 stands for all of them where the Service
// is not known. why says why there are none.
func (c *compiler) servicePorts(service string, p gwv1.ParentReference, kind string) (ports []int, why string) {
	asked, section := int(value(p.Port, 0)), string(value(p.SectionName, ""))
	switch {
	case c.in.services == nil && section != "":
		return nil, fmt.Sprintf("the Service %s is not among the objects, so it is unknown which port is named %s", service, section)
	case c.in.services == nil:
		return []int{asked}, ""
	}
	svc := c.in.services[service]
	if svc == nil {
		return nil, "there is no Service " + service
	}
	for _, port := range svc.Spec.Ports {
		udp := port.Protocol == corev1.ProtocolUDP
		if n := int(port.Port); udp == (kind == "UDPRoute") && (asked == 0 || asked == n) && (section == "" || section == port.Name) {
			ports = append(ports, n)
		}
	}
	if len(ports) == 0 {
		return nil, fmt.Sprintf("the Service %s has no such port of the protocol", service)
	}
	slices.Sort(ports)
	return slices.Compact(ports), ""
}

// frontend finds or makes the place of a Service's port.
func (c *compiler) frontend(service string, port int, protocol routing.Protocol, at routing.Origin) *place {
	key := fmt.Sprintf("%s:%d/%s", service, port, protocol)
	x := c.mesh[key]
	if x == nil {
		x = &place{port: port, listener: &routing.Listener{Name: key, Port: port, Protocol: protocol, Mesh: service, Origin: at}}
		c.mesh[key] = x
		c.services = append(c.services, x)
	}
	return x
}

// frontends are the kinds of routes that the ports of Services have: for
// clients of one namespace, if it has consumer routes, and for all others.
type frontends map[frontend]string

type frontend struct {
	service  string
	port     int
	consumer string
}

// specificity of the kinds of routes that share TCP: "If multiple routes with
// different types both bind to the same Service and Port pair, only a single
// route type should be applied", the first one of GRPCRoute, HTTPRoute, TLSRoute
// and TCPRoute (GEP-1294, Route types).
var specificity = map[string]int{"GRPCRoute": 4, "HTTPRoute": 3, "TLSRoute": 2, "TCPRoute": 1}

// claimFrontends looks at all routes before any of them attaches.
func (c *compiler) claimFrontends() {
	c.frontends = frontends{}
	for _, r := range c.in.http {
		c.claimServices(refOf("HTTPRoute", r), r.Spec.ParentRefs)
	}
	for _, r := range c.in.grpc {
		c.claimServices(refOf("GRPCRoute", r), r.Spec.ParentRefs)
	}
	for _, r := range c.in.streams {
		c.claimServices(refOf(r.Kind, r), r.Spec.ParentRefs)
	}
}

func (c *compiler) claimServices(ref routing.ObjectRef, parents []gwv1.ParentReference) {
	for _, p := range parents {
		if !isService(p) {
			continue
		}
		ns := string(value(p.Namespace, gwv1.Namespace(ref.Namespace)))
		at := frontend{service: ns + "/" + string(p.Name)}
		if ref.Namespace != ns {
			at.consumer = ref.Namespace
		}
		ports, _ := c.servicePorts(at.service, p, ref.Kind)
		for _, at.port = range ports {
			if specificity[ref.Kind] > specificity[c.frontends[at]] {
				c.frontends[at] = ref.Kind
			}
		}
	}
}

// kind is that of the routes which a port of a Service has, of those that name
// the port and those that name none.
func (f frontends) kind(service string, port int, consumer string) string {
	own, all := f[frontend{service, port, consumer}], f[frontend{service, 0, consumer}]
	if specificity[all] > specificity[own] {
		return all
	}
	return own
}

// settleMesh gives each place of the mesh the rules that compete there: those of
// routes that name no port compete at every port.
func (c *compiler) settleMesh() {
	for _, p := range c.services {
		if all := c.mesh[fmt.Sprintf("%s:0/%s", p.listener.Mesh, p.listener.Protocol)]; all != nil && p.port != 0 {
			for _, h := range all.listener.Hosts {
				into := c.host(p, "", h.Origin)
				for _, r := range h.Rules {
					x := *r
					x.Action = atListener(r.Action, p.listener)
					into.Rules = append(into.Rules, &x)
				}
			}
		}
	}
	// A port's own place is asked before the one of every port, which adds
	// nothing to it.
	sort.SliceStable(c.services, func(i, j int) bool { return c.services[i].port != 0 && c.services[j].port == 0 })
	for _, p := range c.services {
		p.listener.Hosts = byClient(p.listener.Hosts)
	}
}

// byClient puts consumers' rules before producers', each namespace's in a
// virtual host of its own: for clients of its namespace a consumer route takes
// the producer's place (GEP-1294, Multiple routes for a Service), so that what
// it does not match is answered 404.
func byClient(hosts []*routing.Host) []*routing.Host {
	var consumers, producers []*routing.Host
	for _, h := range hosts {
		byClient := map[string][]*routing.Rule{}
		for _, r := range h.Rules {
			ns := r.Match.Client.Namespace
			byClient[ns] = append(byClient[ns], r)
		}
		for _, ns := range slices.Sorted(maps.Keys(byClient)) {
			x := *h
			if x.Rules = byClient[ns]; ns == "" {
				producers = append(producers, &x)
				continue
			}
			// After all others, whatever their matches.
			at := x.Rules[0].Origin
			at.Path = "spec.rules"
			none := &routing.Rule{Match: routing.Match{Client: routing.ClientMatch{Namespace: ns}}, Action: &routing.Action{Respond: &routing.Response{Status: 404}}, Origin: at, Precedence: -1}
			x.Rules = append(x.Rules, none)
			consumers = append(consumers, &x)
		}
	}
	return slices.Concat(consumers, producers)
}

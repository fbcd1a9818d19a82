package compile

import (
	"fmt"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// place is a listener that routes can attach to, whether it serves or not.
type place struct {
	listener  *routing.Listener
	name      string // section
	port      int
	hostname  string
	namespace string // of the object that holds it
	gateway   routing.ObjectRef
	allowed   *gwv1.AllowedRoutes
	claims    map[string]*nameSet // hostnames in use, by kind of route
	report    *Listener           // nil for Services
	routes    map[routing.ObjectRef]bool
}

// mesh reports whether it is a Service's place in the mesh.
func (p *place) mesh() bool { return p.listener.Mesh != "" }

var protocols = map[gwv1.ProtocolType]routing.Protocol{
	gwv1.HTTPProtocolType: routing.HTTP, gwv1.HTTPSProtocolType: routing.HTTPS, gwv1.TLSProtocolType: routing.TLS,
	gwv1.TCPProtocolType: routing.TCP, gwv1.UDPProtocolType: routing.UDP,
}

// listeners makes the places of every Gateway: its own listeners first, then
// those of its ListenerSets by age (ListenerSetSpec.ParentRef: "Listeners are
// ordered: parent Gateway, then ListenerSets by creation time, then name").
func (c *compiler) listeners() {
	c.gateways, c.owners = map[string][]*place{}, map[string]routing.ObjectRef{}
	sets := map[string][]*gwv1.ListenerSet{}
	for _, s := range c.in.sets {
		key := gatewayOf(s)
		sets[key] = append(sets[key], s)
	}
	known := map[string]bool{}
	shared := map[string]*routing.Listener{}
	for _, g := range c.in.gateways {
		ref := refOf("Gateway", g)
		key := ref.Namespace + "/" + ref.Name
		known[key] = true
		if c.o.Gateway != "" && c.o.Gateway != key {
			continue
		}
		if c.o.Separate {
			shared = map[string]*routing.Listener{}
		}
		x := &Gateway{Gateway: ref}
		c.clientCertificate(g, ref, x)
		c.gateway(g, ref, sets[key], shared)
		c.result.Gateways = append(c.result.Gateways, x)
	}
	for _, s := range c.in.sets {
		if key := gatewayOf(s); !known[key] {
			c.problem(refOf("ListenerSet", s), "spec.parentRef", "Accepted", "ParentNotAccepted", "there is no Gateway "+key)
		}
	}
}

// gatewayOf is the "namespace/name" of a ListenerSet's Gateway; with the kind in
// front where its parent is something else.
func gatewayOf(s *gwv1.ListenerSet) string {
	p := s.Spec.ParentRef
	if kind := value(p.Kind, "Gateway"); kind != "Gateway" || value(p.Group, gwv1.GroupName) != gwv1.GroupName {
		return string(kind) + " " + string(p.Name)
	}
	return value((*string)(s.Spec.ParentRef.Namespace), refOf("", s).Namespace) + "/" + string(s.Spec.ParentRef.Name)
}

// gateway makes the places of one Gateway and the ListenerSets that name it.
func (c *compiler) gateway(g *gwv1.Gateway, ref routing.ObjectRef, sets []*gwv1.ListenerSet, shared map[string]*routing.Listener) {
	c.owners[ref.String()] = ref
	if g.Spec.DefaultScope == gwv1.GatewayDefaultScopeAll {
		c.defaults = append(c.defaults, ref)
	}
	var all []declared
	for i, l := range g.Spec.Listeners {
		all = append(all, declare(ref, i, gwv1.ListenerEntry(l)))
	}
	own := len(all)
	for _, s := range sets {
		sref := refOf("ListenerSet", s)
		c.owners[sref.String()] = ref
		if !c.listenerSetAllowed(g, sref) {
			continue
		}
		for i, l := range s.Spec.Listeners {
			all = append(all, declare(sref, i, l))
		}
	}
	distinct := c.distinct(all, own)
	overlaps := overlapping(all, distinct)
	type section struct {
		owner routing.ObjectRef
		name  string
	}
	seen := map[section]bool{}
	for i, d := range all {
		at := section{d.owner, d.name}
		ok := c.acceptable(&d, seen[at]) && distinct[i]
		seen[at] = true
		c.open(g, ref, d, ok, shared).Overlaps = overlaps[i]
	}
}

// listenerSetAllowed holds a ListenerSet against GatewaySpec.AllowedListeners,
// whose default is None.
func (c *compiler) listenerSetAllowed(g *gwv1.Gateway, set routing.ObjectRef) bool {
	from, own := gwv1.NamespacesFromNone, refOf("", g).Namespace
	var selector *metav1.LabelSelector
	if a := g.Spec.AllowedListeners; a != nil && a.Namespaces != nil {
		from, selector = value(a.Namespaces.From, gwv1.NamespacesFromNone), a.Namespaces.Selector
	}
	if c.namespaceAllowed(from, selector, own, set.Namespace) {
		return true
	}
	c.problem(set, "spec.parentRef", "Accepted", "NotAllowed", "the Gateway "+own+"/"+g.Name+" does not allow ListenerSets of this namespace (spec.allowedListeners)")
	return false
}

func (c *compiler) namespaceAllowed(from gwv1.FromNamespaces, selector *metav1.LabelSelector, own, ns string) bool {
	switch from {
	case gwv1.NamespacesFromAll:
		return true
	case gwv1.NamespacesFromSame:
		return ns == own
	case gwv1.NamespacesFromSelector:
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil {
			return false
		}
		// Every namespace carries its name as a label (Kubernetes
		// "Automatic labelling"), so that selecting by it needs no object.
		l := labels.Set{metav1.NamespaceDefault: ""}
		delete(l, metav1.NamespaceDefault)
		for k, v := range c.in.namespaces[ns] {
			l[k] = v
		}
		l["kubernetes.io/metadata.name"] = ns
		return s.Matches(l)
	}
	return false
}

// open makes the place of a listener. Listeners of several Gateways on one port
// and name are one place where the request arrives, unless Gateways have
// addresses of their own. A listener that does not serve takes routes all the
// same: "the AttachedRoutes field count MUST be set for Listeners, even if the
// Accepted condition of an individual Listener is set to "False""
// (ListenerStatus.AttachedRoutes).
func (c *compiler) open(g *gwv1.Gateway, gateway routing.ObjectRef, d declared, valid bool, shared map[string]*routing.Listener) *Listener {
	report := &Listener{Gateway: gateway, Owner: d.owner, Index: d.index, Name: d.name, Port: d.port, Protocol: string(d.protocol)}
	c.result.Listeners = append(c.result.Listeners, report)
	protocol := protocols[d.protocol]
	if d.supported() {
		report.Kinds = c.routeKinds(d, protocol, protocol == routing.TLS && d.passes())
	}
	l := &routing.Listener{Name: d.name, Port: d.port, Protocol: protocol, Origin: c.origin(d.owner, d.path())}
	if d.hostname != "" {
		l.Hostname = routing.ParseHost(d.hostname, routing.SuffixHost)
	}
	serves := valid
	if protocol == routing.HTTPS || protocol == routing.TLS {
		var usable bool
		l.TLS, usable = c.serverTLS(g, d)
		serves = serves && usable
	}
	if report.Serves = serves; serves {
		key := strconv.Itoa(d.port) + " " + protocol.String() + " " + d.hostname
		if other := shared[key]; other != nil {
			l = other
		} else {
			shared[key] = l
			c.serving = append(c.serving, serving{gateway, l})
		}
	}
	p := &place{
		listener: l, name: d.name, port: d.port, hostname: d.hostname, namespace: d.owner.Namespace, gateway: gateway,
		allowed: d.allowed, report: report, routes: map[routing.ObjectRef]bool{},
	}
	parent := d.owner.String()
	c.gateways[parent] = append(c.gateways[parent], p)
	return report
}

// kindsOf are the kinds that a listener takes unless it says otherwise
// (AllowedRoutes.Kinds; ProtocolType).
var kindsOf = map[routing.Protocol][]string{
	routing.HTTP: {"HTTPRoute", "GRPCRoute"}, routing.HTTPS: {"HTTPRoute", "GRPCRoute"}, routing.TLS: {"TLSRoute", "TCPRoute"},
	routing.TCP: {"TCPRoute"}, routing.UDP: {"UDPRoute"},
}

// routeKinds are the kinds of route that a listener takes. "If kinds are
// specified in Spec that are not supported, they MUST NOT appear in this list
// and an implementation MUST set the "ResolvedRefs" condition to "False" with
// the "InvalidRouteKinds" reason" (ListenerStatus.SupportedKinds). A stream
// that stays encrypted is routed by TLSRoutes alone.
func (c *compiler) routeKinds(d declared, p routing.Protocol, passthrough bool) []string {
	usual := kindsOf[p]
	if passthrough {
		usual = []string{"TLSRoute"}
	}
	if d.allowed == nil || len(d.allowed.Kinds) == 0 {
		return usual
	}
	var out []string
	for i, k := range d.allowed.Kinds {
		if value(k.Group, gwv1.GroupName) == gwv1.GroupName && slices.Contains(usual, string(k.Kind)) {
			out = append(out, string(k.Kind))
			continue
		}
		c.problem(d.owner, fmt.Sprintf("%s.allowedRoutes.kinds[%d]", d.path(), i), "ResolvedRefs", "InvalidRouteKinds", "a "+string(d.protocol)+" listener takes no "+string(k.Kind))
	}
	return out
}

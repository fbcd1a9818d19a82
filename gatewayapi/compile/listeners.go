package compile

import (
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// place is a listener that routes can attach to.
type place struct {
	listener  *routing.Listener
	name      string // section
	port      int
	hostname  string
	namespace string // of the object that holds it
	allowed   *gwv1.AllowedRoutes
	claims    map[string]*nameSet // hostnames in use, by kind of route
}

// declared is a listener as a Gateway or ListenerSet declares it.
type declared struct {
	owner    routing.ObjectRef
	path     string
	name     string
	port     int
	protocol gwv1.ProtocolType
	hostname string
	tls      *gwv1.ListenerTLSConfig
	allowed  *gwv1.AllowedRoutes
}

var protocols = map[gwv1.ProtocolType]routing.Protocol{
	gwv1.HTTPProtocolType: routing.HTTP, gwv1.HTTPSProtocolType: routing.HTTPS, gwv1.TLSProtocolType: routing.TLS,
	gwv1.TCPProtocolType: routing.TCP, gwv1.UDPProtocolType: routing.UDP,
}

// listeners makes the places of every Gateway: its own listeners first, then
// those of its ListenerSets by age (ListenerSetSpec.ParentRef: "Listeners are
// ordered: parent Gateway, then ListenerSets by creation time, then name").
func (c *compiler) listeners() {
	c.gateways = map[string][]*place{}
	sets := map[string][]*gwv1.ListenerSet{}
	for _, s := range c.in.sets {
		ns := value((*string)(s.Spec.ParentRef.Namespace), refOf("", s).Namespace)
		key := ns + "/" + string(s.Spec.ParentRef.Name)
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
		var all []declared
		for i, l := range g.Spec.Listeners {
			all = append(all, declared{ref, fmt.Sprintf("spec.listeners[%d]", i), string(l.Name), int(l.Port), l.Protocol, string(value(l.Hostname, "")), l.TLS, l.AllowedRoutes})
		}
		own := len(all)
		for _, s := range sets[key] {
			sref := refOf("ListenerSet", s)
			if !c.listenerSetAllowed(g, sref) {
				continue
			}
			for i, l := range s.Spec.Listeners {
				all = append(all, declared{sref, fmt.Sprintf("spec.listeners[%d]", i), string(l.Name), int(l.Port), l.Protocol, string(value(l.Hostname, "")), l.TLS, l.AllowedRoutes})
			}
		}
		for i, ok := range c.distinct(all, own) {
			if ok {
				c.open(g, all[i], shared)
			}
		}
	}
	for _, s := range c.in.sets {
		ns := value((*string)(s.Spec.ParentRef.Namespace), refOf("", s).Namespace)
		if !known[ns+"/"+string(s.Spec.ParentRef.Name)] {
			c.problem(refOf("ListenerSet", s), "spec.parentRef", "Accepted", "ParentNotAccepted", "there is no Gateway "+ns+"/"+string(s.Spec.ParentRef.Name))
		}
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

// distinct tells which listeners are in conflict (Listener: "compatible"
// listeners of a port differ in hostname and agree in protocol). Of the
// Gateway's own, none of those in conflict is used; of ListenerSets the first
// one keeps the place (ListenerSet, "Conflict management").
func (c *compiler) distinct(all []declared, own int) []bool {
	ok := make([]bool, len(all))
	family := func(p gwv1.ProtocolType) string {
		switch p {
		case gwv1.HTTPSProtocolType, gwv1.TLSProtocolType:
			return "TLS"
		}
		return string(p)
	}
	type spot struct {
		udp  bool
		port int
	}
	first := map[spot]int{}
	byName := map[string]int{}
	for i, l := range all {
		ok[i] = true
		clash := func(j int, reason, message string) {
			ok[i] = false
			c.problem(l.owner, l.path, "Conflicted", reason, message)
			if i < own && ok[j] {
				ok[j] = false
				c.problem(all[j].owner, all[j].path, "Conflicted", reason, message)
			}
		}
		s := spot{l.protocol == gwv1.UDPProtocolType, l.port}
		if j, seen := first[s]; !seen {
			first[s] = i
		} else if family(all[j].protocol) != family(l.protocol) {
			clash(j, "ProtocolConflict", fmt.Sprintf("port %d has listeners of two protocols", l.port))
			continue
		}
		k := family(l.protocol) + " " + strconv.Itoa(l.port) + " " + l.hostname
		if j, seen := byName[k]; seen {
			clash(j, "HostnameConflict", fmt.Sprintf("port %d has two listeners for the hostname %q", l.port, l.hostname))
			continue
		}
		byName[k] = i
	}
	return ok
}

// open makes the place of a listener. Listeners of several Gateways on one port
// and name are one place where the request arrives.
func (c *compiler) open(g *gwv1.Gateway, d declared, shared map[string]*routing.Listener) {
	protocol, ok := protocols[d.protocol]
	if !ok {
		c.problem(d.owner, d.path+".protocol", "Accepted", "UnsupportedProtocol", "the protocol "+string(d.protocol)+" is not part of Gateway API")
		return
	}
	key := strconv.Itoa(d.port) + " " + protocol.String() + " " + d.hostname
	l := shared[key]
	if l == nil {
		l = &routing.Listener{Name: d.name, Port: d.port, Protocol: protocol, Origin: c.origin(d.owner, d.path)}
		if d.hostname != "" {
			l.Hostname = routing.ParseHost(d.hostname, routing.SuffixHost)
		}
	}
	if protocol == routing.HTTPS || protocol == routing.TLS {
		t, ok := c.serverTLS(g, d)
		if !ok {
			return
		}
		if l.TLS == nil {
			l.TLS = t
		}
	}
	p := &place{listener: l, name: d.name, port: d.port, hostname: d.hostname, namespace: d.owner.Namespace, allowed: d.allowed}
	if shared[key] == nil {
		shared[key] = l
		c.places = append(c.places, p)
	}
	parent := d.owner.String()
	c.gateways[parent] = append(c.gateways[parent], p)
}

// serverTLS reads a listener's TLS; ok is false when no certificate can be
// used, so that the listener cannot serve (ListenerConditionResolvedRefs).
func (c *compiler) serverTLS(g *gwv1.Gateway, d declared) (*routing.ListenerTLS, bool) {
	t := &routing.ListenerTLS{}
	if d.tls == nil {
		c.problem(d.owner, d.path+".tls", "ResolvedRefs", "InvalidCertificateRef", "the listener has no certificate")
		return t, false
	}
	if value(d.tls.Mode, gwv1.TLSModeTerminate) == gwv1.TLSModePassthrough {
		t.Passthrough = true
		return t, true
	}
	for i, r := range d.tls.CertificateRefs {
		ns := string(value(r.Namespace, gwv1.Namespace(d.owner.Namespace)))
		if !c.grants.allow(d.owner.Kind, d.owner.Namespace, string(value(r.Group, "")), string(value(r.Kind, "Secret")), ns, string(r.Name)) {
			c.problem(d.owner, fmt.Sprintf("%s.tls.certificateRefs[%d]", d.path, i), "ResolvedRefs", "RefNotPermitted", "no ReferenceGrant in "+ns+" allows the Secret "+string(r.Name))
			continue
		}
		t.Certificates = append(t.Certificates, ns+"/"+string(r.Name))
	}
	if len(t.Certificates) == 0 && len(d.tls.CertificateRefs) > 0 {
		return t, false
	}
	c.clientCA(g, d, t)
	return t, true
}

// clientCA reads the validation of client certificates for the listener's port
// (GatewaySpec.TLS.Frontend, GEP-91).
func (c *compiler) clientCA(g *gwv1.Gateway, d declared, t *routing.ListenerTLS) {
	if g.Spec.TLS == nil || g.Spec.TLS.Frontend == nil {
		return
	}
	v := g.Spec.TLS.Frontend.Default.Validation
	for _, p := range g.Spec.TLS.Frontend.PerPort {
		if int(p.Port) == d.port {
			v = p.TLS.Validation
		}
	}
	if v == nil || len(v.CACertificateRefs) == 0 {
		return
	}
	r := v.CACertificateRefs[0]
	t.ClientCA = string(value(r.Namespace, gwv1.Namespace(refOf("", g).Namespace))) + "/" + string(r.Name)
	t.ClientCAKind = string(r.Kind)
	t.ClientOptional = v.Mode == gwv1.AllowInsecureFallback
}

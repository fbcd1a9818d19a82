package emit

import (
	"iter"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// listener is one listener to be written, on a Gateway or a ListenerSet.
type listener struct {
	protocol    routing.Protocol
	port        int
	hostname    string
	passthrough bool
	certs       []string
	namespaces  map[string]bool // of the routes that attach
	origins     []routing.Origin

	name   string
	parent *parent
}

// parent is a Gateway or ListenerSet; sections is false when routes attach to
// it as a whole.
type parent struct {
	kind, namespace, name string
	sections              bool
	listeners             []*listener
	gatewayNamespace      string // of a ListenerSet
	gateway               string
}

// attachment ties the routes of a namespace to a listener.
type attachment struct{ *listener }

type listenerKey struct {
	gateway, hostname string
	protocol          routing.Protocol
	port              int
}

// listenerPlan collects the listeners of every Gateway, by the namespace of the
// Gateway.
type listenerPlan struct {
	byKey     map[listenerKey]*listener
	byGateway map[string][]*listener
	parents   []*parent
	clientCA  map[string]map[int]*routing.ListenerTLS
	certified map[listenerKey]bool // HTTPS names with a certificate, by hostname and port
}

// attach plans the listeners that the virtual hosts need. One HTTP listener
// without hostname serves every host, except those beside a broader host: their
// own listener keeps a known host from falling through to the broader one
// (GatewaySpec.Listeners, "Listener Isolation").
func (e *emitter) attach() {
	e.listeners = listenerPlan{byKey: map[listenerKey]*listener{}, byGateway: map[string][]*listener{}, clientCA: map[string]map[int]*routing.ListenerTLS{}}
	passed := map[listenerKey]bool{}
	for _, l := range e.table.Listeners {
		if l.Protocol != routing.TLS || l.Mesh != "" {
			continue
		}
		for _, h := range l.Hosts {
			for _, p := range h.Names {
				passed[listenerKey{hostname: p.String(), port: portOf(l)}] = true
			}
		}
	}
	e.listeners.certified = map[listenerKey]bool{}
	for _, v := range e.vhosts {
		for _, s := range v.sites {
			k := listenerKey{hostname: s.name, port: portOf(s.listener)}
			if s.listener.Protocol == routing.HTTPS && len(v.entries) > 0 && len(e.certificates(s)) > 0 && !passed[k] {
				e.listeners.certified[k] = true
			}
		}
	}
	gateways := map[string]map[string]bool{} // by hostname
	for _, v := range e.vhosts {
		if v.mesh != "" {
			continue // attached to its Service already
		}
		namespaces := map[string]bool{}
		for _, en := range v.entries {
			namespaces[e.namespaceOf(en.rule)] = true
		}
		for _, ns := range sortedKeys(namespaces) {
			for _, s := range v.sites {
				if s.listener.Protocol == routing.HTTPS && passed[listenerKey{hostname: s.name, port: portOf(s.listener)}] {
					continue // TLS to this name is passed through and never terminated
				}
				l := e.siteListener(v, s, ns)
				if l == nil {
					continue
				}
				l.namespaces[ns] = true
				v.refs[ns] = append(v.refs[ns], attachment{l})
			}
			if e.o.Gateway.Kind == PerNamespace {
				for _, n := range orAny(v.names) {
					if gateways[n] == nil {
						gateways[n] = map[string]bool{}
					}
					gateways[n][ns] = true
					if len(gateways[n]) == 2 {
						e.noteHost(v.sites[0].host, remark{feature: FeatureHost, fate: Approximated, message: "the host " + n + " has rules in several namespaces, so that with a Gateway for each its rules are served at several addresses", remedy: "use the shared layout, or keep a host in one namespace"})
					}
				}
			}
		}
	}
	e.planStreams()
	for _, gw := range sortedKeys(e.listeners.byGateway) {
		e.assign(gw, e.listeners.byGateway[gw])
	}
}

func (e *emitter) namespaceOf(r *routing.Rule) string {
	if ns := r.Origin.Object.Namespace; ns != "" {
		return ns
	}
	return e.o.Gateway.Namespace
}

func (e *emitter) gatewayFor(ns string) string {
	if e.o.Gateway.Kind == PerNamespace {
		return ns
	}
	return e.o.Gateway.Namespace
}

var schemePorts = [...]int{routing.HTTP: 80, routing.HTTPS: 443, routing.TLS: 443, routing.TCP: 0, routing.UDP: 0}

func portOf(l *routing.Listener) int {
	if l.Port > 0 && l.Port <= 65535 {
		return l.Port
	}
	return schemePorts[l.Protocol]
}

// siteListener finds the listener of a site; nil when HTTPS has no certificate.
func (e *emitter) siteListener(v *vhost, s site, ns string) *listener {
	hostname := s.name
	var certs []string
	switch {
	case s.listener.Protocol == routing.HTTPS:
		certs = e.certificates(s)
		if len(certs) == 0 {
			if l := e.broaderListener(v, s, ns); l != nil {
				return l
			}
			name := s.name
			if name == "" {
				name = "requests without a known host"
			}
			m := remark{feature: FeatureTLS, fate: Approximated, message: "HTTPS for " + name + " was answered with the controller's default certificate; it is not served", remedy: "name a default certificate, or give the host one"}
			if !v.http { // plain HTTP redirects there, or does something else
				m.fate, m.message = Lost, m.message+", so that these rules are served nowhere: plain HTTP does not have them"
			}
			if why := s.listener.TLS; why != nil && why.Missing != "" {
				m.fate, m.message, m.remedy = Lost, "HTTPS for "+name+" is not served: "+why.Missing, "put the certificate into a Secret, and name it with --default-certificate or in the source"
			}
			e.noteSite(v, s, m)
			return nil
		}
	case e.o.Gateway.Kind != Existing && !v.fall:
		hostname = ""
	}
	l := e.listener(e.gatewayFor(ns), s.listener.Protocol, portOf(s.listener), hostname, s.host.Origin)
	for _, c := range certs {
		if len(l.certs) < gatewayapi.MaxCertificateRefs {
			l.certs = appendNew(l.certs, c)
		}
	}
	if t := s.listener.TLS; t != nil && t.ClientCA != "" {
		e.clientCA(e.gatewayFor(ns), s.listener)
	}
	return l
}

// noteHost records a note about a host for every object with rules on it.
func (e *emitter) noteHost(h *routing.Host, m remark) {
	e.noteObjects(m, h.Origin, func(yield func(routing.Origin) bool) {
		for _, r := range h.Rules {
			if !yield(r.Origin) {
				return
			}
		}
	})
}

// noteSite records a note about a site for every object with rules on it.
func (e *emitter) noteSite(v *vhost, s site, m remark) {
	e.noteObjects(m, s.host.Origin, func(yield func(routing.Origin) bool) {
		for _, en := range v.entries {
			if !yield(en.rule.Origin) {
				return
			}
		}
	})
}

// noteObjects records a note once for each object: where the host was made, if
// an object made it, then where its rules were.
func (e *emitter) noteObjects(m remark, host routing.Origin, rules iter.Seq[routing.Origin]) {
	seen := map[routing.ObjectRef]bool{}
	if host.Object.Name != "" {
		seen[host.Object] = true
		e.noteAt(nil, host, m)
	}
	for at := range rules {
		if !seen[at.Object] {
			seen[at.Object] = true
			e.noteAt(nil, at, m)
		}
	}
}

// certificates lists the certificates of an HTTPS site.
func (e *emitter) certificates(s site) []string {
	switch {
	case len(s.host.Certificates) > 0:
		return s.host.Certificates
	case s.listener.TLS != nil && len(s.listener.TLS.Certificates) > 0:
		return s.listener.TLS.Certificates
	case e.o.DefaultCertificate != "":
		return []string{e.o.DefaultCertificate}
	}
	return nil
}

// broaderListener is the HTTPS listener of the next broader name that has a
// certificate. Without it requests to the site would find that listener all the
// same and be taken by the broader name's rules, past guards of the site's own.
func (e *emitter) broaderListener(v *vhost, s site, ns string) *listener {
	if e.o.Gateway.Kind == PerNamespace {
		return nil // the other listener may be at another address
	}
	port := portOf(s.listener)
	for name := strings.TrimPrefix(s.name, "*."); name != ""; {
		i := strings.IndexByte(name, '.')
		if i < 0 {
			name = ""
		} else {
			name = name[i+1:]
		}
		hostname := "*." + name
		if name == "" {
			hostname = ""
		}
		if !e.listeners.certified[listenerKey{hostname: hostname, port: port}] {
			continue
		}
		e.noteSite(v, s, remark{feature: FeatureTLS, fate: Approximated, message: "HTTPS for " + s.name + " was answered with the controller's default certificate; now it gets that of " + orAnyHost(hostname), remedy: "give the host a certificate"})
		return e.listener(e.gatewayFor(ns), routing.HTTPS, port, hostname, s.host.Origin)
	}
	return nil
}

func orAnyHost(name string) string {
	if name == "" {
		return "hosts without one of their own"
	}
	return name
}

// clientCA validates client certificates for a whole port (GEP-91).
func (e *emitter) clientCA(gateway string, l *routing.Listener) {
	if !e.has(gatewayapi.FeatureClientCertificates) || e.o.Gateway.Kind == Existing {
		e.noteAt(nil, l.Origin, remark{feature: FeatureClientCertificate, fate: NeedsExtension, message: "client certificates are not asked for", remedy: "write for v1.5 with a new Gateway, or use the implementation's own policy"})
		return
	}
	e.noteAt(nil, l.Origin, remark{feature: FeatureClientCertificate, fate: Approximated, message: "client certificates are validated for every host of port " + strconv.Itoa(portOf(l)), remedy: "use a Gateway of its own for hosts that need none"})
	if e.listeners.clientCA[gateway] == nil {
		e.listeners.clientCA[gateway] = map[int]*routing.ListenerTLS{}
	}
	if e.listeners.clientCA[gateway][portOf(l)] == nil {
		e.listeners.clientCA[gateway][portOf(l)] = l.TLS
	}
}

func (e *emitter) listener(gateway string, p routing.Protocol, port int, hostname string, at routing.Origin) *listener {
	k := listenerKey{gateway, hostname, p, port}
	l := e.listeners.byKey[k]
	if l == nil {
		l = &listener{protocol: p, port: port, hostname: hostname, namespaces: map[string]bool{}}
		e.listeners.byKey[k] = l
		e.listeners.byGateway[gateway] = append(e.listeners.byGateway[gateway], l)
	}
	if at.Object.Name != "" && (len(l.origins) == 0 || l.origins[len(l.origins)-1].Object != at.Object) {
		l.origins = append(l.origins, at)
	}
	return l
}

package emit

import (
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// stream is a TLSRoute, TCPRoute or UDPRoute to be written.
type stream struct {
	port    int
	kind    string
	version string
	rule    *routing.Rule
	names   []string
	// namespace of the route where it is not that of the rule's object
	namespace string
	backends  []routing.Backend
	refs      []attachment
}

var streamKinds = map[routing.Protocol]struct {
	kind    string
	feature gatewayapi.Feature
}{
	routing.TLS: {"TLSRoute", gatewayapi.FeatureTLSRoute},
	routing.TCP: {"TCPRoute", gatewayapi.FeatureTCPRoute},
	routing.UDP: {"UDPRoute", gatewayapi.FeatureUDPRoute},
}

// planStreams plans routes of connections: TLS by name, TCP and UDP by port.
func (e *emitter) planStreams() {
	for _, l := range e.table.Listeners {
		k, ok := streamKinds[l.Protocol]
		if !ok {
			continue
		}
		if l.Mesh != "" {
			if version := gatewayapi.APIVersion(e.o.Version, k.feature); e.has(k.feature) && !strings.HasPrefix(l.Mesh, "/") {
				e.meshStream(l, k.kind, version)
			} else {
				e.noteHosts(l, remark{feature: FeatureListener, fate: Lost, message: "connections of workloads to " + l.Mesh + " have no route in the " + string(e.o.Channel) + " channel of Gateway API " + string(e.o.Version), remedy: "write for a newer release or the experimental channel"})
			}
			continue
		}
		for _, h := range l.Hosts {
			if len(h.Rules) == 0 {
				continue
			}
			rule := inOrder(h)[0]
			if !e.has(k.feature) {
				e.note(rule, remark{feature: FeatureListener, fate: Lost, message: k.kind + " is not in the " + string(e.o.Channel) + " channel of Gateway API " + string(e.o.Version), remedy: "write for a newer release or the experimental channel"})
				continue
			}
			if len(h.Rules) > 1 {
				e.note(inOrder(h)[1], remark{feature: FeatureOrder, fate: Lost, message: "a " + k.kind + " has one rule; only the first of the listener is written"})
			}
			var names []string
			if l.Protocol == routing.TLS {
				if names, ok = e.hostnames(l, h); !ok || len(names) == 0 {
					e.note(rule, remark{feature: FeatureHost, fate: Lost, message: "a TLSRoute needs a hostname", remedy: "name the host"})
					continue
				}
			}
			o := e.outcomeOf(rule, &rule.Match, ports{})
			for _, r := range o.remarks {
				e.note(rule, r)
			}
			if len(o.backends) == 0 || portOf(l) == 0 {
				continue
			}
			for i := 0; i == 0 || i < len(names); i += gatewayapi.MaxTLSRouteHostnames {
				s := &stream{kind: k.kind, port: portOf(l), version: gatewayapi.APIVersion(e.o.Version, k.feature), rule: rule, backends: o.backends}
				s.names = names[i:min(i+gatewayapi.MaxTLSRouteHostnames, len(names))]
				ns := e.namespaceOf(rule)
				for _, n := range orAny(s.names) {
					x := e.listener(e.gatewayFor(ns), l.Protocol, portOf(l), n, h.Origin)
					x.namespaces[ns] = true
					if l.Protocol == routing.TLS {
						x.passthrough = l.TLS == nil || l.TLS.Passthrough
						if !x.passthrough {
							x.certs = append(append([]string(nil), h.Certificates...), l.TLS.Certificates...)
						}
					}
					s.refs = append(s.refs, attachment{x})
				}
				e.pending = append(e.pending, s)
			}
		}
	}
}

// streams writes the planned stream routes.
func (e *emitter) streams() {
	for i, s := range e.pending {
		ns := s.namespace
		if ns == "" {
			ns = e.namespaceOf(s.rule)
		}
		base := s.rule.Origin.Object.Name
		if !validObjectName(base) {
			base = slug(s.kind)
		}
		if s.kind != "TLSRoute" { // one source object often holds many ports
			base += "-" + strconv.Itoa(s.port)
		}
		identity := s.rule.Origin.Object.String() + s.rule.Origin.Path + strconv.Itoa(i)
		meta := metav1.ObjectMeta{Namespace: ns, Name: e.names.take(s.kind, ns, fit(base, identity, maxRouteName), identity)}
		e.routeMeta(&meta, s.rule.Origin.Object)
		common := gwv1.CommonRouteSpec{ParentRefs: parentRefs(ns, s.refs)}
		refs := e.backendRefs(s.kind, ns, s.backends)
		switch s.kind {
		case "TLSRoute":
			r := &gwv1.TLSRoute{TypeMeta: typeMeta(s.kind, s.version), ObjectMeta: meta, Spec: gwv1.TLSRouteSpec{CommonRouteSpec: common, Rules: []gwv1.TLSRouteRule{{BackendRefs: refs}}}}
			for _, n := range s.names {
				r.Spec.Hostnames = append(r.Spec.Hostnames, gwv1.Hostname(n))
			}
			e.objects = append(e.objects, r)
		case "TCPRoute":
			e.objects = append(e.objects, &gwv1.TCPRoute{TypeMeta: typeMeta(s.kind, s.version), ObjectMeta: meta, Spec: gwv1.TCPRouteSpec{CommonRouteSpec: common, Rules: []gwv1.TCPRouteRule{{BackendRefs: refs}}}})
		case "UDPRoute":
			e.objects = append(e.objects, &gwv1.UDPRoute{TypeMeta: typeMeta(s.kind, s.version), ObjectMeta: meta, Spec: gwv1.UDPRouteSpec{CommonRouteSpec: common, Rules: []gwv1.UDPRouteRule{{BackendRefs: refs}}}})
		}
		e.place(s.rule, Target{Kind: s.kind, Namespace: ns, Name: meta.Name, Path: "spec.rules[0]"})
	}
}

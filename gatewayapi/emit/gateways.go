package emit

import (
	"sort"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// writeGateways writes Gateways and ListenerSets.
func (e *emitter) writeGateways() {
	sets := map[[2]string]map[string]bool{} // namespaces of the ListenerSets of a Gateway
	for _, p := range e.listeners.parents {
		if p.kind == "ListenerSet" {
			k := [2]string{p.gatewayNamespace, p.gateway}
			if sets[k] == nil {
				sets[k] = map[string]bool{}
			}
			sets[k][p.namespace] = true
		}
	}
	for _, p := range e.listeners.parents {
		meta := metav1.ObjectMeta{Namespace: p.namespace, Name: p.name}
		for _, l := range p.listeners {
			for _, at := range l.origins {
				e.gatewayMeta(&meta, at)
			}
		}
		if p.kind == "ListenerSet" {
			set := &gwv1.ListenerSet{TypeMeta: typeMeta("ListenerSet", "v1"), ObjectMeta: meta, Spec: gwv1.ListenerSetSpec{ParentRef: gwv1.ParentGatewayReference{Name: gwv1.ObjectName(p.gateway)}}}
			if p.gatewayNamespace != p.namespace {
				ns := gwv1.Namespace(p.gatewayNamespace)
				set.Spec.ParentRef.Namespace = &ns
			}
			for _, l := range p.listeners {
				set.Spec.Listeners = append(set.Spec.Listeners, gwv1.ListenerEntry(e.written(p, l)))
			}
			e.objects = append(e.objects, set)
			continue
		}
		g := &gwv1.Gateway{TypeMeta: typeMeta("Gateway", "v1"), ObjectMeta: meta, Spec: gwv1.GatewaySpec{GatewayClassName: gwv1.ObjectName(e.o.GatewayClass)}}
		for _, l := range p.listeners {
			g.Spec.Listeners = append(g.Spec.Listeners, e.written(p, l))
		}
		g.Spec.AllowedListeners = allowedListeners(p.namespace, sets[[2]string{p.namespace, p.name}])
		g.Spec.TLS = e.frontendTLS(p)
		e.objects = append(e.objects, g)
	}
}

func typeMeta(kind, version string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: gwv1.GroupName + "/" + version, Kind: kind}
}

func (e *emitter) written(p *parent, l *listener) gwv1.Listener {
	out := l.described(allowedRoutes(p.namespace, l.namespaces))
	if l.passthrough {
		return out
	}
	for _, c := range l.certs {
		ns, name, ok := strings.Cut(c, "/")
		if !ok {
			ns, name = p.namespace, c
		}
		ref := gwv1.SecretObjectReference{Name: gwv1.ObjectName(name)}
		if ns != p.namespace {
			n := gwv1.Namespace(ns)
			ref.Namespace = &n
			e.needGrant(p.kind, p.namespace, "", "Secret", ns, name)
		}
		out.TLS.CertificateRefs = append(out.TLS.CertificateRefs, ref)
	}
	return out
}

// described is the listener without its certificates.
func (l *listener) described(allowed *gwv1.AllowedRoutes) gwv1.Listener {
	out := gwv1.Listener{Name: gwv1.SectionName(l.name), Port: gwv1.PortNumber(l.port), Protocol: gwv1.ProtocolType(l.protocol.String()), AllowedRoutes: allowed}
	if l.hostname != "" {
		h := gwv1.Hostname(l.hostname)
		out.Hostname = &h
	}
	if l.passthrough || len(l.certs) > 0 {
		mode := gwv1.TLSModeTerminate
		if l.passthrough {
			mode = gwv1.TLSModePassthrough
		}
		out.TLS = &gwv1.ListenerTLSConfig{Mode: &mode}
	}
	return out
}

// allowedRoutes opens a listener to the namespaces whose routes attach:
// its own, one other by label, or all.
func allowedRoutes(own string, namespaces map[string]bool) *gwv1.AllowedRoutes {
	from := gwv1.NamespacesFromAll
	var selector *metav1.LabelSelector
	if len(namespaces) == 1 {
		for ns := range namespaces {
			from = gwv1.NamespacesFromSame
			if ns != own {
				from = gwv1.NamespacesFromSelector
				selector = &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": ns}}
			}
		}
	}
	return &gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: &from, Selector: selector}}
}

// assume describes the existing Gateway: with the listeners that routes attach
// to, or open to ListenerSets.
func (e *emitter) assume(p *parent, ls []*listener) {
	all := gwv1.NamespacesFromAll
	g := &gwv1.Gateway{TypeMeta: typeMeta("Gateway", "v1"), ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: p.name}, Spec: gwv1.GatewaySpec{GatewayClassName: gwv1.ObjectName(e.o.GatewayClass)}}
	g.Spec.AllowedListeners = &gwv1.AllowedListeners{Namespaces: &gwv1.ListenerNamespaces{From: &all}}
	for _, l := range ls {
		x := l.described(&gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: &all}})
		if x.TLS != nil && !l.passthrough {
			x.TLS.CertificateRefs = []gwv1.SecretObjectReference{{Name: "unknown"}} // it has one; which does not matter
		}
		g.Spec.Listeners = append(g.Spec.Listeners, x)
	}
	e.assumed = append(e.assumed, g)
}

// allowedListeners opens a Gateway to the ListenerSets written for it, by the
// names of their namespaces; closed when there are none
// (GatewaySpec.AllowedListeners).
func allowedListeners(own string, namespaces map[string]bool) *gwv1.AllowedListeners {
	if len(namespaces) == 0 {
		return nil
	}
	from := gwv1.NamespacesFromSame
	var selector *metav1.LabelSelector
	if len(namespaces) > 1 || !namespaces[own] {
		from = gwv1.NamespacesFromSelector
		selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpIn, Values: sortedKeys(namespaces)}}}
	}
	return &gwv1.AllowedListeners{Namespaces: &gwv1.ListenerNamespaces{From: &from, Selector: selector}}
}

func (e *emitter) frontendTLS(p *parent) *gwv1.GatewayTLSConfig {
	byPort := e.listeners.clientCA[p.namespace]
	if len(byPort) == 0 {
		return nil
	}
	ports := make([]int, 0, len(byPort))
	for n := range byPort {
		ports = append(ports, n)
	}
	sort.Ints(ports)
	out := &gwv1.FrontendTLSConfig{}
	for _, n := range ports {
		t := byPort[n]
		ns, name, ok := strings.Cut(t.ClientCA, "/")
		if !ok {
			ns, name = p.namespace, t.ClientCA
		}
		kind := t.ClientCAKind
		if kind == "" {
			kind = "ConfigMap"
		}
		ref := gwv1.ObjectReference{Kind: gwv1.Kind(kind), Name: gwv1.ObjectName(name)}
		if ns != p.namespace {
			x := gwv1.Namespace(ns)
			ref.Namespace = &x
			e.needGrant("Gateway", p.namespace, "", kind, ns, name)
		}
		mode := gwv1.AllowValidOnly
		if t.ClientOptional {
			mode = gwv1.AllowInsecureFallback
		}
		v := &gwv1.FrontendTLSValidation{CACertificateRefs: []gwv1.ObjectReference{ref}, Mode: mode}
		out.PerPort = append(out.PerPort, gwv1.TLSPortConfig{Port: gwv1.PortNumber(n), TLS: gwv1.TLSConfig{Validation: v}})
	}
	return &gwv1.GatewayTLSConfig{Frontend: out}
}

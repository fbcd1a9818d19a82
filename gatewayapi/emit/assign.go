package emit

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// assign names the listeners of a Gateway and spreads them over the Gateway and
// as many ListenerSets (GEP-1713), or before v1.5 further Gateways, as the
// limit demands.
func (e *emitter) assign(namespace string, ls []*listener) {
	sort.SliceStable(ls, func(i, j int) bool {
		a, b := ls[i], ls[j]
		if a.protocol != b.protocol {
			return a.protocol < b.protocol
		}
		if a.port != b.port {
			return a.port < b.port
		}
		return a.hostname < b.hostname
	})
	names := Names{}
	ports := map[routing.Protocol]map[int]bool{}
	for _, l := range ls {
		if ports[l.protocol] == nil {
			ports[l.protocol] = map[int]bool{}
		}
		ports[l.protocol][l.port] = true
	}
	for _, l := range ls {
		base := strings.ToLower(l.protocol.String())
		if len(ports[l.protocol]) > 1 || l.protocol == routing.TCP || l.protocol == routing.UDP {
			base += "-" + strconv.Itoa(l.port)
		}
		if l.hostname != "" {
			base += "-" + slug(l.hostname)
		}
		l.name = names.take("", "", fit(base, base+l.hostname, maxRouteName), l.hostname)
	}
	name := fit(e.o.Gateway.Name, e.o.Gateway.Name, gatewayapi.MaxLabel)
	sets := e.has(gatewayapi.FeatureListenerSet)
	if e.wholeGateway() {
		p := &parent{kind: "Gateway", namespace: namespace, name: name}
		for _, l := range ls {
			l.parent = p
		}
		e.assume(p, ls)
		e.noteAt(nil, routing.Origin{Object: routing.ObjectRef{Kind: "Gateway", Namespace: namespace, Name: name}}, remark{feature: FeatureListener, fate: Approximated,
			message: "routes attach to the Gateway by port (feature HTTPRouteParentRefPort); the listeners they need (" + listenerList(ls) + ") must be there", remedy: "add the listeners to the Gateway, or write for v1.5 with ListenerSets"})
		return
	}
	if e.o.Gateway.Kind == TeamListeners && sets {
		ls = e.teamSets(namespace, name, ls)
	}
	for i, part := 0, 1; i < len(ls); i, part = i+gatewayapi.MaxListeners, part+1 {
		chunk := ls[i:min(i+gatewayapi.MaxListeners, len(ls))]
		p := &parent{kind: "Gateway", namespace: namespace, name: name, sections: true, listeners: chunk, gatewayNamespace: namespace, gateway: name}
		switch {
		case e.o.Gateway.Kind == Existing:
			p.kind, p.name = "ListenerSet", numbered(name+"-listeners", part)
		case part > 1 && sets:
			p.kind, p.name = "ListenerSet", numbered(name+"-listeners", part-1)
		case part > 1:
			p.name = numbered(name, part)
			p.gateway = p.name
		}
		for _, l := range chunk {
			l.parent = p
		}
		e.listeners.parents = append(e.listeners.parents, p)
	}
	if e.o.Gateway.Kind == Existing {
		e.assume(&parent{kind: "Gateway", namespace: namespace, name: name}, nil)
		e.noteAt(nil, routing.Origin{Object: routing.ObjectRef{Kind: "Gateway", Namespace: namespace, Name: name}}, remark{feature: FeatureGateway, fate: Approximated,
			message: "the listeners are in a ListenerSet, which the Gateway must allow", remedy: "set spec.allowedListeners.namespaces.from to Same on the Gateway"})
	}
}

// wholeGateway reports whether routes attach to an existing Gateway as a whole:
// before v1.5 there is no ListenerSet for the listeners they need.
func (e *emitter) wholeGateway() bool {
	return e.o.Gateway.Kind == Existing && !e.has(gatewayapi.FeatureListenerSet)
}

// teamSets puts the HTTPS listeners that serve one namespace with its own
// certificates into ListenerSets of that namespace (GEP-1713), so that a team
// changes its TLS without touching the Gateway and no ReferenceGrant is needed.
// It returns the listeners that stay on the Gateway: one at least.
func (e *emitter) teamSets(namespace, gateway string, ls []*listener) []*listener {
	byTeam := map[string][]*listener{}
	var rest []*listener
	for i, l := range ls {
		team := l.ownTLS()
		if team == "" || team == namespace || len(rest) == 0 && i == len(ls)-1 {
			rest = append(rest, l)
			continue
		}
		byTeam[team] = append(byTeam[team], l)
	}
	for _, team := range sortedKeys(byTeam) {
		own := byTeam[team]
		for i, part := 0, 1; i < len(own); i, part = i+gatewayapi.MaxListeners, part+1 {
			p := &parent{kind: "ListenerSet", namespace: team, name: numbered(gateway+"-listeners", part), sections: true, listeners: own[i:min(i+gatewayapi.MaxListeners, len(own))], gatewayNamespace: namespace, gateway: gateway}
			for _, l := range p.listeners {
				l.parent = p
			}
			e.listeners.parents = append(e.listeners.parents, p)
		}
	}
	return rest
}

// ownTLS is the namespace that owns routes and certificates of the listener, ""
// when that is not one.
func (l *listener) ownTLS() string {
	if len(l.namespaces) != 1 || len(l.certs) == 0 {
		return ""
	}
	for ns := range l.namespaces {
		for _, c := range l.certs {
			if !strings.HasPrefix(c, ns+"/") {
				return ""
			}
		}
		return ns
	}
	return ""
}

func numbered(base string, n int) string {
	if n == 1 {
		return base
	}
	return fmt.Sprintf("%s-%02d", base, n)
}

func listenerList(ls []*listener) string {
	var out []string
	for _, l := range ls[:min(len(ls), 5)] {
		out = append(out, l.protocol.String()+" "+strconv.Itoa(l.port)+" "+l.hostname)
	}
	if len(ls) > 5 {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}

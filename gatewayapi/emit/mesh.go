package emit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// collectMesh plans the routes of a Service within the mesh (GEP-1294): those
// for every client beside the Service, as a producer's, and those for clients of
// one namespace in that namespace, as a consumer's, where they take the
// producer's place (GEP-1426).
func (e *emitter) collectMesh(l *routing.Listener) {
	if strings.HasPrefix(l.Mesh, "/") {
		e.noteHosts(l, remark{feature: FeatureListener, fate: Lost, message: "requests of workloads to " + l.Mesh[1:] + ", which is no Service of the cluster, are not written: a route of the mesh has a Service as parent", remedy: "send them to a Service that stands for the host, or keep the VirtualService"})
		return
	}
	namespace, name, _ := strings.Cut(l.Mesh, "/")
	groups := map[string][]*routing.Rule{}
	var clients []string
	for _, h := range l.Hosts {
		for _, r := range inOrder(h) {
			ns := r.Match.Client.Namespace
			if groups[ns] == nil {
				clients = append(clients, ns)
			}
			groups[ns] = append(groups[ns], r)
		}
	}
	slices.Sort(clients)
	for _, client := range clients {
		rules := groups[client]
		v := &vhost{mesh: l.Mesh, namespace: client, rules: rules, refs: map[string][]attachment{}, http: true}
		switch {
		case client == "":
			v.namespace = namespace
		case client == namespace && groups[""] != nil:
			for _, r := range rules {
				e.note(r, remark{feature: FeatureListener, fate: Lost, message: "the rule is for clients of the namespace " + client + " alone; a route beside the Service is for every client, so that these clients get the rules of all", remedy: "tell the clients apart by a header, or move them to another namespace"})
			}
			continue
		case client == namespace:
			for _, r := range rules {
				e.note(r, remark{feature: FeatureListener, fate: Approximated, message: "the rule was for clients of the namespace " + client + "; a route beside the Service is for every client", remedy: "check who else calls the Service"})
			}
		}
		svc := &listener{port: l.Port, parent: &parent{kind: "Service", namespace: namespace, name: name}}
		v.refs[v.namespace] = []attachment{{svc}}
		e.vhosts = append(e.vhosts, v)
	}
}

// noteHosts notes a remark for every rule of a listener.
func (e *emitter) noteHosts(l *routing.Listener, m remark) {
	for _, h := range l.Hosts {
		for _, r := range h.Rules {
			e.note(r, m)
		}
	}
}

// meshStream plans the route of a Service's TCP port.
func (e *emitter) meshStream(l *routing.Listener, kind, version string) {
	namespace, name, _ := strings.Cut(l.Mesh, "/")
	for _, h := range l.Hosts {
		for _, rule := range inOrder(h)[:min(1, len(h.Rules))] {
			o := e.outcomeOf(rule, &rule.Match, ports{})
			for _, r := range o.remarks {
				e.note(rule, r)
			}
			if len(o.backends) == 0 {
				continue
			}
			svc := &listener{port: l.Port, parent: &parent{kind: "Service", namespace: namespace, name: name}}
			e.pending = append(e.pending, &stream{kind: kind, port: l.Port, version: version, rule: rule, namespace: namespace, backends: o.backends, refs: []attachment{{svc}}})
		}
	}
}

// id tells virtual hosts apart in the names of routes.
func (v *vhost) id() string {
	if v.mesh == "" {
		return strings.Join(v.names, ",")
	}
	id := "mesh " + v.mesh + " " + v.namespace
	for _, a := range v.refs[v.namespace] {
		id += " " + strconv.Itoa(a.port)
	}
	return id
}

// label is what tells the routes of one object for several hosts apart.
func (v *vhost) label() string {
	if v.mesh == "" {
		return orAny(v.names)[0]
	}
	_, name, _ := strings.Cut(v.mesh, "/")
	for _, a := range v.refs[v.namespace] {
		if a.port != 0 {
			name += "-" + strconv.Itoa(a.port)
		}
	}
	return name
}

// namespaceFor is where the routes of a rule go.
func (e *emitter) namespaceFor(v *vhost, r *routing.Rule) string {
	if v.mesh != "" {
		return v.namespace
	}
	return e.namespaceOf(r)
}

package nginx

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/routing"
)

// stream is one entry of a TCP or UDP services ConfigMap, "namespace/service:
// port[:PROXY[:PROXY]]" by the port of the controller
// (docs/user-guide/exposing-tcp-udp-services.md).
type stream struct {
	port             int
	namespace, name  string
	servicePort      string
	decodes, encodes bool // the PROXY protocol, from clients and to the backend
}

func parseStream(port, value string) (stream, error) {
	var s stream
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return s, fmt.Errorf("%q is no port from 1 to 65535", port)
	}
	if reserved[n] {
		return s, fmt.Errorf("port %d is reserved for the controller itself", n)
	}
	parts := strings.Split(value, ":")
	ns, name, ok := strings.Cut(parts[0], "/")
	if len(parts) < 2 || !ok || ns == "" || name == "" || parts[1] == "" {
		return s, fmt.Errorf("%q is not of the form namespace/service:port", value)
	}
	s = stream{port: n, namespace: ns, name: name, servicePort: parts[1]}
	s.decodes = len(parts) > 2 && strings.EqualFold(parts[2], "PROXY")
	s.encodes = len(parts) == 4 && strings.EqualFold(parts[3], "PROXY")
	return s, nil
}

// reserved are ports that the controller keeps to itself
// (internal/ingress/controller/controller.go, getStreamServices).
var reserved = map[int]bool{80: true, 443: true, 442: true, 8181: true, 10245: true, 10246: true, 10247: true, 10254: true}

// streams makes a listener for each entry of a services ConfigMap that the
// controller would open a port for, and a claim for every entry.
func (c *compiler) streams(configMap string, protocol routing.Protocol) ([]*routing.Listener, []Claim, error) {
	if configMap == "" {
		return nil, nil, nil
	}
	cm := c.configMaps[configMap]
	if cm == nil {
		return nil, nil, fmt.Errorf("the ConfigMap %s of %s services is not in the input", configMap, protocol)
	}
	var (
		out    []*routing.Listener
		claims []Claim
	)
	for _, port := range sortedKeys(cm.Data) {
		path := ledger.Join("data", port)
		s, err := parseStream(port, cm.Data[port])
		var backend routing.Backend
		if err == nil {
			backend, err = c.streamBackend(s, protocol)
		}
		if err != nil {
			claims = append(claims, Claim{Path: path, Status: ledger.Unsupported, Message: "the controller skips this entry: " + err.Error(), Remedy: "correct or remove it"})
			continue
		}
		claims = append(claims, streamClaim(path, s, protocol))
		at := routing.Origin{Object: cm.Object.Ref, Path: path, File: cm.Object.File, Line: cm.Object.LineOf(path)}
		rule := &routing.Rule{Origin: at, Action: &routing.Action{Backends: []routing.Backend{backend}}}
		out = append(out, &routing.Listener{
			Name: strings.ToLower(protocol.String()) + "-" + port, Port: s.port, Protocol: protocol, Origin: at,
			Hosts: []*routing.Host{{Rules: []*routing.Rule{rule}, Origin: at}},
		})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Port < out[j].Port })
	return out, claims, nil
}

// streamBackend resolves the Service: a number is a port of the Service, never
// a target port, and anything else is the name of one; the protocol must be
// that of the ConfigMap. Without a match the controller opens no port.
func (c *compiler) streamBackend(s stream, protocol routing.Protocol) (routing.Backend, error) {
	b := routing.Backend{Namespace: s.namespace, Name: s.name, Weight: 1, Protocol: protocol.String()}
	number, numbered := portNumber(s.servicePort)
	id := s.namespace + "/" + s.name
	svc := c.services[id]
	switch {
	case svc == nil && c.complete:
		return b, fmt.Errorf("there is no Service %s", id)
	case svc == nil && !numbered:
		b.Invalid = fmt.Sprintf("the Service %s is not in the input, so its port %s cannot be resolved", id, s.servicePort)
		return b, nil
	case svc == nil:
		b.Port = number
		return b, nil
	}
	for i := range svc.Spec.Ports {
		p := &svc.Spec.Ports[i]
		if string(p.Protocol) != protocol.String() && (p.Protocol != "" || protocol != routing.TCP) {
			continue
		}
		if !numbered && p.Name == s.servicePort || numbered && int(p.Port) == number {
			b.Port = int(p.Port)
			return b, nil
		}
	}
	return b, fmt.Errorf("the Service %s has no %s port %s", id, protocol, s.servicePort)
}

func portNumber(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}

func streamClaim(path string, s stream, protocol routing.Protocol) Claim {
	if protocol == routing.TCP && (s.decodes || s.encodes) {
		return Claim{Path: path, Status: ledger.Extension, Message: "a listener and a route for the port, but without the PROXY protocol, which Gateway API does not have",
			Remedy: "turn it on in the implementation, such as Envoy Gateway ClientTrafficPolicy proxyProtocol and BackendTrafficPolicy proxyProtocol"}
	}
	return Claim{Path: path, Features: []string{"listener", "backend", "order"}, Message: "a listener and a route for the port"}
}

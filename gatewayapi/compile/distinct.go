package compile

import (
	"fmt"
	"iter"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// spot is what listeners of one Gateway compete for.
type spot struct {
	udp  bool
	port int
}

func (d *declared) spot() spot { return spot{d.protocol == gwv1.UDPProtocolType, d.port} }

// family is what protocols have in common that can share a port.
func (d *declared) family() string {
	switch d.protocol {
	case gwv1.HTTPSProtocolType, gwv1.TLSProtocolType:
		return "TLS"
	}
	return string(d.protocol)
}

// distinct tells which listeners are in conflict. Listeners of a port agree in
// protocol and differ in hostname (GatewaySpec.Listeners, "Distinct Listeners");
// "if an implementation does not support TCP Protocol Listeners, then the previous
// rule does not apply": those of unknown protocols stand in nobody's way.
//
// Of the Gateway's own "ALL indistinct Listeners must not be accepted for
// processing", and "all the Listeners that share a port with the TCP Listener are
// not distinct". Of those of ListenerSets "the first Listener in the precedence
// list MUST be accepted" (GEP-1713, Listener and ListenerSet Conflicts).
func (c *compiler) distinct(all []declared, own int) []bool {
	ok := make([]bool, len(all))
	type named struct {
		spot
		family, hostname string
	}
	families := map[spot][]string{}
	names := map[named]int{}
	for i := range all[:own] {
		if d := &all[i]; d.supported() {
			s, f := d.spot(), d.family()
			if len(families[s]) == 0 || families[s][0] != f {
				families[s] = append(families[s], f)
			}
			names[named{s, f, d.hostname}]++
		}
	}
	for i := range all {
		d := &all[i]
		if ok[i] = true; !d.supported() {
			continue
		}
		s, f := d.spot(), d.family()
		key := named{s, f, d.hostname}
		if i >= own {
			if len(families[s]) == 0 {
				families[s] = []string{f}
			}
			if len(families[s]) == 1 && families[s][0] == f {
				names[key]++
			}
		}
		switch {
		case len(families[s]) > 1 || families[s][0] != f:
			ok[i] = false
			c.problem(d.owner, d.path(), "Conflicted", "ProtocolConflict", fmt.Sprintf("port %d has listeners of two protocols", d.port))
		case names[key] > 1:
			ok[i] = false
			c.problem(d.owner, d.path(), "Conflicted", "HostnameConflict", fmt.Sprintf("port %d has two listeners for the hostname %q", d.port, d.hostname))
		}
	}
	return ok
}

// overlapping tells which listeners that end TLS on one port have hostnames in
// common with another, although they are distinct: "Controllers MUST detect the
// presence of overlapping hostnames" (ListenerConditionOverlappingTLSConfig).
// Work is linear in the labels of the hostnames.
func overlapping(all []declared, distinct []bool) []bool {
	out := make([]bool, len(all))
	// Each listener is held to those before it; in both directions that is all others.
	look := func(listeners iter.Seq2[int, declared]) {
		ports := map[int]*nameSet{}
		for i, d := range listeners {
			if p := protocols[d.protocol]; !distinct[i] || p != routing.HTTPS && p != routing.TLS || d.passes() {
				continue
			}
			if ports[d.port] == nil {
				ports[d.port] = newNameSet()
			}
			out[i] = out[i] || ports[d.port].meets(d.hostname)
			ports[d.port].add(d.hostname)
		}
	}
	look(slices.All(all))
	look(slices.Backward(all))
	return out
}

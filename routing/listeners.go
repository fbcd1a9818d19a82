package routing

import "slices"

var schemeProtocols = map[string]Protocol{"http": HTTP, "https": HTTPS, "grpc": HTTP, "grpcs": HTTPS, "ws": HTTP, "wss": HTTPS, "tls": TLS, "tcp": TCP, "udp": UDP}

var defaultPorts = [...]int{HTTP: 80, HTTPS: 443, TLS: 443}

// listenerTable finds the listeners whose hostname takes a name. Lookup is
// O(labels of the name), plus the listeners without a hostname.
type listenerTable struct {
	byName [len(protocolNames)]listenerNames
	mesh   map[string][]*Listener // by [Listener.Mesh]
}

type listenerNames struct {
	exact, suffix, oneLabel map[string][]*Listener
	rest                    []*Listener // any host, regular expressions
}

func newListenerTable(ls []*Listener) *listenerTable {
	x := &listenerTable{mesh: map[string][]*Listener{}}
	for i := range x.byName {
		x.byName[i] = listenerNames{map[string][]*Listener{}, map[string][]*Listener{}, map[string][]*Listener{}, nil}
	}
	for _, l := range ls {
		n := &x.byName[min(int(l.Protocol), len(x.byName)-1)]
		switch v := l.Hostname.Value; {
		case l.Mesh != "":
			x.mesh[l.Mesh] = append(x.mesh[l.Mesh], l)
		case l.Hostname.Kind == ExactHost:
			n.exact[v] = append(n.exact[v], l)
		case l.Hostname.Kind == SuffixHost:
			n.suffix[v] = append(n.suffix[v], l)
		case l.Hostname.Kind == OneLabelHost:
			n.oneLabel[v] = append(n.oneLabel[v], l)
		default:
			n.rest = append(n.rest, l)
		}
	}
	return x
}

// ListenersFor returns the listeners that take the connection of a request; it
// looks at scheme, port, host, SNI, client and service only. A server asks it
// before there is a request: what TLS to speak with a client that sends a server
// name, or whether to speak TLS at all.
func (t *Table) ListenersFor(r *Request) []*Listener {
	if !t.frozen {
		t.Freeze()
	}
	v := t.view(r)
	return t.listenersFor(&v)
}

// listenersFor returns the listeners that take the connection: those of the
// scheme and port whose hostname is the most specific that matches. A TLS
// passthrough listener takes HTTPS connections to its names.
func (t *Table) listenersFor(v *view) []*Listener {
	protocol, ok := v.protocol()
	if !ok {
		return nil
	}
	name := v.host
	if v.req.SNI != "" && (protocol == HTTPS || protocol == TLS) {
		name = canonicalHost(v.req.SNI)
	}
	return t.listenersNamed(v, protocol, name)
}

// protocol is that of the connection, whatever X-Forwarded-Proto says.
func (v *view) protocol() (Protocol, bool) {
	scheme := v.req.Scheme
	if scheme == "" {
		scheme = "http"
	}
	p, ok := schemeProtocols[scheme]
	return p, ok
}

// misdirected reports whether another listener than those of the connection has
// the best match for the request's host: "If another Listener has an exact match
// or more specific wildcard entry, the Gateway SHOULD return a 421", also where
// the listener of the connection does not match it at all (Gateway API,
// Listener.Hostname).
func (t *Table) misdirected(v *view, connection []*Listener) bool {
	if !t.Reading.DetectMisdirected || v.req.SNI == "" || canonicalHost(v.req.SNI) == v.host {
		return false
	}
	protocol, _ := v.protocol()
	if protocol != HTTPS {
		return false
	}
	best := t.listenersNamed(v, protocol, v.host)
	return len(best) > 0 && !slices.Contains(connection, best[0])
}

func (t *Table) listenersNamed(v *view, protocol Protocol, name string) []*Listener {
	port := v.req.Port
	if port == 0 && int(protocol) < len(defaultPorts) {
		port = defaultPorts[protocol]
	}
	c := contest{client: v.req.Client, service: v.req.Service, host: v.host, protocol: protocol, name: name, port: port, rank: -1}
	// Without a port in the request any listener of the protocol will do when
	// none has the scheme's own port.
	for pass := 0; pass < 2 && len(c.best) == 0; pass++ {
		c.anyPort = pass > 0
		if v.req.Client != nil {
			c.meshed(t.listeners.mesh)
		} else {
			c.named(&t.listeners.byName[protocol])
			if protocol == HTTPS {
				c.named(&t.listeners.byName[TLS])
			}
		}
		if v.req.Port != 0 {
			break
		}
	}
	return c.best
}

// contest keeps the listeners with the most specific hostname.
type contest struct {
	client   *Client
	service  string // that a mesh request was sent to, if known
	host     string
	protocol Protocol
	name     string
	port     int
	anyPort  bool
	best     []*Listener
	rank     int
}

// named adds the listeners that may take the name.
func (c *contest) named(n *listenerNames) {
	c.add(n.exact[c.name])
	if len(n.suffix) > 0 || len(n.oneLabel) > 0 {
		for i := 1; i < len(c.name); i++ {
			if c.name[i] == '.' {
				c.add(n.suffix[c.name[i+1:]])
				c.add(n.oneLabel[c.name[i+1:]])
			}
		}
	}
	c.add(n.rest)
}

func (c *contest) add(ls []*Listener) {
	for i, l := range ls {
		if !l.speaks(c.protocol) || (l.Mesh != "") != (c.client != nil) || !l.Hostname.Matches(c.name) || l.Port != 0 && l.Port != c.port && !c.anyPort {
			continue
		}
		if l.Protocol == TLS && c.protocol == HTTPS && len(l.hostsFor(c.name, false)) == 0 {
			continue
		}
		rank := l.Hostname.rank() * 2
		if l.Protocol == TLS {
			rank++ // passthrough names are taken before termination
		}
		switch {
		case rank > c.rank:
			c.best, c.rank = ls[i:i+1:i+1], rank // shared until there is a second
		case rank == c.rank:
			c.best = append(c.best, l)
		}
	}
}

func (l *Listener) speaks(p Protocol) bool {
	return l.Protocol == p || l.Protocol == TLS && p == HTTPS
}

// Candidates returns the hosts whose rules compete for a request, in the order
// they are asked; it looks at scheme, port, host, SNI and client only.
func (t *Table) Candidates(r *Request) []*Host {
	if !t.frozen {
		t.Freeze()
	}
	v := t.view(r)
	var out []*Host
	for _, l := range t.listenersFor(&v) {
		out = append(out, l.hostsFor(v.host, t.Reading.HostFallthrough)...)
	}
	return out
}

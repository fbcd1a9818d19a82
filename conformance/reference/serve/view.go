package serve

import (
	"crypto/tls"

	"github.com/causeway-gateway/causeway/routing"
)

// view is one socket under one configuration; it never changes.
type view struct {
	server *Server
	config *Config
	table  *routing.Table
	bind   string // for messages
	socket *Socket
	port   int
	client *tls.Certificate // shown to backends
	mesh   *Mesh            // nil for gateways
	secure *transports
	family family
}

// family is what is spoken on a port. The listeners of a port agree in it
// (Listener: "compatible" listeners); where they do not, the first wins.
type family uint8

const (
	nothing family = iota // no listener: connections are closed
	plainHTTP
	tlsFamily // HTTPS, and TLS passed through or terminated, told apart by server name
	stream
	datagram
)

var families = map[routing.Protocol]family{
	routing.HTTP: plainHTTP, routing.HTTPS: tlsFamily, routing.TLS: tlsFamily, routing.TCP: stream, routing.UDP: datagram,
}

func newView(s *Server, c *Config, x *Socket, secure *transports) *view {
	if !x.Table.Frozen() {
		x.Table.Warm()
	}
	v := &view{server: s, config: c, table: x.Table, bind: x.Bind.String(), socket: x, port: x.Port, client: x.ClientCertificate, secure: secure}
	if v.port == 0 {
		v.port = int(x.Bind.Port())
	}
	for _, l := range x.Table.Listeners {
		f := families[l.Protocol]
		if l.Mesh == "" && (l.Port == 0 || l.Port == v.port) && (f == datagram) == (x.Network == "udp") {
			v.family = f
			break
		}
	}
	return v
}

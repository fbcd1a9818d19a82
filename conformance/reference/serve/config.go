package serve

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"

	"github.com/causeway-gateway/causeway/routing"
)

// Config is what a [Server] serves until the next one. Neither it nor anything
// it refers to is changed after [Server.Apply].
type Config struct {
	Sockets []Socket
	// Certificates by the "namespace/name" of their Secret.
	Certificates map[string]*tls.Certificate
	// CAs by "Kind namespace/name"; the kinds are ConfigMap and Secret.
	CAs map[string]*x509.CertPool
	// Endpoints are the ready endpoints of a backend by its key
	// ([routing.Backend.Key]), "namespace/name:port" of a Service.
	Endpoints map[string][]netip.AddrPort
	// Mesh is nil for gateways.
	Mesh *Mesh
}

// Socket opens a port of a Gateway. Several Gateways have tables and ports of
// their own.
type Socket struct {
	Network string         // "tcp" or "udp"
	Bind    netip.AddrPort // where to listen
	Port    int            // the port that the listeners of the table name; that of Bind when 0
	Table   *routing.Table
	// ClientCertificate is what the Gateway shows to backends that ask for a
	// certificate (Gateway.spec.tls.backend.clientCertificateRef); nil for none.
	ClientCertificate *tls.Certificate
}

// Mesh answers for the addresses of Services: connections to them are
// redirected to Bind.
type Mesh struct {
	Bind  netip.AddrPort // TCP
	Table *routing.Table
	// Service is the "namespace/name" of the Service whose address and port a
	// connection was made to; ok is false when it is no Service, and the
	// connection is passed on as it is.
	Service func(to netip.AddrPort) (service string, ok bool)
	// Client is the pod that has an address; nil when it is unknown.
	Client func(from netip.Addr) *routing.Client
}

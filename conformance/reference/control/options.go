package control

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"

	"github.com/causeway-gateway/causeway/conformance/reference/serve"
)

// The controllers' names, as GatewayClass.spec.controllerName and the entries
// of a route's status.parents name them.
const (
	GatewayController = "causeway-gateway.github.io/reference"
	MeshController    = "causeway-gateway.github.io/reference-mesh"
)

// Options of [Run].
type Options struct {
	// Address is where the gateway's sockets are reached in the cluster; that
	// of the first network device when zero.
	Address netip.Addr
	// Mesh serves routes whose parent is a Service, instead of Gateways.
	Mesh *Mesh
	// Ready is called once the first configuration is served; may be nil.
	Ready func()
	Log   *slog.Logger
}

// Mesh is the node's side of the mesh.
type Mesh struct {
	// Bind is where redirected connections arrive.
	Bind netip.AddrPort
	// Redirect sends connections to these addresses to Bind, and those to all
	// others where they go by themselves.
	Redirect func(targets []netip.AddrPort) error
}

func (o *Options) controllerName() string {
	if o.Mesh != nil {
		return MeshController
	}
	return GatewayController
}

func (o *Options) complete() error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Mesh != nil || o.Address.IsValid() {
		return nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			o.Address = p.Addr()
			return nil
		}
	}
	return errors.New("no network device has an IPv4 address that others could reach")
}

// dataPlane is what the reconciler needs of [serve.Server].
type dataPlane interface {
	Apply(*serve.Config) error
}

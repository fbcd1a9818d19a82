// Package compile turns Gateway API objects into a routing table with the
// specification's semantics: which routes attach to which listeners, which
// rule takes a request, and what becomes of references that do not resolve. It
// says in the words of the status conditions why something has no effect.
//
// Sources are the API's documentation comments (sigs.k8s.io/gateway-api/apis),
// named by type and field beside each rule.
package compile

import (
	"crypto/tls"
	"crypto/x509"
	"sort"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/routing"
)

// Options of Compile. The zero value reads every Gateway.
type Options struct {
	// Reading settles what the specification leaves to implementations.
	Reading routing.Reading
	// Gateway "namespace/name" limits the table to one Gateway and what
	// attaches to it; empty reads all.
	Gateway string
	// Separate gives each Gateway an address and a table of its own
	// ([Gateway.Table]); otherwise all are read as if they shared one address.
	Separate bool
	// Complete says that the objects are all that the cluster has: a Service,
	// Namespace, Secret or ConfigMap that is not among them does not exist, and
	// a backend of an unknown kind is nothing.
	Complete bool
	// Locate returns where a part of an object was read; may be nil.
	Locate func(o routing.ObjectRef, path string) (file string, line int)
}

// Compile never fails: what cannot be used is in the problems. Work is linear
// in routes times the listeners each attaches to. Objects of other kinds are
// looked at only to resolve references: Services and Namespaces, when any are
// given, are taken to be all there are; see [Options.Complete] for the others.
func Compile(objs []client.Object, o Options) *Result {
	c := &compiler{o: o, in: sortInputs(objs, o.Complete), hosts: map[hostKey]*routing.Host{}, users: map[string]map[routing.ObjectRef]bool{}, mesh: map[string]*place{}}
	c.result.Certificates, c.result.Authorities = map[string]*tls.Certificate{}, map[string]*x509.CertPool{}
	c.result.Problems = append(c.result.Problems, c.in.unread...)
	c.grants = newGrants(c.in.grants)
	c.tls = c.backendPolicies()
	c.listeners()
	c.claimFrontends()
	c.webRoutes()
	for _, r := range c.in.streams {
		c.streamRoute(r)
	}
	c.settleMesh()
	c.settleGateways()
	c.settlePolicies()
	sort.SliceStable(c.result.Problems, func(i, j int) bool {
		a, b := c.result.Problems[i], c.result.Problems[j]
		if x, y := a.Object.String(), b.Object.String(); x != y {
			return x < y
		}
		return a.Path < b.Path
	})
	return &c.result
}

// serving is a listener that takes requests, of the first Gateway that has it.
type serving struct {
	gateway  routing.ObjectRef
	listener *routing.Listener
}

// settleGateways makes the tables of what serves.
func (c *compiler) settleGateways() {
	t := &routing.Table{Reading: c.o.Reading}
	c.result.Table = t
	byGateway := map[routing.ObjectRef][]*routing.Listener{}
	for _, s := range c.serving {
		byGateway[s.gateway] = append(byGateway[s.gateway], s.listener)
		if !c.o.Separate {
			t.Listeners = append(t.Listeners, s.listener)
		}
	}
	for _, p := range c.services {
		t.Listeners = append(t.Listeners, p.listener)
	}
	if c.o.Separate {
		for _, g := range c.result.Gateways {
			g.Table = &routing.Table{Reading: c.o.Reading, Listeners: byGateway[g.Gateway]}
		}
	}
}

type hostKey struct {
	place *place
	name  string
}

// compiler holds the state of one Compile.
type compiler struct {
	o         Options
	in        *inputs
	result    Result
	grants    grants
	tls       map[string][]*tlsPolicy
	policies  []*tlsPolicy
	users     map[string]map[routing.ObjectRef]bool // Gateways by Service "namespace/name"
	serving   []serving
	services  []*place                     // of the mesh, in the order of their routes
	gateways  map[string][]*place          // by "Kind namespace/name" of the parent
	owners    map[string]routing.ObjectRef // the Gateway of each parent, likewise
	mesh      map[string]*place            // the same, by the listener's name
	defaults  []routing.ObjectRef          // default Gateways
	frontends frontends
	hosts     map[hostKey]*routing.Host
}

func (c *compiler) problem(o routing.ObjectRef, path, condition, reason, message string) {
	c.result.Problems = append(c.result.Problems, Problem{o, path, condition, reason, message})
}

func (c *compiler) origin(o routing.ObjectRef, path string) routing.Origin {
	at := routing.Origin{Object: o, Path: path}
	if c.o.Locate != nil {
		at.File, at.Line = c.o.Locate(o, path)
	}
	return at
}

// host finds or makes the virtual host of a listener. Rules of all routes with
// one effective hostname compete with each other.
func (c *compiler) host(p *place, name string, at routing.Origin) *routing.Host {
	k := hostKey{p, name}
	h := c.hosts[k]
	if h == nil {
		h = &routing.Host{Order: routing.MostSpecific, Origin: at}
		if name != "" {
			h.Names = []routing.HostPattern{routing.ParseHost(name, routing.SuffixHost)}
		}
		c.hosts[k] = h
		p.listener.Hosts = append(p.listener.Hosts, h)
	}
	return h
}

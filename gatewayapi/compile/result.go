package compile

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/causeway-gateway/causeway/routing"
)

// Problem is a part of an object that has no effect, in the terms of the status
// conditions of Gateway API.
type Problem struct {
	Object    routing.ObjectRef
	Path      string // JSON path in the object
	Condition string // Accepted, ResolvedRefs, Conflicted, …
	Reason    string // NoMatchingParent, RefNotPermitted, BackendNotFound, …
	Message   string
}

// Result of Compile. What has no effect is in Problems; the other lists say
// what became of each object, for who writes the status.
type Result struct {
	// Table is of all Gateways and of the mesh, or with [Options.Separate] of
	// the mesh only.
	Table     *routing.Table
	Gateways  []*Gateway
	Listeners []*Listener // the Gateway's own first, then those of its ListenerSets
	Parents   []Parent
	Policies  []Policy
	Problems  []Problem
	// Certificates, by "namespace/name" of their Secret, and Authorities, by
	// "Kind namespace/name", are those that references led to, with
	// [Options.Complete].
	Certificates map[string]*tls.Certificate
	Authorities  map[string]*x509.CertPool
}

// Gateway is what became of a Gateway.
type Gateway struct {
	Gateway routing.ObjectRef
	// Table is the Gateway's own, with [Options.Separate].
	Table *routing.Table
	// ClientCertificate is the Secret "namespace/name" that backends are shown
	// (GatewaySpec.TLS.Backend); empty for none.
	ClientCertificate string
}

// Listener is what became of a listener of a Gateway or ListenerSet. Its
// problems are those of Owner at spec.listeners[Index].
type Listener struct {
	Gateway  routing.ObjectRef
	Owner    routing.ObjectRef // the Gateway, or the ListenerSet
	Index    int               // in the owner
	Name     string
	Port     int
	Protocol string
	Kinds    []string // of routes that it takes; nil for an unknown protocol
	Serves   bool     // whether it takes requests
	// Overlaps says that it ends TLS for names that another listener of the port
	// ends TLS for, too.
	Overlaps bool
	Routes   int // that are attached
}

// Parent is what became of one parent reference of a route. Its problems are
// those of Route at spec.parentRefs[Index] and, whatever the parent, below
// spec.rules. A default Gateway that claimed the route has the index -1, and its
// problems are at spec.useDefaultGateways.
type Parent struct {
	Route  routing.ObjectRef
	Index  int               // in spec.parentRefs
	Parent routing.ObjectRef // Gateway, ListenerSet or Service
	// Gateway is the Gateway that serves the parent; empty for a Service and
	// for a parent that is not among the objects.
	Gateway routing.ObjectRef
}

// Policy is what became of a BackendTLSPolicy.
type Policy struct {
	Policy routing.ObjectRef
	// Gateways have routes to a backend that the policy targets, sorted.
	Gateways []routing.ObjectRef
}

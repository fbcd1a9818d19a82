// Package compile turns Gateway API objects into a routing table with the
// specification's semantics: which routes attach to which listeners, which
// rule takes a request, and what becomes of references that do not resolve. It
// says in the words of the status conditions why something has no effect.
//
// Sources are the API's documentation comments (sigs.k8s.io/gateway-api/apis),
// named by type and field beside each rule.
package compile

import (
	"sort"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/routing"
)

// Options of Compile. The zero value reads every Gateway.
type Options struct {
	// Reading settles what the specification leaves to implementations.
	Reading routing.Reading
	// Gateway "namespace/name" limits the table to one Gateway and what
	// attaches to it; empty reads all, as if they shared one address.
	Gateway string
	// Locate returns where a part of an object was read; may be nil.
	Locate func(o routing.ObjectRef, path string) (file string, line int)
}

// Problem is a part of an object that has no effect, in the terms of the status
// conditions of Gateway API.
type Problem struct {
	Object    routing.ObjectRef
	Path      string // JSON path in the object
	Condition string // Accepted, ResolvedRefs, Conflicted, …
	Reason    string // NoMatchingParent, RefNotPermitted, BackendNotFound, …
	Message   string
}

// Result of Compile.
type Result struct {
	Table    *routing.Table
	Problems []Problem
}

// Compile never fails: what cannot be used is in the problems. Work is linear
// in routes times the listeners each attaches to. Objects of other kinds are
// looked at only to resolve references: Services and Namespaces, when any are
// given, are taken to be all there are.
func Compile(objs []client.Object, o Options) *Result {
	c := &compiler{o: o, in: sortInputs(objs), hosts: map[hostKey]*routing.Host{}, mesh: map[string]*place{}}
	c.grants = newGrants(c.in.grants)
	c.tls = c.backendPolicies()
	c.listeners()
	c.webRoutes()
	for _, r := range c.in.streams {
		c.streamRoute(r)
	}
	c.settleMesh()
	t := &routing.Table{Reading: o.Reading}
	for _, p := range c.places {
		t.Listeners = append(t.Listeners, p.listener)
	}
	sort.SliceStable(c.problems, func(i, j int) bool {
		a, b := c.problems[i], c.problems[j]
		if x, y := a.Object.String(), b.Object.String(); x != y {
			return x < y
		}
		return a.Path < b.Path
	})
	return &Result{Table: t, Problems: c.problems}
}

type hostKey struct {
	place *place
	name  string
}

// compiler holds the state of one Compile.
type compiler struct {
	o        Options
	in       *inputs
	grants   grants
	tls      map[string][]tlsPolicy
	places   []*place
	gateways map[string][]*place // by "Kind namespace/name" of the parent
	mesh     map[string]*place
	hosts    map[hostKey]*routing.Host
	problems []Problem
}

func (c *compiler) problem(o routing.ObjectRef, path, condition, reason, message string) {
	c.problems = append(c.problems, Problem{o, path, condition, reason, message})
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

package compile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// attached is a listener with the hostname that a route has on it; "" is any.
type attached struct {
	place *place
	host  string
	rank  int // of the route's own hostname; see [effective]
	// consumer is the namespace of a consumer route of the mesh: its rules are
	// for clients of that namespace only (GEP-1294).
	consumer string
}

// attach finds the listeners of a route (ParentReference, AllowedRoutes,
// HTTPRouteSpec.Hostnames). Each place and hostname is given once.
// A route that is not valid is not accepted, and counts nowhere; its requests
// still are answered with an error rather than by a broader route.
func (c *compiler) attach(ref routing.ObjectRef, spec gwv1.CommonRouteSpec, hostnames []gwv1.Hostname, valid bool) []attached {
	var out []attached
	seen := map[attached]bool{}
	add := func(a attached) {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	for i, h := range hostnames {
		if !validHostname(string(h)) {
			c.problem(ref, fmt.Sprintf("spec.hostnames[%d]", i), "Accepted", "UnsupportedValue", fmt.Sprintf("%q is no host name", h))
		}
	}
	for i, p := range spec.ParentRefs {
		path := fmt.Sprintf("spec.parentRefs[%d]", i)
		kind, ns := string(value(p.Kind, "Gateway")), string(value(p.Namespace, gwv1.Namespace(ref.Namespace)))
		parent := routing.ObjectRef{Kind: kind, Namespace: ns, Name: string(p.Name)}
		report := Parent{Route: ref, Index: i, Parent: parent}
		var found bool
		if isService(p) {
			found = c.attachMesh(ref, p, ns, path, add)
		} else {
			report.Gateway, found = c.attachGateway(ref, p, parent, path, hostnames, valid, add)
		}
		if found && !valid {
			c.problem(ref, path, "Accepted", "UnsupportedValue", "none of the rules of the route is valid")
		}
		c.result.Parents = append(c.result.Parents, report)
	}
	c.attachDefaults(ref, spec, hostnames, valid, add)
	return out
}

// attachDefaults attaches a route to the default Gateways that would take it:
// "if set, the Gateway will claim any Route with a matching scope set in its
// UseDefaultGateway field, subject to the usual rules about which routes the
// Gateway can attach to" (GatewaySpec.DefaultScope, GEP-3793). Those that do not
// take it have nothing to say about it.
func (c *compiler) attachDefaults(ref routing.ObjectRef, spec gwv1.CommonRouteSpec, hostnames []gwv1.Hostname, valid bool, add func(attached)) {
	if spec.UseDefaultGateways != gwv1.GatewayDefaultScopeAll {
		return
	}
	named := map[routing.ObjectRef]bool{}
	for _, p := range spec.ParentRefs {
		if value(p.Kind, "Gateway") == "Gateway" {
			named[routing.ObjectRef{Kind: "Gateway", Namespace: string(value(p.Namespace, gwv1.Namespace(ref.Namespace))), Name: string(p.Name)}] = true
		}
	}
	for _, g := range c.defaults {
		if named[g] {
			continue
		}
		before := len(c.result.Problems)
		ns := gwv1.Namespace(g.Namespace)
		if _, found := c.attachGateway(ref, gwv1.ParentReference{Namespace: &ns, Name: gwv1.ObjectName(g.Name)}, g, defaultPath, hostnames, valid, add); !found {
			c.result.Problems = c.result.Problems[:before]
			continue
		}
		if !valid {
			c.problem(ref, defaultPath, "Accepted", "UnsupportedValue", "none of the rules of the route is valid")
		}
		c.result.Parents = append(c.result.Parents, Parent{Route: ref, Index: -1, Parent: g, Gateway: g})
	}
}

// defaultPath is where a route asks for default Gateways.
const defaultPath = "spec.useDefaultGateways"

// hostname is what the API allows for one (Hostname): a domain name, or "*." and
// one. Letters of both cases are taken.
var hostname = regexp.MustCompile(`^(?i)(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func validHostname(s string) bool { return hostname.MatchString(s) }

// attachGateway attaches a route to listeners of a Gateway or ListenerSet, and
// returns the Gateway that serves them.
//
// A TLSRoute at a listener of another protocol is NotAllowedByListeners, as the
// suite has it (TLSRouteInvalidNoMatchingListener); TLSRouteSpec.Hostnames has
// UnsupportedValue.
func (c *compiler) attachGateway(ref routing.ObjectRef, p gwv1.ParentReference, parent routing.ObjectRef, path string, hostnames []gwv1.Hostname, valid bool, add func(attached)) (gateway routing.ObjectRef, found bool) {
	places, known := c.gateways[parent.String()]
	if value(p.Group, gwv1.GroupName) != gwv1.GroupName { // another API's
		known = false
	} else {
		gateway = c.owners[parent.String()]
	}
	if !known {
		if c.o.Gateway == "" {
			c.problem(ref, path, "Accepted", "NoMatchingParent", "there is no listener of "+parent.String())
		}
		return gateway, false
	}
	// "When unspecified (empty string), this will reference the entire resource"
	// (ParentReference.SectionName).
	section, port := string(value(p.SectionName, "")), int(value(p.Port, 0))
	reason, message := "NoMatchingParent", "no listener of "+parent.String()+" has this section name and port"
	for _, x := range places {
		if section != "" && section != x.name || port != 0 && port != x.port {
			continue
		}
		if !c.routeAllowed(x, ref) {
			if reason == "NoMatchingParent" {
				reason, message = "NotAllowedByListeners", "the listeners of "+parent.String()+" do not allow this kind of route from this namespace"
			}
			continue
		}
		names := intersect(x.hostname, hostnames)
		if len(names) == 0 {
			reason, message = "NoMatchingListenerHostname", "no hostname of the route is within those of the listeners"
			continue
		}
		if other := x.claim(ref.Kind, names, valid); other != "" {
			reason, message = "RouteConflict", "an older "+other+" has one of the hostnames on this listener"
			continue
		}
		for _, n := range names {
			add(attached{place: x, host: n.name, rank: n.rank})
		}
		if valid {
			// "Routes with any other value for the Accepted condition MUST NOT be
			// included in this count" (ListenerStatus.AttachedRoutes).
			x.routes[ref] = true
			x.report.Routes = len(x.routes)
		}
		found = true
	}
	if !found {
		c.problem(ref, path, "Accepted", reason, message)
	}
	return gateway, found
}

func (c *compiler) routeAllowed(p *place, ref routing.ObjectRef) bool {
	from := gwv1.NamespacesFromSame
	var selector *metav1.LabelSelector
	if a := p.allowed; a != nil && a.Namespaces != nil {
		from, selector = value(a.Namespaces.From, gwv1.NamespacesFromSame), a.Namespaces.Selector
	}
	return slices.Contains(p.report.Kinds, ref.Kind) && c.namespaceAllowed(from, selector, p.namespace, ref.Namespace)
}

// effective is a hostname that a route has on a listener.
type effective struct {
	name string
	// rank orders routes that have one name on a listener by the hostnames that
	// they wrote: "precedence must be given to rules from the HTTPRoute with the
	// largest number of: Characters in a matching non-wildcard hostname.
	// Characters in a matching hostname" (HTTPRouteSpec.Hostnames; v1.7 tests it
	// as GatewayRouteHostnameIntersectionPrecedence).
	rank int
}

// rankOf counts the characters of a hostname as a route wrote it; those without
// a wildcard are above all others.
func rankOf(hostname string) int {
	if strings.HasPrefix(hostname, "*") {
		return len(hostname)
	}
	return len(hostname) + 256 // longer than any
}

// intersect returns the hostnames that route and listener share, the narrower
// of each pair (HTTPRouteSpec.Hostnames), sorted, each once.
func intersect(listener string, route []gwv1.Hostname) []effective {
	l := strings.ToLower(listener)
	if len(route) == 0 {
		return []effective{{name: l}}
	}
	ranks := map[string]int{}
	for _, r := range route {
		n := strings.ToLower(string(r))
		switch {
		case !validHostname(n):
		case l == "" || within(n, l):
			ranks[n] = max(ranks[n], rankOf(n))
		case within(l, n):
			ranks[l] = max(ranks[l], rankOf(n))
		}
	}
	var out []effective
	for _, n := range slices.Sorted(maps.Keys(ranks)) {
		out = append(out, effective{n, ranks[n]})
	}
	return out
}

// within reports whether every name of a is one of b.
func within(a, b string) bool {
	if a == b {
		return true
	}
	domain, wild := strings.CutPrefix(b, "*.")
	return wild && strings.HasSuffix(strings.TrimPrefix(a, "*"), "."+domain)
}

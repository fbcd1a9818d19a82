package compile

import (
	"fmt"
	"maps"
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
func (c *compiler) attach(ref routing.ObjectRef, parents []gwv1.ParentReference, hostnames []gwv1.Hostname) []attached {
	var out []attached
	seen := map[attached]bool{}
	add := func(a attached) {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	for i, p := range parents {
		path := fmt.Sprintf("spec.parentRefs[%d]", i)
		kind, ns := string(value(p.Kind, "Gateway")), string(value(p.Namespace, gwv1.Namespace(ref.Namespace)))
		parent := routing.ObjectRef{Kind: kind, Namespace: ns, Name: string(p.Name)}
		report := Parent{Route: ref, Index: i, Parent: parent}
		if isService(p) {
			c.attachMesh(ref, p, ns, path, add)
		} else {
			report.Gateway = c.attachGateway(ref, p, parent, path, hostnames, add)
		}
		c.result.Parents = append(c.result.Parents, report)
	}
	return out
}

// attachGateway attaches a route to listeners of a Gateway or ListenerSet, and
// returns the Gateway that serves them.
func (c *compiler) attachGateway(ref routing.ObjectRef, p gwv1.ParentReference, parent routing.ObjectRef, path string, hostnames []gwv1.Hostname, add func(attached)) (gateway routing.ObjectRef) {
	gateway = c.owners[parent.String()]
	places, known := c.gateways[parent.String()]
	if !known {
		if c.o.Gateway == "" {
			c.problem(ref, path, "Accepted", "NoMatchingParent", "there is no listener of "+parent.String())
		}
		return gateway
	}
	reason, message := "NoMatchingParent", "no listener of "+parent.String()+" has this section name and port"
	found := false
	for _, x := range places {
		if p.SectionName != nil && string(*p.SectionName) != x.name || p.Port != nil && int(*p.Port) != x.port {
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
		if other := x.claim(ref.Kind, names); other != "" {
			reason, message = "RouteConflict", "an older "+other+" has one of the hostnames on this listener"
			continue
		}
		for _, n := range names {
			add(attached{place: x, host: n.name, rank: n.rank})
		}
		x.routes[ref] = true
		x.report.Routes = len(x.routes)
		found = true
	}
	if !found {
		c.problem(ref, path, "Accepted", reason, message)
	}
	return gateway
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
	suffix, wild := strings.CutPrefix(b, "*")
	return wild && strings.HasSuffix(strings.TrimPrefix(a, "*"), suffix) && a != b[2:]
}

package istio

import (
	"net/netip"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// resolveHost makes a short name the full name of a Service of the namespace:
// names with a dot, addresses and "*" stay as they are, so that reviews.prod is
// no Service (pilot/pkg/model/config.go, ResolveShortnameToFQDN).
func (c *compiler) resolveHost(host, namespace string) string {
	if host == "" || host == "*" || strings.Contains(host, ".") {
		return host
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	return host + "." + namespace + ".svc." + c.o.Domain
}

// resolveGateway returns "namespace/name" of a gateway that a VirtualService
// names, or "mesh" (pilot/pkg/model/config.go, resolveGatewayName).
func resolveGateway(name, namespace string) string {
	if name == mesh {
		return mesh
	}
	if before, after, ok := strings.Cut(name, "/"); ok {
		if before == "." {
			before = namespace
		}
		return before + "/" + after
	}
	first, rest, dotted := strings.Cut(name, ".")
	if !dotted {
		return namespace + "/" + name
	}
	ns, _, _ := strings.Cut(rest, ".")
	return ns + "/" + first
}

// mesh is the gateway that stands for every sidecar and waypoint.
const mesh = "mesh"

func wildcard(h string) bool { return strings.HasPrefix(h, "*") }

// hostMatches reports whether two names, either of which may be a wildcard, have
// one in common (pkg/config/host/name.go, Name.Matches).
func hostMatches(a, b string) bool {
	switch wa, wb := wildcard(a), wildcard(b); {
	case wa && wb:
		return strings.HasSuffix(a[1:], b[1:]) || strings.HasSuffix(b[1:], a[1:])
	case wa:
		return strings.HasSuffix(b, a[1:])
	case wb:
		return strings.HasSuffix(a, b[1:])
	}
	return a == b
}

// hostWithin reports whether every name of a is one of b (Name.SubsetOf).
func hostWithin(a, b string) bool {
	switch wa, wb := wildcard(a), wildcard(b); {
	case wa && wb:
		return len(a) >= len(b) && strings.HasSuffix(a[1:], b[1:])
	case wa:
		return false
	case wb:
		return strings.HasSuffix(a, b[1:])
	}
	return a == b
}

// intersection is the narrower of each pair of names that meet, each once
// (pkg/config/host/names.go, Names.Intersection).
func intersection(a, b []string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(h string) {
		if h = strings.ToLower(h); !seen[h] {
			seen[h] = true
			out = append(out, h)
		}
	}
	for _, x := range a {
		for _, y := range b {
			if hostWithin(x, y) {
				add(x)
			} else if hostWithin(y, x) {
				add(y)
			}
		}
	}
	return out
}

// serverHosts are the hosts of a server that VirtualServices of a namespace may
// bind to: "ns/host", "./host" and "*/host" say whose
// (pilot/pkg/model/gateway.go, sanitizeServerHostNamespace).
func serverHosts(hosts []string, gatewayNamespace, namespace string) []string {
	var out []string
	for _, h := range hosts {
		ns, name, ok := strings.Cut(h, "/")
		switch {
		case !ok:
			out = append(out, h)
		case ns == "*" && name == "*":
			return []string{"*"}
		case ns == "*", ns == namespace, ns == "." && gatewayNamespace == namespace:
			out = append(out, name)
		}
	}
	return out
}

// bareHosts are the hosts of a server without namespaces, each once.
func bareHosts(hosts []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, h := range hosts {
		if _, name, ok := strings.Cut(h, "/"); ok {
			h = name
		}
		if h = strings.ToLower(h); !seen[h] {
			seen[h] = true
			out = append(out, h)
		}
	}
	return out
}

// pattern is the names that a domain of Envoy takes: exact, *.suffix of any
// depth, or * (config.route.v3.VirtualHost.domains). A wildcard without a dot
// (*-api.example.com) needs a regular expression.
func pattern(domain string) routing.HostPattern {
	if wildcard(domain) && domain != "*" && !strings.HasPrefix(domain, "*.") {
		return routing.HostPattern{Kind: routing.RegexHost, Value: "^.+" + quoteMeta(domain[1:]) + "$"}
	}
	return routing.ParseHost(domain, routing.SuffixHost)
}

// exports reports whether an object is visible in a namespace: "*" means
// everywhere, "." its own, "~" nowhere; without a list, everywhere
// (pilot/pkg/model/push_context.go, initVirtualServices).
func exports(to []string, own, namespace string) bool {
	if len(to) == 0 {
		return true
	}
	v := visibilityOf(to, own)
	return v.public || v.namespaces[namespace]
}

type visibility struct {
	public     bool
	namespaces map[string]bool
}

func visibilityOf(to []string, own string) visibility {
	v := visibility{public: len(to) == 0, namespaces: map[string]bool{}}
	for _, x := range to {
		switch x {
		case "*":
			v.public = true
		case ".":
			v.namespaces[own] = true
		case "~":
			return visibility{public: v.public, namespaces: map[string]bool{}}
		default:
			v.namespaces[x] = true
		}
	}
	return v
}

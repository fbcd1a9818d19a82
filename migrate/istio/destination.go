package istio

import (
	"strings"
)

// ruleIndex finds the DestinationRules of a host: those of one namespace that
// name it, and those with a wildcard.
type ruleIndex struct {
	exact map[[2]string][]*destinationRule // by namespace and host
	wild  map[string][]wildRule            // by namespace
	found map[[2]string][]*destinationRule // answers, by host and client
}

type wildRule struct {
	host string
	rule *destinationRule
}

func (c *compiler) newRuleIndex() *ruleIndex {
	x := &ruleIndex{exact: map[[2]string][]*destinationRule{}, wild: map[string][]wildRule{}, found: map[[2]string][]*destinationRule{}}
	for _, r := range c.in.destinationRules {
		if len(r.Spec.WorkloadSelector.GetMatchLabels()) > 0 {
			continue // for some workloads only
		}
		host := strings.ToLower(c.resolveHost(r.Spec.Host, r.Namespace))
		if wildcard(host) {
			x.wild[r.Namespace] = append(x.wild[r.Namespace], wildRule{host, r})
		} else {
			k := [2]string{r.Namespace, host}
			x.exact[k] = append(x.exact[k], r)
		}
	}
	return x
}

// rulesFor are the DestinationRules of a host: of the client's namespace, else
// of the Service's, else of the root namespace; in each those of the most
// specific host (pilot/pkg/model/push_context.go, destinationRule). Of a client
// in the root namespace, as the ingress gateway is by default, only the rules
// that it exports to itself alone come before the Service's: the others there
// are defaults of the mesh. Rules of one namespace and host are merged; the first
// that has what is asked for counts.
func (c *compiler) rulesFor(host, client string) []*destinationRule {
	x, k := c.ruleIndex, [2]string{host, client}
	if found, ok := x.found[k]; ok {
		return found
	}
	service, _, _ := c.registry.service(host)
	if e := c.registry.entries[host]; service == "" && e != nil {
		service = e.Namespace
	}
	found := x.in(client, host, client, client == c.o.Root)
	for _, ns := range []string{service, c.o.Root} {
		if len(found) == 0 {
			found = x.in(ns, host, client, false)
		}
	}
	x.found[k] = found
	return found
}

// in are the rules of a namespace that a client sees; private are only those
// that the namespace exports to itself alone.
func (x *ruleIndex) in(namespace, host, client string, private bool) []*destinationRule {
	var out []*destinationRule
	sees := func(r *destinationRule) bool {
		to := r.Spec.ExportTo
		return exports(to, r.Namespace, client) && (!private || len(to) == 1 && (to[0] == "." || to[0] == r.Namespace))
	}
	for _, r := range x.exact[[2]string{namespace, host}] {
		if sees(r) {
			out = append(out, r)
		}
	}
	longest := ""
	for _, w := range x.wild[namespace] {
		if len(out) > 0 && longest == "" {
			break // a rule that names the host is more specific
		}
		switch {
		case len(w.host) < len(longest) || !hostMatches(w.host, host) || !sees(w.rule):
		case len(w.host) > len(longest):
			out, longest = []*destinationRule{w.rule}, w.host
		default:
			out = append(out, w.rule)
		}
	}
	return out
}

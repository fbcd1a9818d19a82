package istio

import (
	"fmt"
	"slices"
	"strings"
)

// report finds what has no effect: VirtualServices that no gateway of the input
// serves, hosts that no server admits, delegates that nobody refers to.
func (c *compiler) report() {
	gateways := map[string]bool{}
	for _, g := range c.in.gateways {
		gateways[g.id()] = true
	}
	for _, v := range c.roots {
		spec := c.plans[v].spec
		for i, g := range spec.Gateways {
			if g != mesh && !gateways[g] {
				c.find(Finding{Object: v.Object, Kind: Unresolved, Path: fmt.Sprintf("spec.gateways[%d]", i), Message: "the Gateway " + g + " is not in the input: nothing is served there", Remedy: "give the Gateway along"})
			}
		}
		for i, h := range spec.Hosts {
			if !c.hosts[v.Object][h] && c.bindsKnown(spec.Gateways, gateways) {
				c.find(Finding{Object: v.Object, Kind: Inert, Path: fmt.Sprintf("spec.hosts[%d]", i), Message: "nothing serves this host: no server of its gateways admits it, an older VirtualService has it, or exportTo hides it from the gateway"})
			}
		}
		if len(spec.Gateways) == 0 || slices.Contains(spec.Gateways, mesh) {
			for i := range spec.Tls {
				c.find(Finding{Object: v.Object, Kind: Manual, Path: fmt.Sprintf("spec.tls[%d]", i), Message: "routes of TLS connections within the mesh have no form in GAMMA", Remedy: "keep the VirtualService for them, or write an HTTPRoute for plain HTTP to the Service"})
			}
		}
	}
	for _, d := range c.in.virtualServices {
		c.reportFields(d)
		if len(d.Spec.Hosts) == 0 && len(c.delegated[d.Object]) == 0 {
			c.find(Finding{Object: d.Object, Kind: Inert, Message: "it has no hosts and no VirtualService delegates to it, so that it has no effect"})
		}
	}
}

func (c *compiler) bindsKnown(names []string, known map[string]bool) bool {
	if len(names) == 0 {
		return true
	}
	for _, n := range names {
		if n == mesh || known[n] {
			return true
		}
	}
	return false
}

// Describe names a workload for messages: "istio-system/ingressgateway
// (app=istio-ingressgateway,istio=ingressgateway)".
func (e *Edge) Describe() string {
	return strings.TrimSuffix(e.Namespace+"/"+e.Name+" ("+labelText(e.Labels)+")", " ()")
}

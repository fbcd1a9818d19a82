package oracle

import (
	"cmp"
	"slices"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// normal is what the virtual hosts of an Envoy say, without what does not route:
// names, metadata and statistics go, clusters are the Services they stand for,
// weights are divided by what they have in common, and lists whose order does
// not matter are sorted. Equal texts are identical configuration.
func (p *proxy) normal() string {
	var all []string
	for _, rc := range p.routes {
		for _, vh := range rc.VirtualHosts {
			x := &route.VirtualHost{Domains: slices.Sorted(slices.Values(vh.Domains)), RequireTls: vh.RequireTls}
			for _, r := range vh.Routes {
				x.Routes = append(x.Routes, p.normalRoute(r))
			}
			text, err := proto.MarshalOptions{Deterministic: true}.Marshal(x)
			if err != nil {
				text = []byte(err.Error())
			}
			all = append(all, string(text))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func (p *proxy) normalRoute(in *route.Route) *route.Route {
	r := proto.Clone(in).(*route.Route)
	r.Name, r.Metadata, r.Decorator, r.StatPrefix = "", nil, nil, ""
	if m := r.Match; m != nil {
		if m.CaseSensitive == nil {
			m.CaseSensitive = wrapperspb.Bool(true)
		}
		for _, h := range m.Headers {
			h.Name = strings.ToLower(h.Name)
		}
		slices.SortStableFunc(m.Headers, func(a, b *route.HeaderMatcher) int { return cmp.Compare(a.Name, b.Name) })
		slices.SortStableFunc(m.QueryParameters, func(a, b *route.QueryParameterMatcher) int { return cmp.Compare(a.Name, b.Name) })
	}
	for _, list := range [][]*core.HeaderValueOption{r.RequestHeadersToAdd, r.ResponseHeadersToAdd} {
		for _, h := range list {
			h.Header.Key = strings.ToLower(h.Header.Key)
		}
	}
	a := r.GetRoute()
	if a == nil {
		return r
	}
	if c := a.GetCluster(); c != "" {
		if p.clusters[c] {
			a.ClusterNotFoundResponseCode = 0 // never given
		}
		a.ClusterSpecifier = &route.RouteAction_Cluster{Cluster: backend(c)}
	}
	if w := a.GetWeightedClusters(); w != nil {
		common := uint32(0)
		for _, c := range w.Clusters {
			c.Name = backend(c.Name)
			common = gcd(common, c.Weight.GetValue())
		}
		for _, c := range w.Clusters {
			c.Weight = wrapperspb.UInt32(c.Weight.GetValue() / max(common, 1))
		}
		w.TotalWeight = nil //nolint:staticcheck // Envoy ignores it
		slices.SortStableFunc(w.Clusters, func(a, b *route.WeightedCluster_ClusterWeight) int { return cmp.Compare(a.Name, b.Name) })
	}
	for _, m := range a.RequestMirrorPolicies {
		m.Cluster = backend(m.Cluster)
	}
	return r
}

func gcd(a, b uint32) uint32 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

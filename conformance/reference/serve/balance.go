package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// destination is where one request, connection or session goes.
type destination struct {
	backend  *routing.Backend
	key      string
	endpoint netip.AddrPort
}

// failure is why there is no destination, as an HTTP status.
type failure struct {
	status int
	reason string
}

func (f *failure) Error() string { return f.reason }

// choose rolls one of the shares of a decision and one of its endpoints. An
// invalid backend keeps its share (HTTPRouteRule.BackendRefs: "the proportion
// of requests that would otherwise have been routed to an invalid backend MUST
// receive a 500 status code").
func (v *view) choose(d *routing.Decision) (destination, *failure) {
	if len(d.Backends) == 0 {
		return destination{}, &failure{d.Status, d.Reason}
	}
	if d.Why == nil { // a mesh request that goes where its name leads
		for key := range d.Backends {
			return v.endpointOf(&routing.Backend{}, key)
		}
	}
	a := d.Why.Action
	total := 0
	for i := range a.Backends {
		total += a.Backends[i].Weight
	}
	roll := rand.IntN(max(total, 1)) //nolint:gosec // shares of requests are no secret
	for i := range a.Backends {
		b := &a.Backends[i]
		if roll -= b.Weight; roll >= 0 {
			continue
		}
		if b.Invalid != "" {
			status := a.NoBackendStatus
			if status == 0 {
				status = 500
			}
			return destination{}, &failure{status, b.Invalid}
		}
		return v.endpointOf(b, b.Key())
	}
	return destination{}, &failure{500, "no backend has a weight"}
}

// endpointOf picks any ready endpoint: "When a HTTPBackendRef refers to a
// Service that has no ready endpoints, implementations SHOULD return a 503"
// (HTTPRouteRule.BackendRefs).
func (v *view) endpointOf(b *routing.Backend, key string) (destination, *failure) {
	all := v.config.Endpoints[key]
	if len(all) == 0 {
		return destination{backend: b, key: key}, &failure{503, fmt.Sprintf("%s has no ready endpoint", key)}
	}
	return destination{b, key, all[rand.IntN(len(all))]}, nil //nolint:gosec // as above
}

// endpointPatience is how long a stream or a datagram waits for the first endpoint
// of its backend. A route is accepted, and its connections come, before the pods that a
// test has just made are ready, and a stream has no status to tell that by.
const endpointPatience = 2 * time.Second

// patiently tries until it is done, or the patience with backends has an end.
func (s *Server) patiently(ctx context.Context, try func() (done bool)) bool {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for !try() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true
}

// await waits for an endpoint of a backend that has none, in this configuration
// or the next ones.
func (v *view) await(ctx context.Context, to destination, f *failure) (destination, *failure) {
	if v.server.patiently(ctx, func() bool {
		c := v.server.config.Load()
		if c == nil || len(c.Endpoints[to.key]) == 0 {
			return false
		}
		all := c.Endpoints[to.key]
		to.endpoint = all[rand.IntN(len(all))] //nolint:gosec // shares of connections are no secret
		return true
	}) {
		return to, nil
	}
	return to, f
}

// another returns an endpoint of the same backend other than the one that could
// not be reached, if there is one.
func (v *view) another(d destination) destination {
	all := v.config.Endpoints[d.key]
	if len(all) < 2 {
		return d
	}
	start := rand.IntN(len(all)) //nolint:gosec // as above
	for i := range all {
		if e := all[(start+i)%len(all)]; e != d.endpoint {
			d.endpoint = e
			return d
		}
	}
	return d
}

// has reports whether the endpoint is still ready.
func (v *view) has(d destination) bool { return slices.Contains(v.config.Endpoints[d.key], d.endpoint) }

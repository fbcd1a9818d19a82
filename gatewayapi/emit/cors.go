package emit

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
)

// corsOrigin is the pattern of CORSOrigin (apis/v1/shared_types.go).
var corsOrigin = regexp.MustCompile(`^(\*|https?://(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?))$`)

// cors writes a CORS filter (GEP-1767). Without one the backend has to answer
// preflights itself.
func (b *builder) cors() {
	c := b.a.CORS
	if c == nil {
		return
	}
	if !b.e.has(gatewayapi.FeatureCORS) {
		b.say(FeatureCORS, NeedsExtension, "the CORS filter is experimental in Gateway API "+string(b.e.o.Version)+"; browsers of other origins are refused", "write for v1.5 or the experimental channel, or use the implementation's own policy")
		return
	}
	f := &gwv1.HTTPCORSFilter{}
	var differs []string
	for _, o := range c.AllowOrigins {
		switch {
		case !corsOrigin.MatchString(o) || len(o) > gatewayapi.MaxHostnameLength || len(f.AllowOrigins) == gatewayapi.MaxCORSItems:
			differs = append(differs, "the origin "+clip(o)+" cannot be written and is refused")
		case o == "*":
			f.AllowOrigins = []gwv1.CORSOrigin{"*"}
		case len(f.AllowOrigins) != 1 || f.AllowOrigins[0] != "*":
			f.AllowOrigins = appendNew(f.AllowOrigins, gwv1.CORSOrigin(o))
		}
	}
	for _, m := range c.AllowMethods {
		m = strings.ToUpper(strings.TrimSpace(m))
		switch {
		case m == "*":
			f.AllowMethods = []gwv1.HTTPMethodWithWildcard{"*"}
		case !methods[m]:
			differs = append(differs, "the method "+clip(m)+" cannot be written and is refused")
		case len(f.AllowMethods) != 1 || f.AllowMethods[0] != "*":
			f.AllowMethods = appendNew(f.AllowMethods, gwv1.HTTPMethodWithWildcard(m))
		}
	}
	headers := func(in []string, alone bool) (out []gwv1.HTTPHeaderName) {
		for _, h := range in {
			h = strings.TrimSpace(h)
			switch {
			case h == "*" && alone:
				return []gwv1.HTTPHeaderName{"*"}
			case h == "":
			case !headerName.MatchString(h) || len(h) > gatewayapi.MaxHeaderNameLength || len(out) == gatewayapi.MaxCORSItems:
				differs = append(differs, "the header "+clip(h)+" cannot be written")
			default:
				out = appendNew(out, gwv1.HTTPHeaderName(h))
			}
		}
		return out
	}
	f.AllowHeaders, f.ExposeHeaders = headers(c.AllowHeaders, true), headers(c.ExposeHeaders, false)
	if c.AllowCredentials {
		yes := true
		f.AllowCredentials = &yes
	}
	f.MaxAge = int32(min(max(c.MaxAge/time.Second, 1), math.MaxInt32))
	if !c.AnswerAll && !slices.Contains(f.AllowOrigins, "*") {
		differs = append(differs, "preflights of other origins no longer reach the backend")
	}
	if !c.AnyLabels && slices.ContainsFunc(f.AllowOrigins, func(o gwv1.CORSOrigin) bool { return len(o) > 1 && strings.Contains(string(o), "*") }) {
		differs = append(differs, "a * in an origin stands for any number of labels")
	}
	if c.AnyOptions {
		differs = append(differs, "OPTIONS requests that are no preflight reach the backend")
	}
	if c.Always {
		differs = append(differs, "requests without an Origin get no CORS headers")
	}
	if c.SuffixMatch {
		differs = append(differs, "an origin is compared as a whole, not only its end")
	}
	if len(differs) > 0 {
		b.say(FeatureCORS, Approximated, strings.Join(differs, "; "), "")
	}
	b.out.filters = append(b.out.filters, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterCORS, CORS: f})
}

// appendNew appends a value that is not there yet: the lists are sets.
func appendNew[T comparable](list []T, v T) []T {
	for _, x := range list {
		if x == v {
			return list
		}
	}
	return append(list, v)
}

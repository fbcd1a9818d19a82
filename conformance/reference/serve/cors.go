package serve

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// Response headers that scripts see without being told
// (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name).
var safelisted = map[string]bool{
	"Cache-Control": true, "Content-Language": true, "Content-Length": true, "Content-Type": true, "Expires": true, "Last-Modified": true, "Pragma": true,
}

// allowOrigin writes what preflights and other responses have in common
// (HTTPCORSFilter, GEP-1767). It reports whether the origin may read the
// response; if not it writes nothing that lets it.
func allowOrigin(c *routing.CORS, request, h http.Header) bool {
	everyone := slices.Contains(c.AllowOrigins, "*")
	if !everyone || c.AllowCredentials {
		addVary(h, "Origin") // caches must not give the answer to another origin
	}
	origin := request.Get("Origin")
	if origin == "" && !c.Always || !c.Allows(origin) {
		return false
	}
	switch {
	case everyone && !c.AllowCredentials:
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		// "the gateway must not return `*` … it must return a single origin
		// matching the value of the `Origin` request header"
		h.Set("Access-Control-Allow-Origin", origin)
	}
	h.Del("Access-Control-Allow-Credentials")
	if c.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}

// answerPreflight writes the headers of a preflight's answer.
func answerPreflight(c *routing.CORS, request, h http.Header) {
	if !allowOrigin(c, request, h) {
		return
	}
	// "If the `Access-Control-Request-Headers` header is not present in the request,
	// the gateway must omit the `Access-Control-Allow-Headers` response header", and
	// so with the method (HTTPCORSFilter.AllowHeaders, AllowMethods).
	if method := request.Get("Access-Control-Request-Method"); method != "" {
		list(h, "Access-Control-Allow-Methods", c.AllowMethods, c.AllowCredentials, method)
	}
	if names := strings.Join(request.Values("Access-Control-Request-Headers"), ", "); names != "" {
		list(h, "Access-Control-Allow-Headers", c.AllowHeaders, c.AllowCredentials, names)
	}
	list(h, "Access-Control-Expose-Headers", c.ExposeHeaders, c.AllowCredentials, "")
	if seconds := int(c.MaxAge.Seconds()); seconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(seconds))
	}
}

// list writes a list in which * stands for everything. Browsers take * literally
// with credentials (https://fetch.spec.whatwg.org/#http-new-header-syntax), so
// that "it must return a single HTTP method matching the value of the
// Access-Control-Request-Method request header", or nothing without one
// (HTTPCORSFilter.AllowMethods, AllowHeaders).
func list(h http.Header, name string, values []string, credentials bool, asked string) {
	switch {
	case len(values) == 0:
	case !slices.Contains(values, "*"):
		h.Set(name, strings.Join(values, ", "))
	case !credentials:
		h.Set(name, "*")
	case asked != "":
		h.Set(name, asked)
		addVary(h, strings.Replace(strings.Replace(name, "Allow-Methods", "Request-Method", 1), "Allow-Headers", "Request-Headers", 1))
	}
}

// shareResponse writes the CORS headers of a response that is no preflight's.
func shareResponse(c *routing.CORS, request, h http.Header) {
	if !allowOrigin(c, request, h) || len(c.ExposeHeaders) == 0 {
		return
	}
	expose := c.ExposeHeaders
	switch {
	case !slices.Contains(expose, "*"):
	case !c.AllowCredentials:
		expose = []string{"*"}
	default:
		// "the gateway cannot use the `*`": every header by its name.
		expose = nil
		for name := range h {
			if !safelisted[name] && !strings.HasPrefix(name, "Access-Control-") && name != "Set-Cookie" {
				expose = append(expose, name)
			}
		}
		slices.Sort(expose)
	}
	if len(expose) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(expose, ", "))
	}
}

func addVary(h http.Header, name string) {
	for _, v := range h.Values("Vary") {
		for part := range strings.SplitSeq(v, ",") {
			if p := strings.TrimSpace(part); p == "*" || strings.EqualFold(p, name) {
				return
			}
		}
	}
	h.Add("Vary", name)
}

package nginx

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/routing"
)

// action is what a location does with requests that were not redirected to
// HTTPS. Phases: preflight, return, access, proxy (nginx.tmpl; a return stands
// before access control, so redirects are open).
func (c *compiler) action(srv *server, b nginxLocation) *routing.Action {
	s := b.set
	a := &routing.Action{NoBackendStatus: 503}
	if s.denied != "" {
		a.Respond = &routing.Response{Status: 503, Body: s.denied}
		return a
	}
	a.CORS = s.cors
	if s.redirectURL != "" {
		a.Redirect = &routing.Redirect{Code: s.redirectCode, Location: s.redirectURL}
		return a
	}
	a.Guards = s.guards
	if srv.client != nil {
		a.Guards = append(append([]routing.Guard(nil), a.Guards...), *srv.client)
	}
	if status, ok := returns(s.configSnippet); ok {
		a.Respond = &routing.Response{Status: status}
		return a
	}
	if b.redirectsAway() { // in the rewrite phase, before access control
		a.Guards, a.Redirect = nil, rewriteRedirect(b)
		return a
	}
	a.ResponseHeaders.Set = s.respHeaders
	if b.upstream == nil { // the controller's default backend
		a.Respond = &routing.Response{Status: 404, Guarded: true}
		return a
	}
	backend := b.upstream.backend
	if s.protocol != "HTTP" {
		backend.Protocol = s.protocol
	}
	backend.TLS = s.backendTLS
	a.Backends = []routing.Backend{backend}
	a.Rewrite = rewriteOf(b)
	if a.Rewrite != nil && a.Rewrite.Path != nil && s.forwardPrefix != "" {
		a.RequestHeaders.Set = append(a.RequestHeaders.Set, routing.Header{Name: "X-Forwarded-Prefix", Value: s.forwardPrefix})
	}
	if s.mirror != nil {
		a.Mirrors = []routing.Mirror{*s.mirror}
	}
	a.Timeouts, a.Retry, a.Affinity = s.timeouts, s.retry, b.upstream.affinity
	return a
}

// rewriteOf is rewrite "(?i)PATH" TARGET break: no rewrite where the target is
// the block's own path (template.go, buildProxyPass).
func rewriteOf(b nginxLocation) *routing.Rewrite {
	r := &routing.Rewrite{Host: b.set.vhost}
	if t := b.set.rewriteTarget; t != "" && t != b.path {
		r.Path = &routing.PathRewrite{Kind: routing.ReplaceRegex, Pattern: unquote(b.path), IgnoreCase: true, Value: t, Whole: true}
	}
	if r.Host == "" && r.Path == nil {
		return nil
	}
	return r
}

var (
	snippetReturn   = regexp.MustCompile(`(?m)^\s*return\s+(\d{3})\b[^;{}]*;`)
	snippetDeny     = regexp.MustCompile(`(?m)^\s*deny\s+all\s*;`)
	snippetLocation = regexp.MustCompile(`(?s)location\s+(=\s*)?(/[^\s{]*)\s*\{([^{}]*)\}`)
)

// returns reads the one thing of a snippet that decides a request alone: an
// unconditional return or deny all outside any block.
func returns(snippet string) (status int, ok bool) {
	if snippet == "" || strings.Contains(snippet, "{") {
		return 0, false
	}
	if m := snippetReturn.FindStringSubmatch(snippet); m != nil {
		status, _ = strconv.Atoi(m[1])
		return status, true
	}
	return 403, snippetDeny.MatchString(snippet)
}

// snippetRules reads locations of a server snippet that only return: they take
// requests from the Ingress paths below them.
func (c *compiler) snippetRules(srv *server) []*routing.Rule {
	var out []*routing.Rule
	for _, m := range snippetLocation.FindAllStringSubmatch(srv.snippet, -1) {
		status, ok := returns("\n" + strings.TrimSpace(m[3]))
		if !ok {
			continue
		}
		kind := routing.StringPrefix
		if m[1] != "" {
			kind = routing.ExactPath
		}
		out = append(out, &routing.Rule{
			Match:  routing.Match{Path: routing.PathMatch{Kind: kind, Value: m[2]}},
			Action: &routing.Action{Respond: &routing.Response{Status: status}},
			Origin: c.originOf(srv.snippetOf, "metadata.annotations['"+c.prefix+"server-snippet']"),
		})
	}
	return out
}

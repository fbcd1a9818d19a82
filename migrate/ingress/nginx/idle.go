package nginx

import (
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx/annotation"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// Idle says, by JSON path, why a part of an Ingress changes nothing today. What
// is idle was not converted, and the ledger must not say that it was.
type Idle map[string]string

// idle records that an annotation does nothing; the first reason stays.
func (r *reader) idle(name, why string) { r.set.rest(r.annotationPath(name), why) }

func (s *settings) rest(path, why string) {
	if s.idle == nil {
		s.idle = map[string]string{}
	}
	if s.idle[path] == "" {
		s.idle[path] = why
	}
}

func (c *compiler) annotationPath(name string) string { return annotationPath(c.prefix + name) }

// ofCanaries are the annotations that count on a canary: how it takes requests,
// and what belongs to its upstream (internal/ingress/controller/controller.go,
// createUpstreams; rootfs/etc/nginx/lua/balancer.lua). All others are those of
// the primary's location.
var ofCanaries = []string{"canary", "affinity", "session-cookie-", "load-balance", "upstream-hash-by", "service-upstream"}

// restCanary records what counts for nothing on a canary.
func (c *compiler) restCanary(ing *source.Ingress, s *settings) {
	for k := range ing.Annotations {
		name, ours := strings.CutPrefix(k, c.prefix)
		row, known := annotation.Lookup(name)
		if !ours || !known || hasAnyPrefix(row.Name, ofCanaries) {
			continue
		}
		s.rest(c.annotationPath(name), "without effect on a canary, which takes the annotations of its primary")
	}
	if len(ing.Spec.TLS) > 0 { // createServers skips canaries
		s.rest("spec.tls", "the TLS section of a canary has no effect")
	}
}

// restUnserved records what paths without traffic leave without effect: the
// paths, and the annotations of a canary that has no other path.
func (c *compiler) restUnserved() {
	unmatched := map[*source.Ingress]int{}
	for _, f := range c.findings {
		s := c.settings[f.Ingress]
		if s == nil || f.Kind != Shadowed && f.Kind != Unmatched {
			continue
		}
		if f.Kind == Unmatched && s.idle[f.Path] == "" {
			unmatched[f.Ingress]++
		}
		s.rest(f.Path, f.Message)
	}
	for ing, n := range unmatched {
		s := c.settings[ing]
		if n < pathsOf(ing) {
			continue
		}
		for k := range ing.Annotations {
			if name, ours := strings.CutPrefix(k, c.prefix); ours {
				s.rest(c.annotationPath(name), "without effect: no path of the canary gets traffic")
			}
		}
	}
}

func pathsOf(ing *source.Ingress) (n int) {
	for i := range ing.Spec.Rules {
		if h := ing.Spec.Rules[i].HTTP; h != nil {
			n += len(h.Paths)
		}
	}
	return n
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// of returns why a leaf is idle: by itself, or with the path or section above.
func (i Idle) of(path string) string {
	if len(i) == 0 {
		return ""
	}
	if why := i[path]; why != "" {
		return why
	}
	if strings.HasPrefix(path, "spec.tls[") {
		return i["spec.tls"]
	}
	if at := strings.Index(path, ".paths["); at >= 0 {
		if end := strings.IndexByte(path[at:], ']'); end > 0 {
			return i[path[:at+end+1]]
		}
	}
	return ""
}

// claim is the claim of an idle leaf.
func (i Idle) claim(path, why string) Claim {
	c := Claim{Path: path, Status: ledger.Ignored, Message: why}
	if strings.HasPrefix(path, "metadata.annotations") {
		c.Remedy = "it does nothing today: correct it or leave it out"
	}
	return c
}

// asIs are values of annotations that ask for what Gateway API does where
// nothing is written.
var asIs = map[string][]string{
	"satisfy": {"all"}, "load-balance": {"round_robin"}, "auth-tls-verify-client": {"off"},
	"limit-rps": {"0"}, "limit-rpm": {"0"}, "limit-connections": {"0"}, "proxy-body-size": {"0", "0k", "0K", "0m", "0M", "0g", "0G"},
	"proxy-next-upstream": {"off"}, "proxy-redirect-from": {"off"},
}

// switches are annotations that ask for nothing when they are false.
var switches = map[string]bool{
	"ssl-redirect": true, "force-ssl-redirect": true, "from-to-www-redirect": true, "use-regex": true, "enable-cors": true,
	"canary": true, "service-upstream": true, "enable-modsecurity": true, "enable-owasp-core-rules": true,
	"enable-opentelemetry": true, "auth-tls-pass-certificate-to-upstream": true, "relative-redirects": true,
}

// asksForNothing reports whether a value asks for no more than what Gateway API
// does where nothing is written.
func asksForNothing(name, value string) bool {
	value = strings.TrimSpace(value)
	if contains(asIs[name], value) {
		return true
	}
	on, err := strconv.ParseBool(value)
	return switches[name] && err == nil && !on
}

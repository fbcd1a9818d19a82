package nginx

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx/annotation"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// settings are the annotations of one Ingress as the controller reads them.
type settings struct {
	toHTTPS *routing.Action // made when needed
	dropped string          // why the controller skips the whole Ingress
	denied  string          // why its locations answer 503

	canary        bool
	canaryPolicy  canaryPolicy
	rewriteTarget string
	useRegex      bool
	appRoot       string
	sslRedirect   bool
	forceSSL      bool
	keepSlash     bool
	redirectURL   string
	redirectCode  int
	fromToWWW     bool
	relative      bool
	aliases       []string
	vhost         string
	forwardPrefix string
	respHeaders   []routing.Header
	cors          *routing.CORS
	guards        []routing.Guard
	clientCert    *routing.Guard
	mirror        *routing.Mirror
	timeouts      routing.Timeouts
	retry         *routing.Retry
	affinity      *routing.Affinity
	protocol      string
	backendTLS    *routing.BackendTLS
	passthrough   bool
	serverSnippet string
	configSnippet string

	idle map[string]string // by JSON path: why it does nothing, see Result.Idle
}

type canaryPolicy struct {
	weight, total          int
	header, value, pattern string
	cookie                 string
}

// reader reads the annotations of one Ingress under the rules of a release.
type reader struct {
	*compiler
	ing *source.Ingress
	set *settings
	// values are what the controller uses, by canonical name; written is the
	// name each came under.
	values, written map[string]string
}

// judge decides for each annotation whether its value is used, ignored alone,
// ignored with its group, or denies, drops or breaks
// (internal/ingress/annotations/parser/validators.go, annotations.go Extract).
// An annotation without a value is absent if it is an alias, else it is judged
// too (checkAnnotation, parseString).
func (r *reader) judge() {
	ignored := map[string]string{}
	rows := map[string]*annotation.Row{}
	for _, n := range r.names() {
		row, known := annotation.Lookup(n)
		if !known {
			continue
		}
		for _, candidate := range append([]string{row.Name}, row.Aliases...) {
			if v := r.ing.Annotations[r.prefix+candidate]; v != "" || candidate == n && n == row.Name {
				r.values[row.Name], r.written[row.Name], rows[row.Name] = v, candidate, row
				if v != "" {
					break
				}
			}
		}
		switch used := r.written[row.Name]; used {
		case n:
		case "":
			r.idle(n, "without effect: it has no value")
		default:
			r.idle(n, "without effect: "+used+" is set and goes before it")
		}
	}
	for _, name := range sortedKeys(rows) {
		row, value := rows[name], r.values[name]
		if why := r.unread(row); why != "" {
			delete(r.values, name)
			r.idle(r.written[name], "without effect: "+why)
			continue
		}
		effect, err := row.Judge(r.info, r.validate, value)
		if effect == annotation.UseValue {
			continue
		}
		delete(r.values, name)
		why := "annotation " + r.written[name] + " has a value the controller does not take: " + err.Error()
		switch effect {
		case annotation.IgnoreValue:
			r.idle(r.written[name], "the controller ignores the value: "+err.Error())
		case annotation.IgnoreGroup:
			ignored[row.Parser] = r.written[name]
			r.idle(r.written[name], "the controller ignores the value, and the annotations that it reads together with it: "+err.Error())
		case annotation.DropIngress:
			if r.set.dropped == "" {
				r.set.dropped = why
			}
		case annotation.DenyLocation:
			r.deny(why)
		case annotation.BreakConfiguration:
			r.find(Broken, r.ing, r.origin(r.written[name]).Path, why+"; nginx refuses its whole configuration", "correct the value")
		}
	}
	for name, row := range rows {
		if culprit := ignored[row.Parser]; culprit != "" {
			delete(r.values, name)
			r.idle(r.written[name], "the controller ignores it, because it does not take the value of "+culprit)
		}
	}
	for name, row := range rows {
		if row.Snippet && !r.cfg.flag("allow-snippet-annotations", false) { // controller.go, dropSnippetDirectives
			r.idle(r.written[name], "the controller leaves it out: allow-snippet-annotations is off")
		}
		if r.values[name] != "" && row.Needs != "" && r.values[row.Needs] == "" { // its value was not taken
			r.idle(r.written[name], "without effect: it needs "+row.Needs)
		}
	}
}

// unread says why a parser returns before it reads an annotation.
func (r *reader) unread(row *annotation.Row) string {
	switch {
	case !row.In(r.info):
		return "release " + r.info.Name + " does not know it"
	case row.Needs != "" && r.values[row.Needs] == "":
		return "it needs " + row.Needs
	case row.Unless != "" && r.values[row.Unless] != "":
		return row.Unless + " goes before it"
	}
	return ""
}

// get returns the value of an annotation as the controller uses it.
func (r *reader) get(name string) (string, bool) {
	v, ok := r.values[name]
	return strings.TrimSpace(v), ok && strings.TrimSpace(v) != ""
}

func (r *reader) deny(why string) {
	if r.set.denied == "" {
		r.set.denied = why
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

func (r *reader) flag(name string, def bool) bool {
	if v, ok := r.get(name); ok {
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	}
	return def
}

func (r *reader) number(name string, def int) int {
	if v, ok := r.get(name); ok {
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	}
	return def
}

func (r *reader) str(name, def string) string {
	if v, ok := r.get(name); ok {
		return v
	}
	return def
}

func (r *reader) origin(name string) routing.Origin {
	return r.originOf(r.ing, "metadata.annotations['"+r.prefix+name+"']")
}

// read reads every annotation that has an effect on routing.
func (c *compiler) read(ing *source.Ingress) *settings {
	r := &reader{c, ing, &settings{}, map[string]string{}, map[string]string{}}
	r.judge()
	if risky := annotation.Risky(r.names(), annotation.ParseRisk(c.riskLevel)); len(risky) > 0 {
		r.set.dropped = "annotation " + strings.Join(risky, ", ") + " is riskier than annotations-risk-level allows"
	}
	r.readRewrite()
	r.readRedirect()
	r.readCanary()
	r.readAccess()
	r.readCORS()
	r.readForwarding()
	return r.set
}

func (r *reader) names() []string {
	var out []string
	for k := range r.ing.Annotations {
		if n, ok := strings.CutPrefix(k, r.prefix); ok {
			out = append(out, n)
		}
	}
	return out
}

// readRewrite follows annotations/rewrite/main.go: every bad value is ignored
// alone, and app-root must be an absolute path.
func (r *reader) readRewrite() {
	s := r.set
	s.rewriteTarget = r.str("rewrite-target", "")
	s.useRegex = r.flag("use-regex", false)
	s.sslRedirect = r.flag("ssl-redirect", r.cfg.flag("ssl-redirect", true))
	s.forceSSL = r.flag("force-ssl-redirect", r.cfg.flag("force-ssl-redirect", false))
	s.keepSlash = r.flag("preserve-trailing-slash", r.cfg.flag("preserve-trailing-slash", false))
	s.appRoot = r.str("app-root", "")
	if u, err := url.ParseRequestURI(s.appRoot); err != nil || u.IsAbs() {
		s.appRoot = ""
	}
}

// readRedirect follows annotations/redirect/redirect.go: temporal before
// permanent, a permanent code outside 300-308 is 301.
func (r *reader) readRedirect() {
	s := r.set
	s.fromToWWW = r.flag("from-to-www-redirect", false)
	s.relative = r.rel.relative && r.flag("relative-redirects", r.cfg.flag("relative-redirects", false))
	if t := r.str("temporal-redirect", ""); t != "" {
		u, err := url.Parse(t)
		if err != nil || !strings.HasPrefix(u.Scheme, "http") {
			return
		}
		s.redirectURL, s.redirectCode = t, 302
		if code := r.number("temporal-redirect-code", 302); r.rel.temporalCode && code >= 300 && code <= 308 {
			s.redirectCode = code
		}
		return
	}
	s.redirectURL = r.str("permanent-redirect", "")
	s.redirectCode = r.number("permanent-redirect-code", 301)
	if s.redirectCode < 300 || s.redirectCode > 308 {
		s.redirectCode = 301
	}
}

// readCanary follows annotations/canary/main.go; weight-total counts only over
// 100 (rootfs/etc/nginx/lua/balancer.lua).
func (r *reader) readCanary() {
	s := r.set
	if s.canary = r.flag("canary", false); !s.canary {
		return
	}
	p := canaryPolicy{
		weight: r.number("canary-weight", 0), total: max(100, r.number("canary-weight-total", 100)),
		header: r.str("canary-by-header", ""), value: r.str("canary-by-header-value", ""),
		pattern: r.str("canary-by-header-pattern", ""), cookie: r.str("canary-by-cookie", ""),
	}
	p.weight = min(max(p.weight, 0), p.total)
	s.canaryPolicy = p
}

// readForwarding reads what changes the request on its way.
func (r *reader) readForwarding() {
	s := r.set
	s.aliases = splitList(r.str("server-alias", ""))
	s.vhost = r.str("upstream-vhost", "")
	s.forwardPrefix = r.str("x-forwarded-prefix", "")
	s.passthrough = r.flag("ssl-passthrough", false)
	s.protocol = strings.ToUpper(r.str("backend-protocol", "HTTP"))
	switch s.protocol {
	case "HTTP", "HTTPS", "GRPC", "GRPCS", "FCGI", "AUTO_HTTP":
	default:
		s.protocol = "HTTP"
	}
	s.timeouts = routing.Timeouts{
		Connect: r.seconds("proxy-connect-timeout"), Read: r.seconds("proxy-read-timeout"), Send: r.seconds("proxy-send-timeout"),
	}
	if on, ok := r.get("proxy-next-upstream"); ok && on != "off" {
		s.retry = &routing.Retry{On: strings.Fields(on), Attempts: r.number("proxy-next-upstream-tries", 3)}
	}
	if r.str("affinity", "") == "cookie" {
		s.affinity = &routing.Affinity{
			Kind: "cookie", Name: r.str("session-cookie-name", "INGRESSCOOKIE"), Path: r.str("session-cookie-path", ""),
			Domain: r.str("session-cookie-domain", ""), SameSite: r.str("session-cookie-samesite", ""),
			Secure: r.flag("session-cookie-secure", false), MaxAge: r.seconds("session-cookie-max-age"),
			Persistent: r.str("affinity-mode", "balanced") == "persistent",
		}
	}
	if t, ok := r.get("mirror-target"); ok {
		s.mirror = mirrorOf(t, r.ing.Namespace)
		s.mirror.Host = r.str("mirror-host", "")
	}
	if sec, ok := r.get("proxy-ssl-secret"); ok {
		s.backendTLS = &routing.BackendTLS{
			Verify: r.str("proxy-ssl-verify", "off") == "on", Hostname: r.str("proxy-ssl-name", ""),
			CA: sec, CAKind: "Secret", ClientCertificate: sec,
		}
	}
	s.serverSnippet, s.configSnippet = r.snippet("server-snippet"), r.snippet("configuration-snippet")
	r.readHeaders()
}

// snippet returns a snippet where the controller would apply it
// (allow-snippet-annotations, default false since v1.9).
func (r *reader) snippet(name string) string {
	if !r.cfg.flag("allow-snippet-annotations", false) {
		return ""
	}
	return r.str(name, "")
}

// readHeaders sets response headers from the ConfigMap that custom-headers
// names; one that global-allowed-response-headers does not list denies the
// location (annotations/customheaders/main.go).
func (r *reader) readHeaders() {
	ref, ok := r.get("custom-headers")
	if !ok {
		return
	}
	ns, name, has := strings.Cut(ref, "/")
	if !has {
		ns, name = r.ing.Namespace, ref
	}
	cm := r.configMaps[ns+"/"+name]
	if cm == nil {
		r.deny("custom-headers names ConfigMap " + ref + ", which is not in the input")
		return
	}
	allowed := map[string]bool{}
	for _, h := range splitList(r.cfg.str("global-allowed-response-headers", "")) {
		allowed[strings.ToLower(h)] = true
	}
	for _, k := range sortedKeys(cm.Data) {
		if !allowed[strings.ToLower(k)] {
			r.deny("custom-headers sets " + k + ", which global-allowed-response-headers does not allow")
		}
		r.set.respHeaders = append(r.set.respHeaders, routing.Header{Name: k, Value: cm.Data[k]})
	}
}

func (r *reader) seconds(name string) time.Duration {
	return time.Duration(max(0, r.number(name, 0))) * time.Second
}

// readCORS follows annotations/cors/main.go; credentials are allowed unless
// switched off.
func (r *reader) readCORS() {
	if !r.flag("enable-cors", false) {
		return
	}
	origins := splitList(r.str("cors-allow-origin", "*"))
	any := len(origins) == 1 && origins[0] == "*"
	r.set.cors = &routing.CORS{
		AllowOrigins:     origins,
		AllowMethods:     splitList(r.str("cors-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS")),
		AllowHeaders:     splitList(r.str("cors-allow-headers", "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization")),
		ExposeHeaders:    splitList(r.str("cors-expose-headers", "")),
		MaxAge:           time.Duration(r.number("cors-max-age", 1728000)) * time.Second,
		AllowCredentials: r.flag("cors-allow-credentials", true),
		AnyOptions:       true, Always: any, SuffixMatch: !any,
	}
}

func splitList(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

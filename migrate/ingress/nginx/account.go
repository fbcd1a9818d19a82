package nginx

import (
	"iter"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx/annotation"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// Claim is a leaf of an Ingress and the feature of a rule that carries it.
type Claim = ledger.Claim

// features says which annotations are carried by which feature of a rule.
// Annotations that are not here have the fate their row gives.
var features = map[string][]string{
	"rewrite-target": {"rewrite", "path"}, "use-regex": {"path", "order"}, "x-forwarded-prefix": {"request-headers"},
	"app-root": {"redirect"}, "permanent-redirect": {"redirect"}, "permanent-redirect-code": {"redirect"},
	"temporal-redirect": {"redirect"}, "temporal-redirect-code": {"redirect"}, "relative-redirects": {"redirect"}, "preserve-trailing-slash": {"redirect"},
	"ssl-redirect": {"redirect"}, "force-ssl-redirect": {"redirect"}, "from-to-www-redirect": {"redirect"},
	"server-alias": {"host"}, "upstream-vhost": {"host-rewrite"}, "custom-headers": {"response-headers"},
	"canary": {"headers", "weights"}, "canary-weight": {"weights"}, "canary-weight-total": {"weights"},
	"canary-by-header": {"headers"}, "canary-by-header-value": {"headers"}, "canary-by-header-pattern": {"headers"},
	"canary-by-cookie": {"headers"},
	"enable-cors":      {"cors"}, "cors-allow-origin": {"cors"}, "cors-allow-methods": {"cors"}, "cors-allow-headers": {"cors"},
	"cors-expose-headers": {"cors"}, "cors-allow-credentials": {"cors"}, "cors-max-age": {"cors"},
	"proxy-connect-timeout": {"connect-timeout"}, "proxy-read-timeout": {"timeouts"}, "proxy-send-timeout": {"timeouts"},
	"proxy-next-upstream": {"retry"}, "proxy-next-upstream-tries": {"retry"},
	"affinity": {"affinity"}, "session-cookie-name": {"affinity"}, "session-cookie-path": {"affinity"},
	"session-cookie-domain": {"affinity"}, "session-cookie-samesite": {"affinity"}, "session-cookie-secure": {"affinity"},
	"session-cookie-max-age": {"affinity"}, "affinity-mode": {"affinity"},
	"mirror-target": {"mirror"}, "mirror-host": {"mirror"},
	"backend-protocol": {"backend-protocol", "backend-tls"},
	"proxy-ssl-secret": {"backend-tls"}, "proxy-ssl-verify": {"backend-tls"}, "proxy-ssl-name": {"backend-tls"}, "proxy-ssl-server-name": {"backend-tls"},
	"auth-type": {"guard:auth-basic", "guard:auth-digest", "guard:any-of"}, "auth-secret": {"guard:auth-basic", "guard:auth-digest", "guard:any-of"},
	"auth-realm": {"guard:auth-basic", "guard:auth-digest", "guard:any-of"}, "auth-secret-type": {"guard:auth-basic", "guard:auth-digest", "guard:any-of"},
	"auth-url": {"guard:auth-url", "guard:any-of"}, "auth-signin": {"guard:auth-url", "guard:any-of"},
	"auth-response-headers": {"guard:auth-url", "guard:any-of"}, "auth-method": {"guard:auth-url", "guard:any-of"},
	"auth-signin-redirect-param": {"guard:auth-url", "guard:any-of"},
	"whitelist-source-range":     {"guard:allow-sources", "guard:any-of"}, "allowlist-source-range": {"guard:allow-sources", "guard:any-of"},
	"denylist-source-range": {"guard:deny-sources"}, "satisfy": {"guard:any-of"},
	"auth-tls-secret": {"guard:client-certificate"}, "auth-tls-verify-client": {"guard:client-certificate"},
	"limit-rps": {"guard:rate-limit"}, "limit-rpm": {"guard:rate-limit"}, "limit-connections": {"guard:connection-limit"},
	"proxy-body-size": {"guard:body-size"}, "enable-modsecurity": {"guard:waf"},
	"configuration-snippet": {"guard:snippet"}, "server-snippet": {"guard:snippet"},
}

// redirectFeatures carry a rewrite-target that is a URL.
var redirectFeatures = []string{"redirect", "path"}

// otherTools are prefixes of annotations that ingress-nginx never reads.
var otherTools = []string{
	"kubectl.kubernetes.io/", "meta.helm.sh/", "helm.sh/", "argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/",
	"helm.toolkit.fluxcd.io/", "reloader.stakater.com/", "backstage.io/", "app.kubernetes.io/", "field.cattle.io/", "janitor/", "a8r.io/",
	"forecastle.stakater.com/", "hajimari.io/", "gethomepage.dev/", "link.argocd.argoproj.io/", "prometheus.io/",
}

// portableTools read annotations from Gateways and routes too.
var portableTools = map[string]string{
	"cert-manager.io/": "cert-manager reads it on the Gateway", "acme.cert-manager.io/": "cert-manager reads it on the Gateway",
	"external-dns.alpha.kubernetes.io/": "external-dns reads it on the Gateway and its routes",
}

// Claims lists what the front end knows about the leaves of a served Ingress;
// idle is what of it changes nothing. Leaves it does not list are found by the
// walk of the ledger.
func Claims(ing *source.Ingress, o Options, idle Idle) iter.Seq[Claim] {
	prefix := strings.TrimSuffix(orDefault(o.Prefix, DefaultPrefix), "/") + "/"
	return func(each func(Claim) bool) {
		yield := func(c Claim) bool {
			if why := idle.of(c.Path); why != "" {
				c = idle.claim(c.Path, why)
			}
			return each(c)
		}
		for _, c := range metaClaims {
			if !yield(c) {
				return
			}
		}
		for k, v := range ing.Annotations {
			path := annotationPath(k)
			c := foreignClaim(path, k)
			if name, ok := strings.CutPrefix(k, prefix); ok {
				c = annotationClaim(path, name, v, o)
				if on := neededBy(name); on != "" && asksForNothing(on, ing.Annotations[prefix+on]) {
					c = idle.claim(path, "without effect while "+on+" is off")
				}
			}
			if !yield(c) {
				return
			}
		}
		specClaims(ing, yield)
	}
}

// metaClaims are about what every Ingress has besides its rules.
var metaClaims = []Claim{
	{Path: "metadata.name", Status: ledger.Converted, Message: "names the routes made from this Ingress"},
	{Path: "metadata.namespace", Status: ledger.Converted, Message: "routes stay in this namespace"},
	{Path: "metadata.labels", Status: ledger.Ignored, Message: "labels do not affect traffic"},
	{Path: "metadata.ownerReferences", Status: ledger.Ignored, Message: "ownership does not affect traffic"},
	{Path: "metadata.finalizers", Status: ledger.Ignored, Message: "finalizers do not affect traffic"},
	{Path: "metadata.generateName", Status: ledger.Ignored, Message: "only used when the object is created"},
	{Path: "spec.ingressClassName", Status: ledger.Converted, Message: "replaced by the Gateway's class"},
}

// annotationPath is the path of an annotation; those with the usual prefix are
// written once.
func annotationPath(key string) string {
	if p, ok := annotationPaths[key]; ok {
		return p
	}
	return ledger.Join("metadata.annotations", key)
}

var annotationPaths = func() map[string]string {
	out := map[string]string{}
	for _, row := range annotation.All() {
		key := DefaultPrefix + "/" + row.Name
		out[key] = ledger.Join("metadata.annotations", key)
	}
	return out
}()

// settled are annotations whose row says all there is to say: what they ask for
// is what implementations do anyway, or nearly.
var settled = map[string]bool{"mirror-request-body": true, "proxy-http-version": true, "use-port-in-redirects": true}

// passthrough settles ssl-passthrough, which is inert without the controller's
// flag (docs/user-guide/tls.md, "SSL Passthrough").
func passthrough(path string, o Options) Claim {
	if !o.SSLPassthrough {
		return Claim{Path: path, Status: ledger.Ignored, Message: "without effect: the controller runs without --enable-ssl-passthrough",
			Remedy: "give --enable-ssl-passthrough here if the controller has it"}
	}
	return Claim{Path: path, Features: []string{"tls", "listener", "backend"}, Message: "TLSRoute on a listener with TLS mode Passthrough"}
}

// neededBy names the annotation without which another has no effect.
func neededBy(name string) string {
	row, ok := annotation.Lookup(name)
	if !ok {
		return ""
	}
	return row.Needs
}

// message says what an annotation becomes. Rows whose target is nothing give
// the reason after a colon.
func message(row *annotation.Row) string {
	if rest, ok := strings.CutPrefix(row.Target, "nothing"); ok && row.Becomes == ledger.Unsupported {
		return "Gateway API has no form for it" + rest
	}
	return row.Target
}

func annotationClaim(path, name, value string, o Options) Claim {
	row, ok := annotation.Lookup(name)
	if !ok {
		return Claim{Path: path, Status: ledger.Unsupported, Message: "no release of ingress-nginx from v1.9 on knows this annotation",
			Remedy: "check the spelling; it has no effect today"}
	}
	if asksForNothing(row.Name, value) {
		return Claim{Path: path, Status: ledger.Converted, Message: "asks for what is so without it: nothing is written"}
	}
	if row.Name == "rewrite-target" && redirectsByRewrite(value) {
		return Claim{Path: path, Features: redirectFeatures, Message: "HTTPRoute filter RequestRedirect 302: nginx redirects where the target is a URL", Remedy: row.Remedy}
	}
	if fs := features[row.Name]; fs != nil {
		return Claim{Path: path, Features: fs, Message: message(row), Remedy: row.Remedy}
	}
	if row.Name == "ssl-passthrough" {
		return passthrough(path, o)
	}
	c := Claim{Path: path, Status: row.Becomes, Message: message(row), Remedy: row.Remedy}
	if settled[row.Name] {
		return c
	}
	if c.Status == ledger.Converted || c.Status == ledger.Approximated {
		c.Status, c.Message = ledger.Unsupported, "not carried over by this version of the converter; best expressed as: "+row.Target
	}
	return c
}

func foreignClaim(path, key string) Claim {
	if key == "kubernetes.io/ingress.class" {
		return Claim{Path: path, Status: ledger.Converted, Message: "replaced by the Gateway's class"}
	}
	for p, why := range portableTools {
		if strings.HasPrefix(key, p) {
			return Claim{Path: path, Status: ledger.Converted, Message: why}
		}
	}
	for _, p := range otherTools {
		if strings.HasPrefix(key, p) {
			return Claim{Path: path, Status: ledger.Ignored, Message: "read by other tools, not by ingress-nginx"}
		}
	}
	return Claim{Path: path, Status: ledger.Ignored, Message: "ingress-nginx reads only its own annotation prefix",
		Remedy: "check whether another tool reads it from the Ingress"}
}

// pathPointers are the paths of the leaves that almost every Ingress has,
// written once.
var pathPointers = func() (out [2][8]pathLeaves) {
	for i := range out {
		for j := range out[i] {
			out[i][j] = leavesOf(newPathPointer(i, j))
		}
	}
	return out
}()

// pathLeaves are the leaves of a path of an Ingress.
type pathLeaves struct{ path, pathPath, pathType, service, port, resource string }

func leavesOf(p string) pathLeaves {
	return pathLeaves{p, p + ".path", p + ".pathType", p + ".backend.service.name", p + ".backend.service.port", p + ".backend.resource"}
}

func pathLeavesOf(rule, path int) pathLeaves {
	if rule < len(pathPointers) && path < len(pathPointers[0]) {
		return pathPointers[rule][path]
	}
	return leavesOf(newPathPointer(rule, path))
}

// What carries the leaves of a path, shared by all claims.
var (
	hostFeatures    = []string{"host", "listener"}
	pathFeatures    = []string{"path", "order"}
	typeFeatures    = []string{"path"}
	backendFeatures = []string{"backend"}
	tlsFeatures     = []string{"tls"}
)

// specClaims yields the claims of the spec; false when the reader has enough.
func specClaims(ing *source.Ingress, yield func(Claim) bool) bool {
	if ing.Spec.DefaultBackend != nil && !yield(Claim{Path: ing.Written("spec.defaultBackend"), Features: backendFeatures, Message: "serves what no path of its hosts takes"}) {
		return false
	}
	for i := range ing.Spec.Rules {
		r := &ing.Spec.Rules[i]
		if !yield(Claim{Path: ing.Written(indexed("spec.rules[", i, "].host")), Features: hostFeatures}) {
			return false
		}
		if r.HTTP == nil {
			continue
		}
		for j := range r.HTTP.Paths {
			p := pathLeavesOf(i, j)
			if !yield(Claim{Path: ing.Written(p.pathPath), Features: pathFeatures}) ||
				!yield(Claim{Path: ing.Written(p.pathType), Features: typeFeatures}) ||
				!yield(Claim{Path: ing.Written(p.service), Features: backendFeatures}) ||
				!yield(Claim{Path: ing.Written(p.port), Features: backendFeatures}) ||
				!yield(Claim{Path: ing.Written(p.resource), Status: ledger.Unsupported, Message: "ingress-nginx serves no resource backends", Remedy: "remove the path"}) {
				return false
			}
		}
	}
	if len(ing.Spec.TLS) == 0 {
		return true
	}
	ruled := make(map[string]bool, len(ing.Spec.Rules))
	for i := range ing.Spec.Rules {
		ruled[strings.ToLower(ing.Spec.Rules[i].Host)] = true
	}
	for i := range ing.Spec.TLS {
		if !yield(Claim{Path: indexed("spec.tls[", i, "].secretName"), Features: tlsFeatures, Message: "certificate of the HTTPS listener"}) {
			return false
		}
		hosts := indexed("spec.tls[", i, "].hosts[")
		for j, h := range ing.Spec.TLS[i].Hosts {
			c := Claim{Path: indexed(hosts, j, "]"), Features: tlsFeatures}
			if !ruled[strings.ToLower(h)] {
				c = Claim{Path: c.Path, Status: ledger.Ignored, Message: "this Ingress has no rule for the host; a TLS section alone neither serves nor redirects it"}
			}
			if !yield(c) {
				return false
			}
		}
	}
	return true
}

// indexed writes a path with an index; the first are written once.
func indexed(before string, i int, after string) string {
	if i > 0 {
		return before + strconv.Itoa(i) + after
	}
	for _, p := range firstPaths {
		if len(p) == len(before)+1+len(after) && strings.HasPrefix(p, before) && strings.HasSuffix(p, after) {
			return p
		}
	}
	return before + "0" + after
}

var firstPaths = []string{"spec.rules[0].host", "spec.tls[0].secretName", "spec.tls[0].hosts[", "spec.tls[0].hosts[0]"}

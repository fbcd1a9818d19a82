package nginx

import (
	"sort"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/causeway-gateway/causeway/migrate/ingress/nginx/annotation"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// DefaultPrefix is the annotation prefix of the controller's default
// configuration.
const DefaultPrefix = "nginx.ingress.kubernetes.io"

// Result is a compiled configuration and what was found on the way.
type Result struct {
	Table *routing.Table
	// Served are the Ingresses that this controller takes, in its order.
	Served []*source.Ingress
	// Findings are facts about whole objects: dropped, broken, shadowed.
	Findings []Finding
	// Idle is what of each Ingress changes nothing; Ingresses without are left
	// out.
	Idle map[*source.Ingress]Idle
	// Streams are what is known about the entries of services ConfigMaps.
	Streams map[*source.ConfigMap][]Claim
}

// Finding is a fact about an Ingress that no single annotation carries.
type Finding struct {
	Kind    FindingKind
	Ingress *source.Ingress
	Path    string // JSON path
	Message string
	Remedy  string
}

// FindingKind sorts findings.
type FindingKind uint8

// Kinds of findings.
const (
	Dropped    FindingKind = iota // the controller skips the Ingress
	Broken                        // it breaks the controller's whole configuration
	Denied                        // its locations answer 503
	Shadowed                      // another Ingress already has this host and path
	Unmatched                     // a canary without a primary
	Unresolved                    // a backend that does not resolve
	Assumed                       // something the input does not tell was assumed
)

type compiler struct {
	opts       Options
	rel        release
	info       *annotation.ReleaseInfo
	validate   bool
	cfg        config
	prefix     string // with the slash
	riskLevel  string
	complete   bool
	services   map[string]*source.Service
	secrets    map[string]*source.Secret
	configMaps map[string]*source.ConfigMap
	settings   map[*source.Ingress]*settings
	findings   []Finding

	upstreams map[string]*upstream
	servers   map[string]*server
}

// Compile builds the table that the controller would configure for the
// Ingresses of the set that it serves. Time is linear in the input apart from
// sorting.
func Compile(set *source.Set, o Options) (*Result, error) {
	rel, err := releaseOf(o.Release)
	if err != nil {
		return nil, err
	}
	info, err := annotation.Release(orDefault(o.Release, "1.15"))
	if err != nil {
		return nil, err
	}
	c := &compiler{
		opts: o, rel: rel, info: info, cfg: config(o.Config), complete: set.Complete,
		prefix:     strings.TrimSuffix(orDefault(o.Prefix, DefaultPrefix), "/") + "/",
		services:   make(map[string]*source.Service, len(set.Services)),
		secrets:    make(map[string]*source.Secret, len(set.Secrets)),
		configMaps: make(map[string]*source.ConfigMap, len(set.ConfigMaps)),
		settings:   make(map[*source.Ingress]*settings, len(set.Ingresses)),
		upstreams:  map[string]*upstream{}, servers: map[string]*server{},
	}
	c.validate = rel.validate
	c.riskLevel = c.cfg.str("annotations-risk-level", rel.riskLevel)
	for _, s := range set.Services {
		c.services[s.Namespace+"/"+s.Name] = s
	}
	for _, s := range set.Secrets {
		c.secrets[s.Namespace+"/"+s.Name] = s
	}
	for _, m := range set.ConfigMaps {
		c.configMaps[m.Namespace+"/"+m.Name] = m
	}
	served := c.order(c.selectServed(set))
	active := make([]*source.Ingress, 0, len(served))
	for _, ing := range served {
		s := c.read(ing)
		c.settings[ing] = s
		if s.canary {
			c.restCanary(ing, s)
		}
		if s.dropped != "" {
			c.find(Dropped, ing, "", "the running controller skips this Ingress: "+s.dropped,
				"it carries no traffic today; correct the annotation and migrate again, or delete the Ingress")
			continue
		}
		if s.denied != "" {
			c.find(Denied, ing, "", "the controller answers 503 on every path of this Ingress: "+s.denied,
				"correct the access control first; the routes are kept closed")
		}
		active = append(active, ing)
	}
	c.createUpstreams(active)
	c.createServers(active)
	c.addLocations(active)
	c.mergeCanaries(active)
	c.restUnserved()
	idle := map[*source.Ingress]Idle{}
	for ing, s := range c.settings {
		if len(s.idle) > 0 {
			idle[ing] = s.idle
		}
	}
	table, streams := c.table(), map[*source.ConfigMap][]Claim{}
	for _, x := range []struct {
		configMap string
		protocol  routing.Protocol
	}{{o.TCPServices, routing.TCP}, {o.UDPServices, routing.UDP}} {
		ls, claims, err := c.streams(x.configMap, x.protocol)
		if err != nil {
			return nil, err
		}
		table.Listeners = append(table.Listeners, ls...)
		if len(claims) > 0 {
			streams[c.configMaps[x.configMap]] = claims
		}
	}
	table.Freeze()
	return &Result{Table: table, Served: served, Findings: c.findings, Streams: streams, Idle: idle}, nil
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func (c *compiler) find(k FindingKind, ing *source.Ingress, path, message, remedy string) {
	c.findings = append(c.findings, Finding{k, ing, path, message, remedy})
}

func (c *compiler) originOf(ing *source.Ingress, path string) routing.Origin {
	o := routing.Origin{Object: routing.ObjectRef{Kind: "Ingress", Namespace: ing.Namespace, Name: ing.Name}, Path: path}
	if ing.Object != nil {
		o.File, o.Line = ing.Object.File, ing.Object.LineOf(ing.Written(path))
	}
	return o
}

// selectServed returns the Ingresses of this controller's classes. The field
// names an IngressClass whose controller is ours; the annotation names the
// class directly. Without any IngressClass in the input, the class name nginx
// is taken for ours, and Ingresses without a class are served.
// Source: docs/user-guide/multiple-ingress.md, internal/ingress/controller/store/store.go (getIngressClass).
func (c *compiler) selectServed(set *source.Set) []*source.Ingress {
	controller := orDefault(c.opts.ControllerClass, "k8s.io/ingress-nginx")
	class := orDefault(c.opts.Class, "nginx")
	ours, known, byDefault := map[string]bool{}, map[string]bool{}, c.opts.WatchWithoutClass
	for _, ic := range set.IngressClasses {
		known[ic.Name] = true
		if ic.Spec.Controller == controller {
			ours[ic.Name] = true
			if ic.Annotations["ingressclass.kubernetes.io/is-default-class"] == "true" {
				byDefault = true
			}
		}
	}
	var out []*source.Ingress
	for _, ing := range set.Ingresses {
		if len(ing.Rejected) > 0 {
			continue
		}
		name, annotated := ing.Annotations["kubernetes.io/ingress.class"]
		switch {
		case ing.Spec.IngressClassName != nil:
			if n := *ing.Spec.IngressClassName; ours[n] || !known[n] && n == class && len(known) == 0 {
				out = append(out, ing)
			}
		case annotated && name != "":
			if name == class || ours[name] {
				out = append(out, ing)
			}
		case byDefault:
			out = append(out, ing)
		case len(known) == 0:
			out = append(out, ing)
			c.find(Assumed, ing, "", "no ingress class is named and the input holds no IngressClass: ingress-nginx is assumed to serve it",
				"add the IngressClass objects to the input")
		}
	}
	return out
}

// order sorts by age, the oldest first; in the same second the later name
// comes first (internal/ingress/controller/store/store.go, sortIngressSlice).
// Objects without a creation time, as in files, count as equally old.
func (c *compiler) order(ings []*source.Ingress) []*source.Ingress {
	sort.SliceStable(ings, func(i, j int) bool {
		a, b := ings[i], ings[j]
		if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
			return a.CreationTimestamp.Before(&b.CreationTimestamp)
		}
		if a.Namespace != b.Namespace {
			return a.Namespace+"/"+a.Name > b.Namespace+"/"+b.Name
		}
		return a.Name > b.Name
	})
	return ings
}

// pathTypeOf takes ImplementationSpecific and a missing type for Prefix
// (internal/k8s/main.go, SetDefaultNGINXPathType): without a regex they match
// by path element.
func pathTypeOf(p *networkingv1.HTTPIngressPath) networkingv1.PathType {
	if p.PathType != nil && *p.PathType == networkingv1.PathTypeExact {
		return networkingv1.PathTypeExact
	}
	return networkingv1.PathTypePrefix
}

func pathOf(p *networkingv1.HTTPIngressPath) string { return orDefault(p.Path, "/") }

func hostOf(rule *networkingv1.IngressRule) string {
	return orDefault(strings.ToLower(rule.Host), catchAll)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

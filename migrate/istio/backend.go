package istio

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// backend finds what a destination stands for. The port is the one named; at a
// gateway else the only one of the Service, else that of the server; in the mesh
// always that of the request (GetDestinationCluster in
// pilot/pkg/networking/core/route/route.go; httproute.go hands it Services with
// the port of the listener alone). Requests to what does not exist are answered
// 503.
func (c *compiler) backend(v *virtualService, d *networking.Destination, p *place) routing.Backend {
	host := d.GetHost()
	ns, name, isService := c.registry.service(host)
	if !isService {
		return c.external(v, d, host, p)
	}
	b := routing.Backend{Namespace: ns, Name: name, Port: int(d.GetPort().GetNumber())}
	svc := c.registry.services[host]
	switch {
	case svc == nil && c.registry.complete:
		b.Invalid = "there is no Service " + ns + "/" + name
	case svc == nil && b.Port == 0:
		b.Invalid = "the Service " + ns + "/" + name + " is not in the input, so that its port is unknown"
	case svc != nil:
		ports := servicePorts(svc)
		if b.Port == 0 {
			b.Port = p.port
			if len(ports) == 1 && (p.gateway != mesh || p.port == 0) {
				b.Port = ports[0].number
			}
		}
		if protocol, ok := protocolAt(ports, b.Port); !ok {
			b.Invalid = fmt.Sprintf("the Service %s/%s has no port %d", ns, name, b.Port)
		} else if x := strings.ToLower(svc.Spec.ExternalName); svc.Spec.Type == corev1.ServiceTypeExternalName && c.registry.entries[x] == nil && c.registry.services[x] == nil {
			b.Invalid = fmt.Sprintf("the Service %s/%s is another name for %s, which no ServiceEntry in the input has", ns, name, x)
		} else if protocol == "GRPC" || protocol == "HTTP2" {
			b.Protocol = map[string]string{"GRPC": "GRPC", "HTTP2": "H2C"}[protocol]
		}
	}
	if d.Subset != "" && b.Invalid == "" {
		c.subset(&b, svc, host, d.Subset, p)
	}
	c.upstreamTLS(&b, host, d, p)
	return b
}

func protocolAt(ports []port, number int) (string, bool) {
	for _, p := range ports {
		if p.number == number {
			return p.protocol, true
		}
	}
	return "", false
}

// external is a destination outside of the cluster's Services: one that a
// ServiceEntry names becomes a Service of type ExternalName.
func (c *compiler) external(v *virtualService, d *networking.Destination, host string, p *place) routing.Backend {
	b := routing.Backend{Namespace: v.Namespace, Name: host, Port: int(d.GetPort().GetNumber())}
	if rest, ok := strings.CutSuffix(host, ".svc.clusterset.local"); ok {
		if name, ns, ok := strings.Cut(rest, "."); ok {
			return routing.Backend{Namespace: ns, Name: name, Port: b.Port, Kind: "ServiceImport", Group: "multicluster.x-k8s.io"}
		}
	}
	e := c.registry.entries[host]
	if e == nil {
		b.Invalid = host + " is neither the full name of a Service nor a host of a ServiceEntry in the input"
		return b
	}
	switch {
	case b.Port != 0:
	case len(e.Spec.Ports) == 1:
		b.Port = int(e.Spec.Ports[0].Number)
	default:
		b.Port = p.port
	}
	found := false
	for _, x := range e.Spec.Ports {
		found = found || int(x.Number) == b.Port
	}
	switch {
	case !found:
		b.Invalid = fmt.Sprintf("the ServiceEntry %s has no port %d", e.id(), b.Port)
		return b
	case !exports(e.Spec.ExportTo, e.Namespace, p.clientNamespace(v)):
		b.Invalid = "the ServiceEntry " + e.id() + " is not exported here"
		return b
	}
	b.Name = externalName(host)
	c.usedEntries[e.Object] = append(c.usedEntries[e.Object], b.Namespace+"/"+b.Name)
	if e.Spec.Resolution != networking.ServiceEntry_DNS && e.Spec.Resolution != networking.ServiceEntry_DNS_ROUND_ROBIN && e.Spec.Resolution != networking.ServiceEntry_NONE || len(e.Spec.Endpoints) > 0 {
		c.find(Finding{Object: e.Object, Kind: Manual, Path: "spec.endpoints", Message: "the host has addresses of its own: a Service " + b.Namespace + "/" + b.Name + " without selector, and an EndpointSlice with the addresses, take its place", Remedy: "write both by hand before the cutover"})
	} else {
		c.generate(&corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace, Name: b.Name},
			Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: host, Ports: []corev1.ServicePort{{Name: fmt.Sprintf("port-%d", b.Port), Port: int32(b.Port), TargetPort: intstr.FromInt32(int32(b.Port))}}}}, e.Object)
	}
	c.upstreamTLS(&b, host, d, p)
	return b
}

// externalName is the name of the Service that stands for a host.
func externalName(host string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(strings.TrimPrefix(host, "*.")))
	if s = strings.Trim(s, "-"); len(s) > 60 {
		s = strings.TrimRight(s[:60], "-")
	}
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "x" + s
	}
	return s
}

func (p *place) clientNamespace(v *virtualService) string {
	if p.gateway == mesh {
		return v.Namespace
	}
	return p.namespace
}

// subset turns a Service into the one of a subset: its selector and the
// subset's labels.
func (c *compiler) subset(b *routing.Backend, svc *source.Service, host, name string, p *place) {
	rules := c.rulesFor(host, p.namespace)
	for _, r := range rules {
		for i, s := range r.Spec.Subsets {
			if s.Name != name {
				continue
			}
			c.use(r, fmt.Sprintf("spec.subsets[%d]", i))
			if len(s.Labels) == 0 {
				return // all endpoints of the Service
			}
			c.version(b, svc, r, i, s)
			return
		}
	}
	// All versions are not what was asked for: the Service that would be this
	// subset's does not exist.
	b.Invalid = "no DestinationRule in the input has the subset " + name + " of " + host
	b.Name += "-" + strings.ToLower(name)
}

// use remembers that the rule at hand reads a DestinationRule.
func (c *compiler) use(r *destinationRule, path string) {
	c.usedRules[r.Object] = true
	if at := c.origin(r.Object, path); !slices.Contains(c.reads, at) {
		c.reads = append(c.reads, at)
	}
}

// version names the Service of a subset, which may be there already.
func (c *compiler) version(b *routing.Backend, svc *source.Service, r *destinationRule, i int, s *networking.Subset) {
	path := fmt.Sprintf("spec.subsets[%d]", i)
	base := b.Name + "-" + strings.ToLower(s.Name)
	if svc == nil {
		b.Name = base
		c.find(Finding{Object: r.Object, Kind: Manual, Path: path, Message: "the subset becomes the Service " + b.Namespace + "/" + b.Name + ", whose selector is that of " + svcName(b, s) + " and " + labelText(s.Labels) + "; that Service is not in the input", Remedy: "give the Service along, or write the one of the subset by hand"})
		return
	}
	selector := map[string]string{}
	for k, v := range svc.Spec.Selector {
		selector[k] = v
	}
	for k, v := range s.Labels {
		selector[k] = v
	}
	for _, candidate := range []string{base, base + "-subset"} {
		have := c.registry.services[candidate+"."+b.Namespace+".svc."+c.registry.domain]
		if have != nil && !sameLabels(have.Spec.Selector, selector) {
			continue
		}
		b.Name = candidate
		if have == nil {
			spec := corev1.ServiceSpec{Selector: selector}
			for _, p := range svc.Spec.Ports {
				p.NodePort = 0
				if p.TargetPort.IntVal == 0 && p.TargetPort.StrVal == "" {
					p.TargetPort = intstr.FromInt32(p.Port)
				}
				spec.Ports = append(spec.Ports, p)
			}
			c.generate(&corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace, Name: candidate, Labels: svc.Labels}, Spec: spec}, r.Object)
		}
		c.versions[r.Object] = append(c.versions[r.Object], versionOf{path, b.Namespace + "/" + candidate})
		return
	}
	b.Invalid = "the names for a Service of the subset " + s.Name + " are taken"
}

func svcName(b *routing.Backend, s *networking.Subset) string {
	return b.Namespace + "/" + strings.TrimSuffix(b.Name, "-"+strings.ToLower(s.Name))
}

func sameLabels(a, b map[string]string) bool { return len(a) == len(b) && subset(a, b) }

// generate adds a Service once.
func (c *compiler) generate(s *corev1.Service, from *source.Object) {
	k := s.Namespace + "/" + s.Name
	if old := c.generated[k]; old != nil {
		for _, p := range s.Spec.Ports {
			known := false
			for _, q := range old.Service.Spec.Ports {
				known = known || q.Port == p.Port
			}
			if !known {
				old.Service.Spec.Ports = append(old.Service.Spec.Ports, p)
			}
		}
		return
	}
	c.generated[k] = &Generated{Service: s, From: from.Ref}
}

// policies are the traffic policies of a destination, the most specific first:
// those of the subset's port, the subset, the port, the host.
func (c *compiler) policies(host string, d *networking.Destination, port int, p *place) []*networking.TrafficPolicy_PortTrafficPolicy {
	var out []*networking.TrafficPolicy_PortTrafficPolicy
	for _, r := range c.rulesFor(host, p.namespace) {
		var whole []*networking.TrafficPolicy
		for _, s := range r.Spec.Subsets {
			if d.GetSubset() != "" && s.Name == d.Subset && s.TrafficPolicy != nil {
				whole = append(whole, s.TrafficPolicy)
			}
		}
		if r.Spec.TrafficPolicy != nil {
			whole = append(whole, r.Spec.TrafficPolicy)
		}
		for _, t := range whole {
			for _, pl := range t.PortLevelSettings {
				if int(pl.GetPort().GetNumber()) == port {
					out = append(out, pl)
				}
			}
			out = append(out, &networking.TrafficPolicy_PortTrafficPolicy{LoadBalancer: t.LoadBalancer, ConnectionPool: t.ConnectionPool, OutlierDetection: t.OutlierDetection, Tls: t.Tls})
		}
		if len(whole) > 0 {
			c.use(r, "spec.trafficPolicy")
		}
	}
	return out
}

// affinity is the consistent hash of a destination
// (HashForHTTPDestination in route.go).
func (c *compiler) affinity(d *networking.Destination, p *place) *routing.Affinity {
	for _, t := range c.policies(d.GetHost(), d, int(d.GetPort().GetNumber()), p) {
		h := t.GetLoadBalancer().GetConsistentHash()
		if h == nil {
			continue
		}
		switch k := h.HashKey.(type) {
		case *networking.LoadBalancerSettings_ConsistentHashLB_HttpHeaderName:
			return &routing.Affinity{Kind: "header", Name: k.HttpHeaderName}
		case *networking.LoadBalancerSettings_ConsistentHashLB_HttpCookie:
			a := &routing.Affinity{Kind: "cookie", Name: k.HttpCookie.Name, Path: k.HttpCookie.Path}
			if k.HttpCookie.Ttl != nil {
				a.MaxAge = k.HttpCookie.Ttl.AsDuration()
			}
			return a
		case *networking.LoadBalancerSettings_ConsistentHashLB_UseSourceIp:
			if k.UseSourceIp {
				return &routing.Affinity{Kind: "source-ip"}
			}
		case *networking.LoadBalancerSettings_ConsistentHashLB_HttpQueryParameterName:
			return &routing.Affinity{Kind: "query", Name: k.HttpQueryParameterName}
		}
	}
	return nil
}

// upstreamTLS is the TLS that a DestinationRule originates. ISTIO_MUTUAL is the
// mesh's own and stays its concern.
func (c *compiler) upstreamTLS(b *routing.Backend, host string, d *networking.Destination, p *place) {
	for _, t := range c.policies(host, d, b.Port, p) {
		tls := t.Tls
		if tls == nil {
			continue
		}
		if tls.Mode != networking.ClientTLSSettings_SIMPLE && tls.Mode != networking.ClientTLSSettings_MUTUAL {
			return
		}
		b.Protocol = map[string]string{"GRPC": "GRPCS", "H2C": "GRPCS"}[b.Protocol]
		if b.Protocol == "" {
			b.Protocol = "HTTPS"
		}
		b.TLS = &routing.BackendTLS{Verify: !tls.InsecureSkipVerify.GetValue(), Hostname: tls.Sni}
		if len(tls.SubjectAltNames) > 0 {
			b.TLS.Hostname = tls.SubjectAltNames[0]
		}
		if _, _, service := c.registry.service(host); b.TLS.Hostname == "" && !service {
			b.TLS.Hostname = host
		}
		switch {
		case tls.CredentialName != "":
			b.TLS.CA, b.TLS.CAKind = p.namespace+"/"+tls.CredentialName, "Secret"
		case tls.CaCertificates != "":
			b.TLS.CA, b.TLS.CAKind = "file:"+tls.CaCertificates, "File"
		}
		if tls.Mode == networking.ClientTLSSettings_MUTUAL {
			b.TLS.ClientCertificate = p.namespace + "/" + tls.CredentialName
		}
		return
	}
}

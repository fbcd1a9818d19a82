package compile

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/routing"
)

// tlsPolicy is a BackendTLSPolicy for one Service, or one port of it.
type tlsPolicy struct {
	policy  routing.ObjectRef
	service string // "namespace/name"
	section string
	tls     *routing.BackendTLS
	invalid string // why connections to the backend fail
}

// backendPolicies reads BackendTLSPolicies by the Service they target.
//
// "The oldest policy based on creation timestamp … takes precedence", and one
// with a sectionName "MUST take precedence over" one without
// (BackendTLSPolicySpec.TargetRefs; GEP-1897). A policy that yields its only
// target is not accepted (PolicyReasonConflicted).
func (c *compiler) backendPolicies() map[string][]*tlsPolicy {
	out := map[string][]*tlsPolicy{}
	taken := map[[2]string]routing.ObjectRef{} // by Service and section
	for _, p := range c.in.policies {
		ref := refOf("BackendTLSPolicy", p)
		t, invalid := c.validation(ref, &p.Spec.Validation)
		won := 0
		var lost []Problem
		for i, target := range p.Spec.TargetRefs {
			lose := func(reason, message string) {
				lost = append(lost, Problem{ref, fmt.Sprintf("spec.targetRefs[%d]", i), "Accepted", reason, message})
			}
			x := &tlsPolicy{policy: ref, service: ref.Namespace + "/" + string(target.Name), section: string(value(target.SectionName, "")), tls: t, invalid: invalid}
			if target.Kind != "Service" || target.Group != "" {
				lose("TargetNotFound", "a "+string(target.Kind)+" is no Service")
				continue
			}
			c.policies = append(c.policies, x)
			if missing := c.missing(x); missing != "" {
				lose("TargetNotFound", missing)
				continue
			}
			key := [2]string{x.service, x.section}
			if older, ok := taken[key]; ok {
				lose("Conflicted", older.String()+" is older and has this target")
				continue
			}
			taken[key] = ref
			out[x.service] = append(out[x.service], x)
			won++
		}
		for _, l := range lost {
			if won > 0 {
				l.Condition = "Conflicted" // the rest of the policy holds
			}
			c.result.Problems = append(c.result.Problems, l)
		}
	}
	return out
}

// missing says why there is nothing that a policy could be for: "If a SectionName
// is specified, but does not exist on the targeted object, the Policy must fail to
// attach" (LocalPolicyTargetReferenceWithSectionName.SectionName).
func (c *compiler) missing(x *tlsPolicy) string {
	if c.in.services == nil {
		return ""
	}
	s := c.in.services[x.service]
	switch {
	case s == nil:
		return "there is no Service " + x.service
	case x.section != "" && !slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == x.section }):
		return "the Service " + x.service + " has no port " + x.section
	}
	return ""
}

// validation reads how the certificate of a backend is verified. invalid says
// why no certificate could be.
func (c *compiler) validation(ref routing.ObjectRef, v *gwv1.BackendTLSPolicyValidation) (t *routing.BackendTLS, invalid string) {
	const path = "spec.validation"
	t = &routing.BackendTLS{Verify: true, Hostname: string(v.Hostname)}
	refuse := func(field, message string) {
		invalid = message
		c.problem(ref, path+field, "Accepted", "Invalid", message)
	}
	if v.Hostname == "" { // "MUST be used as the SNI" (BackendTLSPolicyValidation.Hostname)
		refuse(".hostname", "there is no hostname to ask the backend for")
	}
	for i, n := range v.SubjectAltNames {
		at := fmt.Sprintf(".subjectAltNames[%d]", i)
		switch {
		case n.Type == gwv1.HostnameSubjectAltNameType && n.Hostname != "":
			t.SubjectAltNames = append(t.SubjectAltNames, "DNS:"+string(n.Hostname))
		case n.Type == gwv1.URISubjectAltNameType && n.URI != "":
			t.SubjectAltNames = append(t.SubjectAltNames, "URI:"+string(n.URI))
		default:
			refuse(at, fmt.Sprintf("there is no name of the type %q", n.Type))
		}
	}
	wellKnown := value(v.WellKnownCACertificates, "")
	switch {
	case len(v.CACertificateRefs) > 0 && wellKnown != "":
		refuse(".wellKnownCACertificates", "there are caCertificateRefs, too") // "may be specified, not both"
	case len(v.CACertificateRefs) == 0 && wellKnown == "":
		refuse(".caCertificateRefs", "nothing says which authorities are trusted")
	case len(v.CACertificateRefs) == 0 && wellKnown != gwv1.WellKnownCACertificatesSystem:
		refuse(".wellKnownCACertificates", "the certificates "+string(wellKnown)+" are not known")
	}
	for i, r := range v.CACertificateRefs {
		key := ref.Namespace + "/" + string(r.Name)
		reason, message := "", ""
		switch {
		case r.Group != "" || r.Kind != "ConfigMap" && r.Kind != "Secret":
			reason, message = "InvalidKind", "a "+string(r.Kind)+" holds no certificates of an authority"
		case !c.authority(string(r.Kind), key):
			reason, message = "InvalidCACertificateRef", "there is no "+string(r.Kind)+" "+key+" with certificates at ca.crt"
		case t.CA == "":
			t.CA, t.CAKind = key, string(r.Kind)
		}
		if reason != "" {
			c.problem(ref, fmt.Sprintf("%s.caCertificateRefs[%d]", path, i), "ResolvedRefs", reason, message)
		}
	}
	if len(v.CACertificateRefs) > 0 && t.CA == "" {
		invalid = "no certificate of an authority can validate the backend"
		c.problem(ref, path+".caCertificateRefs", "Accepted", "NoValidCACertificate", invalid)
	}
	return t, invalid
}

// backendTLS is the policy for a backend: that of its port, or else that of its
// Service; nil for none.
func (c *compiler) backendTLS(x routing.Backend) *tlsPolicy {
	var whole *tlsPolicy
	for _, p := range c.tls[x.Namespace+"/"+x.Name] {
		if p.section == "" {
			whole = p
			continue
		}
		port := portOf(c.in.services[x.Namespace+"/"+x.Name], x.Port, false)
		if c.in.services == nil || port != nil && port.Name == p.section {
			return p
		}
	}
	return whole
}

// uses notes where routes of these places send requests: their Gateways are
// those whose behaviour a policy for a backend changes (PolicyAncestorStatus).
func (c *compiler) uses(places []attached, a *routing.Action) {
	for i := range a.Backends {
		service := a.Backends[i].Namespace + "/" + a.Backends[i].Name
		if len(c.tls[service]) == 0 {
			continue
		}
		if c.users[service] == nil {
			c.users[service] = map[routing.ObjectRef]bool{}
		}
		for _, x := range places {
			if x.place.gateway.Name != "" {
				c.users[service][x.place.gateway] = true
			}
		}
	}
}

// settlePolicies says which Gateways each policy is for.
func (c *compiler) settlePolicies() {
	at := map[routing.ObjectRef]int{}
	for _, p := range c.policies {
		i, ok := at[p.policy]
		if !ok {
			i = len(c.result.Policies)
			at[p.policy] = i
			c.result.Policies = append(c.result.Policies, Policy{Policy: p.policy})
		}
		x := &c.result.Policies[i]
		for g := range c.users[p.service] {
			if !slices.Contains(x.Gateways, g) {
				x.Gateways = append(x.Gateways, g)
			}
		}
	}
	for i := range c.result.Policies {
		slices.SortFunc(c.result.Policies[i].Gateways, func(a, b routing.ObjectRef) int {
			return strings.Compare(a.String(), b.String())
		})
	}
}

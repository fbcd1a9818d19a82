package source

import (
	"net/netip"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ClassAnnotation is the old way to name an Ingress's class.
const ClassAnnotation = "kubernetes.io/ingress.class"

// Rejected lists why an API server would refuse to create the Ingress, each
// with its v1 path, and nothing when it would accept it. Such an object cannot
// exist in a cluster, so no controller ever served it. The rules are those of
// k8s.io/kubernetes pkg/apis/networking/validation/validation.go. An object
// with a uid comes from an API server, and so was accepted whatever today's
// rules are: several hold on creation only.
func Rejected(i *Ingress) []string {
	if i.UID != "" {
		return nil
	}
	meta := i.ObjectMeta
	meta.ManagedFields, meta.OwnerReferences = nil, nil // not written by people
	errs := apivalidation.ValidateObjectMeta(&meta, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, rejectedClass(i.Ingress)...)
	spec := field.NewPath("spec")
	if len(i.Spec.Rules) == 0 && i.Spec.DefaultBackend == nil {
		errs = append(errs, field.Invalid(spec, "", "either defaultBackend or rules must be specified"))
	}
	if i.Spec.DefaultBackend != nil {
		errs = append(errs, rejectedBackend(i.Spec.DefaultBackend, spec.Child("defaultBackend"))...)
	}
	for n := range i.Spec.TLS {
		errs = append(errs, rejectedTLS(&i.Spec.TLS[n], spec.Child("tls").Index(n))...)
	}
	for n := range i.Spec.Rules {
		rule, at := &i.Spec.Rules[n], spec.Child("rules").Index(n)
		errs = append(errs, rejectedRuleHost(rule.Host, at.Child("host"))...)
		if rule.HTTP == nil {
			continue
		}
		paths := at.Child("http", "paths")
		if len(rule.HTTP.Paths) == 0 {
			errs = append(errs, field.Required(paths, ""))
		}
		for k := range rule.HTTP.Paths {
			errs = append(errs, rejectedPath(&rule.HTTP.Paths[k], paths.Index(k))...)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	out := make([]string, len(errs))
	for n, e := range errs {
		out[n] = e.Error()
	}
	return out
}

// rejectedClass: the annotation and the field may stand together only when
// they are equal (ValidateIngressCreate).
func rejectedClass(i *networkingv1.Ingress) field.ErrorList {
	class := i.Spec.IngressClassName
	if class == nil {
		return nil
	}
	if old, ok := i.Annotations[ClassAnnotation]; ok && old != *class {
		return field.ErrorList{field.Invalid(field.NewPath("metadata", "annotations").Child(ClassAnnotation), old,
			"must match ingressClassName when both are specified")}
	}
	var errs field.ErrorList
	for _, msg := range apivalidation.NameIsDNSSubdomain(*class, false) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "ingressClassName"), *class, msg))
	}
	return errs
}

// rejectedTLS: hosts are DNS names or wildcards, the Secret's name a subdomain
// name (validateIngressTLS).
func rejectedTLS(t *networkingv1.IngressTLS, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for n, h := range t.Hosts {
		errs = append(errs, rejectedName(h, at.Child("hosts").Index(n))...)
	}
	if t.SecretName != "" {
		for _, msg := range apivalidation.NameIsDNSSubdomain(t.SecretName, false) {
			errs = append(errs, field.Invalid(at.Child("secretName"), t.SecretName, msg))
		}
	}
	return errs
}

// rejectedRuleHost: a rule's host is no IP address, and a wildcard only as the
// whole first label (validateIngressRules).
func rejectedRuleHost(host string, at *field.Path) field.ErrorList {
	if host == "" {
		return nil
	}
	var errs field.ErrorList
	if _, err := netip.ParseAddr(host); err == nil {
		errs = append(errs, field.Invalid(at, host, "must be a DNS name, not an IP address"))
	}
	return append(errs, rejectedName(host, at)...)
}

func rejectedName(host string, at *field.Path) field.ErrorList {
	check := validation.IsDNS1123Subdomain
	if strings.Contains(host, "*") {
		check = validation.IsWildcardDNS1123Subdomain
	}
	var errs field.ErrorList
	for _, msg := range check(host) {
		errs = append(errs, field.Invalid(at, host, msg))
	}
	return errs
}

var (
	refusedInPath    = []string{"//", "/./", "/../", "%2f", "%2F"}
	refusedAtPathEnd = []string{"/..", "/."}
)

// rejectedPath: pathType is required and known; Exact and Prefix paths are
// absolute and without the sequences above, ImplementationSpecific ones are
// empty or absolute (validateHTTPIngressPath).
func rejectedPath(p *networkingv1.HTTPIngressPath, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	path := at.Child("path")
	switch {
	case p.PathType == nil:
		return field.ErrorList{field.Required(at.Child("pathType"), "pathType must be specified")}
	case *p.PathType == networkingv1.PathTypeExact || *p.PathType == networkingv1.PathTypePrefix:
		if !strings.HasPrefix(p.Path, "/") {
			errs = append(errs, field.Invalid(path, p.Path, "must be an absolute path"))
		}
		for _, s := range refusedInPath {
			if strings.Contains(p.Path, s) {
				errs = append(errs, field.Invalid(path, p.Path, "must not contain '"+s+"'"))
			}
		}
		for _, s := range refusedAtPathEnd {
			if strings.HasSuffix(p.Path, s) {
				errs = append(errs, field.Invalid(path, p.Path, "cannot end with '"+s+"'"))
			}
		}
	case *p.PathType == networkingv1.PathTypeImplementationSpecific:
		if p.Path != "" && !strings.HasPrefix(p.Path, "/") {
			errs = append(errs, field.Invalid(path, p.Path, "must be an absolute path"))
		}
	default:
		errs = append(errs, field.NotSupported(at.Child("pathType"), *p.PathType, []networkingv1.PathType{
			networkingv1.PathTypeExact, networkingv1.PathTypePrefix, networkingv1.PathTypeImplementationSpecific}))
	}
	return append(errs, rejectedBackend(&p.Backend, at.Child("backend"))...)
}

// rejectedBackend: exactly one of service and resource, and of the service's
// port number and name (validateIngressBackend).
func rejectedBackend(b *networkingv1.IngressBackend, at *field.Path) field.ErrorList {
	switch {
	case b.Service != nil && b.Resource != nil:
		return field.ErrorList{field.Invalid(at, "", "cannot set both resource and service backends")}
	case b.Resource != nil:
		var errs field.ErrorList
		if b.Resource.Kind == "" {
			errs = append(errs, field.Required(at.Child("resource", "kind"), ""))
		}
		if b.Resource.Name == "" {
			errs = append(errs, field.Required(at.Child("resource", "name"), ""))
		}
		return errs
	case b.Service == nil:
		return field.ErrorList{field.Required(at, "resource or service backend is required")}
	}
	var errs field.ErrorList
	at = at.Child("service")
	if b.Service.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	} else {
		// The relaxed rule of newer servers (AllowRelaxedServiceNameValidation).
		for _, msg := range apivalidation.NameIsDNSLabel(b.Service.Name, false) {
			errs = append(errs, field.Invalid(at.Child("name"), b.Service.Name, msg))
		}
	}
	port := b.Service.Port
	switch at = at.Child("port"); {
	case port.Name != "" && port.Number != 0:
		errs = append(errs, field.Invalid(at, "", "cannot set both port name and port number"))
	case port.Name != "":
		for _, msg := range validation.IsValidPortName(port.Name) {
			errs = append(errs, field.Invalid(at.Child("name"), port.Name, msg))
		}
	case port.Number != 0:
		for _, msg := range validation.IsValidPortNum(int(port.Number)) {
			errs = append(errs, field.Invalid(at.Child("number"), port.Number, msg))
		}
	default:
		errs = append(errs, field.Required(at, "port name or number is required"))
	}
	return errs
}

package source

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/routing"
)

// Object is one input object as it was read, with where it stood.
type Object struct {
	Ref        routing.ObjectRef
	APIVersion string // as written, before any upgrade
	File       string // as the user named it; "-" for stdin, empty for a cluster
	Line       int    // of the object's first line, 1-based; 0 when unknown
	// Path is where the object stands in its document: empty, or such as
	// items[3] for an item of a List.
	Path string
	// Untyped holds JSON types; nil for the kinds that have a typed form here,
	// save Secrets, whose values are replaced by null: only type and key names
	// are ever kept.
	Untyped map[string]any

	tree ledger.Tree
	raw  []byte // the object's own text; nil when unknown and for Secrets
}

// Ingress is an Ingress in its networking.k8s.io/v1 form; Object keeps the form
// it was written in. Written maps a path of the v1 form to the written form.
type Ingress struct {
	*networkingv1.Ingress
	Object *Object
	// Rejected lists why an API server would refuse the object, so that it
	// cannot exist in a cluster as written; see [Rejected].
	Rejected []string
}

// Service is a Service and where it stood.
type Service struct {
	*corev1.Service
	Object *Object
}

// IngressClass is an IngressClass and where it stood.
type IngressClass struct {
	*networkingv1.IngressClass
	Object *Object
}

// ConfigMap is a ConfigMap and where it stood.
type ConfigMap struct {
	*corev1.ConfigMap
	Object *Object
}

// Secret holds what may be known about a Secret: its type and key names.
type Secret struct {
	Namespace, Name string
	Type            string
	Keys            []string // sorted
	Object          *Object
}

// Set is everything that was read, in input order.
type Set struct {
	Ingresses      []*Ingress
	IngressClasses []*IngressClass
	Services       []*Service
	Secrets        []*Secret
	ConfigMaps     []*ConfigMap
	Namespaces     []*Object
	// Gateway API, Istio and other objects, by kind as read; converters of
	// later dialects and the compiler of Gateway API objects take them from
	// here.
	Others []*Object
	// Complete says the input is a whole cluster: what is absent does not
	// exist, rather than being unknown.
	Complete bool
}

// Len is the number of objects of any kind.
func (s *Set) Len() int {
	return len(s.Ingresses) + len(s.IngressClasses) + len(s.Services) + len(s.Secrets) + len(s.ConfigMaps) + len(s.Namespaces) + len(s.Others)
}

package emit

import (
	"sort"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
)

// grantKey is one direction of cross-namespace references.
type grantKey struct{ fromKind, fromNamespace, toGroup, toKind, toNamespace string }

// needGrant records a reference; references within a namespace need none
// (apis/v1/referencegrant_types.go).
func (e *emitter) needGrant(fromKind, fromNamespace, toGroup, toKind, toNamespace, toName string) {
	if fromNamespace == toNamespace || toNamespace == "" {
		return
	}
	k := grantKey{fromKind, fromNamespace, toGroup, toKind, toNamespace}
	if e.grants[k] == nil {
		e.grants[k] = map[string]bool{}
	}
	e.grants[k][toName] = true
}

// writeGrants writes one ReferenceGrant per direction, naming every referent:
// a grant without names would open all Secrets of a namespace.
func (e *emitter) writeGrants() {
	keys := make([]grantKey, 0, len(e.grants))
	for k := range e.grants {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].id() < keys[j].id() })
	version := "v1beta1"
	if e.has(gatewayapi.FeatureReferenceGrantV1) {
		version = "v1"
	}
	for _, k := range keys {
		names := sortedKeys(e.grants[k])
		for i, part := 0, 1; i < len(names); i, part = i+gatewayapi.MaxGrantEntries, part+1 {
			chunk := names[i:min(i+gatewayapi.MaxGrantEntries, len(names))]
			base := "from-" + k.fromNamespace + "-" + slug(k.fromKind) + "-to-" + slug(k.toKind)
			if part > 1 {
				base += "-" + strconv.Itoa(part)
			}
			g := &gwv1.ReferenceGrant{
				TypeMeta:   metav1.TypeMeta{APIVersion: gwv1.GroupName + "/" + version, Kind: "ReferenceGrant"},
				ObjectMeta: metav1.ObjectMeta{Namespace: k.toNamespace, Name: e.names.take("ReferenceGrant", k.toNamespace, fit(base, k.id(), maxRouteName), k.id()+strconv.Itoa(part))},
				Spec:       gwv1.ReferenceGrantSpec{From: []gwv1.ReferenceGrantFrom{{Group: gwv1.GroupName, Kind: gwv1.Kind(k.fromKind), Namespace: gwv1.Namespace(k.fromNamespace)}}},
			}
			for _, n := range chunk {
				name := gwv1.ObjectName(n)
				g.Spec.To = append(g.Spec.To, gwv1.ReferenceGrantTo{Group: gwv1.Group(k.toGroup), Kind: gwv1.Kind(k.toKind), Name: &name})
			}
			e.objects = append(e.objects, g)
		}
	}
}

func (k grantKey) id() string {
	return k.toNamespace + "\x00" + k.fromNamespace + "\x00" + k.fromKind + "\x00" + k.toGroup + "\x00" + k.toKind
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

package emit

import (
	"sort"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
)

// grant lets objects of a kind in one namespace refer to one object in
// another (ReferenceGrantSpec).
type grant struct{ namespace, fromKind, fromNamespace, toKind, toName string }

// referenceGrants writes one grant for each kind of reference between two
// namespaces, naming every object.
func (e *emitter) referenceGrants() []client.Object {
	kinds := map[string]bool{"HTTPRoute": true}
	for _, o := range e.res.Objects {
		kinds[kindOf(o)] = true
	}
	byName := map[string]*gatewayv1beta1.ReferenceGrant{}
	var all []grant
	for g := range e.grants {
		if kinds[g.fromKind] {
			all = append(all, g)
		}
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return a.namespace+"\x00"+a.fromKind+"\x00"+a.fromNamespace+"\x00"+a.toKind+"\x00"+a.toName < b.namespace+"\x00"+b.fromKind+"\x00"+b.fromNamespace+"\x00"+b.toKind+"\x00"+b.toName
	})
	var out []client.Object
	for _, g := range all {
		name := dnsName("from-"+g.fromNamespace+"-"+g.fromKind+"-to-"+g.toKind, 253)
		key := g.namespace + "/" + name
		rg := byName[key]
		if rg == nil || len(rg.Spec.To) == 16 { // limit of ReferenceGrantSpec.to
			n := name
			if rg != nil {
				n = dnsName(name+"-"+g.toName, 253)
			}
			rg = &gatewayv1beta1.ReferenceGrant{
				TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1beta1.GroupVersion.String(), Kind: "ReferenceGrant"},
				ObjectMeta: metav1.ObjectMeta{Namespace: g.namespace, Name: n},
			}
			rg.Spec.From = []gatewayv1beta1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: gatewayv1.Kind(g.fromKind), Namespace: gatewayv1.Namespace(g.fromNamespace)}}
			byName[key] = rg
			out = append(out, rg)
		}
		to := gatewayv1.ObjectName(g.toName)
		rg.Spec.To = append(rg.Spec.To, gatewayv1beta1.ReferenceGrantTo{Kind: gatewayv1.Kind(g.toKind), Name: &to})
	}
	return out
}

package migrate

import (
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate/ingress/nginx"
	"github.com/causeway-gateway/causeway/migrate/istio"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// parts lists the entrances of the input. Each has an address of its own today
// and gets Gateways of its own: what an internal gateway serves must not appear
// at a public one.
func parts(set *source.Set, ingresses *nginx.Result, mesh *istio.Result, o emit.Options) ([]*Part, error) {
	var out []*Part
	if mesh == nil || len(set.Ingresses) > 0 || len(ingresses.Streams) > 0 {
		out = append(out, &Part{Name: "ingress-nginx", Table: ingresses.Table, layout: o.Gateway})
	}
	if mesh == nil {
		return out, nil
	}
	taken := map[string]bool{}
	for _, e := range mesh.Edges {
		layout := o.Gateway
		if layout.Kind != emit.Existing {
			layout.Namespace, layout.Name = e.Namespace, e.Name
			for i := 2; taken[layout.Namespace+"/"+layout.Name]; i++ {
				layout.Name = fmt.Sprintf("%s-%d", e.Name, i)
			}
			taken[layout.Namespace+"/"+layout.Name] = true
		}
		out = append(out, &Part{Name: "the Istio gateway " + e.Describe(), Table: e.Table, layout: layout})
	}
	if o.Gateway.Kind == emit.Existing && len(out) > 1 {
		names := make([]string, len(out))
		for i, p := range out {
			names[i] = p.Name
		}
		return nil, fmt.Errorf("the input has %d entrances (%s), which one existing Gateway would merge: convert them in runs of their own, each with its own --gateway", len(out), strings.Join(names, "; "))
	}
	if mesh.Mesh != nil {
		out = append(out, &Part{Name: "the mesh", Table: mesh.Mesh, layout: o.Gateway})
	}
	return out, nil
}

// emit writes the objects of a part.
func (p *Part) emit(o emit.Options) {
	o.Gateway = p.layout
	p.emitted = emit.Emit(p.Table, o)
	p.Assumed = p.emitted.Assumed
	p.owns = make(map[routing.ObjectRef]bool, len(p.emitted.Objects))
	for _, obj := range p.emitted.Objects {
		p.owns[refOf(obj)] = true
	}
}

// objects are those of a result that belong to the part.
func (p *Part) objects(all []client.Object) []client.Object {
	out := make([]client.Object, 0, len(p.owns))
	for _, obj := range all {
		if p.owns[refOf(obj)] {
			out = append(out, obj)
		}
	}
	return out
}

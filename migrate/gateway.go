package migrate

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/migrate/source"
	"github.com/causeway-gateway/causeway/routing"
)

// GatewayObjects returns the Gateway API objects of the input, ready for
// [compile.Compile]. Services and Namespaces go along when the input is a whole
// cluster: only then is what is absent known not to exist.
func GatewayObjects(set *source.Set) []client.Object {
	var out []client.Object
	add := func(o *source.Object) {
		u := &unstructured.Unstructured{Object: o.Untyped}
		if u.GetNamespace() == "" && o.Ref.Namespace != "" {
			u = u.DeepCopy()
			u.SetNamespace(o.Ref.Namespace)
		}
		out = append(out, u)
	}
	for _, o := range set.Others {
		if strings.HasPrefix(o.APIVersion, "gateway.networking.k8s.io/") {
			add(o)
		}
	}
	if len(out) > 0 && set.Complete {
		for _, s := range set.Services {
			out = append(out, s.Service)
		}
		for _, n := range set.Namespaces {
			add(n)
		}
	}
	return out
}

// CompileGateway compiles the Gateway API objects of the input, with the place
// of each rule in its file.
func CompileGateway(set *source.Set, reading routing.Reading) *compile.Result {
	where := map[routing.ObjectRef]*source.Object{}
	for _, o := range set.Others {
		where[o.Ref] = o
	}
	return compile.Compile(GatewayObjects(set), compile.Options{Reading: reading, Locate: func(ref routing.ObjectRef, path string) (string, int) {
		if o := where[ref]; o != nil {
			return o.File, o.LineOf(path)
		}
		return "", 0
	}})
}

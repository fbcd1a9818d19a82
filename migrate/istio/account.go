package istio

import (
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// Knows reports whether an object was compiled, or refused.
func (r *Result) Knows(o *source.Object) bool { return r.compiler.known[o] }

// Served reports whether some gateway or the mesh serves a VirtualService.
// Objects of other kinds have no traffic of their own and count as served.
func (r *Result) Served(o *source.Object) bool {
	return o.Ref.Kind != "VirtualService" || r.compiler.served[o] || r.delegate(o)
}

// delegate reports whether a served VirtualService delegates to this one.
func (r *Result) delegate(o *source.Object) bool {
	for _, v := range r.compiler.delegated[o] {
		if r.compiler.served[v.Object] {
			return true
		}
	}
	return false
}

// Beside is what is known of other kinds of Istio, which are not compiled.
func Beside(o *source.Object) (status ledger.Status, message, remedy string, ok bool) {
	if !strings.Contains(o.APIVersion, ".istio.io/") {
		return "", "", "", false
	}
	x, ok := beside[o.Ref.Kind]
	return x.status, x.message, x.remedy, ok
}

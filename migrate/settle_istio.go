package migrate

import (
	"strings"

	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate/istio"
	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/migrate/source"
)

// factEntry says how each kind of finding about an Istio object appears in the
// ledger.
var factEntry = map[istio.FindingKind]ledger.Status{
	istio.Rejected: ledger.Unsupported, istio.Inert: ledger.Ignored, istio.Unresolved: ledger.Unsupported, istio.Manual: ledger.Extension, istio.Assumed: ledger.Converted, istio.Differs: ledger.Approximated,
}

// other settles an object of a kind that is not typed in the input.
func (s *settler) other(o *source.Object) []ledger.Entry {
	if s.istio != nil && s.istio.Knows(o) {
		return s.istioObject(o)
	}
	if status, message, remedy, ok := istio.Beside(o); ok {
		return whole(o, status, message, remedy)
	}
	if strings.HasPrefix(o.APIVersion, "gateway.networking.k8s.io/") {
		return whole(o, ledger.Ignored, "this is the Gateway API already; it stays as it is", "")
	}
	return whole(o, ledger.Ignored, "this kind is no source of routing", "")
}

// istioObject settles an object of Istio's routing API.
func (s *settler) istioObject(o *source.Object) []ledger.Entry {
	acct := account(o)
	facts := s.facts[o]
	taken := map[string]bool{} // leaves that a finding accounts for
	for _, f := range facts {
		if f.Kind == istio.Rejected {
			return whole(o, ledger.Unsupported, f.Message, f.Remedy)
		}
		e := ledger.Entry{Status: factEntry[f.Kind], Path: f.Path, Message: f.Message, Remedy: f.Remedy}
		if f.Kind == istio.Unresolved || f.Kind == istio.Manual {
			e.Features = everything
		}
		if node, _ := o.Tree().Find(f.Path); f.Path == "" || node < 0 || f.Kind == istio.Assumed || taken[f.Path] {
			acct.Note(e)
			continue
		}
		taken[f.Path] = true
		acct.Add(e)
	}
	if !s.istio.Served(o) {
		why, remedy := "nothing of this object takes requests today", ""
		status := ledger.Ignored
		for _, f := range facts {
			if f.Kind == istio.Unresolved {
				status, why, remedy = ledger.Unsupported, f.Message, f.Remedy
			}
		}
		for _, part := range o.Tree().Parts() {
			acct.Mark(status, part, why, remedy)
		}
		return acct.Close()
	}
	own, used := s.notes[o.Ref], map[*emit.Note]bool{}
	targets := s.targets[o.Ref]
	for c := range s.istio.Claims(o) {
		skip := false
		for path := range taken {
			skip = skip || c.Path == path || under(c.Path, path)
		}
		if !skip {
			s.claim(acct, c, own, used, targets)
		}
	}
	if o.Ref.Kind != "VirtualService" {
		return acct.Close() // notes of the routes that read it are theirs
	}
	own.remaining(acct, used, targets, func(path string) string { return path })
	return acct.Close()
}

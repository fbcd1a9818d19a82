package compile

// grants are the references between namespaces that are allowed (ReferenceGrant:
// the grant is in the namespace of what is referred to).
type grants map[grant]bool

type grant struct{ fromGroup, fromKind, fromNamespace, toGroup, toKind, toNamespace, toName string }

func newGrants(list []*referenceGrant) grants {
	out := grants{}
	for _, g := range list {
		for _, f := range g.Spec.From {
			for _, t := range g.Spec.To {
				if t.Name != nil && *t.Name == "" {
					continue // the name of nothing; only one that is left out means all
				}
				out[grant{f.Group, f.Kind, f.Namespace, t.Group, t.Kind, refOf("", g).Namespace, value(t.Name, "")}] = true
			}
		}
	}
	return out
}

// allow reports whether an object may refer to another.
func (g grants) allow(fromKind, fromNamespace, toGroup, toKind, toNamespace, toName string) bool {
	if fromNamespace == toNamespace {
		return true
	}
	k := grant{"gateway.networking.k8s.io", fromKind, fromNamespace, toGroup, toKind, toNamespace, toName}
	if g[k] {
		return true
	}
	k.toName = ""
	return g[k]
}

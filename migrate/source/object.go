package source

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/causeway-gateway/causeway/migrate/ledger"
	"github.com/causeway-gateway/causeway/routing"
)

// entry is one object on its way into the Set.
type entry struct {
	obj   *Object
	group string
	typed any // *Ingress, *Service, …; nil for others
}

// clusterScoped are the kinds without a namespace that manifests hold; every
// other kind is taken to be namespaced.
var clusterScoped = map[string]bool{
	"Namespace": true, "IngressClass": true, "GatewayClass": true, "Node": true,
	"PersistentVolume": true, "StorageClass": true, "VolumeAttachment": true, "CSIDriver": true, "CSINode": true,
	"ClusterRole": true, "ClusterRoleBinding": true, "CustomResourceDefinition": true, "APIService": true,
	"ValidatingWebhookConfiguration": true, "MutatingWebhookConfiguration": true,
	"ValidatingAdmissionPolicy": true, "ValidatingAdmissionPolicyBinding": true,
	"PriorityClass": true, "RuntimeClass": true, "FlowSchema": true, "PriorityLevelConfiguration": true,
	"CertificateSigningRequest": true, "ClusterIssuer": true, "ComponentStatus": true, "PodSecurityPolicy": true,
	"ClusterTrustBundle": true, "XMesh": true,
}

// reader holds what all documents of one input share.
type reader struct {
	namespace string
}

// place is where a document's objects stand.
type place struct {
	chunk     *chunk
	hasSecret bool
}

// objects turns a parsed document into entries: one, or those of a List.
func (r *reader) objects(c *chunk, t *tree) ([]*entry, []*DocumentError) {
	if t.root == nil {
		return nil, nil
	}
	m, ok := t.root.(map[string]any)
	if !ok {
		return nil, []*DocumentError{{File: c.file, Line: t.line, Err: errors.New("the document is not an object"),
			Remedy: "a Kubernetes object is a mapping with apiVersion and kind"}}
	}
	p := &place{chunk: c}
	var entries []*entry
	var errs []*DocumentError
	tree := t.nodes.Tree()
	if c.rendered {
		tree, t.line = ledger.TreeOf(m), 0
	}
	r.expand(p, m, "", tree, t.line, 0, &entries, &errs)
	if p.hasSecret {
		// Nothing of a text that holds a Secret is kept, not even in memory.
		for i, b := range c.text {
			if b != '\n' {
				c.text[i] = ' '
			}
		}
		for _, e := range entries {
			e.obj.raw = nil
		}
	} else if !c.rendered && len(entries) > 0 && entries[0].obj.Path != "" {
		itemTexts(c, entries)
	}
	return entries, errs
}

// expand adds m, or the items below it when it is a List of any kind
// (unstructured.IsList tells them by their items too).
func (r *reader) expand(p *place, m map[string]any, path string, tree ledger.Tree, line, depth int,
	entries *[]*entry, errs *[]*DocumentError) {
	kind, _ := m["kind"].(string)
	items, isList := m["items"].([]any)
	if !isList && kind == "List" {
		items, isList = nil, true
	}
	if !isList || !strings.HasSuffix(kind, "List") {
		e, problems := r.object(p, m, path, tree, line)
		*errs = append(*errs, problems...)
		if e != nil {
			*entries = append(*entries, e)
		}
		return
	}
	if kind == "SecretList" {
		p.hasSecret = true
	}
	list, at := tree, -1
	if node := tree.Child("items", -1); node >= 0 {
		list = tree.Below(node)
	}
	for i, item := range items {
		itemPath := pathOf(path, "items") + "[" + strconv.Itoa(i) + "]"
		at = list.Next(at)
		itemLine := max(list.Line(at), 0)
		im, ok := item.(map[string]any)
		if !ok {
			*errs = append(*errs, &DocumentError{File: p.chunk.file, Line: itemLine, Object: itemPath,
				Err: errors.New("the item of the List is not an object")})
			continue
		}
		// The API server leaves kind and apiVersion out of the items of its
		// own lists (IngressList).
		if kind != "List" {
			if _, ok := im["kind"]; !ok {
				im["kind"] = strings.TrimSuffix(kind, "List")
			}
			if _, ok := im["apiVersion"]; !ok {
				im["apiVersion"] = m["apiVersion"]
			}
		}
		r.expand(p, im, itemPath, list.Below(at), itemLine, depth+1, entries, errs)
	}
}

// object makes one entry.
func (r *reader) object(p *place, m map[string]any, path string, tree ledger.Tree, line int) (*entry, []*DocumentError) {
	kind, kindOK := m["kind"].(string)
	apiVersion, versionOK := m["apiVersion"].(string)
	o := &Object{APIVersion: apiVersion, File: p.chunk.file, Line: line, Path: path, Untyped: m, tree: tree}
	secret := kind == "Secret" || m["kind"] != nil && !kindOK
	if secret {
		p.hasSecret = true
		redact(m)
	}
	fail := func(at string, err error, remedy string) *DocumentError {
		e := &DocumentError{File: o.File, Line: o.LineOf(at), Err: err, Remedy: remedy}
		if o.Ref.Name != "" {
			e.Object = o.Ref.String()
		} else if path != "" {
			e.Object = path
		}
		return e
	}
	if !kindOK || kind == "" {
		return nil, []*DocumentError{fail("kind", errors.New("kind is not set"), "add kind and apiVersion, or leave this file out")}
	}
	if !versionOK || apiVersion == "" {
		return nil, []*DocumentError{fail("apiVersion", fmt.Errorf("apiVersion of the %s is not set", kind), "add it")}
	}
	group, version := splitVersion(apiVersion)
	meta, ok := m["metadata"].(map[string]any)
	if !ok {
		return nil, []*DocumentError{fail("metadata", fmt.Errorf("metadata of the %s is missing", kind), "add metadata.name")}
	}
	name, ok := meta["name"].(string)
	if !ok || name == "" {
		if meta["generateName"] != nil {
			return nil, []*DocumentError{fail("metadata.generateName", fmt.Errorf("the %s has a generated name", kind),
				"give it a metadata.name, as kubectl apply demands")}
		}
		if meta["name"] != nil && meta["name"] != "" {
			return nil, []*DocumentError{fail("metadata.name", fmt.Errorf("metadata.name of the %s is not text", kind), "quote it")}
		}
		return nil, []*DocumentError{fail("metadata", fmt.Errorf("the %s has no name", kind), "add metadata.name")}
	}
	o.Ref = routing.ObjectRef{Kind: kind, Name: name}
	if !clusterScoped[kind] {
		o.Ref.Namespace = r.namespace
		switch ns := meta["namespace"].(type) {
		case nil:
		case string:
			if ns != "" {
				o.Ref.Namespace = ns
			}
		default:
			return nil, []*DocumentError{fail("metadata.namespace", errors.New("metadata.namespace is not text"), "quote it")}
		}
	}
	if !secret && path == "" {
		o.raw = p.chunk.text
	}
	typed, problem := convert(o, group, version)
	if problem != nil {
		return nil, []*DocumentError{fail(problem.path, problem.err, problem.remedy)}
	}
	if _, keep := typed.(*Secret); typed != nil && !keep {
		o.Untyped = nil
	}
	return &entry{obj: o, group: group, typed: typed}, nil
}

func splitVersion(apiVersion string) (group, version string) {
	if i := strings.IndexByte(apiVersion, '/'); i >= 0 {
		return apiVersion[:i], apiVersion[i+1:]
	}
	return "", apiVersion
}

// itemTexts gives the items of a List their lines. Items that share a line
// with another, as in compact JSON, get none.
func itemTexts(c *chunk, entries []*entry) {
	starts := []int{0} // of the lines of the text
	for i, b := range c.text {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	at := func(line int) int {
		if line -= c.line; line < len(starts) {
			return starts[max(line, 0)]
		}
		return len(c.text)
	}
	for i, e := range entries {
		last := max(e.obj.Line, e.obj.tree.LastLine())
		shared := i > 0 && entries[i-1].obj.Line == e.obj.Line
		end := at(last + 1)
		if i+1 < len(entries) {
			shared = shared || entries[i+1].obj.Line <= last
			end = at(entries[i+1].obj.Line)
		}
		if start := at(e.obj.Line); !shared && start < end {
			e.obj.raw = bytes.TrimRight(c.text[start:end], " \r\n")
		}
	}
}

// redact leaves nothing of a Secret but its metadata, its type and the names
// of its keys. The annotation in which kubectl keeps the applied object holds
// the values too.
func redact(m map[string]any) {
	for k, v := range m {
		switch k {
		case "apiVersion", "kind", "metadata", "type", "immutable":
		case "data", "stringData":
			keys, ok := v.(map[string]any)
			if !ok {
				m[k] = nil
				continue
			}
			for name := range keys {
				keys[name] = nil
			}
		default:
			m[k] = nil
		}
	}
	if meta, ok := m["metadata"].(map[string]any); ok {
		if a, ok := meta["annotations"].(map[string]any); ok {
			delete(a, "kubectl.kubernetes.io/last-applied-configuration")
		}
	}
}

// secretKeys returns the names of the keys of a redacted Secret, sorted.
func secretKeys(m map[string]any) []string {
	set := map[string]bool{}
	for _, field := range []string{"data", "stringData"} {
		if keys, ok := m[field].(map[string]any); ok {
			for k := range keys {
				set[k] = true
			}
		}
	}
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

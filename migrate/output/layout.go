package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/routing"
)

// Names in the folder that are not a namespace's. Namespace names cannot start
// with an underscore or a dot, so nothing in the input can take them.
const (
	clusterDir    = "_cluster"
	kustomization = "kustomization.yaml"
)

// plan is the content of every file of a folder, by slash-separated path.
type plan struct {
	names []string // sorted
	files map[string][]byte
}

// layout renders the objects into one file per namespace and kind, objects in
// the given order, and a kustomization.yaml that lists the files.
func layout(objs []client.Object, o Options, from func(client.Object) []routing.ObjectRef) (*plan, error) {
	format, err := o.format()
	if err != nil {
		return nil, err
	}
	groups := map[string][]client.Object{}
	for _, obj := range objs {
		if err := placeable(obj); err != nil {
			return nil, err
		}
		name := fileName(obj, format)
		groups[name] = append(groups[name], obj)
	}
	p := &plan{files: make(map[string][]byte, len(groups)+1)}
	for name := range groups {
		p.names = append(p.names, name)
	}
	slices.Sort(p.names)
	for _, name := range p.names {
		var b bytes.Buffer
		if err := WriteStream(&b, groups[name], o, from); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		p.files[name] = b.Bytes()
	}
	p.files[kustomization] = kustomizationFile(p.names)
	p.names = append(p.names, kustomization)
	slices.Sort(p.names)
	return p, nil
}

// kustomizationFile lists the resources.
// https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
func kustomizationFile(resources []string) []byte {
	list := make([]any, len(resources))
	for i, r := range resources {
		list[i] = r
	}
	var w yamlWriter
	// The three keys hold only strings, which always render.
	_ = w.document(map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list})
	return w.b
}

// fileName is NAMESPACE/KIND.EXT: shop/httproute.yaml. Kinds outside the core
// and Gateway API groups carry their group, so that two groups never share a
// file: shop/gateway.networking.istio.io.yaml. Names come from the input and may be
// hostile: what is no DNS label is replaced by a hash of it.
func fileName(o client.Object, ext string) string {
	dir := clusterDir
	if ns := o.GetNamespace(); ns != "" {
		dir = safeName(ns, len(validation.IsDNS1123Label(ns)) == 0)
	}
	gvk := o.GetObjectKind().GroupVersionKind()
	kind := strings.ToLower(gvk.Kind)
	name := safeName(kind, len(validation.IsDNS1123Label(kind)) == 0)
	switch gvk.Group {
	case "", "gateway.networking.k8s.io":
	default:
		name += "." + safeName(gvk.Group, len(validation.IsDNS1123Subdomain(gvk.Group)) == 0)
	}
	return path.Join(dir, name+"."+ext)
}

// safeName returns s when it is a valid name, else "_" and a hash of it, which
// no valid name equals.
func safeName(s string, valid bool) string {
	if valid {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "_" + hex.EncodeToString(sum[:8])
}

// placeable checks that the object says what it is.
func placeable(o client.Object) error {
	if isNil(o) {
		return fmt.Errorf("write: one of the objects is nil (%T)", o)
	}
	if o.GetObjectKind().GroupVersionKind().Kind == "" {
		return fmt.Errorf("write %T %s/%s: kind is not set", o, o.GetNamespace(), o.GetName())
	}
	return nil
}

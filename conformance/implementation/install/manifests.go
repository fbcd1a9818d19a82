package install

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

// maxManifest bounds a file of manifests in bytes. The largest known, with all
// CRDs of an implementation, has four million.
const maxManifest = 32 << 20

// manifests reads the objects of a step, in the order in which they are named.
func (i *Installer) manifests(ctx context.Context, m *implementation.Manifests, folder, namespace string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	add := func(name string, data []byte) error {
		objects, err := decode(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, objects...)
		return nil
	}
	for _, u := range m.URLs {
		data, err := i.fetch(ctx, u)
		if err != nil {
			return nil, err
		}
		if err := add(u.URL, data); err != nil {
			return nil, err
		}
	}
	for _, f := range m.Files {
		data, err := readBeside(folder, f)
		if err != nil {
			return nil, err
		}
		if err := add(f, data); err != nil {
			return nil, err
		}
	}
	for _, o := range m.Objects {
		out = append(out, &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o)})
	}
	return out, i.settleNamespaces(out, namespace)
}

// settleNamespaces gives namespaced objects without a namespace that of the
// installation. What the cluster does not know yet, for its CRD is among the
// objects, keeps what it says.
func (i *Installer) settleNamespaces(objects []*unstructured.Unstructured, namespace string) error {
	for _, o := range objects {
		if o.GetNamespace() != "" {
			continue
		}
		namespaced, err := i.client.IsObjectNamespaced(o)
		if meta.IsNoMatchError(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
		if namespaced {
			o.SetNamespace(namespace)
		}
	}
	return nil
}

// decode reads a stream of YAML or JSON documents, taking lists apart.
func decode(data []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	dec := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		var m map[string]any
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		if len(m) == 0 {
			continue
		}
		o := &unstructured.Unstructured{Object: m}
		if o.GetKind() == "" || o.GetAPIVersion() == "" {
			return nil, errors.New("a document without apiVersion and kind is no manifest")
		}
		if !o.IsList() {
			out = append(out, o)
			continue
		}
		if err := o.EachListItem(func(item runtime.Object) error {
			u, ok := item.(*unstructured.Unstructured)
			if !ok {
				return fmt.Errorf("an item of %s is no object", o.GetKind())
			}
			out = append(out, u)
			return nil
		}); err != nil {
			return nil, err
		}
	}
}

// readBeside reads a file below a folder. Links may not lead out of it.
func readBeside(folder, name string) (data []byte, err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("opening the folder of the descriptor: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	defer f.Close()
	return readAll(name, f)
}

func readAll(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("%s has more than %d MiB", name, maxManifest>>20)
	}
	return data, nil
}

// fetch gets a file of manifests and holds it against its checksum.
func (i *Installer) fetch(ctx context.Context, u implementation.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.URL, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("fetching manifests: %w", err)
	}
	resp, err := i.options.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetching manifests: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching manifests: GET %s answers %s", u.URL, resp.Status)
	}
	data, err := readAll(u.URL, resp.Body)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); u.SHA256 != "" && hex.EncodeToString(sum[:]) != u.SHA256 {
		return nil, fmt.Errorf("%s has changed: its SHA-256 is %x, and the descriptor expects %s", u.URL, sum, u.SHA256)
	}
	return data, nil
}

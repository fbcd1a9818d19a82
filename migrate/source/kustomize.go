package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// maxKustomizations bounds how many folders one kustomization may be made of.
const maxKustomizations = 1000

// kustomize builds a kustomization in this process, with kustomize's own
// defaults: no plugins, no Helm, and files only from below each kustomization
// (krusty.MakeDefaultOptions). The objects are rendered, so they have no lines.
func (g *gatherer) kustomize(root string) error {
	if !g.AllowURLs {
		if isURL(root) {
			return fmt.Errorf("%s is a URL and the network is not used unless asked: check it out, or allow URLs", root)
		}
		// kustomize fetches remote parts by itself; they must be found first.
		seen := make(map[string]bool)
		if err := refuseRemote(root, seen); err != nil {
			return fmt.Errorf("the kustomization %s: %w", root, err)
		}
		// kustomize never takes an absolute path for a repository.
		abs, err := filepath.Abs(root)
		if err != nil {
			return fmt.Errorf("the kustomization %s: %w", root, err)
		}
		return g.build(root, abs)
	}
	return g.build(root, root)
}

func (g *gatherer) build(name, path string) error {
	built, err := build(path)
	if err != nil {
		return fmt.Errorf("the kustomization %s cannot be built: %w", name, err)
	}
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return fmt.Errorf("the kustomization %s: %w", name, err)
		}
		if err := g.keep(name, text); err != nil {
			return err
		}
		g.files[len(g.files)-1].rendered = true
	}
	return nil
}

func build(path string) (m resmap.ResMap, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("kustomize failed on its input")
		}
	}()
	return krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path)
}

// remoteText matches what kustomize may take for a repository or a URL: a
// scheme, a user before the path, git's own prefix, or GitHub by name
// (kustomize api/internal/git repospec.go, NewRepoSpecFromURL).
var remoteText = regexp.MustCompile(`(?i)^(?:git::|[a-z][a-z0-9+.-]*://|https?:|(?:www\.)?github\.com[/:]|[^/]*@)`)

// listsOfFolders are the fields whose entries may be other kustomizations.
var listsOfFolders = []string{"resources", "bases", "components", "generators", "transformers", "validators"}

// textFields hold text of the objects, where an address means nothing to
// kustomize.
var textFields = map[string]bool{
	"apiVersion": true, "kind": true, "metadata": true, "literals": true, "commonAnnotations": true, "commonLabels": true,
	"labels": true, "images": true, "namePrefix": true, "nameSuffix": true, "namespace": true, "options": true,
	"generatorOptions": true, "patch": true, "value": true, "target": true, "targets": true, "source": true,
}

// refuseRemote looks through a kustomization and those it is made of for
// anything that would be fetched.
func refuseRemote(dir string, seen map[string]bool) error {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if seen[dir] {
		return nil // a cycle is kustomize's to report
	}
	if len(seen) >= maxKustomizations {
		return fmt.Errorf("it is made of more than %d kustomizations", maxKustomizations)
	}
	seen[dir] = true
	for _, name := range kustomizationFiles {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue // kustomize says when none is there
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(content, &doc); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		if len(doc.Content) != 1 {
			continue
		}
		if err := refuseRemoteText(filepath.Join(dir, name), doc.Content[0], 0); err != nil {
			return err
		}
		if err := refuseRemoteFolders(dir, doc.Content[0], seen); err != nil {
			return err
		}
	}
	return nil
}

func refuseRemoteFolders(dir string, doc *yaml.Node, seen map[string]bool) error {
	for i := 0; i+1 < len(doc.Content); i += 2 {
		list := doc.Content[i+1]
		if list.Kind == yaml.AliasNode {
			list = list.Alias
		}
		for _, field := range listsOfFolders {
			if doc.Content[i].Value != field {
				continue
			}
			for _, item := range list.Content {
				if strings.Contains(item.Value, "\n") {
					continue // written inline; refuseRemoteText has seen it
				}
				path := filepath.Join(dir, item.Value)
				info, err := os.Stat(path)
				if err != nil {
					return fmt.Errorf("%s:%d: %q is not found here, and the network is not used unless asked: %w",
						dir, item.Line, item.Value, err)
				}
				if info.IsDir() {
					err = refuseRemote(path, seen)
				} else if field != "resources" && field != "bases" && field != "components" {
					err = refuseRemoteFile(path)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// refuseRemoteFile looks through the configuration of a generator or
// transformer, which may name files to load.
func refuseRemoteFile(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, c := range splitDocuments(path, content) {
		var doc yaml.Node
		if yaml.Unmarshal(c.text, &doc) == nil && len(doc.Content) == 1 {
			if err := refuseRemoteText(path, doc.Content[0], 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseRemoteText refuses a value that names something remote, alone or after
// the key of a generated file (name=URL).
func refuseRemoteText(file string, n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: values are nested more than %d levels deep", file, maxDepth)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		for _, part := range append(strings.SplitN(n.Value, "=", 2), n.Value) {
			if !strings.Contains(n.Value, "\n") && remoteText.MatchString(strings.TrimSpace(part)) {
				return fmt.Errorf("%s:%d: %q is remote and the network is not used unless asked: check it out, or allow URLs",
					file, n.Line, n.Value)
			}
		}
		if strings.Contains(n.Value, "\n") && strings.Contains(n.Value, ": ") {
			var inline yaml.Node
			if yaml.Unmarshal([]byte(n.Value), &inline) == nil && len(inline.Content) == 1 {
				return refuseRemoteText(file, inline.Content[0], depth+1)
			}
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if textFields[n.Content[i].Value] {
				continue
			}
			if err := refuseRemoteText(file, n.Content[i+1], depth+1); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if err := refuseRemoteText(file, item, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// Command schemas generates the CRD schemas that package validate embeds, from
// the Gateway API module of each supported release. Descriptions are stripped.
//
//	go run ./hack/schemas          write gatewayapi/validate/schemas
//	go run ./hack/schemas -check   exit 1 when they are not current
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/conformance/implementation/crds"
	"github.com/causeway-gateway/causeway/hack/release"
)

// kinds are those that are emitted.
var kinds = map[string]bool{
	"GatewayClass": true, "Gateway": true, "ListenerSet": true, "XListenerSet": true, "HTTPRoute": true, "GRPCRoute": true,
	"TLSRoute": true, "TCPRoute": true, "UDPRoute": true, "BackendTLSPolicy": true, "ReferenceGrant": true, "XBackendTrafficPolicy": true,
}

func main() {
	check := flag.Bool("check", false, "exit 1 when the files are not current")
	out := flag.String("out", "gatewayapi/validate/schemas", "folder to write")
	flag.Parse()
	if err := run(*out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

func run(out string, check bool) error {
	for _, r := range crds.Releases {
		if err := write(r, out, check); err != nil {
			return err
		}
	}
	return nil
}

// write writes or checks the files of one release.
func write(r crds.Release, out string, check bool) (err error) {
	files, done, err := release.Files(r.Module)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, channel := range crds.Channels {
		plain, err := bundle(files, "config/crd/"+channel)
		if err != nil {
			return fmt.Errorf("%s %s: %w", r.Module, channel, err)
		}
		path := filepath.Join(out, string(r.Version)+"-"+channel+".json.gz")
		if err := release.Settle(path, plain, check, "go run ./hack/schemas"); err != nil {
			return err
		}
	}
	return nil
}

// entry is one served version of a kind.
type entry struct {
	Group, Version, Kind string
	Namespaced           bool
	Schema               *apiextensionsv1.JSONSchemaProps
}

func bundle(root fs.FS, dir string) ([]byte, error) {
	files, err := fs.Glob(root, dir+"/*.yaml")
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, f := range files {
		raw, err := fs.ReadFile(root, f)
		if err != nil {
			return nil, err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(raw, &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(f), err)
		}
		if crd.Kind != "CustomResourceDefinition" || !kinds[crd.Spec.Names.Kind] {
			continue
		}
		for _, v := range crd.Spec.Versions {
			if v.Served && v.Schema != nil {
				strip(v.Schema.OpenAPIV3Schema)
				entries = append(entries, entry{crd.Spec.Group, v.Name, crd.Spec.Names.Kind, crd.Spec.Scope == apiextensionsv1.NamespaceScoped, v.Schema.OpenAPIV3Schema})
			}
		}
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("no CRDs in %s", dir)
	}
	sort.Slice(entries, func(i, j int) bool {
		a, b := entries[i], entries[j]
		return a.Group+a.Kind+a.Version < b.Group+b.Kind+b.Version
	})
	return json.Marshal(entries)
}

// strip drops descriptions, which are most of a CRD, and the status schema,
// which is never written.
func strip(s *apiextensionsv1.JSONSchemaProps) {
	if s == nil {
		return
	}
	s.Description = ""
	delete(s.Properties, "status")
	for k, p := range s.Properties {
		strip(&p)
		s.Properties[k] = p
	}
	if s.Items != nil {
		strip(s.Items.Schema)
	}
	if s.AdditionalProperties != nil {
		strip(s.AdditionalProperties.Schema)
	}
	for _, list := range [][]apiextensionsv1.JSONSchemaProps{s.AllOf, s.AnyOf, s.OneOf} {
		for i := range list {
			strip(&list[i])
		}
	}
}

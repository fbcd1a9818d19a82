// Command schemas generates the CRD schemas that package validate embeds, from
// the Gateway API module of each supported release. Descriptions are stripped.
//
//	go run ./hack/schemas          write gatewayapi/validate/schemas
//	go run ./hack/schemas -check   exit 1 when they are not current
package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const module = "sigs.k8s.io/gateway-api"

// releases maps the version users name to the module version read.
var releases = map[string]string{"v1.4": "v1.4.1", "v1.5": "v1.5.1", "v1.6": "v1.6.3", "v1.7": "v1.7.0"}

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
	for name, version := range releases {
		if err := release(name, version, out, check); err != nil {
			return err
		}
	}
	return nil
}

// release writes or checks the files of one release.
func release(name, version, out string, check bool) (err error) {
	files, done, err := moduleFiles(version)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, channel := range []string{"standard", "experimental"} {
		data, err := bundle(files, "config/crd/"+channel)
		if err != nil {
			return fmt.Errorf("%s %s: %w", version, channel, err)
		}
		path := filepath.Join(out, name+"-"+channel+".json.gz")
		if !check {
			if err := os.WriteFile(path, data, 0o644); err != nil {
				return err
			}
			continue
		}
		if have, err := os.ReadFile(path); err != nil || !same(have, data) {
			return fmt.Errorf("%s is not current: run go run ./hack/schemas", path)
		}
	}
	return nil
}

// same compares contents rather than compressed bytes, which depend on the
// toolchain.
func same(a, b []byte) bool {
	x, errX := inflate(a)
	y, errY := inflate(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func inflate(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(r)
	return b.Bytes(), err
}

// moduleFiles returns the files of a module version. It reads the zip, which
// go fetches even where the module asks for a newer Go than this one.
func moduleFiles(version string) (fs.FS, func() error, error) {
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	raw, runErr := cmd.Output()
	var info struct{ Zip, Error string }
	if err := json.Unmarshal(raw, &info); err != nil || info.Zip == "" {
		return nil, nil, fmt.Errorf("downloading %s %s: %w %s", module, version, errors.Join(runErr, err), info.Error)
	}
	z, err := zip.OpenReader(info.Zip)
	if err != nil {
		return nil, nil, err
	}
	root, err := fs.Sub(z, module+"@"+version)
	return root, z.Close, err
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
	plain, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
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

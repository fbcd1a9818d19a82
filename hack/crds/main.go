// Command crds generates the bundles of CRDs that conformance installs, from
// the Gateway API module of each supported release. They are whole, as the
// project releases them; what hack/schemas makes is for validation only.
//
//	go run ./hack/crds          write conformance/implementation/crds/bundles
//	go run ./hack/crds -check   exit 1 when they are not current
package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/conformance/implementation/crds"
)

const module = "sigs.k8s.io/gateway-api"

func main() {
	check := flag.Bool("check", false, "exit 1 when the files are not current")
	out := flag.String("out", "conformance/implementation/crds/bundles", "folder to write")
	flag.Parse()
	if err := run(*out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "crds:", err)
		os.Exit(1)
	}
}

func run(out string, check bool) error {
	for _, release := range crds.Releases {
		for _, channel := range crds.Channels {
			plain, err := bundle(release.Module, channel)
			if err != nil {
				return fmt.Errorf("%s %s: %w", release.Module, channel, err)
			}
			path := filepath.Join(out, string(release.Version)+"-"+channel+".json.gz")
			if err := settle(path, plain, check); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle writes a bundle or compares contents, rather than compressed bytes,
// which depend on the toolchain.
func settle(path string, plain []byte, check bool) error {
	if have, err := os.ReadFile(path); err == nil {
		if r, err := gzip.NewReader(bytes.NewReader(have)); err == nil {
			if old, err := io.ReadAll(r); err == nil && bytes.Equal(old, plain) {
				return nil
			}
		}
	}
	if check {
		return fmt.Errorf("%s is not current: run go run ./hack/crds", path)
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// bundle reads the CRDs of a channel out of the module's zip, which go fetches
// even where the module asks for a newer Go than this one. The policies beside
// them guard people against replacing one release by another, so they are not
// for clusters that are thrown away.
func bundle(version, channel string) (plain []byte, err error) {
	raw, runErr := exec.Command("go", "mod", "download", "-json", module+"@"+version).Output()
	var info struct{ Zip, Error string }
	if err := json.Unmarshal(raw, &info); err != nil || info.Zip == "" {
		return nil, fmt.Errorf("downloading: %w %s", errors.Join(runErr, err), info.Error)
	}
	z, err := zip.OpenReader(info.Zip)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	files, err := fs.Glob(z, module+"@"+version+"/config/crd/"+channel+"/gateway.networking.*.yaml")
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	for _, f := range files {
		text, err := fs.ReadFile(z, f)
		if err != nil {
			return nil, err
		}
		one, err := yaml.YAMLToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		var kind struct{ Kind string }
		if err := json.Unmarshal(one, &kind); err != nil {
			return nil, err
		}
		if kind.Kind == "CustomResourceDefinition" {
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no CRDs in the module")
	}
	return json.Marshal(list)
}

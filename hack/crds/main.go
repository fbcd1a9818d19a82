// Command crds generates the bundles of CRDs that conformance installs, from
// the Gateway API module of each supported release. They are whole, as the
// project releases them; what hack/schemas makes is for validation only.
//
//	go run ./hack/crds          write conformance/implementation/crds/bundles
//	go run ./hack/crds -check   exit 1 when they are not current
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/causeway-gateway/causeway/conformance/implementation/crds"
	"github.com/causeway-gateway/causeway/hack/release"
)

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
	for _, r := range crds.Releases {
		for _, channel := range crds.Channels {
			plain, err := bundle(r.Module, channel)
			if err != nil {
				return fmt.Errorf("%s %s: %w", r.Module, channel, err)
			}
			path := filepath.Join(out, string(r.Version)+"-"+channel+".json.gz")
			if err := release.Settle(path, plain, check, "go run ./hack/crds"); err != nil {
				return err
			}
		}
	}
	return nil
}

// bundle reads the CRDs of a channel. The policies beside them guard people
// against replacing one release by another, so they are not for clusters that
// are thrown away.
func bundle(version, channel string) (plain []byte, err error) {
	root, done, err := release.Files(version)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	files, err := fs.Glob(root, "config/crd/"+channel+"/gateway.networking.*.yaml")
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	for _, f := range files {
		text, err := fs.ReadFile(root, f)
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

// Command descriptors generates the JSON schema of implementation descriptors
// from the Go types and their comments.
//
//	go run ./hack/descriptors          write descriptor.schema.json
//	go run ./hack/descriptors -check   exit 1 when it is not current
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/causeway-gateway/causeway/conformance/implementation"
)

const folder = "conformance/implementation"

func main() {
	check := flag.Bool("check", false, "exit 1 when the file is not current")
	out := flag.String("out", folder+"/descriptor.schema.json", "file to write")
	flag.Parse()
	if err := run(*out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "descriptors:", err)
		os.Exit(1)
	}
}

func run(out string, check bool) error {
	data, err := schema()
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(out, data, 0o644)
	}
	if have, err := os.ReadFile(out); err != nil || !bytes.Equal(have, data) {
		return fmt.Errorf("%s is not current: run go run ./hack/descriptors", out)
	}
	return nil
}

func schema() ([]byte, error) {
	r := &jsonschema.Reflector{Anonymous: true, DoNotReference: false}
	if err := r.AddGoComments("github.com/causeway-gateway/causeway", folder); err != nil {
		return nil, err
	}
	s := r.ReflectFromType(reflect.TypeFor[implementation.Descriptor]())
	s.Title = "Causeway implementation descriptor"
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

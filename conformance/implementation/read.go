package implementation

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/causeway-gateway/causeway/internal/yamltree"
)

//go:embed descriptor.schema.json
var schemaText []byte

// Schema returns the JSON schema of descriptors (draft 2020-12).
func Schema() []byte { return bytes.Clone(schemaText) }

var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	const address = "descriptor.schema.json"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(address, doc); err != nil {
		return nil, err
	}
	return c.Compile(address)
})

// ReadFile reads the descriptor in a file.
func ReadFile(path string) (*Descriptor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading implementation: %w", err)
	}
	return Read(filepath.Clean(path), data)
}

// Read reads a descriptor. Every mistake is reported, in the order of the file,
// each as file:line, the field, and what is wrong with it.
func Read(file string, data []byte) (*Descriptor, error) {
	doc, err := yamltree.Parse(file, data)
	if err != nil {
		return nil, err
	}
	if problems := checkSchema(doc); len(problems) > 0 {
		return nil, join(problems)
	}
	plain, err := json.Marshal(doc.Value())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	d := &Descriptor{origin: file}
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if problems := d.check(doc); len(problems) > 0 {
		return nil, join(problems)
	}
	return d, nil
}

func join(problems []*yamltree.Error) error {
	sort.SliceStable(problems, func(i, j int) bool { return problems[i].Line < problems[j].Line })
	all := make([]error, len(problems))
	for i, p := range problems {
		all[i] = p
	}
	return errors.Join(all...)
}

// checkSchema holds a document against the schema.
func checkSchema(doc *yamltree.Document) []*yamltree.Error {
	s, err := schema()
	if err != nil {
		return []*yamltree.Error{doc.Errorf(nil, "the schema of descriptors does not compile: %v", err)}
	}
	err = s.Validate(doc.Value())
	var invalid *jsonschema.ValidationError
	if err == nil || !errors.As(err, &invalid) {
		return nil
	}
	var out []*yamltree.Error
	var leaves func(e *jsonschema.ValidationError)
	leaves = func(e *jsonschema.ValidationError) {
		for _, c := range e.Causes {
			leaves(c)
		}
		if len(e.Causes) == 0 {
			out = append(out, explain(doc, s, e)...)
		}
	}
	leaves(invalid)
	return out
}

// explain says what is wrong in the words of the file rather than the schema's.
func explain(doc *yamltree.Document, s *jsonschema.Schema, e *jsonschema.ValidationError) []*yamltree.Error {
	path := e.InstanceLocation
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		var out []*yamltree.Error
		for _, name := range k.Properties {
			hint := ""
			if near := nearest(name, fieldsAt(s, path)); near != "" {
				hint = fmt.Sprintf("; did you mean %s?", near)
			}
			p := doc.Errorf(path, "there is no field %q%s", name, hint)
			p.Line = doc.Line(append(path[:len(path):len(path)], name)...)
			out = append(out, p)
		}
		return out
	case *kind.Required:
		return []*yamltree.Error{doc.Errorf(path, "%s is missing", strings.Join(k.Missing, ", "))}
	case *kind.Enum:
		return []*yamltree.Error{doc.Errorf(path, "%v is not known: use %s", k.Got, oneOf(k.Want))}
	case *kind.Type:
		return []*yamltree.Error{doc.Errorf(path, "this is %s and must be %s", article(k.Got), article(strings.Join(k.Want, " or ")))}
	case *kind.Pattern:
		return []*yamltree.Error{doc.Errorf(path, "%q does not have the form %s", k.Got, k.Want)}
	}
	return []*yamltree.Error{doc.Errorf(path, "%s", e.ErrorKind.LocalizedString(message.NewPrinter(language.English)))}
}

func oneOf(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func article(word string) string {
	if strings.ContainsAny(word[:1], "aeio") {
		return "an " + word
	}
	return "a " + word
}

// fieldsAt names the fields that the schema has at a path.
func fieldsAt(s *jsonschema.Schema, path []string) []string {
	for _, p := range path {
		for s.Ref != nil {
			s = s.Ref
		}
		if next := s.Properties[p]; next != nil {
			s = next
		} else if s.Items2020 != nil {
			s = s.Items2020
		} else {
			return nil
		}
	}
	for s.Ref != nil {
		s = s.Ref
	}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

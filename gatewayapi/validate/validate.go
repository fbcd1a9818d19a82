// Package validate checks Gateway API objects against the CRDs of a release:
// structure, unknown fields and the CEL rules, in process. It owns no rule of
// its own; the schemas are generated from the API's module (hack/schemas).
package validate

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"runtime"
	"sort"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

//go:embed schemas/*.json.gz
var files embed.FS

// Level is how much is checked.
type Level uint8

// Levels.
const (
	Off    Level = iota
	Schema       // structure and unknown fields
	Full         // and the CEL rules
)

// Issue is a violation.
type Issue struct {
	Object  routing.ObjectRef
	Path    string
	Message string
}

// String returns "Kind ns/name path: message".
func (i Issue) String() string { return fmt.Sprintf("%s %s: %s", i.Object, i.Path, i.Message) }

// Validator checks objects of one release and channel; safe for concurrent
// use.
type Validator struct {
	name  string
	kinds map[string]*kind

	mu     sync.Mutex
	passed map[[sha256.Size]byte]bool // specs, canonical, that satisfy their rules
}

type kind struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	cel        *cel.Validator
}

type entry struct {
	Group, Version, Kind string
	Schema               *apiextensionsv1.JSONSchemaProps
}

// maxVerdicts bounds the memory of verdicts; past it objects are checked each
// for itself.
const maxVerdicts = 1 << 16

var loaded sync.Map // name to func() (*Validator, error)

// New returns the validator of a release, which is loaded once: compiling its
// rules takes a third of a second.
func New(v gatewayapi.Version, c gatewayapi.Channel) (*Validator, error) {
	name := string(v) + "-" + string(c)
	f, _ := loaded.LoadOrStore(name, sync.OnceValues(func() (*Validator, error) { return newValidator(name) }))
	return f.(func() (*Validator, error))()
}

func newValidator(name string) (*Validator, error) {
	raw, err := files.ReadFile("schemas/" + name + ".json.gz")
	if err != nil {
		return nil, fmt.Errorf("no schemas for Gateway API %s: %w", name, err)
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	var entries []entry
	if err := json.NewDecoder(r).Decode(&entries); err != nil {
		return nil, err
	}
	out := &Validator{name: name, kinds: map[string]*kind{}, passed: map[[sha256.Size]byte]bool{}}
	for _, e := range entries {
		k, err := load(e.Schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s %s: %w", e.Kind, e.Version, err)
		}
		out.kinds[e.Group+"/"+e.Version+" "+e.Kind] = k
	}
	return out, nil
}

func load(s *apiextensionsv1.JSONSchemaProps) (*kind, error) {
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(s, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	v, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, err
	}
	return &kind{structural, v, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// Validate checks the objects on all cores; issues come in the order of the
// objects.
func (v *Validator) Validate(ctx context.Context, objs []client.Object, level Level) []Issue {
	if level == Off {
		return nil
	}
	results := make([][]Issue, len(objs))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := 0; w < workers; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < len(objs); i += workers {
				if ctx.Err() != nil {
					return
				}
				results[i] = v.one(ctx, objs[i], level)
			}
		}()
	}
	wg.Wait()
	var out []Issue
	for _, r := range results {
		out = append(out, r...)
	}
	return out
}

func (v *Validator) one(ctx context.Context, o client.Object, level Level) []Issue {
	gvk := o.GetObjectKind().GroupVersionKind()
	ref := routing.ObjectRef{Kind: gvk.Kind, Namespace: o.GetNamespace(), Name: o.GetName()}
	k := v.kinds[gvk.Group+"/"+gvk.Version+" "+gvk.Kind]
	if k == nil {
		return []Issue{{ref, "kind", fmt.Sprintf("%s %s does not exist in Gateway API %s", gvk.GroupVersion(), gvk.Kind, v.name)}}
	}
	content, err := apiruntime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return []Issue{{ref, "", err.Error()}}
	}
	delete(content, "status")
	out := k.structure(content)
	if level == Full && k.cel != nil && len(out) == 0 {
		out = v.rules(ctx, k, gvk.Kind, content)
	}
	for i := range out {
		out[i].Object = ref
	}
	return out
}

// rules evaluates the CEL rules, once for all objects that look the same to
// them.
func (v *Validator) rules(ctx context.Context, k *kind, name string, content map[string]any) []Issue {
	spec := (&canonical{numbers: map[string]string{}}).value("", content["spec"])
	key, err := json.Marshal(spec)
	if err != nil {
		return k.celIssues(ctx, content)
	}
	sum := sha256.Sum256(append(key, name...))
	v.mu.Lock()
	ok := v.passed[sum]
	v.mu.Unlock()
	if ok {
		return nil
	}
	issues := k.celIssues(ctx, content)
	if len(issues) == 0 {
		v.mu.Lock()
		if len(v.passed) < maxVerdicts {
			v.passed[sum] = true
		}
		v.mu.Unlock()
	}
	return issues
}

func issuesOf(errs field.ErrorList) []Issue {
	var out []Issue
	for _, e := range errs {
		out = append(out, Issue{Path: e.Field, Message: e.ErrorBody()})
	}
	return out
}

func (k *kind) celIssues(ctx context.Context, content map[string]any) []Issue {
	errs, _ := k.cel.Validate(ctx, nil, k.structural, content, nil, celconfig.RuntimeCELCostBudget)
	return issuesOf(errs)
}

// structure checks everything but the rules, and fills defaults in as the API
// server does before it validates.
func (k *kind) structure(content map[string]any) []Issue {
	var out []Issue
	for _, path := range pruning.PruneWithOptions(content, k.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		out = append(out, Issue{Path: path, Message: "the field does not exist in this release and channel"})
	}
	defaulting.Default(content, k.structural)
	return append(out, issuesOf(validation.ValidateCustomResource(nil, content, k.validator))...)
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

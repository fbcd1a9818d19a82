package istio

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"
	istiov1 "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/causeway-gateway/causeway/migrate/source"
)

// group is the API group of Istio's routing objects; the versions v1, v1beta1
// and v1alpha3 have one schema.
const group = "networking.istio.io/"

// Object is an Istio object with its specification.
type object[T any] struct {
	*source.Object
	Namespace, Name string
	Created         time.Time
	Annotations     map[string]string
	Spec            T
}

// id is "namespace/name".
func (o *object[T]) id() string { return o.Namespace + "/" + o.Name }

type (
	virtualService  = object[*networking.VirtualService]
	gateway         = object[*networking.Gateway]
	destinationRule = object[*networking.DestinationRule]
	serviceEntry    = object[*networking.ServiceEntry]
)

// objects are the Istio objects of the input by kind, each list by age, then
// name, then namespace (pilot/pkg/model/config.go, configCompareByCreationTime).
type objects struct {
	virtualServices  []*virtualService
	gateways         []*gateway
	destinationRules []*destinationRule
	serviceEntries   []*serviceEntry
}

// Holds reports whether the input has an object that routes.
func Holds(set *source.Set) bool {
	for _, o := range set.Others {
		if Routes(o) {
			return true
		}
	}
	return false
}

// Routes reports whether an object is of a kind that is compiled.
func Routes(o *source.Object) bool {
	return strings.HasPrefix(o.APIVersion, group) && descriptors[o.Ref.Kind] != nil
}

// descriptors are the schemas of the kinds that are compiled.
var descriptors = map[string]protoreflect.MessageDescriptor{
	"VirtualService":  describe(&networking.VirtualService{}),
	"Gateway":         describe(&networking.Gateway{}),
	"DestinationRule": describe(&networking.DestinationRule{}),
	"ServiceEntry":    describe(&networking.ServiceEntry{}),
}

func describe(m proto.Message) protoreflect.MessageDescriptor { return m.ProtoReflect().Descriptor() }

// read decodes the Istio objects of the input. What an API server would refuse
// becomes a finding.
func (c *compiler) read(set *source.Set) {
	for _, o := range set.Others {
		if !Routes(o) {
			continue
		}
		c.known[o] = true
		if err := c.decode(o, descriptors[o.Ref.Kind]); err != nil {
			c.rejected[o] = true
			c.find(Finding{Object: o, Kind: Rejected, Path: err.path, Message: "the API server refuses this object: " + err.message, Remedy: "correct it; it cannot exist in a cluster as it stands"})
		}
	}
	sortByAge(c.in.virtualServices)
	sortByAge(c.in.gateways)
	sortByAge(c.in.destinationRules)
	sortByAge(c.in.serviceEntries)
}

func sortByAge[T any](list []*object[T]) {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if !a.Created.Equal(b.Created) {
			return a.Created.Before(b.Created)
		}
		if a.Name != b.Name {
			return a.Name < b.Name
		}
		return a.Namespace < b.Namespace
	})
}

type misfit struct{ path, message string }

func (c *compiler) decode(o *source.Object, d protoreflect.MessageDescriptor) *misfit {
	content, bad := conform("spec", o.Untyped["spec"], d)
	if bad != nil {
		return bad
	}
	text, err := json.Marshal(map[string]any{"metadata": o.Untyped["metadata"], "spec": content})
	if err != nil {
		return &misfit{"", err.Error()}
	}
	var bad2 error
	switch o.Ref.Kind {
	case "VirtualService":
		var x istiov1.VirtualService
		bad2 = add(&c.in.virtualServices, o, json.Unmarshal(text, &x), &x.Spec, x.CreationTimestamp.Time, x.Annotations)
	case "Gateway":
		var x istiov1.Gateway
		bad2 = add(&c.in.gateways, o, json.Unmarshal(text, &x), &x.Spec, x.CreationTimestamp.Time, x.Annotations)
	case "DestinationRule":
		var x istiov1.DestinationRule
		bad2 = add(&c.in.destinationRules, o, json.Unmarshal(text, &x), &x.Spec, x.CreationTimestamp.Time, x.Annotations)
	case "ServiceEntry":
		var x istiov1.ServiceEntry
		bad2 = add(&c.in.serviceEntries, o, json.Unmarshal(text, &x), &x.Spec, x.CreationTimestamp.Time, x.Annotations)
	}
	if bad2 != nil {
		return &misfit{"spec", bad2.Error()}
	}
	return nil
}

func add[T any](list *[]*object[T], o *source.Object, err error, spec T, created time.Time, annotations map[string]string) error {
	if err != nil {
		return err
	}
	*list = append(*list, &object[T]{Object: o, Namespace: o.Ref.Namespace, Name: o.Ref.Name, Created: created, Annotations: annotations, Spec: spec})
	return nil
}

// conform returns the part of a value that the schema knows, as the API server
// prunes the rest, or where a value has the wrong type.
func conform(path string, v any, d protoreflect.MessageDescriptor) (any, *misfit) {
	if v == nil {
		return nil, nil
	}
	if scalar(d) {
		return v, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, &misfit{path, path + " is no mapping"}
	}
	out := make(map[string]any, len(m))
	for k, x := range m {
		f := fieldOf(d, k)
		if f == nil || x == nil {
			continue
		}
		y, bad := conformField(path+"."+k, x, f)
		if bad != nil {
			return nil, bad
		}
		out[k] = y
	}
	return out, nil
}

// fieldOf is the field of a name in a manifest: the schemas of the CRDs know the
// JSON names, and of one field the other name, too
// (manifests/charts/base/files/crd-all.gen.yaml, mirror_percent).
func fieldOf(d protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if name == "mirror_percent" {
		return d.Fields().ByName("mirror_percent")
	}
	return d.Fields().ByJSONName(name)
}

func conformField(path string, v any, f protoreflect.FieldDescriptor) (any, *misfit) {
	switch {
	case f.IsMap():
		m, ok := v.(map[string]any)
		if !ok {
			return nil, &misfit{path, path + " is no mapping"}
		}
		out := make(map[string]any, len(m))
		for k, x := range m {
			y, bad := conformValue(path+"."+k, x, f.MapValue())
			if bad != nil {
				return nil, bad
			}
			if y == nil {
				y = map[string]any{} // a header without a condition is one that is present
			}
			out[k] = y
		}
		return out, nil
	case f.IsList():
		list, ok := v.([]any)
		if !ok {
			return nil, &misfit{path, path + " is no list"}
		}
		out := make([]any, 0, len(list))
		for i, x := range list {
			y, bad := conformValue(path+"["+strconv.Itoa(i)+"]", x, f)
			if bad != nil {
				return nil, bad
			}
			if y == nil {
				y = map[string]any{}
			}
			out = append(out, y)
		}
		return out, nil
	}
	return conformValue(path, v, f)
}

func conformValue(path string, v any, f protoreflect.FieldDescriptor) (any, *misfit) {
	if v == nil {
		return nil, nil
	}
	want, ok := "", true
	switch f.Kind() {
	case protoreflect.MessageKind:
		return conform(path, v, f.Message())
	case protoreflect.StringKind:
		_, ok = v.(string)
		want = "text"
	case protoreflect.BoolKind:
		_, ok = v.(bool)
		want = "true or false"
	case protoreflect.EnumKind:
		if s, text := v.(string); text {
			ok = f.Enum().Values().ByName(protoreflect.Name(s)) != nil
		}
		want = "a value that the field has"
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		switch v.(type) {
		case int64, float64, int:
		default:
			ok = false
		}
		want = "a number"
	case protoreflect.BytesKind:
	default:
		if _, whole := v.(int64); !whole {
			ok = false
		}
		want = "a whole number"
	}
	if !ok {
		return nil, &misfit{path, fmt.Sprintf("%s is not %s", path, want)}
	}
	return v, nil
}

// scalar reports whether a message is written as a single value.
func scalar(d protoreflect.MessageDescriptor) bool {
	return strings.HasPrefix(string(d.FullName()), "google.protobuf.")
}

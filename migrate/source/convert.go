package source

import (
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// problem is what is wrong at a path of an object.
type problem struct {
	path   string
	err    error
	remedy string
}

// kindKey names the versions of a kind that are converted.
type kindKey struct{ group, version, kind string }

// converters are the kinds that get a typed form; others stay as they are.
var converters = map[kindKey]func(*Object) (any, *problem){
	{"networking.k8s.io", "v1", "Ingress"}:           ingressV1,
	{"networking.k8s.io", "v1beta1", "Ingress"}:      ingressBeta,
	{"extensions", "v1beta1", "Ingress"}:             ingressBeta,
	{"networking.k8s.io", "v1", "IngressClass"}:      ingressClass,
	{"networking.k8s.io", "v1beta1", "IngressClass"}: ingressClass,
	{"", "v1", "Service"}:                            service,
	{"", "v1", "ConfigMap"}:                          configMap,
	{"", "v1", "Secret"}:                             secret,
}

// convert gives the typed form of an object, nil for kinds that have none. As
// the API server does, it refuses values of the wrong type; unknown fields stay
// in Content for the ledger to find.
func convert(o *Object, group, version string) (any, *problem) {
	if p := textMaps(o); p != nil {
		return nil, p
	}
	if f := converters[kindKey{group, version, o.Ref.Kind}]; f != nil {
		return f(o)
	}
	if converters[kindKey{group, "v1", o.Ref.Kind}] != nil {
		return nil, &problem{"apiVersion", fmt.Errorf("version %s of %s is not known", o.APIVersion, o.Ref.Kind),
			"write it as v1"}
	}
	return nil, nil
}

// textMaps checks the labels and annotations of any kind: a value that is no
// text is the most frequent mistake, and the API server refuses the object.
func textMaps(o *Object) *problem {
	meta := o.Untyped["metadata"].(map[string]any)
	for _, field := range []string{"annotations", "labels"} {
		path := "metadata." + field
		m, ok := meta[field].(map[string]any)
		if !ok {
			if meta[field] != nil {
				return &problem{path, fmt.Errorf("%s is not a mapping", path), "write name: \"value\" pairs"}
			}
			continue
		}
		worst := ""
		for k, v := range m {
			if _, ok := v.(string); !ok && v != nil && (worst == "" || k < worst) {
				worst = k
			}
		}
		if worst != "" {
			path = pathOf(path, worst)
			return &problem{path, fmt.Errorf("%s is %s, not text, and the API server refuses the object", path, jsonKind(m[worst])),
				"quote it"}
		}
	}
	return nil
}

// fill converts content to a typed object.
func fill(content map[string]any, into any) *problem {
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, into)
	if err == nil {
		return nil
	}
	if p := misfit("", content, reflect.TypeOf(into).Elem()); p != nil {
		return p
	}
	return &problem{"", fmt.Errorf("the object does not fit its kind: %w", err), "correct the value"}
}

// misfit finds the first value of the wrong JSON type, for an error that says
// where.
func misfit(path string, v any, t reflect.Type) *problem {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v == nil || reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	want := ""
	switch t.Kind() {
	case reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			want = "a mapping"
			break
		}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && name == "" {
				if p := misfit(path, m, f.Type); p != nil {
					return p
				}
			} else if x, ok := m[name]; ok {
				if p := misfit(pathOf(path, name), x, f.Type); p != nil {
					return p
				}
			}
		}
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			want = "a mapping"
			break
		}
		for _, k := range sortedKeys(m) {
			if p := misfit(pathOf(path, k), m[k], t.Elem()); p != nil {
				return p
			}
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			if _, ok := v.(string); !ok {
				want = "base64 text"
			}
			break
		}
		list, ok := v.([]any)
		if !ok {
			want = "a list"
			break
		}
		for i := range list {
			if p := misfit(fmt.Sprintf("%s[%d]", path, i), list[i], t.Elem()); p != nil {
				return p
			}
		}
	case reflect.String:
		if _, ok := v.(string); !ok {
			return &problem{path, fmt.Errorf("%s is %s, not text", path, jsonKind(v)), "quote it"}
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			want = "true or false"
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		if _, ok := v.(int64); !ok {
			want = "a whole number"
		}
	}
	if want == "" {
		return nil
	}
	return &problem{path, fmt.Errorf("%s is %s, not %s", path, jsonKind(v), want), "write " + want}
}

var unmarshaler = reflect.TypeFor[interface{ UnmarshalJSON([]byte) error }]()

func jsonKind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	}
	return "a mapping"
}

func ingressV1(o *Object) (any, *problem) { return ingress(o, o.Untyped) }

func ingressBeta(o *Object) (any, *problem) {
	content, p := upgradeIngress(o.Untyped)
	if p != nil {
		return nil, p
	}
	return ingress(o, content)
}

func ingress(o *Object, content map[string]any) (any, *problem) {
	i := &Ingress{Ingress: new(networkingv1.Ingress), Object: o}
	if p := fill(content, i.Ingress); p != nil {
		p.path = i.Written(p.path)
		return nil, p
	}
	i.Namespace = o.Ref.Namespace
	i.APIVersion = "networking.k8s.io/v1"
	i.Rejected = Rejected(i)
	return i, nil
}

func ingressClass(o *Object) (any, *problem) {
	c := &IngressClass{IngressClass: new(networkingv1.IngressClass), Object: o}
	if p := fill(o.Untyped, c.IngressClass); p != nil {
		return nil, p
	}
	c.APIVersion = "networking.k8s.io/v1"
	return c, nil
}

func service(o *Object) (any, *problem) {
	s := &Service{Service: new(corev1.Service), Object: o}
	if p := fill(o.Untyped, s.Service); p != nil {
		return nil, p
	}
	s.Namespace = o.Ref.Namespace
	return s, nil
}

func configMap(o *Object) (any, *problem) {
	c := &ConfigMap{ConfigMap: new(corev1.ConfigMap), Object: o}
	if p := fill(o.Untyped, c.ConfigMap); p != nil {
		return nil, p
	}
	c.Namespace = o.Ref.Namespace
	return c, nil
}

func secret(o *Object) (any, *problem) {
	s := &Secret{Namespace: o.Ref.Namespace, Name: o.Ref.Name, Keys: secretKeys(o.Untyped), Object: o}
	switch t := o.Untyped["type"].(type) {
	case nil:
		s.Type = string(corev1.SecretTypeOpaque) // core/v1 defaults.go, SetDefaults_Secret
	case string:
		s.Type = t
		if t == "" {
			s.Type = string(corev1.SecretTypeOpaque)
		}
	default:
		return nil, &problem{"type", fmt.Errorf("type is %s, not text", jsonKind(t)), "quote it"}
	}
	return s, nil
}

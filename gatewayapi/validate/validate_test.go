package validate

import (
	"regexp"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
)

func ptr[T any](v T) *T { return &v }

func route(change func(*gatewayv1.HTTPRoute)) *gatewayv1.HTTPRoute {
	r := &gatewayv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "HTTPRoute"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"},
	}
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "gw"}}
	r.Spec.Rules = []gatewayv1.HTTPRouteRule{{Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: ptr(gatewayv1.PathMatchPathPrefix), Value: ptr("/a")}}}}}
	change(r)
	return r
}

func TestRulesAndStructureAreEnforced(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		change  func(*gatewayv1.HTTPRoute)
		channel gatewayapi.Channel
		want    string // part of a message; empty for valid
	}{
		"valid":        {"a plain route", func(*gatewayv1.HTTPRoute) {}, gatewayapi.Standard, ""},
		"path":         {"prefixes are absolute (CEL)", func(r *gatewayv1.HTTPRoute) { r.Spec.Rules[0].Matches[0].Path.Value = ptr("a") }, gatewayapi.Standard, "must be an absolute path"},
		"double slash": {"no empty elements (CEL)", func(r *gatewayv1.HTTPRoute) { r.Spec.Rules[0].Matches[0].Path.Value = ptr("/a//b") }, gatewayapi.Standard, "//"},
		"many rules":   {"at most 16 rules (schema)", func(r *gatewayv1.HTTPRoute) { r.Spec.Rules = make([]gatewayv1.HTTPRouteRule, 17) }, gatewayapi.Standard, "must have at most 16 items"},
		"experimental": {"session persistence is experimental", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].SessionPersistence = &gatewayv1.SessionPersistence{SessionName: ptr("a")}
		}, gatewayapi.Standard, "does not exist"},
		"experimental2": {"and valid there", func(r *gatewayv1.HTTPRoute) {
			r.Spec.Rules[0].SessionPersistence = &gatewayv1.SessionPersistence{SessionName: ptr("a")}
		}, gatewayapi.Experimental, ""},
		"parents": {"two references to one parent need sections (CEL)", func(r *gatewayv1.HTTPRoute) {
			r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "gw"}, {Name: "gw"}}
		}, gatewayapi.Standard, "sectionName"},
		"hostname": {"host names are lower case (schema)", func(r *gatewayv1.HTTPRoute) { r.Spec.Hostnames = []gatewayv1.Hostname{"A.example"} }, gatewayapi.Standard, "should match"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := New(gatewayapi.Default, c.channel)
			if err != nil {
				t.Fatal(err)
			}
			// Twice: the second time comes from memory.
			for i := 0; i < 2; i++ {
				got := ""
				for _, x := range v.Validate(t.Context(), []client.Object{route(c.change)}, Full) {
					got += x.String() + "\n"
				}
				if c.want == "" && got != "" || !strings.Contains(got, c.want) {
					t.Errorf("%s: got %q, want %q", c.reason, got, c.want)
				}
			}
		})
	}
}

// TestRulesOnlyCompareNames is what makes renaming sound: no CEL rule of any
// release looks inside a renamed field, stands on one, or reads a name in the
// lists whose names are blanked.
func TestRulesOnlyCompareNames(t *testing.T) {
	inside := regexp.MustCompile(`\b(name|namespace|sectionName|hostname|hostnames)\.(matches|startsWith|endsWith|contains|size|split|find)\b`)
	literal := regexp.MustCompile(`\b(name|namespace|sectionName|hostname)\s*(==|!=)\s*["'][^"']`)
	blanked := regexp.MustCompile(`(certificateRefs|backendRefs)\.(all|exists|exists_one|filter|map)\([^)]*\.(name|namespace)\b`)
	for _, version := range gatewayapi.Versions {
		for _, channel := range []gatewayapi.Channel{gatewayapi.Standard, gatewayapi.Experimental} {
			v, err := New(version, channel)
			if err != nil {
				t.Fatal(err)
			}
			rules := 0
			for kind, k := range v.kinds {
				visit("", k.structural, func(field, rule string) {
					rules++
					if renamed[field] && field != "hostnames" {
						t.Errorf("%s %s: a rule stands on %s: %s", version, kind, field, rule)
					}
					for _, re := range []*regexp.Regexp{inside, literal, blanked} {
						if re.MatchString(rule) {
							t.Errorf("%s %s: a rule looks inside a name: %s", version, kind, rule)
						}
					}
				})
			}
			if rules < 20 {
				t.Errorf("%s %s: only %d rules found", version, channel, rules)
			}
		}
	}
}

// TestRulesNeverReadDroppedFields is what makes dropping sound: no rule names
// such a field, none stands on it or below it, and none compares two values as
// wholes, which would read it without naming it.
func TestRulesNeverReadDroppedFields(t *testing.T) {
	whole := regexp.MustCompile(`(^|[^\w.])(self|[a-z]\d?)\s*(==|!=|in)\s|(==|!=)\s*(self|[a-z]\d?)([^\w.]|$)`)
	for _, version := range gatewayapi.Versions {
		for _, channel := range []gatewayapi.Channel{gatewayapi.Standard, gatewayapi.Experimental} {
			v, err := New(version, channel)
			if err != nil {
				t.Fatal(err)
			}
			for kind, k := range v.kinds {
				holds := false
				var below func(s *schema.Structural, in bool)
				below = func(s *schema.Structural, in bool) {
					if in && len(s.XValidations) > 0 {
						t.Errorf("%s %s: a rule stands in a dropped field: %s", version, kind, s.XValidations[0].Rule)
					}
					for name := range s.Properties {
						p := s.Properties[name]
						holds = holds || dropped[name]
						below(&p, in || dropped[name])
					}
					if s.Items != nil {
						below(s.Items, in)
					}
				}
				below(k.structural, false)
				if !holds {
					continue
				}
				visit("", k.structural, func(field, rule string) {
					for name := range dropped {
						if strings.Contains(rule, name) {
							t.Errorf("%s %s: a rule reads %s: %s", version, kind, name, rule)
						}
					}
					if whole.MatchString(rule) && !scalarRule(k.structural, rule) {
						t.Errorf("%s %s: a rule on %s compares wholes: %s", version, kind, field, rule)
					}
				})
			}
		}
	}
}

// scalarRule reports whether the rule stands on scalars only, which hold no
// field.
func scalarRule(s *schema.Structural, rule string) bool {
	for _, x := range s.XValidations {
		if x.Rule == rule && s.Type == "object" {
			return false
		}
	}
	for name := range s.Properties {
		p := s.Properties[name]
		if !scalarRule(&p, rule) {
			return false
		}
	}
	return s.Items == nil || scalarRule(s.Items, rule)
}

func visit(field string, s *schema.Structural, f func(field, rule string)) {
	for _, r := range s.XValidations {
		f(field, r.Rule)
	}
	for name := range s.Properties {
		p := s.Properties[name]
		visit(name, &p, f)
	}
	if s.Items != nil {
		visit(field, s.Items, f)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
		visit(field, s.AdditionalProperties.Structural, f)
	}
}

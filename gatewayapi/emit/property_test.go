package emit

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// reread builds a table from emitted HTTPRoutes with the specification's
// precedence, for one listener.
func reread(r *Result) *routing.Table {
	l := &routing.Listener{Port: 80, Protocol: routing.HTTP}
	hosts := map[string]*routing.Host{}
	for _, o := range r.Objects {
		hr, ok := o.(*gwv1.HTTPRoute)
		if !ok || !plainHTTP(hr) {
			continue
		}
		names := []string{""}
		if len(hr.Spec.Hostnames) > 0 {
			names = nil
			for _, n := range hr.Spec.Hostnames {
				names = append(names, string(n))
			}
		}
		for _, n := range names {
			h := hosts[n]
			if h == nil {
				h = &routing.Host{Order: routing.MostSpecific, Names: []routing.HostPattern{routing.ParseHost(n, routing.SuffixHost)}}
				hosts[n] = h
				l.Hosts = append(l.Hosts, h)
			}
			for i, rr := range hr.Spec.Rules {
				a := &routing.Action{}
				for _, b := range rr.BackendRefs {
					ns := hr.Namespace
					if b.Namespace != nil {
						ns = string(*b.Namespace)
					}
					a.Backends = append(a.Backends, routing.Backend{Namespace: ns, Name: string(b.Name), Port: int(*b.Port), Weight: weightOf(b.Weight)})
				}
				for _, m := range rr.Matches {
					h.Rules = append(h.Rules, &routing.Rule{Action: a, Match: rematch(m), Route: hr.Namespace + "/" + hr.Name, Index: i})
				}
			}
		}
	}
	return &routing.Table{Listeners: []*routing.Listener{l}}
}

func weightOf(w *int32) int {
	if w == nil {
		return 1
	}
	return int(*w)
}

// plainHTTP reports whether a route attaches to an HTTP listener.
func plainHTTP(hr *gwv1.HTTPRoute) bool {
	for _, p := range hr.Spec.ParentRefs {
		if p.SectionName == nil || !strings.HasPrefix(string(*p.SectionName), "https") {
			return true
		}
	}
	return false
}

func rematch(m gwv1.HTTPRouteMatch) routing.Match {
	kinds := map[gwv1.PathMatchType]routing.PathKind{gwv1.PathMatchExact: routing.ExactPath, gwv1.PathMatchPathPrefix: routing.SegmentPrefix, gwv1.PathMatchRegularExpression: routing.RegexPath}
	out := routing.Match{Path: routing.PathMatch{Kind: kinds[*m.Path.Type], Value: *m.Path.Value, Full: true}}
	if m.Method != nil {
		out.Method = string(*m.Method)
	}
	for _, h := range m.Headers {
		v := routing.ValueMatch{Name: string(h.Name), Value: h.Value}
		if *h.Type == gwv1.HeaderMatchRegularExpression {
			v.Kind = routing.RegexValue
		}
		out.Headers = append(out.Headers, v)
	}
	return out
}

var (
	somePaths   = []string{"/", "/a", "/a/b", "/ab", "/a/b/c", "/B"}
	someRegexes = []string{"^/a", "^/a/b", "^/", "^/a(/|$)(.*)", "^/a/[a-z]+$", "^/[ab]/b", "^/(a|B)"}
	asked       = []string{"/", "/a", "/a/", "/a/b", "/a/x", "/ab", "/a/b/c", "/B", "/B/b", "/b/b", "/A/b", "/x"}
)

func genTable(t *rapid.T, regexes bool) *routing.Table {
	n := rapid.IntRange(1, 7).Draw(t, "rules")
	order := rapid.SampledFrom([]routing.Order{routing.FirstMatch, routing.LongestPath, routing.MostSpecific}).Draw(t, "order")
	var rules []*routing.Rule
	for i := 0; i < n; i++ {
		p := routing.PathMatch{Kind: rapid.SampledFrom([]routing.PathKind{routing.ExactPath, routing.SegmentPrefix, routing.SegmentPrefix, routing.AnyPath}).Draw(t, "kind"), Value: rapid.SampledFrom(somePaths).Draw(t, "path")}
		if regexes && rapid.Bool().Draw(t, "regex") {
			p = routing.PathMatch{Kind: routing.RegexPath, Value: rapid.SampledFrom(someRegexes).Draw(t, "pattern"), IgnoreCase: rapid.Bool().Draw(t, "fold")}
		}
		r := rule(p, to("shop", fmt.Sprintf("b%d", rapid.IntRange(0, 3).Draw(t, "backend"))), ing("shop", rapid.SampledFrom([]string{"one", "two"}).Draw(t, "owner"), fmt.Sprintf("spec.rules[0].http.paths[%d]", i)))
		r.Route, r.Index = "shop/x", i
		r.Match.Method = rapid.SampledFrom([]string{"", "", "GET", "POST"}).Draw(t, "method")
		if rapid.IntRange(0, 2).Draw(t, "h") == 0 {
			r.Match.Headers = []routing.ValueMatch{{Name: rapid.SampledFrom([]string{"X-A", "X-B"}).Draw(t, "header"), Value: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value")}}
		}
		if rapid.IntRange(0, 5).Draw(t, "guard") == 0 {
			a := *r.Action
			a.Guards = []routing.Guard{{Kind: routing.GuardBasicAuth}}
			r.Action = &a
		}
		rules = append(rules, r)
	}
	return &routing.Table{Listeners: []*routing.Listener{{Port: 80, Protocol: routing.HTTP, Hosts: []*routing.Host{host("shop.example.com", order, rules...)}}}}
}

// TestSameRuleWins: without a note about the order or a path, every request
// reaches the same backend; and a guarded rule's requests reach none, whatever
// the notes say.
func TestSameRuleWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable(t, rapid.Bool().Draw(t, "regexes"))
		r := Emit(table, Options{})
		excused := false
		for _, n := range r.Notes {
			excused = excused || (n.Feature == FeatureOrder || n.Feature == FeaturePath) && n.Fate != Kept
		}
		back := reread(r)
		for _, p := range asked {
			for _, m := range []string{"GET", "POST", "PUT"} {
				for _, hs := range []map[string]string{nil, {"X-A": "1"}, {"X-A": "2", "X-B": "1"}, {"X-B": "2"}} {
					q := &routing.Request{Host: "shop.example.com", Path: p, Method: m, Headers: hs}
					want, got := table.Route(q), back.Route(q)
					if len(want.Guards) > 0 {
						if len(got.Backends) > 0 && !excused {
							t.Fatalf("%s %s %v is guarded and reaches %v\n%s", m, p, hs, got.Backends, show(r))
						}
						continue
					}
					if !excused && !reflect.DeepEqual(want.Backends, got.Backends) {
						t.Fatalf("%s %s %v: want %v, got %v\n%s", m, p, hs, want.Backends, got.Backends, show(r))
					}
				}
			}
		}
	})
}

// TestOrderIsAlwaysKeptWithoutRegexes: completion must find a form for every
// table of exact paths and prefixes with one condition on a header each.
func TestOrderIsAlwaysKeptWithoutRegexes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable(t, false)
		for _, r := range table.Listeners[0].Hosts[0].Rules {
			for i := range r.Match.Headers {
				r.Match.Headers[i].Name = "X-" + r.Match.Headers[i].Value // names never repeat with another value
			}
		}
		for _, n := range Emit(table, Options{}).Notes {
			if n.Feature == FeatureOrder && n.Fate != Kept {
				t.Fatalf("%s", n.Message)
			}
		}
	})
}

func show(r *Result) string {
	var b strings.Builder
	for _, o := range r.Objects {
		hr, ok := o.(*gwv1.HTTPRoute)
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "%s\n", hr.Name)
		for _, rr := range hr.Spec.Rules {
			name := "closed"
			if len(rr.BackendRefs) > 0 {
				name = string(rr.BackendRefs[0].Name)
			}
			for _, m := range rr.Matches {
				method := ""
				if m.Method != nil {
					method = string(*m.Method)
				}
				fmt.Fprintf(&b, "  %s %s %s", *m.Path.Type, *m.Path.Value, method)
				for _, h := range m.Headers {
					fmt.Fprintf(&b, " %s=%s", h.Name, h.Value)
				}
				fmt.Fprintf(&b, " -> %s\n", name)
			}
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "# %s %s\n", n.Feature, n.Message)
	}
	return b.String()
}

// TestLimitsHoldAndOutputIsStable: whatever the table, objects fit the CRDs'
// limits and come out the same twice.
func TestLimitsHoldAndOutputIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hosts []*routing.Host
		for i, n := 0, rapid.IntRange(0, 90).Draw(t, "hosts"); i < n; i++ {
			var rules []*routing.Rule
			for j, m := 0, rapid.IntRange(0, 40).Draw(t, "rules"); j < m; j++ {
				rules = append(rules, rule(prefix(fmt.Sprintf("/%s%d", rapid.SampledFrom([]string{"a", "a b", "ü", "c//", ""}).Draw(t, "p"), j)), to("shop", fmt.Sprint("b", j%3)), ing(fmt.Sprint("ns", i%3), fmt.Sprint("i", j%2), fmt.Sprint(i, ".", j))))
			}
			hosts = append(hosts, host(rapid.SampledFrom([]string{"", "*.example.com", fmt.Sprintf("h%d.example.com", i), "BAD_host"}).Draw(t, "name"), routing.LongestPath, rules...))
		}
		table := web(hosts...)
		o := Options{DefaultCertificate: "certs/default", Version: rapid.SampledFrom(gatewayapi.Versions).Draw(t, "version"), Gateway: Layout{Kind: LayoutKind(rapid.IntRange(0, 3).Draw(t, "layout"))}}
		r := Emit(table, o)
		if again := Emit(table, o); !reflect.DeepEqual(r.Objects, again.Objects) || noteTexts(r) != noteTexts(again) {
			t.Fatal("two runs differ")
		}
		seen := map[string]bool{}
		for _, x := range r.Objects {
			k := x.GetObjectKind().GroupVersionKind().Kind + "/" + x.GetNamespace() + "/" + x.GetName()
			if seen[k] {
				t.Fatalf("%s is written twice", k)
			}
			seen[k] = true
			checkLimits(t, x)
		}
	})
}

func noteTexts(r *Result) string {
	var b strings.Builder
	for _, n := range r.Notes {
		fmt.Fprintln(&b, n.Origin.Object, n.Origin.Path, n.Feature, n.Fate, n.Closed, n.Message, n.Remedy)
	}
	return b.String()
}

func checkLimits(t *rapid.T, x any) {
	switch x := x.(type) {
	case *gwv1.Gateway:
		if n := len(x.Spec.Listeners); n < 1 || n > gatewayapi.MaxListeners {
			t.Fatalf("%d listeners", n)
		}
	case *gwv1.ListenerSet:
		if n := len(x.Spec.Listeners); n < 1 || n > gatewayapi.MaxListeners {
			t.Fatalf("%d listeners", n)
		}
	case *gwv1.ReferenceGrant:
		if len(x.Spec.To) > gatewayapi.MaxGrantEntries {
			t.Fatalf("%d referents", len(x.Spec.To))
		}
	case *gwv1.HTTPRoute:
		matches := 0
		for _, r := range x.Spec.Rules {
			matches += len(r.Matches)
			if len(r.Matches) < 1 || len(r.Matches) > gatewayapi.MaxMatches {
				t.Fatalf("%d matches", len(r.Matches))
			}
			for _, m := range r.Matches {
				if *m.Path.Type != gwv1.PathMatchRegularExpression && !validPath(*m.Path.Value) {
					t.Fatalf("path %q", *m.Path.Value)
				}
			}
		}
		if len(x.Spec.Rules) < 1 || len(x.Spec.Rules) > gatewayapi.MaxRules || matches > gatewayapi.MaxMatchesPerRoute || len(x.Spec.Hostnames) > gatewayapi.MaxHostnames ||
			len(x.Spec.ParentRefs) < 1 || len(x.Spec.ParentRefs) > gatewayapi.MaxParentRefs {
			t.Fatalf("%s: %d rules, %d matches, %d hostnames, %d parents", x.Name, len(x.Spec.Rules), matches, len(x.Spec.Hostnames), len(x.Spec.ParentRefs))
		}
	}
}

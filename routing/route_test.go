package routing

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func to(name string) *Action {
	return &Action{Backends: []Backend{{Namespace: "default", Name: name, Port: 80, Weight: 1}}}
}

func path(kind PathKind, value string) Match {
	return Match{Path: PathMatch{Kind: kind, Value: value}}
}

func tableOf(order Order, rules ...*Rule) *Table {
	return &Table{Listeners: []*Listener{{Port: 80, Hosts: []*Host{{Order: order, Rules: rules}}}}}
}

// backendOf is the only backend of a decision, or its status.
func backendOf(d Decision) string {
	for k := range d.Backends {
		return k
	}
	return ""
}

func TestPathKinds(t *testing.T) {
	cases := map[string]struct {
		reason string
		match  PathMatch
		yes    []string
		no     []string
	}{
		"exact":           {"the whole path", PathMatch{Kind: ExactPath, Value: "/foo"}, []string{"/foo"}, []string{"/foo/", "/foobar", "/FOO"}},
		"exact nocase":    {"without case", PathMatch{Kind: ExactPath, Value: "/foo", IgnoreCase: true}, []string{"/FOO"}, []string{"/foo/"}},
		"segment":         {"by path elements", PathMatch{Kind: SegmentPrefix, Value: "/foo"}, []string{"/foo", "/foo/", "/foo/x"}, []string{"/foobar", "/", "/fo"}},
		"segment slash":   {"/foo/ is the prefix /foo", PathMatch{Kind: SegmentPrefix, Value: "/foo/"}, []string{"/foo", "/foo/x"}, []string{"/foobar"}},
		"segment root":    {"/ takes everything", PathMatch{Kind: SegmentPrefix, Value: "/"}, []string{"/", "/x"}, nil},
		"string":          {"bytes at the start", PathMatch{Kind: StringPrefix, Value: "/foo"}, []string{"/foo", "/foobar"}, []string{"/fo"}},
		"regex search":    {"found anywhere unless anchored", PathMatch{Kind: RegexPath, Value: "^/a[0-9]"}, []string{"/a1x"}, []string{"/x/a1"}},
		"regex full":      {"the whole path", PathMatch{Kind: RegexPath, Value: "/a[0-9]", Full: true}, []string{"/a1"}, []string{"/a1x"}},
		"regex lookahead": {"PCRE beyond RE2 still matches", PathMatch{Kind: RegexPath, Value: "^/(?!api)"}, []string{"/web"}, []string{"/api"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, p := range c.yes {
				if !c.match.Matches(p) {
					t.Errorf("%s: %q should match", c.reason, p)
				}
			}
			for _, p := range c.no {
				if c.match.Matches(p) {
					t.Errorf("%s: %q should not match", c.reason, p)
				}
			}
		})
	}
}

func TestNormalizePath(t *testing.T) {
	for _, c := range []struct {
		in, want string
		ok       bool
	}{
		{"/", "/", true}, {"/foo", "/foo", true}, {"/f%6fo", "/foo", true}, {"/foo%2Fx", "/foo/x", true},
		{"//foo", "/foo", true}, {"/foo//x", "/foo/x", true}, {"/a/../foo", "/foo", true}, {"/foo/..", "/", true},
		{"/foo/.", "/foo/", true}, {"/./foo", "/foo", true}, {"/x/..", "/", true}, {"/foo/", "/foo/", true},
		{"/..", "/..", false}, {"/%zz", "/%zz", false}, {"/a%00", "/a%00", false}, {"x", "x", false}, {"/a%3Fb", "/a?b", true},
		{"/...", "/...", true}, {"/a/..b", "/a/..b", true},
	} {
		got, ok := NormalizePath(c.in)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("NormalizePath(%q) = %q, %v; want %q, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestFirstMatchTakesTheFirstRule(t *testing.T) {
	tab := tableOf(FirstMatch, &Rule{Match: path(StringPrefix, "/a"), Action: to("first")}, &Rule{Match: path(ExactPath, "/a/b"), Action: to("second")})
	if got := backendOf(tab.Route(&Request{Host: "x", Path: "/a/b"})); got != "default/first:80" {
		t.Errorf("got %s", got)
	}
}

func TestMostSpecificFollowsGatewayAPIPrecedence(t *testing.T) {
	header := Match{Path: PathMatch{Kind: SegmentPrefix, Value: "/a"}, Headers: []ValueMatch{{Name: "X", Value: "1"}}}
	method := Match{Path: PathMatch{Kind: SegmentPrefix, Value: "/a"}, Method: "GET"}
	tab := tableOf(MostSpecific,
		&Rule{Match: path(SegmentPrefix, "/"), Action: to("root")},
		&Rule{Match: path(SegmentPrefix, "/a"), Action: to("prefix")},
		&Rule{Match: header, Action: to("header")},
		&Rule{Match: method, Action: to("method")},
		&Rule{Match: path(ExactPath, "/a"), Action: to("exact")})
	for _, c := range []struct{ reason, method, path, x, want string }{
		{"exact before all", "GET", "/a", "1", "exact"},
		{"method before headers", "GET", "/a/b", "1", "method"},
		{"headers before none", "POST", "/a/b", "1", "header"},
		{"longer prefix before shorter", "POST", "/a/b", "", "prefix"},
		{"the rest", "POST", "/ab", "", "root"},
	} {
		r := &Request{Host: "x", Method: c.method, Path: c.path, Headers: map[string]string{}}
		if c.x != "" {
			r.Headers["x"] = c.x
		}
		if got := backendOf(tab.Route(r)); got != "default/"+c.want+":80" {
			t.Errorf("%s: got %s, want %s", c.reason, got, c.want)
		}
	}
}

func TestHostPrecedence(t *testing.T) {
	host := func(p HostPattern, b string) *Host {
		return &Host{Names: []HostPattern{p}, Rules: []*Rule{{Action: to(b)}}}
	}
	tab := &Table{Listeners: []*Listener{{Port: 80, Hosts: []*Host{
		{Rules: []*Rule{{Action: to("any")}}},
		host(ParseHost("*.example.com", SuffixHost), "suffix"),
		host(ParseHost("*.b.example.com", OneLabelHost), "label"),
		host(HostPattern{Kind: RegexHost, Value: `^www\d+\.example\.org$`}, "regex"),
		host(ParseHost("Shop.Example.com", OneLabelHost), "exact"),
	}}}}
	for name, want := range map[string]string{
		"shop.example.com": "exact", "SHOP.example.com:8080": "exact", "shop.example.com.": "exact",
		"x.y.example.com": "suffix", "example.com": "any", "www1.example.org": "regex", "www.example.org": "any",
	} {
		if got := backendOf(tab.Route(&Request{Host: name})); got != "default/"+want+":80" {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestHostFallthroughIsAReading(t *testing.T) {
	tab := &Table{Listeners: []*Listener{{Port: 80, Hosts: []*Host{
		{Rules: []*Rule{{Action: to("any")}}},
		{Names: []HostPattern{ParseHost("a.example", SuffixHost)}, Rules: []*Rule{{Match: path(ExactPath, "/x"), Action: to("a")}}},
	}}}}
	if d := tab.Route(&Request{Host: "a.example", Path: "/y"}); d.Status != 404 {
		t.Errorf("without fall-through: %d", d.Status)
	}
	tab.Reading.HostFallthrough = true
	if got := backendOf(tab.Route(&Request{Host: "a.example", Path: "/y"})); got != "default/any:80" {
		t.Errorf("with fall-through: %s", got)
	}
}

func TestGuardsRefuseKnownSourcesAndStandForUnknown(t *testing.T) {
	a := to("x")
	allow := Guard{Kind: GuardAllow, Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	a.Guards = []Guard{allow}
	tab := tableOf(FirstMatch, &Rule{Action: a})
	for src, want := range map[string]int{"10.1.1.1": 200, "192.0.2.1": 403, "": 200} {
		if d := tab.Route(&Request{Host: "x", SourceIP: src}); d.Status != want || len(d.Guards) != 1 {
			t.Errorf("source %q: status %d, guards %v", src, d.Status, d.Guards)
		}
	}
	a.Guards = []Guard{{Kind: GuardAnyOf, AnyOf: []Guard{allow, {Kind: GuardBasicAuth}}}}
	if d := tab.Route(&Request{Host: "x", SourceIP: "192.0.2.1"}); d.Status != 200 {
		t.Errorf("any-of leaves the credentials as the other way in: %d", d.Status)
	}
}

func TestRewrites(t *testing.T) {
	for name, c := range map[string]struct {
		match   PathMatch
		rewrite PathRewrite
		in      string
		want    string
	}{
		"full keeps the query":   {PathMatch{}, PathRewrite{Kind: ReplaceFull, Value: "/new"}, "/old/x?q=1", "/new?q=1"},
		"prefix by element":      {PathMatch{Kind: SegmentPrefix, Value: "/a"}, PathRewrite{Kind: ReplacePrefix, Value: "/"}, "/a/b", "/b"},
		"prefix alone":           {PathMatch{Kind: SegmentPrefix, Value: "/a"}, PathRewrite{Kind: ReplacePrefix, Value: "/"}, "/a", "/"},
		"string prefix":          {PathMatch{Kind: StringPrefix, Value: "/a"}, PathRewrite{Kind: ReplaceStringPrefix, Value: "/b"}, "/abc", "/bbc"},
		"regex groups":           {PathMatch{}, PathRewrite{Kind: ReplaceRegex, Pattern: "/api(/|$)(.*)", Value: "/$2", Whole: true}, "/api/x?y=1", "/x?y=1"},
		"regex unmatched group":  {PathMatch{}, PathRewrite{Kind: ReplaceRegex, Pattern: "/b(/x)?(/y)?", Value: "/r$2-$1", Whole: true}, "/b/y", "/r/y-"},
		"regex own query":        {PathMatch{}, PathRewrite{Kind: ReplaceRegex, Pattern: "/(.*)", Value: "/x?p=$1", Whole: true}, "/a?b=c", "/x?p=a&b=c"},
		"regex without a match":  {PathMatch{}, PathRewrite{Kind: ReplaceRegex, Pattern: "/z", Value: "/x", Whole: true}, "/a", "/a"},
		"regex replaces in part": {PathMatch{}, PathRewrite{Kind: ReplaceRegex, Pattern: "a", Value: "b"}, "/aXa", "/bXb"},
	} {
		t.Run(name, func(t *testing.T) {
			a := to("x")
			a.Rewrite = &Rewrite{Path: &c.rewrite}
			if d := tableOf(FirstMatch, &Rule{Match: Match{Path: c.match}, Action: a}).Route(&Request{Host: "x", Path: c.in}); d.URI != c.want {
				t.Errorf("got %s, want %s", d.URI, c.want)
			}
		})
	}
}

// A backend's own rewrite replaces that of the rule part by part
// (HTTPBackendRef.Filters: "executed if and only if the request is being
// forwarded to the backend defined here").
func TestRewritesOfOneBackend(t *testing.T) {
	prefix := func(value string) *PathRewrite { return &PathRewrite{Kind: ReplacePrefix, Value: value} }
	for name, c := range map[string]struct {
		rule   *Rewrite
		own    []*Rewrite
		want   []Upstream
		status int
	}{
		"none has one":         {&Rewrite{Host: "r"}, []*Rewrite{nil, nil}, []Upstream{{"/a/b?q=1", "r"}, {"/a/b?q=1", "r"}}, 200},
		"one has one":          {nil, []*Rewrite{nil, {Path: prefix("/x")}}, []Upstream{{"/a/b?q=1", "x"}, {"/x/b?q=1", "x"}}, 200},
		"path, rule's host":    {&Rewrite{Host: "r", Path: prefix("/r")}, []*Rewrite{{Path: prefix("/x")}, nil}, []Upstream{{"/x/b?q=1", "r"}, {"/r/b?q=1", "r"}}, 200},
		"host, rule's path":    {&Rewrite{Path: prefix("/r")}, []*Rewrite{{Host: "own"}, nil}, []Upstream{{"/r/b?q=1", "own"}, {"/r/b?q=1", "x"}}, 200},
		"each has one":         {nil, []*Rewrite{{Host: "one"}, {Host: "two"}}, []Upstream{{"/a/b?q=1", "one"}, {"/a/b?q=1", "two"}}, 200},
		"one leaves no path":   {nil, []*Rewrite{{Path: &PathRewrite{Kind: ReplaceFull}}, nil}, []Upstream{{}, {}}, 500},
		"a regular expression": {nil, []*Rewrite{{Path: &PathRewrite{Kind: ReplaceRegex, Pattern: "b", Value: "c"}}, nil}, []Upstream{{"/a/c?q=1", "x"}, {"/a/b?q=1", "x"}}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Action{Rewrite: c.rule}
			for i, w := range c.own {
				a.Backends = append(a.Backends, Backend{Namespace: "app", Name: []string{"one", "two"}[i], Port: 80, Weight: 1, Rewrite: w})
			}
			d := tableOf(FirstMatch, &Rule{Match: Match{Path: PathMatch{Kind: SegmentPrefix, Value: "/a"}}, Action: a}).Route(&Request{Host: "x", Path: "/a/b?q=1"})
			if d.Status != c.status {
				t.Fatalf("status %d", d.Status)
			}
			for i := range a.Backends {
				if got := d.Upstream(&a.Backends[i]); got != c.want[i] {
					t.Errorf("backend %s gets %v, want %v", a.Backends[i].Name, got, c.want[i])
				}
			}
		})
	}
}

func TestRedirectLocations(t *testing.T) {
	for name, c := range map[string]struct {
		redirect Redirect
		in       string
		want     string
	}{
		"scheme, trimmed":   {Redirect{Code: 308, Scheme: "https", TrimSlash: true}, "/foo/x/?a=b/", "https://Shop.example/foo/x/?a=b"},
		"host and own port": {Redirect{Code: 308, Host: "www.example", Port: -1}, "/foo", "http://www.example:80/foo"},
		"literal":           {Redirect{Code: 301, Location: "https://new.example/"}, "/foo?x=1", "https://new.example/"},
		"variables":         {Redirect{Code: 301, Location: "https://new.example$request_uri"}, "/foo?x=1", "https://new.example/foo?x=1"},
		"is_args":           {Redirect{Code: 301, Location: "https://new.example$uri$is_args$args"}, "/foo?x=1", "https://new.example/foo?x=1"},
		"is_args, no query": {Redirect{Code: 301, Location: "https://new.example$uri$is_args$args"}, "/foo", "https://new.example/foo"},
		"strip query":       {Redirect{Code: 302, StripQuery: true, KeepHostPort: true, Path: &PathRewrite{Value: "/home"}}, "/?x=1", "http://Shop.example:8080/home"},
		"relative":          {Redirect{Code: 301, Relative: true, Path: &PathRewrite{Value: "/foo/"}}, "/foo?x=1", "/foo/?x=1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := tableOf(FirstMatch, &Rule{Action: &Action{Redirect: &c.redirect}}).Route(&Request{Host: "Shop.example:8080", Path: c.in})
			if d.Status != c.redirect.Code || d.Location != c.want {
				t.Errorf("got %d %s, want %s", d.Status, d.Location, c.want)
			}
		})
	}
}

func TestPreflightComesFirst(t *testing.T) {
	a := &Action{CORS: &CORS{AllowOrigins: []string{"https://*.ok.example"}}, Redirect: &Redirect{Code: 301, Location: "/x"}}
	tab := tableOf(FirstMatch, &Rule{Action: a})
	for _, c := range []struct {
		reason  string
		headers map[string]string
		want    int
	}{
		{"an allowed origin that asks", map[string]string{"Origin": "https://a.ok.example", "Access-Control-Request-Method": "GET"}, 204},
		{"another origin", map[string]string{"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}, 301},
		{"an OPTIONS that does not ask", map[string]string{"Origin": "https://a.ok.example"}, 301},
	} {
		if d := tab.Route(&Request{Host: "x", Method: "OPTIONS", Headers: c.headers}); d.Status != c.want {
			t.Errorf("%s: %d, want %d", c.reason, d.Status, c.want)
		}
	}
}

func TestWeightsAndInvalidBackends(t *testing.T) {
	a := &Action{Backends: []Backend{{Namespace: "d", Name: "a", Port: 1, Weight: 3}, {Namespace: "d", Name: "b", Weight: 1, Invalid: "gone"}, {Namespace: "d", Name: "c", Port: 2}}}
	if diff := cmp.Diff(map[string]float64{"d/a:1": 0.75}, a.Shares()); diff != "" {
		t.Error(diff)
	}
	d := tableOf(FirstMatch, &Rule{Action: &Action{Backends: []Backend{{Weight: 1, Invalid: "gone"}}, NoBackendStatus: 503}}).Route(&Request{Host: "x"})
	if d.Status != 503 || d.Reason != "gone" {
		t.Errorf("%+v", d)
	}
}

func TestMeshListenersTakeMeshRequestsOnly(t *testing.T) {
	tab := &Table{Listeners: []*Listener{
		{Port: 80, Hosts: []*Host{{Rules: []*Rule{{Action: to("edge")}}}}},
		{Mesh: "shop/cart", Hosts: []*Host{{Rules: []*Rule{{Action: to("mesh")}}}}},
	}}
	for _, c := range []struct {
		host, ns, want string
	}{{"cart", "shop", "mesh"}, {"cart.shop", "other", "mesh"}, {"cart.shop.svc.cluster.local", "other", "mesh"}, {"cart", "other", "cart"}} {
		got := backendOf(tab.Route(&Request{Host: c.host, Client: &Client{Namespace: c.ns}}))
		want := "default/" + c.want + ":80"
		if c.want == "cart" { // a Service of the client's own namespace, which has no route
			want = "other/cart:80"
		}
		if got != want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestDecisionJSONForm(t *testing.T) {
	r := &Rule{Action: to("cart"), Origin: Origin{Object: ObjectRef{Kind: "Ingress", Namespace: "default", Name: "shop"}, Path: "spec.rules[0].http.paths[1]", File: "shop.yaml", Line: 12}}
	got, err := json.Marshal(tableOf(FirstMatch, r).Route(&Request{Host: "shop.example.com", Path: "/cart?x=1"}))
	want := `{"status":200,"backends":{"default/cart:80":1},"uri":"/cart?x=1","upstreamHost":"shop.example.com","why":{"object":"Ingress default/shop","path":"spec.rules[0].http.paths[1]","file":"shop.yaml","line":12}}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s (%v)", got, want, err)
	}
}

func FuzzRoute(f *testing.F) {
	tab := tableOf(LongestPath, &Rule{Match: path(RegexPath, "^/a"), Action: to("a")}, &Rule{Match: path(SegmentPrefix, "/"), Action: to("b")})
	tab.Reading.NormalizePath = true
	tab.Freeze()
	f.Add("shop.example.com", "/a/../b?x=%zz")
	f.Fuzz(func(_ *testing.T, host, target string) { tab.Route(&Request{Host: host, Path: target}) })
}

func BenchmarkRoute(b *testing.B) {
	var rules []*Rule
	for _, p := range []string{"/", "/a", "/a/b", "/cart", "/checkout"} {
		rules = append(rules, &Rule{Match: path(SegmentPrefix, p), Action: to("x")})
	}
	tab := tableOf(LongestPath, rules...)
	tab.Freeze()
	r := &Request{Host: "shop.example.com", Path: "/checkout/step?x=1"}
	b.ReportAllocs()
	for b.Loop() {
		tab.Route(r)
	}
}

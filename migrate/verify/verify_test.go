package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/causeway-gateway/causeway/routing"
)

func to(name string) *routing.Action {
	return &routing.Action{Backends: []routing.Backend{{Namespace: "shop", Name: name, Port: 80, Weight: 1}}}
}

var ruleNumber int

func rule(m routing.Match, a *routing.Action) *routing.Rule {
	ruleNumber++
	return &routing.Rule{Match: m, Action: a, Origin: routing.Origin{Object: routing.ObjectRef{Kind: "Rule", Name: fmt.Sprint(ruleNumber)}}}
}

func prefix(p string) routing.Match {
	return routing.Match{Path: routing.PathMatch{Kind: routing.SegmentPrefix, Value: p}}
}

func exact(p string) routing.Match {
	return routing.Match{Path: routing.PathMatch{Kind: routing.ExactPath, Value: p}}
}

func regex(p string) routing.Match {
	return routing.Match{Path: routing.PathMatch{Kind: routing.RegexPath, Value: p}}
}

func with(m routing.Match, headers ...routing.ValueMatch) routing.Match {
	m.Headers = headers
	return m
}

func web(rules ...*routing.Rule) *routing.Table {
	return &routing.Table{Listeners: []*routing.Listener{{Port: 80, Hosts: []*routing.Host{{Names: []routing.HostPattern{routing.ParseHost("shop.example.com", 0)}, Rules: rules}}}}}
}

func compare(t *testing.T, before, after *routing.Table, o Options) *Result {
	t.Helper()
	r, err := Compare(t.Context(), before, after, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEachBoundaryIsAsked(t *testing.T) {
	header := routing.ValueMatch{Name: "X-A", Value: "1"}
	for name, c := range map[string]struct {
		reason        string
		before, after routing.Match
		want          string // the simplest request that tells them apart
	}{
		"exact and prefix":            {"one segment more", exact("/a"), prefix("/a"), "/a/"},
		"segment and string prefix":   {"one character more", prefix("/a"), routing.Match{Path: routing.PathMatch{Kind: routing.StringPrefix, Value: "/a"}}, "/az"},
		"a longer prefix":             {"the shorter path", prefix("/a/b"), prefix("/a"), "/a"},
		"case":                        {"the other case", exact("/a"), routing.Match{Path: routing.PathMatch{Kind: routing.ExactPath, Value: "/a", IgnoreCase: true}}, "/A"},
		"an expression and a prefix":  {"inside the prefix, outside the expression", regex(`^/v[0-9]+/x$`), prefix("/v7/x"), "/v0/x"},
		"an alternative more":         {"a string of each alternative", regex(`^/(a|b)$`), regex(`^/(a|b|c)$`), "/c"},
		"an end anchor":               {"something beyond", regex(`^/a$`), regex(`^/a`), "/a/"},
		"a start anchor":              {"something in front", regex(`^/a`), regex(`/a`), "//a"},
		"a repetition":                {"one more", regex(`^/a{1,2}$`), regex(`^/a$`), "/aa"},
		"a header":                    {"without it", with(prefix("/"), header), prefix("/"), "/"},
		"a header's value":            {"satisfied for each side", with(prefix("/"), header), with(prefix("/"), routing.ValueMatch{Name: "X-A", Value: "2"}), "/ X-A=1"},
		"a header's case":             {"flipped", with(prefix("/"), routing.ValueMatch{Name: "X-A", Value: "a"}), with(prefix("/"), routing.ValueMatch{Name: "X-A", Value: "a", IgnoreCase: true}), "/ X-A=A"},
		"a header's expression":       {"beyond its end", with(prefix("/"), routing.ValueMatch{Name: "X-A", Kind: routing.RegexValue, Value: "a+"}), with(prefix("/"), routing.ValueMatch{Name: "X-A", Kind: routing.RegexValue, Value: "a+", Search: true}), "/ X-A=az"},
		"present and a value":         {"another value", with(prefix("/"), header), with(prefix("/"), routing.ValueMatch{Name: "X-A", Kind: routing.PresentValue}), "/ X-A="},
		"absent":                      {"with the header", with(prefix("/"), routing.ValueMatch{Name: "X-A", Kind: routing.PresentValue, Negate: true}), prefix("/"), "/ X-A="},
		"a method":                    {"another method", routing.Match{Method: "GET"}, routing.Match{}, "PATCH /"},
		"a query parameter":           {"without it", routing.Match{Query: []routing.ValueMatch{{Name: "q", Value: "1"}}}, routing.Match{}, "/"},
		"a query parameter's value":   {"its own and another", routing.Match{Query: []routing.ValueMatch{{Name: "q", Value: "1"}}}, routing.Match{Query: []routing.ValueMatch{{Name: "q", Kind: routing.PrefixValue, Value: "1"}}}, "/?q=1z"},
		"spaces are sent as escapes":  {"a literal that no request line holds", exact("/a b"), exact("/a"), "/a"},
		"a method beside a condition": {"both together", with(routing.Match{Method: "POST"}, header), with(routing.Match{}, header), "/ X-A=1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := compare(t, web(rule(c.before, to("a")), rule(routing.Match{}, to("b"))), web(rule(c.after, to("a")), rule(routing.Match{}, to("b"))), Options{})
			var got []string
			for _, d := range r.Differences {
				s := d.Request.Path
				if d.Request.Method != "GET" {
					s = d.Request.Method + " " + s
				}
				for k, v := range d.Request.Headers {
					s += " " + k + "=" + v
				}
				got = append(got, s)
			}
			if !slices.Contains(got, c.want) {
				t.Errorf("%s: want %q among %q", c.reason, c.want, got)
			}
		})
	}
}

func TestEveryPartOfADecisionIsCompared(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*routing.Action)
		want   Aspect
	}{
		"backend":          {func(a *routing.Action) { a.Backends[0].Name = "other" }, Backends},
		"backend port":     {func(a *routing.Action) { a.Backends[0].Port++ }, Backends},
		"weights":          {func(a *routing.Action) { a.Backends = append(a.Backends, a.Backends[0]); a.Backends[1].Name = "b" }, Backends},
		"invalid backend":  {func(a *routing.Action) { a.Backends[0].Invalid = "not there" }, Status | Backends},
		"redirect":         {func(a *routing.Action) { a.Redirect = &routing.Redirect{Code: 301} }, Status | Backends | Location},
		"path rewrite":     {func(a *routing.Action) { a.Rewrite = &routing.Rewrite{Path: &routing.PathRewrite{Value: "/x"}} }, URI},
		"host rewrite":     {func(a *routing.Action) { a.Rewrite = &routing.Rewrite{Host: "x"} }, UpstreamHost},
		"request headers":  {func(a *routing.Action) { a.RequestHeaders.Remove = []string{"X"} }, RequestHeaders},
		"response headers": {func(a *routing.Action) { a.ResponseHeaders.Add = []routing.Header{{Name: "X", Value: "1"}} }, ResponseHeaders},
		"mirror":           {func(a *routing.Action) { a.Mirrors = []routing.Mirror{{Backend: a.Backends[0], Percent: 5}} }, Mirrors},
		"timeouts":         {func(a *routing.Action) { a.Timeouts.Request = time.Second }, Timeouts},
		"retry":            {func(a *routing.Action) { a.Retry = &routing.Retry{Attempts: 1} }, Retries},
		"cors":             {func(a *routing.Action) { a.CORS = &routing.CORS{} }, CORS},
		"affinity":         {func(a *routing.Action) { a.Affinity = &routing.Affinity{Kind: "cookie"} }, Affinity},
		"guard":            {func(a *routing.Action) { a.Guards = []routing.Guard{{Kind: routing.GuardBasicAuth}} }, Guards},
		"fault":            {func(a *routing.Action) { a.Fault = &routing.Fault{AbortStatus: 503} }, Fault},
		"TLS to a backend": {func(a *routing.Action) { a.Backends[0].TLS = &routing.BackendTLS{Verify: true} }, BackendTLS},
		"headers to one backend": {func(a *routing.Action) {
			a.Backends[0].RequestHeaders.Set = []routing.Header{{Name: "X", Value: "1"}}
		}, BackendTLS},
		"path for one backend": {func(a *routing.Action) {
			a.Backends[0].Rewrite = &routing.Rewrite{Path: &routing.PathRewrite{Value: "/x"}}
		}, URI},
		"host for one backend": {func(a *routing.Action) {
			a.Backends[0].Rewrite = &routing.Rewrite{Host: "x"}
		}, UpstreamHost},
	} {
		t.Run(name, func(t *testing.T) {
			changed := to("a")
			c.change(changed)
			var got Aspect
			for _, d := range compare(t, web(rule(prefix("/"), to("a"))), web(rule(prefix("/"), changed)), Options{}).Differences {
				got |= d.Aspects
			}
			if got&c.want != c.want {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
	if len(aspectNames) != len(aspectOrder()) {
		t.Error("an aspect has no name")
	}
}

func aspectOrder() (out []Aspect) {
	for a := Status; a < aspectEnd; a <<= 1 {
		out = append(out, a)
	}
	return out
}

func TestWhatAClientCannotTellIsEqual(t *testing.T) {
	a, b := to("a"), to("a")
	a.RequestHeaders.Set = []routing.Header{{Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}}
	b.RequestHeaders.Set = []routing.Header{{Name: "x-b", Value: "2"}, {Name: "x-a", Value: "1"}}
	a.CORS = &routing.CORS{AllowMethods: []string{"GET", "PUT"}}
	b.CORS = &routing.CORS{AllowMethods: []string{"PUT", "GET"}}
	// With every origin allowed, there are no others to answer or to compare.
	a.CORS.AllowOrigins, b.CORS.AllowOrigins = []string{"*"}, []string{"*"}
	b.CORS.AnyLabels, b.CORS.AnswerAll = true, true
	b.Backends[0].Weight = 7
	before := web(rule(prefix("/"), a))
	after := web(rule(exact("/"), b), rule(prefix("/"), b), rule(routing.Match{}, &routing.Action{Respond: &routing.Response{Status: 404}}))
	if r := compare(t, before, after, Options{}); !r.Equal() {
		t.Errorf("%+v", r.Differences)
	}
}

// TestSameOrigins: only what is in the lists of origins tells policies apart.
func TestSameOrigins(t *testing.T) {
	for _, c := range []struct {
		reason string
		origin string
		b      routing.CORS
		same   bool
	}{
		{"every origin is allowed: there are no others", "*", routing.CORS{AnyLabels: true, AnswerAll: true}, true},
		{"no origin has a star", "https://a.test", routing.CORS{AnyLabels: true}, true},
		{"a star stands for one label or for any number", "https://*.test", routing.CORS{AnyLabels: true}, false},
		{"preflights of other origins", "https://a.test", routing.CORS{AnswerAll: true}, false},
	} {
		a := routing.CORS{AllowOrigins: []string{c.origin}}
		if c.b.AllowOrigins = a.AllowOrigins; sameCORS(&a, &c.b) != c.same {
			t.Errorf("%s: same is %v", c.reason, !c.same)
		}
	}
}

func TestHostsAndEntrances(t *testing.T) {
	host := func(name string, kind routing.HostKind, a *routing.Action) *routing.Host {
		h := &routing.Host{Rules: []*routing.Rule{rule(prefix("/"), a)}}
		if name != "" {
			h.Names = []routing.HostPattern{routing.ParseHost(name, kind)}
		}
		return h
	}
	listen := func(l ...*routing.Listener) *routing.Table { return &routing.Table{Listeners: l} }
	http := func(hosts ...*routing.Host) *routing.Listener { return &routing.Listener{Port: 80, Hosts: hosts} }
	for name, c := range map[string]struct {
		reason        string
		before, after *routing.Table
		want          string
	}{
		"labels below a wildcard": {"two labels tell the wildcards apart", listen(http(host("*.example.com", routing.OneLabelHost, to("a")))), listen(http(host("*.example.com", routing.SuffixHost, to("a")))), "http://v.w.example.com/"},
		"the apex":                {"a wildcard does not take its own domain", listen(http(host("*.example.com", routing.SuffixHost, to("a")))), listen(http(host("*.example.com", routing.SuffixHost, to("a")), host("example.com", 0, to("a")))), "http://example.com/"},
		"a name nobody knows":     {"the catch-all is asked", listen(http(host("", 0, to("a")))), listen(http(host("", 0, to("b")))), "http://unknown.invalid/"},
		"another port":            {"every port of either side", listen(http(host("", 0, to("a")))), listen(http(host("", 0, to("a"))), &routing.Listener{Port: 8080, Hosts: []*routing.Host{host("", 0, to("b"))}}), "http://unknown.invalid:8080/"},
		"passed through TLS":      {"HTTPS to a name that is passed through", listen(&routing.Listener{Port: 443, Protocol: routing.TLS, Hosts: []*routing.Host{host("t.example.com", 0, to("a"))}}), listen(&routing.Listener{Port: 443, Protocol: routing.TLS, Hosts: []*routing.Host{host("t.example.com", 0, to("b"))}}), "https://t.example.com/"},
		"a TCP port":              {"streams have a port only", listen(&routing.Listener{Port: 5432, Protocol: routing.TCP, Hosts: []*routing.Host{host("", 0, to("a"))}}), listen(&routing.Listener{Port: 5432, Protocol: routing.TCP, Hosts: []*routing.Host{host("", 0, to("b"))}}), "tcp://stream.invalid:5432/"},
		"a mesh client":           {"clients of each namespace that a rule names", listen(&routing.Listener{Port: 80, Mesh: "shop/web", Hosts: []*routing.Host{host("", 0, to("a"))}}), listen(&routing.Listener{Port: 80, Mesh: "shop/web", Hosts: []*routing.Host{{Rules: []*routing.Rule{rule(routing.Match{Client: routing.ClientMatch{Namespace: "team"}}, to("b")), rule(routing.Match{}, to("a"))}}}}), "http://web.shop.svc.cluster.local/ from team"},
		"a host of the mesh":      {"a name that is no Service is asked as it is", listen(&routing.Listener{Port: 80, Mesh: "/api.example.com", Hosts: []*routing.Host{host("", 0, to("a"))}}), listen(), "http://api.example.com/ from elsewhere"},
		"hosts of the mesh":       {"and one below a wildcard", listen(&routing.Listener{Port: 80, Mesh: "/*.example.com", Hosts: []*routing.Host{host("", 0, to("a"))}}), listen(), "http://w.example.com/ from elsewhere"},
		"every host of the mesh":  {"and one that nobody knows", listen(&routing.Listener{Port: 80, Mesh: "/*", Hosts: []*routing.Host{host("", 0, to("a"))}}), listen(), "http://unknown.invalid/ from elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range compare(t, c.before, c.after, Options{}).Differences {
				r := d.Request
				s := r.Scheme + "://" + r.Host
				if r.Port != usualPorts[r.Scheme] {
					s += fmt.Sprint(":", r.Port)
				}
				s += r.Path
				if r.Client != nil {
					s += " from " + r.Client.Namespace
				}
				got = append(got, s)
			}
			if !slices.Contains(got, c.want) {
				t.Errorf("%s: want %s among %q", c.reason, c.want, got)
			}
		})
	}
}

func TestDeadAndUncoveredRules(t *testing.T) {
	all := rule(prefix("/"), to("a"))
	dead := rule(prefix("/never"), to("b"))
	odd := rule(regex(`^/(?=z)x`), to("c")) // can match nothing, but who knows
	r := compare(t, web(odd, all, dead), web(rule(prefix("/"), to("a"))), Options{})
	if len(r.Dead) != 1 || r.Dead[0].Rule != dead || r.Dead[0].By != all || r.Dead[0].Side != Before {
		t.Errorf("dead: %+v", r.Dead)
	}
	if len(r.Uncovered) != 1 || r.Uncovered[0].Rule != odd {
		t.Errorf("uncovered: %+v", r.Uncovered)
	}
}

func TestOneCauseIsShownOnceAtItsSimplest(t *testing.T) {
	header := routing.ValueMatch{Name: "X-A", Value: "1"}
	r := compare(t, web(rule(with(prefix("/deep/path"), header), to("a")), rule(prefix("/deep"), to("b"))), web(rule(with(prefix("/deep/path"), header), to("x")), rule(prefix("/deep"), to("b"))), Options{})
	if len(r.Differences) != 1 {
		t.Fatalf("%d causes", len(r.Differences))
	}
	d := r.Differences[0]
	if d.Request.Path != "/deep/path" || len(d.Request.Headers) != 1 || d.Alike < 3 {
		t.Errorf("shown as %+v, %d alike", d.Request, d.Alike)
	}
}

func TestReadingsAreAskedWhereTheTablesAgree(t *testing.T) {
	before := web(rule(prefix("/a"), to("a")))
	after := web(rule(prefix("/a"), to("a")))
	before.Reading.NormalizePath, after.Reading.NormalizePath = true, true
	raw := after.Reading
	raw.NormalizePath = false
	r := compare(t, before, after, Options{Readings: []Reading{{Name: "as sent", Before: before, After: after.With(raw)}}})
	if !r.Equal() || len(r.Dependences) != 1 || !strings.Contains(r.Dependences[0].Request.Path, "%") && !strings.Contains(r.Dependences[0].Request.Path, "/") {
		t.Errorf("%+v", r.Dependences)
	}
}

func TestAnnouncedDifferencesAreNoSurprise(t *testing.T) {
	r := compare(t, web(rule(prefix("/a"), to("a")), rule(prefix("/b"), to("b"))), web(rule(prefix("/a"), to("x")), rule(prefix("/b"), to("x"))),
		Options{Announced: func(d *Difference) []int {
			if d.Request.Path == "/a" {
				return []int{3}
			}
			return nil
		}})
	if s := r.Surprises(); len(r.Differences) != 2 || len(s) != 1 || s[0].Request.Path != "/b" || r.Equal() {
		t.Errorf("%+v", r.Differences)
	}
}

// TestSamplesMatch: what is derived from an expression is inside it, and every
// alternative is met.
func TestSamplesMatch(t *testing.T) {
	for pattern, want := range map[string][]string{
		`^/a$`:             {"/a"},
		`^/(x|y)/z`:        {"/x/z", "/y/z"},
		`/v[0-9]+`:         {"/v0"},
		`^/a(/|$)(.*)`:     {"/a/"},
		`[a-z]{2,3}`:       {"xx"},
		`^/(?:a|b|c|d|e)`:  {"/a", "/e"},
		`\d{3}-\w+`:        {},
		`^/caf\x{e9}`:      {"/café"},
		`(a|b)(c|d)(e|f)g`: {},
	} {
		re := routing.NewRegex(pattern, false, false)
		got := samples(pattern)
		inside := 0
		for _, s := range got {
			if re.Match(s) {
				inside++
			}
		}
		if inside == 0 || len(got) > maxSamples {
			t.Errorf("%s: %q, %d match", pattern, got, inside)
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q is not among %q", pattern, w, got)
			}
		}
	}
	if got := samples(`^/foo(?=bar)`); !slices.Contains(got, "/foo") {
		t.Errorf("an expression that RE2 does not know: %q", got)
	}
}

func TestCurl(t *testing.T) {
	for want, r := range map[string]routing.Request{
		"curl -i http://a.example.com/x":                                                   {Scheme: "http", Host: "a.example.com", Path: "/x", Method: "GET"},
		"curl -i -X POST -H 'X-A: it'\"'\"'s' 'https://a.example.com:8443/?a&b'":           {Scheme: "https", Host: "a.example.com", Port: 8443, Path: "/?a&b", Method: "POST", Headers: map[string]string{"X-A": "it's"}},
		"curl -i --path-as-is http://a.example.com/a/..":                                   {Scheme: "http", Host: "a.example.com", Path: "/a/..", Method: "GET"},
		"curl -i -H 'X-A;' http://a.example.com/":                                          {Scheme: "http", Host: "a.example.com", Path: "/", Headers: map[string]string{"X-A": ""}},
		"openssl s_client -connect a.example.com:443 -servername a.example.com </dev/null": {Scheme: "tls", Host: "a.example.com"},
	} {
		if d := cmp.Diff(want, Curl(&r)); d != "" {
			t.Error(d)
		}
	}
}

// FuzzSamples: no expression makes sampling slow, long or panic.
func FuzzSamples(f *testing.F) {
	for _, s := range []string{`^/a(/|$)(.*)`, `((a{9}){9}){9}`, `[^a]`, `(?i)x|`, `\p{Greek}+`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		for _, s := range samples(pattern) {
			if len(s) > max(maxSample, len(pattern)) {
				t.Errorf("%d bytes of %q", len(s), pattern)
			}
		}
	})
}

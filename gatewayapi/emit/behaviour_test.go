package emit

import (
	"strings"
	"testing"
	"time"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/routing"
)

// routesOf lists the matches of all HTTPRoutes with what they do, in show's
// form without notes.
func routesOf(r *Result) string {
	return strings.TrimSpace(show(&Result{Objects: r.Objects}))
}

func noteOf(r *Result, f Feature) *Note {
	for i := range r.Notes {
		if r.Notes[i].Feature == f {
			return &r.Notes[i]
		}
	}
	return nil
}

var at = ing("shop", "web", "spec.rules[0].http.paths[0]")

func one(p routing.PathMatch, a *routing.Action) *routing.Table {
	return &routing.Table{Reading: routing.Reading{NormalizePath: true}, Listeners: []*routing.Listener{{Port: 80, Protocol: routing.HTTP, Hosts: []*routing.Host{host("shop.example.com", routing.LongestPath, rule(p, a, at))}}}}
}

func list(order routing.Order, rules ...*routing.Rule) *routing.Table {
	return &routing.Table{Reading: routing.Reading{NormalizePath: true}, Listeners: []*routing.Listener{{Port: 80, Protocol: routing.HTTP, Hosts: []*routing.Host{host("shop.example.com", order, rules...)}}}}
}

func TestPathKinds(t *testing.T) {
	for _, c := range []struct {
		reason string
		path   routing.PathMatch
		want   string
	}{
		{"exact", exact("/a"), "Exact /a"},
		{"by elements, a slash at the end does not count", prefix("/a/"), "PathPrefix /a"},
		{"a prefix of bytes needs a regular expression", routing.PathMatch{Kind: routing.StringPrefix, Value: "/a"}, "RegularExpression ^/a.*"},
		{"but not at the root", routing.PathMatch{Kind: routing.StringPrefix, Value: "/"}, "PathPrefix /"},
		{"case is a flag", routing.PathMatch{Kind: routing.ExactPath, Value: "/a", IgnoreCase: true}, "RegularExpression (?i)^/a$"},
		{"case does not matter without letters", routing.PathMatch{Kind: routing.ExactPath, Value: "/1", IgnoreCase: true}, "Exact /1"},
		{"nginx's search is opened at its end", regex("^/foo"), "RegularExpression (?i)^/foo.*"},
		{"an end anchor stays", regex("^/foo/[a-z]+$"), "RegularExpression (?i)^/foo/[a-z]+$"},
		{"a search without anchors is opened at both ends", regex("foo|bar"), "RegularExpression (?i).*(?:foo|bar).*"},
		{"a full pattern is anchored", routing.PathMatch{Kind: routing.RegexPath, Value: "/a|/b", Full: true}, "RegularExpression ^(?:/a|/b)$"},
		{"a pattern that is by elements becomes a prefix", regex("^/1(/|$)(.*)"), "PathPrefix /1"},
		{"characters outside the CRD's are escaped", prefix("/a b"), "PathPrefix /a%20b"},
		{"two slashes cannot be written", exact("/a//b"), "RegularExpression ^/a//b$"},
	} {
		got := routesOf(Emit(one(c.path, to("shop", "web")), Options{}))
		if want := "web\n  " + c.want + "  -> web"; got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.reason, got, want)
		}
	}
}

func TestPrecedence(t *testing.T) {
	h := func(p routing.PathMatch, name string) *routing.Rule {
		r := rule(p, to("shop", name), at)
		r.Match.Headers = []routing.ValueMatch{{Name: "H", Value: "1"}}
		return r
	}
	for _, c := range []struct {
		reason string
		table  *routing.Table
		want   []string
	}{
		{"a rule behind a broader one is dead", list(routing.FirstMatch, rule(prefix("/a"), to("shop", "x"), at), rule(exact("/a/b"), to("shop", "y"), at)),
			[]string{"PathPrefix /a  -> x"}},
		{"an earlier rule with a header gets the later path too", list(routing.FirstMatch, h(prefix("/"), "x"), rule(exact("/p"), to("shop", "y"), at)),
			[]string{"Exact /p  H=1 -> x", "PathPrefix /  H=1 -> x", "Exact /p  -> y"}},
		{"Gateway API's own order needs nothing", list(routing.LongestPath, rule(prefix("/"), to("shop", "x"), at), rule(prefix("/a"), to("shop", "y"), at)),
			[]string{"PathPrefix /a  -> y", "PathPrefix /  -> x"}},
		{"prefixes beside a regular expression become regular expressions", list(routing.FirstMatch, rule(regex("^/foo/[0-9]+"), to("shop", "x"), at), rule(prefix("/"), to("shop", "y"), at)),
			[]string{"RegularExpression (?i)^/foo/[0-9]+.*  -> x", "RegularExpression ^/.*  -> y"}},
		{"equal actions side by side share a rule", list(routing.LongestPath, rule(prefix("/b"), to("shop", "x"), at), rule(prefix("/a"), to("shop", "x"), at)),
			[]string{"PathPrefix /b  -> x", "PathPrefix /a  -> x"}},
	} {
		want := "web\n  " + strings.Join(c.want, "\n  ")
		if got := routesOf(Emit(c.table, Options{})); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.reason, got, want)
		}
	}
}

func TestFailClosed(t *testing.T) {
	guarded := &routing.Action{Backends: to("shop", "admin").Backends, Guards: []routing.Guard{{Kind: routing.GuardAuthURL, Detail: map[string]string{"url": "http://auth.sso.svc.cluster.local/verify"}}}}
	broad := rule(prefix("/"), to("shop", "web"), at)
	for _, c := range []struct {
		reason string
		table  *routing.Table
		o      Options
		want   string
		closed bool
	}{
		{"closed before a broader rule", list(routing.LongestPath, rule(prefix("/admin"), guarded, at), broad), Options{}, "web\n  PathPrefix /admin  -> closed\n  PathPrefix /  -> web", true},
		{"left out where nothing takes over", list(routing.LongestPath, rule(prefix("/admin"), guarded, at)), Options{}, "", true},
		{"open when asked for", list(routing.LongestPath, rule(prefix("/admin"), guarded, at)), Options{AllowUnguarded: true}, "web\n  PathPrefix /admin  -> admin", false},
		{"the experimental channel asks the service", list(routing.LongestPath, rule(prefix("/admin"), guarded, at)), Options{Channel: gatewayapi.Experimental}, "web\n  PathPrefix /admin  -> admin", false},
	} {
		r := Emit(c.table, c.o)
		if got := routesOf(r); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.reason, got, c.want)
		}
		if n := noteOf(r, "guard:auth-url"); n == nil || n.Closed != c.closed {
			t.Errorf("%s: note %+v", c.reason, n)
		}
	}
	limit := Emit(one(prefix("/"), &routing.Action{Backends: to("shop", "web").Backends, Guards: []routing.Guard{{Kind: routing.GuardRateLimit}}}), Options{})
	if n := noteOf(limit, "guard:rate-limit"); n == nil || n.Closed || routesOf(limit) != "web\n  PathPrefix /  -> web" {
		t.Errorf("limits do not close a rule: %+v", n)
	}
	lookahead := Emit(list(routing.FirstMatch, rule(regex("^/admin/(?!public)"), to("shop", "admin"), at), broad), Options{})
	if n := noteOf(lookahead, FeaturePath); n == nil || n.Fate != Lost {
		t.Errorf("a pattern outside RE2: %+v", n)
	}
}

func TestRewrites(t *testing.T) {
	for _, c := range []struct{ reason, pattern, value, want string }{
		{"separator or end", "/api(/|$)(.*)", "/$2", "ReplacePrefixMatch / on /api"},
		{"rest after a slash", "/api/(.*)", "/x/$1", "ReplacePrefixMatch /x on /api"},
		{"everything below a new prefix", "/(.*)", "/x/$1", "ReplacePrefixMatch /x on /"},
		{"optional slash", "/api/?(.*)", "/$1", "ReplacePrefixMatch / on /api"},
		{"optional slash at the root", "/?(.*)", "/$1", "ReplacePrefixMatch / on /"},
		{"no groups", "/api", "/new", "ReplaceFullPath /new"},
		{"a group that the path does not have is empty", "/", "/$2", "ReplaceFullPath /"},
		{"put together again", "/(api/.*)", "/$1", "no rewrite"},
		{"taken apart lazily", "/(api/.*?)", "/$1", "closed"},
		{"something dropped at the end", "/(api/.*)/x", "/$1", "closed"},
		{"other groups", "/api/(\\d+)/(.*)", "/$2", "closed"},
		{"the rest is not at the end", "/api/(.*)", "/$1/x", "closed"},
		{"glued to the prefix", "/api/(.*)", "/x$1", "closed"},
	} {
		a := &routing.Action{Backends: to("shop", "web").Backends, Rewrite: &routing.Rewrite{Path: &routing.PathRewrite{Kind: routing.ReplaceRegex, Pattern: c.pattern, IgnoreCase: true, Value: c.value, Whole: true}}}
		r := Emit(one(regex("^"+c.pattern), a), Options{})
		got := "closed"
		for _, o := range r.Objects {
			hr, ok := o.(*gwv1.HTTPRoute)
			if !ok {
				continue
			}
			if len(hr.Spec.Rules[0].BackendRefs) > 0 {
				got = "no rewrite"
			}
			for _, f := range hr.Spec.Rules[0].Filters {
				switch p := f.URLRewrite.Path; {
				case p.ReplaceFullPath != nil:
					got = "ReplaceFullPath " + *p.ReplaceFullPath
				default:
					got = "ReplacePrefixMatch " + *p.ReplacePrefixMatch + " on " + *hr.Spec.Rules[0].Matches[0].Path.Value
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.reason, got, c.want)
		}
		if n := noteOf(r, FeatureRewrite); c.want == "closed" && (n == nil || n.Fate != NeedsExtension || !n.Closed || n.Remedy == "") {
			t.Errorf("%s: note %+v", c.reason, n)
		}
	}
}

// TestPrefixThatCannotBeWritten: only a PathPrefix can be replaced; a rule whose
// prefix has other characters is closed, for with a regular expression the object
// would not fit its CRD.
func TestPrefixThatCannotBeWritten(t *testing.T) {
	for reason, p := range map[string]routing.PathMatch{
		"braces":                 {Kind: routing.StringPrefix, Value: "/{tenant}/api"},
		"a space":                {Kind: routing.SegmentPrefix, Value: "/a b"},
		"a doubled slash":        {Kind: routing.StringPrefix, Value: "/a//b/"},
		"no slash at the begin":  {Kind: routing.StringPrefix, Value: "api"},
		"a segment of two dots":  {Kind: routing.SegmentPrefix, Value: "/a/../b"},
		"an escaped slash in it": {Kind: routing.StringPrefix, Value: "/a%2Fb"},
	} {
		kind := routing.ReplaceStringPrefix
		if p.Kind == routing.SegmentPrefix {
			kind = routing.ReplacePrefix
		}
		rewrite := &routing.Action{Backends: to("shop", "web").Backends, Rewrite: &routing.Rewrite{Path: &routing.PathRewrite{Kind: kind, Prefix: p.Value, Value: "/x"}}}
		redirect := &routing.Action{Redirect: &routing.Redirect{Code: 301, Path: &routing.PathRewrite{Kind: kind, Prefix: p.Value, Value: "/x"}}}
		for f, a := range map[Feature]*routing.Action{FeatureRewrite: rewrite, FeatureRedirect: redirect} {
			r := Emit(one(p, a), Options{})
			if n := noteOf(r, f); n == nil || n.Fate != NeedsExtension || !n.Closed {
				t.Errorf("%s: note of %s %+v", reason, f, n)
			}
			if s := routesOf(r); strings.Contains(s, "shop/web") || strings.Contains(s, "redirect") {
				t.Errorf("%s: %s is written:\n%s", reason, f, s)
			}
		}
	}
}

func TestEveryFeatureNotKeptIsNoted(t *testing.T) {
	b := to("shop", "web").Backends
	for f, a := range map[Feature]*routing.Action{
		FeatureFault:           {Backends: b, Fault: &routing.Fault{AbortStatus: 500}},
		FeatureRetry:           {Backends: b, Retry: &routing.Retry{Attempts: 2}},
		FeatureAffinity:        {Backends: b, Affinity: &routing.Affinity{Kind: "cookie"}},
		FeatureTimeouts:        {Backends: b, Timeouts: routing.Timeouts{Read: time.Minute}},
		FeatureRespond:         {Respond: &routing.Response{Status: 403}},
		FeatureCORS:            {Backends: b, CORS: &routing.CORS{AllowOrigins: []string{"*"}, AnyOptions: true}},
		FeatureMirror:          {Backends: b, Mirrors: []routing.Mirror{{URL: "http://192.0.2.1", Percent: 100}}},
		FeatureRedirect:        {Redirect: &routing.Redirect{Code: 302, Location: "https://new.example.com/x"}},
		FeatureBackendTLS:      {Backends: []routing.Backend{{Namespace: "shop", Name: "web", Port: 443, Weight: 1, Protocol: "HTTPS"}}},
		FeatureBackendProtocol: {Backends: []routing.Backend{{Namespace: "shop", Name: "web", Port: 80, Weight: 1, Protocol: "FCGI"}}},
		FeatureBackend:         {NoBackendStatus: 503},
		FeatureHostRewrite:     {Backends: b, Rewrite: &routing.Rewrite{Host: "a.example.com:8080"}},
		FeatureRequestHeaders:  {Backends: b, RequestHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "bad name", Value: "x"}}}},
		FeatureResponseHeaders: {Backends: b, ResponseHeaders: routing.HeaderChange{Set: []routing.Header{{Name: "X-Empty"}}}},
	} {
		if n := noteOf(Emit(one(prefix("/"), a), Options{}), f); n == nil || n.Fate == Kept || n.Origin != at || n.Rule == nil {
			t.Errorf("%s: %+v", f, n)
		}
	}
}

func TestListenersBeyondTheLimit(t *testing.T) {
	for _, c := range []struct {
		version  gatewayapi.Version
		gateways int
		sets     int
	}{{"v1.6", 1, 3}, {"v1.4", 4, 0}} {
		gateways, sets := 0, 0
		for _, o := range Emit(manyHosts(200), Options{Version: c.version}).Objects {
			switch o.(type) {
			case *gwv1.Gateway:
				gateways++
			case *gwv1.ListenerSet:
				sets++
			}
		}
		if gateways != c.gateways || sets != c.sets {
			t.Errorf("%s: %d Gateways and %d ListenerSets for 201 listeners", c.version, gateways, sets)
		}
	}
}

func TestPassthroughAndGRPC(t *testing.T) {
	grpc := to("shop", "grpc")
	grpc.Backends[0].Protocol = "GRPC"
	table := one(exact("/pkg.Svc/Get"), grpc)
	table.Listeners = append(table.Listeners, &routing.Listener{Port: 443, Protocol: routing.TLS, TLS: &routing.ListenerTLS{Passthrough: true}, Hosts: []*routing.Host{host("tls.example.com", routing.FirstMatch, rule(routing.PathMatch{}, to("shop", "tls"), ing("shop", "tls", "")))}})
	got := text(t, Emit(table, Options{}))
	for _, want := range []string{"kind: GRPCRoute", "service: pkg.Svc", "method: Get", "kind: TLSRoute", "mode: Passthrough", "- tls.example.com"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if n := noteOf(Emit(table, Options{Version: "v1.4"}), FeatureListener); n == nil || n.Fate != Lost {
		t.Errorf("TLSRoute is not in the standard channel of v1.4: %+v", n)
	}
}

// TestSpelledPatternsMeanTheSame: a spelled pattern matches the same paths for
// an engine that searches and one that matches whole paths.
func TestSpelledPatternsMeanTheSame(t *testing.T) {
	for _, pattern := range []string{"^/a|^/b", "^/a$|^/b", "/a|/b", "^/[|]", "^/a\\$", "^/a[]|]b", "a$", "^/(a|b)", "(?i)^/a", "^/a.*", "", "^", "$", "^\\Qa|b\\E"} {
		for _, full := range []bool{false, true} {
			source := routing.NewRegex(pattern, false, full)
			spelled := spellPattern(pattern, full)
			search, whole := routing.NewRegex(spelled, false, false), routing.NewRegex(spelled, false, true)
			for _, s := range []string{"", "/", "/a", "/b", "/ax", "/xa", "/a$", "/|", "/a|b", "/a]b", "a", "a|b", "/A", "x/ay"} {
				want := source.Match(s)
				if search.Match(s) != want || whole.Match(s) != want {
					t.Errorf("%q (full %v) becomes %q: %q: want %v, search %v, whole %v", pattern, full, spelled, s, want, search.Match(s), whole.Match(s))
				}
			}
		}
	}
}

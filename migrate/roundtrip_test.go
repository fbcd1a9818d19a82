package migrate_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/causeway-gateway/causeway/gatewayapi"
	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/gatewayapi/emit"
	"github.com/causeway-gateway/causeway/migrate"
	"github.com/causeway-gateway/causeway/migrate/verify"
	"github.com/causeway-gateway/causeway/routing"
)

var (
	tablePaths   = []string{"/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/B", "/%7Eu", "/a b"}
	tableRegexes = []string{"^/a", "^/a/[a-z]+$", "^/(a|B)(/|$)(.*)", "/b", "^/v[0-9]+/"}
	tableHosts   = []string{"", "a.example.com", "b.example.com", "*.example.com", "*.b.example.com"}
	askedPaths   = []string{"/", "/a", "/a/", "/A", "/a/b", "/a/x", "/ab", "/a/b/c", "/B/y", "/v1/x", "/~u", "/a%20b", "/a//b", "/z", "/a?x=1", "/a?x=2&x=1"}
	askedHosts   = []string{"a.example.com", "b.example.com", "w.example.com", "w.b.example.com", "v.w.example.com", "other.test"}
)

// routingTable draws a table of any dialect's shape: every order of rules, every
// kind of match, every action that has a form in Gateway API and some without.
func routingTable(t *rapid.T) *routing.Table {
	table := &routing.Table{Reading: routing.Reading{NormalizePath: true}}
	order := rapid.SampledFrom([]routing.Order{routing.FirstMatch, routing.LongestPath, routing.MostSpecific}).Draw(t, "order")
	var hosts []*routing.Host
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(tableHosts), 1, 3, rapid.ID[string]).Draw(t, "hosts")
	n := 0
	for _, name := range names {
		wildcard := rapid.SampledFrom([]routing.HostKind{routing.SuffixHost, routing.OneLabelHost}).Draw(t, "wildcard")
		h := &routing.Host{Order: order}
		if name != "" {
			h.Names = []routing.HostPattern{routing.ParseHost(name, wildcard)}
		}
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			ref := routing.ObjectRef{Kind: "Source", Namespace: rapid.SampledFrom([]string{"shop", "team"}).Draw(t, "namespace"), Name: fmt.Sprint("r", n)}
			m, a := tableMatch(t), tableAction(t)
			if a.Rewrite != nil && m.Path.Kind != routing.SegmentPrefix {
				a.Rewrite.Path.Kind = routing.ReplaceFull // a prefix is replaced where one matches
			}
			h.Rules = append(h.Rules, &routing.Rule{Match: m, Action: a, Origin: routing.Origin{Object: ref, Path: "rule"}, Route: "x/x", Index: n})
			n++
		}
		hosts = append(hosts, h)
	}
	table.Listeners = []*routing.Listener{{Name: "http", Port: 80, Protocol: routing.HTTP, Hosts: hosts}}
	if rapid.Bool().Draw(t, "https") {
		table.Listeners = append(table.Listeners, &routing.Listener{Name: "https", Port: 443, Protocol: routing.HTTPS, Hosts: hosts, TLS: &routing.ListenerTLS{Certificates: []string{"certs/default"}}})
	}
	return table
}

func tableMatch(t *rapid.T) routing.Match {
	m := routing.Match{Path: routing.PathMatch{
		Kind:  rapid.SampledFrom([]routing.PathKind{routing.ExactPath, routing.SegmentPrefix, routing.SegmentPrefix, routing.StringPrefix, routing.AnyPath, routing.RegexPath}).Draw(t, "kind"),
		Value: rapid.SampledFrom(tablePaths).Draw(t, "path"), IgnoreCase: rapid.IntRange(0, 5).Draw(t, "fold") == 0}}
	if m.Path.Kind == routing.RegexPath {
		m.Path.Value, m.Path.Full = rapid.SampledFrom(tableRegexes).Draw(t, "pattern"), false
	}
	if m.Path.Kind == routing.AnyPath {
		m.Path = routing.PathMatch{}
	}
	m.Method = rapid.SampledFrom([]string{"", "", "", "GET", "POST"}).Draw(t, "method")
	if rapid.IntRange(0, 2).Draw(t, "with header") == 0 {
		m.Headers = []routing.ValueMatch{tableValue(t, "X-A")}
	}
	if rapid.IntRange(0, 4).Draw(t, "with query") == 0 {
		m.Query = []routing.ValueMatch{tableValue(t, "x")}
	}
	return m
}

func tableValue(t *rapid.T, name string) routing.ValueMatch {
	return routing.ValueMatch{Name: name, Kind: rapid.SampledFrom([]routing.ValueKind{routing.ExactValue, routing.PrefixValue, routing.RegexValue, routing.PresentValue}).Draw(t, "value kind"),
		Value: rapid.SampledFrom([]string{"1", "2", "12"}).Draw(t, "value"), Negate: rapid.IntRange(0, 5).Draw(t, "negate") == 0}
}

func tableAction(t *rapid.T) *routing.Action {
	backend := func() routing.Backend {
		return routing.Backend{Namespace: rapid.SampledFrom([]string{"shop", "team"}).Draw(t, "backend namespace"), Name: rapid.SampledFrom([]string{"web", "api", "next"}).Draw(t, "backend"), Port: 80, Weight: rapid.IntRange(0, 3).Draw(t, "weight")}
	}
	a := &routing.Action{Backends: []routing.Backend{backend()}}
	a.Backends[0].Weight++
	switch rapid.IntRange(0, 11).Draw(t, "action") {
	case 0:
		a.Backends = append(a.Backends, backend())
	case 1:
		a = &routing.Action{Redirect: &routing.Redirect{Code: rapid.SampledFrom([]int{301, 302, 303, 307, 308}).Draw(t, "code"), Scheme: rapid.SampledFrom([]string{"", "https"}).Draw(t, "scheme"), Host: rapid.SampledFrom([]string{"", "new.example.com"}).Draw(t, "to")}}
	case 2:
		a.Rewrite = &routing.Rewrite{Path: &routing.PathRewrite{Kind: routing.ReplaceFull, Value: "/new"}}
	case 3:
		a.Rewrite = &routing.Rewrite{Path: &routing.PathRewrite{Kind: routing.ReplacePrefix, Value: "/new"}}
	case 4:
		a.RequestHeaders.Set = []routing.Header{{Name: "X-Set", Value: "1"}}
		a.ResponseHeaders.Remove = []string{"X-Gone"}
	case 5:
		a.Mirrors = []routing.Mirror{{Backend: backend(), Percent: 50}}
	case 6:
		a.Timeouts = routing.Timeouts{Request: 7 * time.Second, BackendRequest: 3 * time.Second}
	case 7:
		a.CORS = &routing.CORS{AllowOrigins: []string{"https://x.example.com"}, AllowMethods: []string{"GET"}, MaxAge: time.Minute}
	case 8:
		a.Guards = []routing.Guard{{Kind: rapid.SampledFrom([]string{routing.GuardBasicAuth, routing.GuardRateLimit}).Draw(t, "guard")}}
	case 9:
		a = &routing.Action{Respond: &routing.Response{Status: rapid.SampledFrom([]int{404, 403, 200}).Draw(t, "answer")}}
	}
	return a
}

// roundTrip holds Compile(Emit(table)) to the table on random requests: the
// decision is the same, or a note says what is not kept of a rule that decides.
func roundTrip(t *rapid.T) {
	table := routingTable(t)
	o := emit.Options{Version: rapid.SampledFrom(gatewayapi.Versions).Draw(t, "version"), Channel: rapid.SampledFrom([]gatewayapi.Channel{gatewayapi.Standard, gatewayapi.Experimental}).Draw(t, "channel"),
		AllowUnguarded: rapid.Bool().Draw(t, "open"), DefaultCertificate: "certs/default"}
	out := emit.Emit(table, o)
	compiled := compile.Compile(out.Objects, compile.Options{Reading: migrate.Usual})
	for _, p := range compiled.Problems {
		t.Fatalf("the output does not hold together: %s %s: %s: %s", p.Object, p.Path, p.Reason, p.Message)
	}
	noted := map[routing.ObjectRef]bool{}
	for _, n := range out.Notes {
		if n.Fate != emit.Kept {
			noted[n.Origin.Object] = true
		}
	}
	from := map[emit.Target][]routing.ObjectRef{}
	for rule, places := range out.Placements {
		for _, p := range places {
			from[p] = append(from[p], rule.Origin.Object)
		}
	}
	for range 30 {
		r := &routing.Request{Scheme: rapid.SampledFrom([]string{"http", "https"}).Draw(t, "asked scheme"), Host: rapid.SampledFrom(askedHosts).Draw(t, "asked host"),
			Path: rapid.SampledFrom(askedPaths).Draw(t, "asked path"), Method: rapid.SampledFrom([]string{"GET", "POST", "OPTIONS"}).Draw(t, "asked method")}
		if v := rapid.SampledFrom([]string{"", "1", "12", "2"}).Draw(t, "asked value"); v != "" {
			r.Headers = map[string]string{"X-A": v}
		}
		before, after := table.Route(r), compiled.Table.Route(r)
		aspects := verify.Differ(&before, &after)
		if aspects == 0 {
			continue
		}
		told := before.Why != nil && noted[before.Why.Origin.Object]
		if after.Why != nil {
			at := after.Why.Origin
			for _, o := range from[emit.Target{Kind: at.Object.Kind, Namespace: at.Object.Namespace, Name: at.Object.Name, Path: at.Path}] {
				told = told || noted[o]
			}
		}
		if !told {
			t.Fatalf("%s: %s (before: %s; after: %s), and no note says so\n%s", probe(r), aspects, why(before), why(after), notesOf(out))
		}
	}
}

func notesOf(r *emit.Result) string {
	s := ""
	for _, n := range r.Notes {
		s += fmt.Sprintf("# %s %s: %s\n", n.Origin.Object, n.Feature, n.Message)
	}
	return s
}

// TestRoundTrip runs roundTrip on drawn tables; FuzzRoundTrip on what the
// fuzzer finds.
func TestRoundTrip(t *testing.T) { rapid.Check(t, roundTrip) }

func FuzzRoundTrip(f *testing.F) { f.Fuzz(rapid.MakeFuzz(roundTrip)) }

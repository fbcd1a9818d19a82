package oracle

import (
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/causeway-gateway/causeway/routing"
)

// seeds is how many random inputs TestRandom tries; a nightly run tries more:
// go test -run TestRandom -args -seeds 2000 -first 1000.
var (
	seeds = flag.Int("seeds", 60, "random inputs to try")
	first = flag.Int("first", 0, "the first of them")
)

// TestRandom holds the front end and the migration to pilot on VirtualServices
// that nobody wrote: prefixes of each other, conditions of every kind, several
// objects on one host.
func TestRandom(t *testing.T) {
	tried := 0
	for i := *first; i < *first+*seeds; i++ {
		t.Run(fmt.Sprint("seed ", i), func(t *testing.T) {
			istio := objects.Example(i)
			if _, err := parse(istio); err != nil {
				t.Log("Istio refuses it: ", err)
				return
			}
			tried++
			if _, err := judge(t, istio, requests.Example(i)); err != nil {
				t.Errorf("%v\n%s", err, istio)
			}
		})
	}
	if tried < *seeds/2 {
		t.Errorf("Istio admits %d of %d inputs only: the test says little", tried, *seeds)
	}
	t.Logf("%d inputs that Istio admits", tried)
}

type fields = map[string]any

var (
	paths   = []string{"/", "/a", "/a/", "/a/b", "/ab", "/b", "/A", "/a.b", "/v1+x"}
	regexes = []string{"/a.*", "/[ab]", "/a/[^/]+", ".*", "/(a|b)/b", "/a|/b", "(?i)/A", "/a/?.*"}
	values  = []string{"1", "ab", "a", "b", "A", ""}
)

// sometimes is a value one time in n, else none.
func sometimes(t *rapid.T, n int) bool { return rapid.IntRange(0, n-1).Draw(t, "sometimes") == 0 }

func pick[T any](t *rapid.T, list ...T) T { return rapid.SampledFrom(list).Draw(t, "pick") }

func condition(t *rapid.T, exact []string, regex []string, present bool) fields {
	switch n := rapid.IntRange(0, 4).Draw(t, "kind"); {
	case n == 0 && present:
		return fields{}
	case n == 1:
		return fields{"regex": pick(t, regex...)}
	case n <= 3:
		if prefix := pick(t, exact...); prefix != "" { // which Istio refuses
			return fields{"prefix": prefix}
		}
	}
	return fields{"exact": pick(t, exact...)}
}

func match(t *rapid.T, mesh bool) fields {
	m := fields{}
	if !sometimes(t, 3) {
		m["uri"] = condition(t, paths, regexes, false)
		if sometimes(t, 6) {
			m["ignoreUriCase"] = true
		}
	}
	words := []string{"a|b", "a.*", ".*", "[0-9]+", "b?"}
	for _, k := range []string{"headers", "withoutHeaders", "queryParams"} {
		if sometimes(t, 4) {
			x := fields{pick(t, "x-t", "x-u"): condition(t, values, words, k != "queryParams")}
			if sometimes(t, 4) {
				x["x-v"] = condition(t, values, words, k != "queryParams")
			}
			m[k] = x
		}
	}
	if sometimes(t, 5) {
		m["method"] = condition(t, []string{"GET", "POST", "P"}, []string{"GET|POST", "P.*"}, false)
	}
	if sometimes(t, 8) {
		m["scheme"] = condition(t, []string{"http", "https"}, []string{"https?"}, false)
	}
	if sometimes(t, 8) {
		m["authority"] = condition(t, []string{"www.test", "www", "a.test"}, []string{`.*\.test`, "www.*"}, false)
	}
	if sometimes(t, 8) {
		m["port"] = pick(t, 80, 8080)
	}
	if sometimes(t, 8) {
		m["gateways"] = []string{pick(t, "edge", "shop/edge", "second", "mesh")}
	}
	if sometimes(t, 10) {
		m["sourceLabels"] = fields{"istio": pick(t, "ingressgateway", "other")}
	}
	if sometimes(t, 12) {
		m["sourceNamespace"] = pick(t, "istio-system", "other")
	}
	if mesh {
		delete(m, "authority")
	}
	return m
}

func destination(t *rapid.T) fields {
	d := fields{"host": pick(t, "web", "api", "beta", "two", "web.other.svc.cluster.local", "api.other.svc.cluster.local")}
	if sometimes(t, 3) {
		d["port"] = fields{"number": pick(t, 80, 80, 8080)}
	}
	if sometimes(t, 6) {
		d["host"], d["subset"] = "web", pick(t, "v1", "v2")
	}
	return d
}

func headers(t *rapid.T) fields {
	out := fields{}
	for _, side := range []string{"request", "response"} {
		if sometimes(t, 2) {
			x := fields{}
			if sometimes(t, 2) {
				x["set"] = fields{pick(t, "x-a", "x-b", map[string]string{"request": "Host", "response": "x-c"}[side]): "set"}
			}
			if sometimes(t, 2) {
				x["add"] = fields{pick(t, "x-a", "x-b"): "add"}
			}
			if sometimes(t, 2) {
				x["remove"] = []string{pick(t, "x-a", "x-c")}
			}
			out[side] = x
		}
	}
	return out
}

func httpRoute(t *rapid.T, mesh bool) fields {
	r := fields{}
	if n := rapid.IntRange(0, 3).Draw(t, "matches"); n > 0 {
		var list []fields
		for range n {
			list = append(list, match(t, mesh))
		}
		r["match"] = list
	}
	switch rapid.IntRange(0, 9).Draw(t, "action") {
	case 0:
		x := fields{}
		if sometimes(t, 2) {
			x["uri"] = pick(t, "/new", "/n?x=1", "/")
		}
		if sometimes(t, 2) {
			x["authority"] = pick(t, "other.test", "other.test:8443")
		}
		if sometimes(t, 3) {
			x["scheme"] = pick(t, "https", "http")
		}
		if sometimes(t, 3) {
			x["port"] = pick(t, 80, 443, 8443)
		} else if sometimes(t, 4) {
			x["derivePort"] = pick(t, "FROM_REQUEST_PORT", "FROM_PROTOCOL_DEFAULT")
		}
		if sometimes(t, 3) {
			x["redirectCode"] = pick(t, 302, 307, 308, 303)
		}
		if len(x) == 0 {
			x["uri"] = "/else"
		}
		r["redirect"] = x
		return r
	case 1:
		r["directResponse"] = fields{"status": pick(t, 200, 404, 503)}
		return r
	}
	routes := []fields{{"destination": destination(t)}}
	if sometimes(t, 4) {
		routes[0]["weight"] = pick(t, 30, 50, 100)
		routes = append(routes, fields{"destination": destination(t), "weight": pick(t, 70, 0, 1)})
		if sometimes(t, 3) {
			routes[1]["headers"] = headers(t)
		}
	} else if sometimes(t, 6) {
		routes[0]["headers"] = headers(t)
	}
	r["route"] = routes
	if sometimes(t, 4) {
		x := fields{}
		switch rapid.IntRange(0, 3).Draw(t, "rewrite") {
		case 0:
			x["authority"] = "internal.test"
		case 1:
			x["uriRegexRewrite"] = fields{"match": pick(t, "^/a(.*)$", "/([a-z]+)", "^/a/(.*)"), "rewrite": pick(t, `/x\1`, "/y", `/z/\1`)}
		default:
			x["uri"] = pick(t, "/", "/x")
		}
		r["rewrite"] = x
	}
	if sometimes(t, 6) {
		r["headers"] = headers(t)
	}
	if sometimes(t, 8) {
		r["timeout"] = pick(t, "2s", "1.5s")
	}
	if sometimes(t, 8) {
		r["retries"] = pick(t, fields{"attempts": 0}, fields{"attempts": 3, "perTryTimeout": "1s"}, fields{"attempts": 2, "retryOn": "5xx,503"})
	}
	if sometimes(t, 8) {
		r["mirror"] = destination(t)
		if sometimes(t, 2) {
			r["mirrorPercentage"] = fields{"value": pick(t, 0.0, 10.0, 12.5)}
		}
	}
	if sometimes(t, 10) {
		r["corsPolicy"] = fields{"allowOrigins": []fields{{"exact": "https://a.test"}}, "allowMethods": []string{"GET"}}
	}
	return r
}

// objects draws Gateways, VirtualServices and a DestinationRule.
var objects = rapid.Custom(func(t *rapid.T) string {
	object := func(kind, namespace, name string, spec fields) string {
		text, err := json.Marshal(fields{"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": fields{"namespace": namespace, "name": name}, "spec": spec})
		if err != nil {
			panic(err)
		}
		return string(text)
	}
	gateway := func(name string, port int) string {
		s := fields{"port": fields{"number": port, "name": fmt.Sprint("http-", port), "protocol": "HTTP"}, "hosts": pick(t, []string{"*"}, []string{"*"}, []string{"*.test"}, []string{"shop/*", "other/b.example"}, []string{"www.test", "*.a.test"}, []string{"./*.test"})}
		return object("Gateway", "shop", name, fields{"selector": fields{"istio": "ingressgateway"}, "servers": []fields{s}})
	}
	out := []string{
		gateway("edge", 80), gateway("second", pick(t, 8080, 80)),
		object("DestinationRule", "shop", "web", fields{"host": "web", "subsets": []fields{{"name": "v1", "labels": fields{"version": "v1"}}, {"name": "v2", "labels": fields{"version": "v2"}}}}),
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "services") {
		ns := pick(t, "shop", "shop", "other")
		spec := fields{"gateways": pick(t, []string{"shop/edge"}, []string{"shop/edge"}, []string{"shop/edge", "shop/second"}, []string{"shop/second"})}
		mesh := sometimes(t, 6)
		if mesh {
			spec["gateways"], spec["hosts"] = []string{"mesh"}, []string{pick(t, "web", "api")}
		} else {
			hosts := []string{pick(t, "www.test", "*.test", "x.a.test", "*", "b.example", "*.a.test")}
			if sometimes(t, 4) && hosts[0] != "*" {
				hosts = append(hosts, "c.example")
			}
			spec["hosts"] = hosts
		}
		if sometimes(t, 8) {
			spec["exportTo"] = pick(t, []string{"."}, []string{"*"}, []string{"istio-system"}, []string{"other"})
		}
		var http []fields
		for range rapid.IntRange(1, 4).Draw(t, "routes") {
			http = append(http, httpRoute(t, mesh))
		}
		spec["http"] = http
		out = append(out, object("VirtualService", ns, fmt.Sprint("v", i), spec))
	}
	return strings.Join(out, "\n---\n")
})

// requests draws requests that no table suggested.
var requests = rapid.Custom(func(t *rapid.T) []routing.Request {
	var out []routing.Request
	for range 120 {
		r := routing.Request{Scheme: "http", Method: pick(t, "GET", "GET", "POST", "PUT"), Host: pick(t, "www.test", "x.a.test", "b.example", "c.example", "d.test", "y.x.a.test", "elsewhere.example"), Headers: map[string]string{},
			Path: pick(t, "/", "/a", "/a/", "/a/b", "/ab", "/b", "/a/b/c", "/A", "/a.b", "/axb", "/v1+x/y", "/zz") + pick(t, "", "", "?x-t=1", "?x-t=ab&x-u=a")}
		if sometimes(t, 4) {
			r.Port = 8080
		}
		for _, h := range []string{"x-t", "x-u", "x-v"} {
			if sometimes(t, 2) {
				r.Headers[h] = pick(t, "1", "ab", "a", "b", "A", "")
			}
		}
		out = append(out, r)
	}
	return out
})

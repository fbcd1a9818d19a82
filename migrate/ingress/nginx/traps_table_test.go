package nginx_test

import "github.com/causeway-gateway/causeway/migrate/ingress/nginx"

type trap struct {
	name      string
	ingresses []manifest
	options   nginx.Options
	asked     [][2]string // request and answer
}

var traps = []trap{
	{name: "01 regex mode is per host", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "use-regex: true", paths: "ImplementationSpecific /x[0-9]+ api"},
		{name: "b", host: "a.test", age: 1, paths: "Exact /login web"},
		{name: "c", host: "b.test", paths: "Exact /login web"},
	}, asked: [][2]string{
		{"a.test/loginX", "web"}, {"a.test/LOGIN", "web"}, {"a.test/x12y", "api"},
		{"b.test/loginX", "404"}, {"b.test/LOGIN", "404"}, {"b.test/login", "web"},
	}},
	{name: "02 regexes are unescaped and longest first", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "use-regex: true", paths: "ImplementationSpecific /v1.0 api\nImplementationSpecific /v1 web"},
		{name: "b", host: "a.test", age: 1, paths: "ImplementationSpecific /ab cart\nImplementationSpecific /a. canary"},
	}, asked: [][2]string{
		{"a.test/v1x0", "api"}, {"a.test/v1x", "web"}, {"a.test/ab", "cart"}, {"a.test/az", "canary"},
	}},
	{name: "03 exact first then the longest prefix", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix / web\nPrefix /a api\nPrefix /a/b cart\nExact /a/b/c canary"},
	}, asked: [][2]string{
		{"a.test/a/b/c", "canary"}, {"a.test/a/b/c/", "cart"}, {"a.test/a/b", "cart"}, {"a.test/a/x", "api"}, {"a.test/x", "web"},
	}},
	{name: "04 a prefix is two locations", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix /foo api\nExact /foo web"},
	}, asked: [][2]string{
		{"a.test/foo", "web"}, {"a.test/foo/", "api"}, {"a.test/foo/x", "api"}, {"a.test/foobar", "404"},
	}},
	{name: "05 ImplementationSpecific matches by path element", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "ImplementationSpecific /foo api"},
	}, asked: [][2]string{{"a.test/foo", "api"}, {"a.test/foo/x", "api"}, {"a.test/foobar", "404"}}},
	{name: "06 a path with a slash redirects the path without", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix /foo/ api"},
		{name: "r", host: "r.test", annotations: "use-regex: true", paths: "ImplementationSpecific /foo/ api"},
	}, asked: [][2]string{{"a.test/foo", "301 http://a.test/foo/"}, {"a.test/foo/x", "api"}, {"r.test/foo", "404"}}},
	{name: "07 rewrite-target", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "rewrite-target: /$2", paths: "ImplementationSpecific /api(/|$)(.*) api"},
	}, asked: [][2]string{
		{"a.test/api/x/y?z=1", "api as /x/y?z=1"}, {"a.test/API/x", "api as /x"}, {"a.test/api", "api as /"},
		{"a.test/api/a%2Fb", "api as /a/b"},
	}},
	{name: "07 rewrite-target with a URL redirects before HTTPS and access control", ingresses: []manifest{
		{name: "a", host: "a.test", tls: "a.test", annotations: "rewrite-target: https://new.test/$1\nwhitelist-source-range: 10.0.0.0/8", paths: "ImplementationSpecific /(.*) api"},
		{name: "b", host: "b.test", annotations: "rewrite-target: $scheme://new.test:8443/x/$2", paths: "ImplementationSpecific /old(/|$)(.*) api"},
		{name: "v", host: "v.test", annotations: "rewrite-target: https://$host/new", paths: "ImplementationSpecific /old api"},
		{name: "r", host: "r.test", annotations: "rewrite-target: https://new.test/\npermanent-redirect: https://first.test/", paths: "Prefix /in api"},
		{name: "d", host: "d.test", annotations: "rewrite-target: https://new.test/in", paths: "Prefix /in api"},
	}, asked: [][2]string{
		{"a.test/x/y?z=1 | source: 192.0.2.1", "302 https://new.test/x/y?z=1"}, {"https://a.test/x", "302 https://new.test/x"},
		{"b.test/old/k?z=1", "302 http://new.test:8443/x/k?z=1"}, {"https://b.test/OLD", "302 https://new.test:8443/x/"},
		{"v.test/old?z=1", "302 https://v.test/new?z=1"}, {"v.test/old", "302 https://v.test/new"},
		{"r.test/in", "301 https://first.test/"}, // return stands before rewrite in nginx.tmpl
		{"d.test/in/x", "302 https://new.test/in"}, {"d.test/other", "302 https://new.test/in"},
	}},
	{name: "07 rewrite-target with a query, before v1.12", options: nginx.Options{Release: "1.11"}, ingresses: []manifest{
		{name: "q", host: "q.test", annotations: "rewrite-target: /x?y=1", paths: "Prefix /in api"},
	}, asked: [][2]string{{"q.test/in?z=2", "api as /x?y=1&z=2"}}},
	{name: "08 one server per host across namespaces", ingresses: []manifest{
		{name: "young", host: "a.test", age: 5, paths: "Prefix /x web"},
		{ns: "other", name: "old", host: "a.test", age: 1, paths: "Prefix /x api\nPrefix /y api"},
		{name: "third", host: "a.test", age: 6, paths: "Exact /x cart"},
	}, asked: [][2]string{{"a.test/x/1", "other/api"}, {"a.test/y", "other/api"}, {"a.test/x", "cart"}}},
	{name: "09 the implicit root of a host", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "whitelist-source-range: 10.0.0.0/8", paths: "Prefix /in api"},
		{name: "d", host: "d.test", age: 1, fallback: "web", paths: "Prefix /in api"},
		{name: "any", age: 2, fallback: "cart"},
	}, asked: [][2]string{
		{"a.test/other | source: 192.0.2.1", "403 if allow-sources"}, {"d.test/other", "web"}, {"unknown.test/x", "cart"}, {"a.test/in | source: 10.1.1.1", "api if allow-sources"},
	}},
	{name: "10 HTTPS answers for every host", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix / api"},
	}, asked: [][2]string{{"https://a.test/", "api"}, {"https://unknown.test/", "404"}}},
	{name: "11 any tls section redirects every host of the ingress", ingresses: []manifest{
		{name: "a", host: "a.test", tls: "z.test", paths: "Prefix / api"},
		{name: "z", host: "z.test", age: 1, paths: "Prefix / web"},
		{name: "f", host: "f.test", age: 2, annotations: "force-ssl-redirect: true", paths: "Prefix / cart"},
	}, asked: [][2]string{
		{"a.test/x", "308 https://a.test/x"}, {"https://a.test/x", "api"}, {"z.test/x", "web"},
		{"f.test/x", "308 https://f.test/x"}, {"f.test/x | X-Forwarded-Proto: https", "308 https://f.test/x"},
	}},
	{name: "11 the certificate of a wildcard redirects the hosts below it", ingresses: []manifest{
		{name: "w", host: "*.a.test", tls: "*.a.test", paths: "Prefix / api"},
		{name: "b", host: "b.a.test", age: 1, paths: "Prefix / web"},
		{name: "d", host: "d.b.a.test", age: 2, paths: "Prefix / cart"},
	}, asked: [][2]string{{"b.a.test/x", "308 https://b.a.test/x"}, {"https://b.a.test/x", "web"}, {"d.b.a.test/x", "cart"}}},
	{name: "12 redirects cut one trailing slash", ingresses: []manifest{
		{name: "a", host: "a.test", tls: "a.test", paths: "Prefix / api"},
		{name: "p", host: "p.test", tls: "p.test", annotations: "preserve-trailing-slash: true", paths: "Prefix / api"},
	}, asked: [][2]string{
		{"a.test/x/", "308 https://a.test/x"}, {"a.test/x?y=/", "308 https://a.test/x?y="}, {"p.test/x/", "308 https://p.test/x/"},
	}},
	{name: "13 order of phases", ingresses: []manifest{
		{name: "a", host: "a.test", tls: "a.test", annotations: "permanent-redirect: https://new.test/p\ntemporal-redirect: https://new.test/t", paths: "Prefix / api"},
		{name: "l", host: "l.test", tls: "l.test", annotations: "whitelist-source-range: 10.0.0.0/8", paths: "Prefix / api"},
		{name: "c", host: "c.test", annotations: "enable-cors: true\ncors-allow-origin: https://ok.test\nwhitelist-source-range: 10.0.0.0/8", paths: "Prefix / api"},
	}, asked: [][2]string{
		{"a.test/x", "302 https://new.test/t"}, {"l.test/x | source: 192.0.2.1", "308 https://l.test/x"},
		{"https://l.test/x | source: 192.0.2.1", "403 if allow-sources"},
		{"OPTIONS c.test/x | Origin: https://ok.test | source: 192.0.2.1", "204"},
		{"OPTIONS c.test/x | Origin: https://evil.test | source: 10.0.0.1", "api if allow-sources"},
	}},
	{name: "14 permanent-redirect is literal", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "permanent-redirect: https://new.test/p\npermanent-redirect-code: 307", paths: "Prefix /old api"},
	}, asked: [][2]string{
		{"a.test/old/x?q=1", "307 https://new.test/p"}, {"a.test/other", "307 https://new.test/p"}, // the implicit root, trap 09
	}},
	{name: "14 variables in a redirect, before v1.12", options: nginx.Options{Release: "1.11"}, ingresses: []manifest{
		{name: "u", host: "u.test", annotations: "permanent-redirect: https://new.test$request_uri", paths: "Prefix / api"},
	}, asked: [][2]string{{"u.test/x?y=1", "301 https://new.test/x?y=1"}}},
	{name: "15 from-to-www-redirect", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "from-to-www-redirect: true", paths: "Prefix / api"},
		{name: "b", host: "b.test", annotations: "from-to-www-redirect: true", paths: "Prefix / api"},
		{name: "w", host: "www.b.test", paths: "Prefix / web"},
	}, asked: [][2]string{{"www.a.test/x", "308 http://a.test:80/x"}, {"www.b.test/x", "web"}}},
	{name: "16 server-alias yields to a server", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "server-alias: alias.test,b.test", paths: "Prefix / api"},
		{name: "b", host: "b.test", paths: "Prefix / web"},
	}, asked: [][2]string{{"alias.test/x", "api"}, {"b.test/x", "web"}}},
	{name: "17 canary by header, cookie and weight", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix / api"},
		{ns: "other", name: "c", host: "a.test", age: 1, annotations: "canary: true\ncanary-by-header: X-Canary\ncanary-by-cookie: beta\ncanary-weight: 20", paths: "Prefix / canary"},
		{name: "lost", host: "a.test", age: 2, annotations: "canary: true\ncanary-weight: 50", paths: "Prefix /none canary"},
	}, asked: [][2]string{
		{"a.test/ | X-Canary: always", "other/canary"}, {"a.test/ | X-Canary: never", "api"},
		{"a.test/ | Cookie: beta=always", "other/canary"}, {"a.test/ | X-Canary: maybe", "api=0.8 other/canary=0.2"}, {"a.test/none", "api=0.8 other/canary=0.2"},
	}},
	{name: "18 access control fails closed", ingresses: []manifest{
		{name: "list", host: "a.test", annotations: "whitelist-source-range: nonsense", paths: "Prefix / api"},
		{name: "url", host: "b.test", annotations: "auth-url: //nowhere", paths: "Prefix / api"},
		{name: "deny", host: "c.test", annotations: "denylist-source-range: 10.0.0.1/32\nwhitelist-source-range: 10.0.0.0/8", paths: "Prefix / api"},
	}, asked: [][2]string{{"a.test/", "503"}, {"b.test/", "503"}, {"c.test/ | source: 10.0.0.1", "403 if deny-sources if allow-sources"}}},
	{name: "20 a backend port by number or name", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix /number multi:8080\nPrefix /name multi:admin\nPrefix /target multi:http\nPrefix /targetnum multi:7070\nPrefix /none multi:1"},
	}, asked: [][2]string{
		{"a.test/number", "multi:8080"}, {"a.test/name", "multi:9090"}, {"a.test/target", "multi:8080"}, {"a.test/targetnum", "503"}, {"a.test/none", "503"},
	}},
	{name: "21 passthrough is inert without the flag", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "ssl-passthrough: true", paths: "Prefix / api"},
		{name: "r", host: "r.test", annotations: "use-regex: yes", paths: "ImplementationSpecific /x.y api"},
	}, asked: [][2]string{{"https://a.test/", "api"}, {"r.test/xzy", "404"}}},
	{name: "22 paths are normalised before matching", ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix /a api\nPrefix /b web"},
	}, asked: [][2]string{{"a.test/b/../a/x", "api"}, {"a.test//a", "api"}, {"a.test/%61/x", "api"}}},
	{name: "23 an invalid annotation drops the whole ingress", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "limit-rps: many", paths: "Prefix / api"},
		{name: "b", host: "b.test", annotations: "configuration-snippet: return 200;", paths: "Prefix / api"},
	}, asked: [][2]string{{"a.test/", "404"}, {"b.test/", "404"}}},
	{name: "18 an access list without a value denies, its alias without one is absent", ingresses: []manifest{
		{name: "a", host: "a.test", annotations: "allowlist-source-range: ", paths: "Prefix / api"},
		{name: "d", host: "d.test", annotations: "denylist-source-range: ", paths: "Prefix / api"},
		{name: "w", host: "w.test", annotations: "whitelist-source-range: ", paths: "Prefix / api"},
		{name: "b", host: "b.test", annotations: "allowlist-source-range: \nwhitelist-source-range: 10.0.0.0/8", paths: "Prefix / api"},
		{name: "n", host: "n.test", annotations: "proxy-body-size: 0", paths: "Prefix / api"},
	}, asked: [][2]string{
		{"a.test/x", "503"}, {"d.test/x", "503"}, {"w.test/x", "api"}, {"b.test/x | source: 10.1.1.1", "api if allow-sources"},
		{"n.test/x", "api"}, // 0 is no limit, so no guard
	}},
	{name: "18 block-cidrs stands where a location has no access list", options: nginx.Options{Config: map[string]string{"block-cidrs": "192.0.2.0/24"}}, ingresses: []manifest{
		{name: "a", host: "a.test", paths: "Prefix / api"},
		{name: "w", host: "w.test", annotations: "whitelist-source-range: 192.0.2.0/28", paths: "Prefix / api"},
	}, asked: [][2]string{
		{"a.test/x | source: 192.0.2.1", "403 if deny-sources"}, {"a.test/x | source: 10.1.1.1", "api if deny-sources"},
		{"w.test/x | source: 192.0.2.1", "api if allow-sources"},
	}},
}

package oracle

// testCase is one feature: the specification of a VirtualService shop/v, or
// whole objects, and what becomes of its requests.
type testCase struct {
	name    string
	mesh    bool
	vs      string // spec of shop/v, whose gateways are edge, or the mesh
	servers string // of Gateway shop/edge; plain HTTP for every host when empty
	more    string // further objects
	// differs names the aspects of decisions that are not the same after the
	// migration, as the ledger announces; empty means all are.
	differs string
}

// web sends everything to the Service web.
const web = `route: [{destination: {host: web}}]`

var cases = []testCase{
	// Edge: which requests a rule takes.
	{name: "catch-all", vs: `{hosts: [www.test], http: [{` + web + `}]}`},
	{name: "exact path", vs: `{hosts: [www.test], http: [{match: [{uri: {exact: /a}}], ` + web + `}]}`},
	{name: "prefix without a slash takes longer names", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "prefix with a slash leaves the bare path", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a/}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "prefix with characters of expressions", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /v1.0+}}], ` + web + `}]}`},
	{name: "regex", vs: `{hosts: [www.test], http: [{match: [{uri: {regex: '/[a-c]+/x'}}], ` + web + `}]}`},
	{name: "regex before prefix", vs: `{hosts: [www.test], http: [{match: [{uri: {regex: '/a/.*z'}}], ` + web + `}, {match: [{uri: {prefix: /a}}], route: [{destination: {host: api}}]}]}`},
	{name: "exact after the prefix that hides it", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a}}], ` + web + `}, {match: [{uri: {exact: /a/b}}], route: [{destination: {host: api}}]}]}`},
	{name: "longer prefix after a shorter one", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a}, headers: {x-t: {exact: "1"}}}], ` + web + `}, {match: [{uri: {prefix: /a/b}}], route: [{destination: {host: api}}]}, {route: [{destination: {host: beta}}]}]}`},
	{name: "case of the path ignored", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /Cart}, ignoreUriCase: true}], ` + web + `}]}`},
	{name: "header exact", vs: `{hosts: [www.test], http: [{match: [{headers: {x-t: {exact: a}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "header prefix", vs: `{hosts: [www.test], http: [{match: [{headers: {x-t: {prefix: ab}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "header regex", vs: `{hosts: [www.test], http: [{match: [{headers: {x-t: {regex: 'a|b.*'}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "header present", vs: `{hosts: [www.test], http: [{match: [{headers: {x-t: {}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "withoutHeaders exact", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a}, withoutHeaders: {x-k: {exact: bad}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "withoutHeaders present", vs: `{hosts: [www.test], http: [{match: [{withoutHeaders: {x-k: {}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "withoutHeaders that an empty value fits", vs: `{hosts: [www.test], http: [{match: [{withoutHeaders: {x-k: {regex: '.*'}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "query exact, prefix and regex", vs: `{hosts: [www.test], http: [{match: [{queryParams: {v: {exact: "1"}}}], ` + web + `}, {match: [{queryParams: {v: {regex: '[0-9]+'}}}], route: [{destination: {host: api}}]}, {match: [{queryParams: {w: {prefix: ab}}}], route: [{destination: {host: beta}}]}]}`},
	{name: "method exact", vs: `{hosts: [www.test], http: [{match: [{method: {exact: DELETE}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "method regex", vs: `{hosts: [www.test], http: [{match: [{method: {regex: 'PUT|PATCH'}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "scheme", vs: `{hosts: [www.test], http: [{match: [{scheme: {exact: https}}], ` + web + `}, {match: [{scheme: {exact: http}}], route: [{destination: {host: api}}]}]}`},
	{name: "authority below a wildcard", vs: `{hosts: ["*.test"], http: [{match: [{authority: {exact: admin.test}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "authority pattern below a wildcard", differs: "status, backends", vs: `{hosts: ["*.test"], http: [{match: [{uri: {prefix: /a/}, authority: {prefix: beta.}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "several matches, one empty", vs: `{hosts: [www.test], http: [{match: [{uri: {exact: /a}}, {}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	{name: "port of the gateway", servers: `[{port: {number: 80, name: a, protocol: HTTP}, hosts: ["*"]}, {port: {number: 8080, name: b, protocol: HTTP}, hosts: ["*"]}]`,
		vs: `{hosts: [www.test], http: [{match: [{port: 8080}], ` + web + `}, {match: [{port: 80}], route: [{destination: {host: api}}]}]}`},
	{name: "labels of the gateway", vs: `{hosts: [www.test], http: [{match: [{sourceLabels: {istio: ingressgateway}, uri: {prefix: /a/}}], ` + web + `}, {match: [{sourceLabels: {app: other}, uri: {prefix: /b/}}], route: [{destination: {host: api}}]}]}`},
	{name: "host as a header", vs: `{hosts: ["*.test"], http: [{match: [{headers: {host: {exact: a.test}}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`},
	// Edge: hosts and gateways.
	{name: "wildcards of several lengths", vs: `{hosts: ["*.test"], http: [{` + web + `}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: w, namespace: shop}, spec: {hosts: ["*.a.test", "b.example"], gateways: [edge], http: [{route: [{destination: {host: api}}]}]}}`},
	{name: "two VirtualServices on one host", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a}}], ` + web + `}, {route: [{destination: {host: web}}]}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: w, namespace: shop}, spec: {hosts: [www.test], gateways: [edge], http: [{match: [{uri: {prefix: /b}}], route: [{destination: {host: api}}]}, {route: [{destination: {host: beta}}]}]}}`},
	{name: "hosts that the gateway admits", servers: `[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop/*.test", "other/b.example"]}]`, vs: `{hosts: [a.test, b.example], http: [{` + web + `}]}`},
	{name: "exportTo hides from the gateway", vs: `{hosts: [www.test], exportTo: ["."], http: [{` + web + `}]}`},
	{name: "two gateways, one VirtualService", vs: `{hosts: [www.test], gateways: [edge, second], http: [{match: [{gateways: [second], uri: {prefix: /only}}], ` + web + `}, {route: [{destination: {host: api}}]}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: second, namespace: shop}, spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}}`},
	{name: "delegate", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /d}}], delegate: {name: child, namespace: other}}, {` + web + `}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: child, namespace: other}, spec: {http: [{match: [{uri: {prefix: /d/one}}], route: [{destination: {host: api}}]}, {match: [{headers: {x-u: {exact: b}}}], route: [{destination: {host: web}}]}]}}`},
	{name: "HTTPS with a certificate", servers: `[{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*.test"], tls: {mode: SIMPLE, credentialName: cert}}]`, vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: api}}]}]}`},
	{name: "httpsRedirect", servers: `[{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.test"], tls: {httpsRedirect: true}}, {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*.test"], tls: {mode: SIMPLE, credentialName: cert}}]`, vs: `{hosts: [www.test], http: [{route: [{destination: {host: api}}]}]}`},
	{name: "TLS passthrough", servers: `[{port: {number: 443, name: tls, protocol: TLS}, hosts: ["*.test"], tls: {mode: PASSTHROUGH}}]`, vs: `{hosts: [www.test], tls: [{match: [{sniHosts: [www.test], port: 443}], route: [{destination: {host: web, port: {number: 80}}}]}]}`},
	{name: "TLS match with a name that is taken", servers: `[{port: {number: 443, name: tls, protocol: TLS}, hosts: ["*.test"], tls: {mode: PASSTHROUGH}}]`, vs: `{hosts: [a.test, b.test], tls: [{match: [{sniHosts: [a.test]}], route: [{destination: {host: web, port: {number: 80}}}]}, {match: [{sniHosts: [a.test, b.test]}], route: [{destination: {host: api, port: {number: 80}}}]}]}`},
	{name: "TCP", servers: `[{port: {number: 9000, name: tcp, protocol: TCP}, hosts: ["*"]}]`, vs: `{hosts: ["*"], tcp: [{match: [{port: 9000}], route: [{destination: {host: web, port: {number: 80}}, weight: 75}, {destination: {host: api, port: {number: 80}}, weight: 25}]}]}`},
	// Edge: what happens to requests.
	{name: "weights", vs: `{hosts: [www.test], http: [{route: [{destination: {host: web}, weight: 1}, {destination: {host: api}, weight: 2}, {destination: {host: beta}, weight: 0}]}]}`},
	{name: "destination port", vs: `{hosts: [www.test], http: [{route: [{destination: {host: two, port: {number: 8080}}}]}]}`},
	{name: "Service of another namespace", vs: `{hosts: [www.test], http: [{route: [{destination: {host: web.other.svc.cluster.local}}]}]}`},
	{name: "destination that does not exist", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /a/}}], route: [{destination: {host: nobody}}]}, {` + web + `}]}`, differs: "status"},
	{name: "subsets", vs: `{hosts: [www.test], http: [{route: [{destination: {host: web, subset: v1}, weight: 90}, {destination: {host: web, subset: v2}, weight: 10}]}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: web, namespace: shop}, spec: {host: web, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}}`},
	{name: "defaults of the mesh come after the rules of the Service", vs: `{hosts: [www.test], http: [{route: [{destination: {host: web, subset: v1}}]}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: default, namespace: istio-system}, spec: {host: "*.local", trafficPolicy: {connectionPool: {tcp: {maxConnections: 9}}}}}` + "\n---\n" +
			`{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: web, namespace: shop}, spec: {host: web, subsets: [{name: v1, labels: {version: v1}}]}}`},
	{name: "destination below the wildcard of a ServiceEntry", differs: "status", vs: `{hosts: [www.test], http: [{route: [{destination: {host: x.partner.example}}]}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: partner, namespace: shop}, spec: {hosts: ["*.partner.example"], ports: [{number: 80, name: http, protocol: HTTP}], resolution: NONE}}`},
	{name: "consistent hash", differs: "affinity", vs: `{hosts: [www.test], http: [{` + web + `}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: web, namespace: shop}, spec: {host: web, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}}`},
	{name: "redirect with every field", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /old}}], redirect: {uri: /new, authority: other.test, scheme: https, port: 8443, redirectCode: 302}}, {` + web + `}]}`},
	{name: "redirect to the port of the request", vs: `{hosts: [www.test], http: [{redirect: {authority: other.test, derivePort: FROM_REQUEST_PORT}}]}`},
	{name: "direct response", differs: "status", vs: `{hosts: [www.test], http: [{match: [{uri: {exact: /gone}}], directResponse: {status: 410}}, {` + web + `}]}`},
	{name: "rewrite of a prefix with slashes", differs: "status, backends", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /api/}}], rewrite: {uri: /}, ` + web + `}]}`},
	{name: "rewrite of a prefix without a slash", differs: "status, backends, uri", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /api}}], rewrite: {uri: /}, ` + web + `}, {match: [{uri: {prefix: /b}}], route: [{destination: {host: api}}]}]}`},
	{name: "rewrite of an exact path", vs: `{hosts: [www.test], http: [{match: [{uri: {exact: /a}}], rewrite: {uri: /b/c}, ` + web + `}]}`},
	{name: "rewrite by a regular expression", differs: "status, backends", vs: `{hosts: [www.test], http: [{match: [{uri: {prefix: /rx/}}], rewrite: {uriRegexRewrite: {match: '^/rx/([a-z]*)$', rewrite: '/out/\1/end'}}, ` + web + `}]}`},
	{name: "rewrite of the authority", vs: `{hosts: [www.test], http: [{rewrite: {authority: internal.test}, ` + web + `}]}`},
	{name: "headers", vs: `{hosts: [www.test], http: [{headers: {request: {set: {x-a: "1"}, add: {x-b: "2"}, remove: [x-c]}, response: {set: {x-d: "3"}, remove: [x-e]}}, ` + web + `}]}`},
	{name: "headers of one destination", vs: `{hosts: [www.test], http: [{headers: {request: {set: {x-a: "1"}}}, route: [{destination: {host: web}, headers: {request: {add: {x-b: "2"}, remove: [x-b]}}}]}]}`},
	{name: "timeout", vs: `{hosts: [www.test], http: [{timeout: 2s, ` + web + `}]}`},
	{name: "retries", differs: "retry", vs: `{hosts: [www.test], http: [{retries: {attempts: 4, perTryTimeout: 2s, retryOn: '5xx,reset'}, ` + web + `}]}`},
	{name: "no retries", differs: "retry", vs: `{hosts: [www.test], http: [{retries: {attempts: 0}, ` + web + `}]}`},
	{name: "mirror with a share", vs: `{hosts: [www.test], http: [{mirror: {host: api}, mirrorPercentage: {value: 12.5}, ` + web + `}]}`},
	{name: "mirror with the other name of its share", vs: `{hosts: [www.test], http: [{mirror: {host: api}, mirror_percent: 50, ` + web + `}]}`},
	{name: "several mirrors", vs: `{hosts: [www.test], http: [{mirrors: [{destination: {host: api}}, {destination: {host: beta}, percentage: {value: 50}}], ` + web + `}]}`},
	{name: "CORS", differs: "status, backends, cors", vs: `{hosts: [www.test], http: [{corsPolicy: {allowOrigins: [{exact: "https://a.test"}], allowMethods: [GET, POST], allowHeaders: [x-t], exposeHeaders: [x-e], maxAge: 60s, allowCredentials: true}, ` + web + `}]}`},
	{name: "CORS for every origin", vs: `{hosts: [www.test], http: [{corsPolicy: {allowOrigin: ["*"], allowMethods: [GET], maxAge: 60s, allowCredentials: true}, ` + web + `}]}`},
	{name: "CORS whose other preflights are answered", vs: `{hosts: [www.test], http: [{corsPolicy: {allowOrigins: [{exact: "https://a.test"}], allowMethods: [GET], maxAge: 60s, unmatchedPreflights: IGNORE}, ` + web + `}]}`},
	{name: "fault", differs: "fault", vs: `{hosts: [www.test], http: [{fault: {abort: {httpStatus: 503, percentage: {value: 10}}, delay: {fixedDelay: 2s, percentage: {value: 5}}}, ` + web + `}]}`},

	// Mesh.
	{name: "mesh: catch-all to another Service", mesh: true, vs: `{hosts: [web], http: [{route: [{destination: {host: api}}]}]}`},
	{name: "mesh: prefix, and 404 for the rest", mesh: true, vs: `{hosts: [web], http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: api}}]}]}`},
	{name: "mesh: headers and weights", mesh: true, vs: `{hosts: [web], http: [{match: [{headers: {x-t: {exact: a}}}], route: [{destination: {host: api}}]}, {route: [{destination: {host: web}, weight: 80}, {destination: {host: beta}, weight: 20}]}]}`},
	{name: "mesh: subsets", mesh: true, vs: `{hosts: [web], http: [{route: [{destination: {host: web, subset: v1}}]}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: web, namespace: shop}, spec: {host: web, subsets: [{name: v1, labels: {version: v1}}]}}`},
	{name: "mesh: consumer route", mesh: true, more: `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: consumer, namespace: other}, spec: {hosts: [web.shop.svc.cluster.local], exportTo: ["."], http: [{match: [{uri: {prefix: /c}}], route: [{destination: {host: web}}]}]}}`,
		vs: `{hosts: [web], http: [{route: [{destination: {host: api}}]}]}`},
	{name: "mesh: namespace of the client", mesh: true, vs: `{hosts: [web], http: [{match: [{sourceNamespace: other}], route: [{destination: {host: beta}}]}, {route: [{destination: {host: api}}]}]}`},
	{name: "mesh: rule of another namespace for all", mesh: true, vs: `{hosts: [api], http: [{` + web + `}]}`,
		more: `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: all, namespace: other}, spec: {hosts: [beta.shop.svc.cluster.local], http: [{route: [{destination: {host: web}}]}]}}`},
	{name: "mesh: redirect", mesh: true, vs: `{hosts: [web], http: [{match: [{uri: {prefix: /old}}], redirect: {uri: /new}}, {` + web + `}]}`},
	{name: "mesh: timeout, mirror, rewrite and headers", mesh: true, differs: "status, backends", vs: `{hosts: [web], http: [{match: [{uri: {prefix: /a/}}], rewrite: {uri: /b/}, timeout: 3s, mirror: {host: beta}, headers: {request: {set: {x-a: "1"}}}, route: [{destination: {host: api}}]}]}`},
	{name: "mesh: two ports", mesh: true, vs: `{hosts: [two], http: [{match: [{port: 8080}], route: [{destination: {host: api, port: {number: 80}}}]}, {route: [{destination: {host: beta, port: {number: 80}}}]}]}`},
	{name: "mesh and gateway in one object", mesh: true, vs: `{hosts: [web], gateways: [mesh, edge], http: [{match: [{gateways: [mesh], uri: {prefix: /m}}], route: [{destination: {host: api}}]}, {` + web + `}]}`},
}

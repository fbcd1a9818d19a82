package compile_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/causeway-gateway/causeway/gatewayapi/compile"
	"github.com/causeway-gateway/causeway/routing"
)

const actionGateway = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: app}
spec:
  gatewayClassName: any
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
`

// TestActions holds what a rule does to the sentences of the specification, where
// a decision does not show it at a glance.
func TestActions(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		kind   string
		rule   string // as YAML in flow style
		part   func(*routing.Action) any
		want   any
	}{
		"FirstHeader": {
			`"Subsequent entries with an equivalent header name MUST be ignored" (HTTPHeader.Name)`, "HTTPRoute",
			`{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: "1"}, {name: x-a, value: "2"}], add: [{name: X-B, value: "1"}, {name: x-b, value: "2"}]}}], backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return a.RequestHeaders },
			routing.HeaderChange{Set: []routing.Header{{Name: "X-A", Value: "1"}}, Add: []routing.Header{{Name: "X-B", Value: "1"}}},
		},
		"DefaultAttempts": {
			`"An explicit zero value MUST disable retries"; 1 is the default (HTTPRouteRetry.Attempts of v1.7)`, "HTTPRoute",
			`{retry: {codes: [503]}, backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return *a.Retry }, routing.Retry{Attempts: 1, On: []string{"503"}},
		},
		"NoAttempts": {
			`"An explicit zero value MUST disable retries" (HTTPRouteRetry.Attempts)`, "HTTPRoute",
			`{retry: {codes: [503], attempts: 0}, backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return *a.Retry }, routing.Retry{On: []string{"503"}},
		},
		"DefaultMaxAge": {
			`"When the MaxAge field is unspecified, the gateway sets … Access-Control-Max-Age: 5 by default" (HTTPCORSFilter.MaxAge)`, "HTTPRoute",
			`{filters: [{type: CORS, cors: {allowOrigins: ["*"]}}], backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return a.CORS.MaxAge }, 5 * time.Second,
		},
		"BackendFiltersOfGRPC": {
			`"Filters defined at this level MUST be executed if and only if the request is being forwarded to the backend defined here" (GRPCBackendRef.Filters)`, "GRPCRoute",
			`{backendRefs: [{name: own, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x-a]}}]}, {name: other, port: 80}]}`,
			func(a *routing.Action) any {
				return []routing.HeaderChange{a.Backends[0].RequestHeaders, a.Backends[1].RequestHeaders}
			},
			[]routing.HeaderChange{{Remove: []string{"x-a"}}, {}},
		},
		"UnknownBackendFilterOfGRPC": {
			`"the filter MUST NOT be skipped" (GRPCRouteFilter.Type)`, "GRPCRoute",
			`{backendRefs: [{name: own, port: 80, filters: [{type: ExtensionRef, extensionRef: {group: x.test, kind: F, name: f}}]}]}`,
			func(a *routing.Action) any {
				var why []string
				for _, b := range a.Backends {
					why = append(why, b.Invalid)
				}
				return why
			},
			[]string{"the filter ExtensionRef of a backend is not understood"},
		},
		"SessionCookie": {
			`"If LifetimeType is Session, AbsoluteTimeout MUST regulate the cookie's lifespan through a different mechanism" (GEP-1619)`, "HTTPRoute",
			`{sessionPersistence: {sessionName: s, absoluteTimeout: 1h}, backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return *a.Affinity }, routing.Affinity{Kind: "cookie", Name: "s"},
		},
		"PermanentCookie": {
			`"AbsoluteTimeout indicates the cookie's lifetime via the Expires or Max-Age cookie attributes" (CookieConfig.LifetimeType)`, "GRPCRoute",
			`{sessionPersistence: {sessionName: s, absoluteTimeout: 1h, cookieConfig: {lifetimeType: Permanent}}, backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return *a.Affinity }, routing.Affinity{Kind: "cookie", Name: "s", MaxAge: time.Hour},
		},
		"CookieOfV17": {
			"the form of v1.7 (SessionPersistence.Cookie)", "HTTPRoute",
			`{sessionPersistence: {absoluteTimeout: 1h, cookie: {name: s, path: /shop, lifetimeType: Permanent}}, backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return *a.Affinity }, routing.Affinity{Kind: "cookie", Name: "s", Path: "/shop", MaxAge: time.Hour},
		},
		"HeaderOfV17": {
			"the form of v1.7 (SessionPersistence.Header)", "GRPCRoute",
			`{sessionPersistence: {type: Header, header: {name: x-s}}, backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return *a.Affinity }, routing.Affinity{Kind: "header", Name: "x-s"},
		},
		"ExternalAuth": {
			"what is sent to the authorization server is part of the policy (HTTPAuthConfig.AllowedRequestHeaders, ForwardBodyConfig)", "HTTPRoute",
			`{filters: [{type: ExternalAuth, externalAuth: {protocol: HTTP, backendRef: {name: auth, port: 80}, http: {path: /check, allowedHeaders: [x-a, x-b], allowedResponseHeaders: [x-user]}, forwardBody: {maxSize: 10}}}], backendRefs: [{name: own, port: 80}]}`,
			func(a *routing.Action) any { return a.Guards[0].Detail },
			map[string]string{"backend": "app/auth:80", "protocol": "HTTP", "path": "/check", "requestHeaders": "x-a,x-b", "responseHeaders": "x-user", "bodySize": "10"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			objs, _, _ := parse(t, actionGateway+"apiVersion: gateway.networking.k8s.io/v1\nkind: "+tc.kind+"\nmetadata: {name: r, namespace: app}\nspec: {parentRefs: [{name: gw}], rules: ["+tc.rule+"]}")
			d := compile.Compile(objs, compile.Options{}).Table.Route(&routing.Request{Host: "a.test"})
			if d.Why == nil {
				t.Fatalf("no rule takes the request: %s", d.Reason)
			}
			if got := tc.part(d.Why.Action); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%s:\n%+v, want\n%+v", tc.reason, got, tc.want)
			}
		})
	}
}

// TestOverlaps: "Listeners A and C would have overlapping hostnames and therefore
// this condition should be set for Listeners A and C, but not B"
// (ListenerConditionOverlappingTLSConfig).
func TestOverlaps(t *testing.T) {
	const tls = ", tls: {certificateRefs: [{name: cert}]}}"
	for name, tc := range map[string]struct {
		reason    string
		listeners string
		want      []bool
	}{
		"Specification": {
			"the example of the API", `{name: a, port: 443, protocol: HTTPS, hostname: foo.example.com` + tls + `, {name: b, port: 443, protocol: HTTPS, hostname: foo.example.org` + tls + `, {name: c, port: 443, protocol: HTTPS, hostname: "*.example.com"` + tls,
			[]bool{true, false, true},
		},
		"Ports": {
			"connections of different ports are different", `{name: a, port: 443, protocol: HTTPS, hostname: foo.example.com` + tls + `, {name: b, port: 444, protocol: HTTPS, hostname: "*.example.com"` + tls,
			[]bool{false, false},
		},
		"Any": {
			"a listener without a hostname has every name", `{name: a, port: 443, protocol: HTTPS` + tls + `, {name: b, port: 443, protocol: HTTPS, hostname: a.test` + tls,
			[]bool{true, true},
		},
		"Alone": {"there is no other", `{name: a, port: 443, protocol: HTTPS` + tls, []bool{false}},
		"Wildcards": {
			"a wildcard below another", `{name: a, port: 443, protocol: HTTPS, hostname: "*.a.example.com"` + tls + `, {name: b, port: 443, protocol: HTTPS, hostname: "*.example.com"` + tls,
			[]bool{true, true},
		},
		"Domain": {
			`"*.example.com" does not match "example.com"`, `{name: a, port: 443, protocol: HTTPS, hostname: example.com` + tls + `, {name: b, port: 443, protocol: HTTPS, hostname: "*.example.com"` + tls,
			[]bool{false, false},
		},
		"Plain": {
			"there is no TLS", `{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP, hostname: a.test}`,
			[]bool{false, false},
		},
		"Passthrough": {
			"TLS that is passed through is not the listener's", `{name: a, port: 443, protocol: TLS, hostname: a.test, tls: {mode: Passthrough}}, {name: b, port: 443, protocol: HTTPS, hostname: "*.test"` + tls,
			[]bool{false, false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			objs, _, _ := parse(t, "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: app}\nspec: {gatewayClassName: any, listeners: ["+tc.listeners+"]}")
			var got []bool
			for _, l := range compile.Compile(objs, compile.Options{}).Listeners {
				got = append(got, l.Overlaps)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%s: %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

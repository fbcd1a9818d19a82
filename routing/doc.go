// Package routing is Causeway's kernel: a small pure model of HTTP, gRPC, TLS,
// TCP and UDP routing. A [Table] holds listeners, virtual hosts and rules;
// [Table.Route] answers which rule takes a request and what happens to it.
//
// Every dialect (Ingress, Istio, Gateway API) compiles into a Table, and every
// comparison, conversion and serving data plane starts from one. The package
// owns matching, precedence and the effect of an action. It does not own any
// source dialect and imports no Kubernetes package.
//
// A Table is built once, then [Table.Freeze] prepares it; after that it is
// read-only and safe for concurrent use.
package routing

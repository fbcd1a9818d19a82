// Package serve is the data plane of the reference implementation: it carries
// out the decisions of a [routing.Table] on real sockets, as a gateway (HTTP/1.1,
// HTTP/2, gRPC, WebSocket, TLS, TCP, UDP) and as a mesh (connections that were
// redirected to it).
//
// It owns no semantics. Which rule takes a request, what the rule does and in
// which order comes from [routing.Table.Route]; this package opens sockets,
// ends TLS, picks among the shares of a decision and moves bytes.
//
// It exists so that the official conformance suite can judge the compiler and
// the table. It is for tests and never for production: it has no limits on
// clients, no metrics and no defence against abuse beyond bounded memory for
// each request.
package serve

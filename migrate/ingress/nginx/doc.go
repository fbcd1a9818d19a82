// Package nginx compiles Ingress objects with the semantics of the
// ingress-nginx controller into a routing table. It owns what the controller
// does with rules, annotations and its ConfigMap; the table of annotations is
// package annotation, and what the Gateway API can express is package emit.
//
// The steps follow the controller's own (internal/ingress/controller): select
// and order Ingresses, read annotations, create upstreams and servers, merge
// canaries, order locations, and write one rule per nginx location.
package nginx

// Package oracle holds migrations from Istio to the real thing: pilot's own code
// turns the objects before and after a migration into Envoy configuration, and
// every witness request is evaluated against both. It is a module of its own;
// Istio's implementation is no part of what is shipped.
package oracle

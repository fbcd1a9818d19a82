// Package verify decides whether two routing tables send every request to the
// same place with the same changes. It derives requests from every rule of both
// (witnesses: each boundary of each match), routes them through both and
// compares the decisions whole. Of the witnesses that differ for one cause the
// simplest is kept.
//
// What is proven is exactly what was asked; [Result.Uncovered] names the rules
// that no witness reached and the places where a bound was met. The package
// knows no Kubernetes objects and no ledger: who announces a difference is told
// by a callback.
package verify

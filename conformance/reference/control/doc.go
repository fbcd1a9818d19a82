// Package control is the control plane of the reference implementation: it
// watches Gateway API objects, compiles them by [compile.Compile], hands the
// tables to the data plane (package serve) and writes the status that the
// specification asks for.
//
// It owns no semantics of routing. What attaches where, what is refused and why
// comes from the compiler, in the words of the status conditions; this package
// puts those words where the API wants them.
//
// It is for tests, never for production: every event compiles the whole
// cluster anew.
package control

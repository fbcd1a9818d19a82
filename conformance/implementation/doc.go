// Package implementation describes implementations of the Gateway API: who
// makes one, what it claims, and how it is installed on each kind of cluster. A
// description is a YAML file of the form published as descriptor.schema.json;
// the ones that ship are the catalogue. The package reads and renders, and
// never talks to a cluster: conformance/implementation/install does, and
// conformance/run drives the suite with what stands here.
package implementation

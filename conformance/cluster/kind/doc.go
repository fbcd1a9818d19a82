// Package kind provides clusters whose nodes are Docker containers, by the Go
// API of kind (https://kind.sigs.k8s.io). It owns their names and folders of
// state, the images that are loaded into them, and the controller that gives
// Services of type LoadBalancer an address. It makes no node image; see
// hack/airgap for one that needs no registry.
//
// The Docker engine is the one that the docker command would use. Every cluster
// of this package has a name in Docker that begins with "causeway-", by which
// [List] and [Down] find those of a process that crashed.
package kind

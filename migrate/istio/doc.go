// Package istio is the front end for Istio's own routing API: VirtualService,
// Gateway, DestinationRule and ServiceEntry of networking.istio.io become the
// tables that pilot would configure, one for each gateway workload and one for
// the mesh. It knows nothing of the objects that a table is turned into. Rules
// of behaviour name the function of istio.io/istio (commit eed52ebb66ad) that
// they are read from; scenarios/istio-oracle holds them to the real code.
package istio

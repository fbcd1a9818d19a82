// Package services makes the addresses of Services work: it turns Services and
// EndpointSlices into rules of the kernel's packet filter, and gives
// LoadBalancers their addresses. It covers ClusterIP, LoadBalancer, NodePort
// and external addresses for TCP and UDP over IPv4; sessionAffinity and
// traffic policies are not looked at, as there is one node. Names of Services
// are CoreDNS's business.
package services

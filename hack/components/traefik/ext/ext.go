// Package ext stands in for a folder of Traefik's repository that is a module
// of its own and is not published as one. Distributors of Traefik add fields
// of theirs to the dynamic configuration by it; plain Traefik has none.
package ext

// HTTP has no further fields.
type HTTP struct{}

// Router has no further fields.
type Router struct{}

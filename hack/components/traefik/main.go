// Package traefik keeps the module of Traefik in go.mod. Its program is built
// as it is.
package traefik

import _ "github.com/traefik/traefik/v3/pkg/version"

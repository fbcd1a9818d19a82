// Package components keeps the module of the echo server in go.mod. Its
// program is built as it is and cannot be imported.
package components

import _ "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"

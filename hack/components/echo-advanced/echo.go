// Package echoadvanced keeps the module of Istio's echo server and client in
// go.mod. The programs are built as they are and cannot be imported.
package echoadvanced

import (
	_ "istio.io/istio/pkg/test/echo/server"
	_ "istio.io/istio/pkg/test/echo/server/forwarder"
)

//go:build programs

// Package crictl keeps the module of crictl in go.mod. It is built as it is and
// cannot be imported.
package crictl

import _ "sigs.k8s.io/cri-tools/cmd/crictl"

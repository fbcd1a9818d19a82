//go:build programs

// Package containerd keeps the modules of containerd's programs in go.mod.
// They are built as they are and cannot be imported.
package containerd

import (
	_ "github.com/containerd/containerd/v2/cmd/containerd"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/v2/cmd/ctr"
)

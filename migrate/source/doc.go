// Package source reads the input of a migration: files, folders, standard
// input, kustomizations and live clusters. It owns where each object stood
// (file, line, path), the upgrade of old Ingress versions to
// networking.k8s.io/v1, and the promise that values of Secrets are dropped as
// soon as they are parsed. It does not know what any object means to a
// controller, and it never writes to a cluster.
package source

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// DefaultMaxBytes bounds the input of one Read.
const DefaultMaxBytes = 256 << 20

// Options say what to read. The names follow kubectl's flags.
type Options struct {
	// Files are files, folders, patterns, URLs, or "-" for Stdin.
	Files []string
	// Recursive descends into sub-folders (-R).
	Recursive bool
	// Kustomize is the folder of a kustomization to build (-k); empty for none.
	Kustomize string
	// AllowURLs permits input from the network: URLs among Files and remote
	// bases in kustomizations.
	AllowURLs bool
	// Stdin is read for "-".
	Stdin io.Reader
	// Namespace is given to namespaced objects that name none; "default" when
	// empty.
	Namespace string
	// Complete says that the input is everything there is; it is copied to the
	// Set unless something could not be read.
	Complete bool
	// MaxBytes bounds the total input; DefaultMaxBytes when 0.
	MaxBytes int64
	// HTTPClient fetches URLs; a client with a timeout when nil.
	HTTPClient *http.Client
}

// DocumentError is a problem with one document, or with one object in it. All
// other documents are still read.
type DocumentError struct {
	File    string // as the user named it
	Line    int    // 1-based, 0 when unknown
	Object  string // "Ingress default/shop", or empty when it never got that far
	Err     error
	Remedy  string
	Warning bool // the object was read all the same, or losing it is harmless
}

// Error returns "file:line: object: problem; remedy".
func (e *DocumentError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	if e.Object != "" {
		b.WriteString(e.Object + ": ")
	}
	fmt.Fprint(&b, e.Err)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *DocumentError) Unwrap() error { return e.Err }

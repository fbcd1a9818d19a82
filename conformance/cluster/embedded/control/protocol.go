//go:build unix

// Package control is how the outside of an embedded cluster speaks with the
// inside: over a Unix socket, which does not mind network namespaces. It runs
// commands in the cluster with the caller's own files as standard streams,
// maps images, and asks the cluster to end. It does not know what a cluster is.
//
// A conversation is one connection. The client sends one request as JSON,
// with the files of an exec as SCM_RIGHTS; the server answers with one
// response. During an exec the client may send signals, and its going away
// kills the command.
package control

import (
	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// request is the first message of a client. Exactly one field is set.
type request struct {
	Exec  *command  `json:"exec,omitempty"`
	Image *imageRow `json:"image,omitempty"`
	Stop  bool      `json:"stop,omitempty"`
}

// command is a process to run with the three files that came along.
type command struct {
	Path string   `json:"path"` // as given: looked for in the PATH of Env unless it has a slash
	Args []string `json:"args"` // with argument zero
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`
}

// imageRow is a row for the table of images.
type imageRow struct {
	Image   string        `json:"image"`
	Program image.Program `json:"program"`
}

// signalled is what a client sends during an exec.
type signalled struct {
	Signal int `json:"signal"`
}

// response ends a conversation.
type response struct {
	Error  string `json:"error,omitempty"`
	Code   int    `json:"code,omitempty"`   // exit code of an exec
	Signal int    `json:"signal,omitempty"` // or the signal that ended it
}

// streams is how many files an exec brings: standard input, output and error.
const streams = 3

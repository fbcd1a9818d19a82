package serve

import (
	"context"
	"log/slog"
)

// Server serves one [Config] at a time. Its methods may be called concurrently.
type Server struct {
	log *slog.Logger
}

// New returns a server that serves nothing yet. Requests that fail are told to
// log at debug level.
func New(log *slog.Logger) *Server { return &Server{log: log} }

// Apply serves c from now on. The change is atomic: a request is served by one
// configuration from its first to its last decision, and connections that live
// on, such as those of HTTP/2, use c for their next request. Sockets that c no
// longer names are closed; what is in flight on them finishes. The error names
// each socket that could not be opened; the rest is served nevertheless, and
// the next Apply tries again.
func (s *Server) Apply(c *Config) error { return nil }

// Close closes all sockets and waits for what is in flight until ctx ends, then
// cuts it off.
func (s *Server) Close(ctx context.Context) error { return nil }

//go:build !linux

package embedded

// Main plays no role on this platform; see the one of Linux.
func Main([]string) (code int, handled bool) { return 0, false }

package run

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// fileName is a name for a test's files: its own where that is one, else a hash.
func fileName(test string) string {
	if plainName.MatchString(test) {
		return test
	}
	sum := sha256.Sum256([]byte(test))
	return "test-" + hex.EncodeToString(sum[:8])
}

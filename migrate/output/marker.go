package output

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// markerFile remembers what a run wrote, so that a later run knows its own
// files from others' and sees edits.
const markerFile = ".causeway.json"

// maxMarker bounds the marker that is read back: about 100,000 files.
const maxMarker = 16 << 20

type marker struct {
	Comment string            `json:"comment"`
	Version int               `json:"version"`
	Files   map[string]string `json:"files"` // slash-separated path to "sha256:hex"
}

const markerVersion = 1

func newMarker() *marker {
	return &marker{Comment: "Written by causeway migrate --out: the files it owns here, with their checksums. " +
		"A later run overwrites and removes only these, and only while they are unchanged.",
		Version: markerVersion, Files: map[string]string{}}
}

// readMarker reads the marker of an earlier run; without one the marker is
// empty. The file may have been edited by anyone: paths outside the layout are
// refused, since they decide what gets removed.
func readMarker(root *os.Root) (*marker, error) {
	f, err := root.Open(markerFile)
	if errors.Is(err, fs.ErrNotExist) {
		return newMarker(), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMarker+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxMarker {
		return nil, fmt.Errorf("%s: larger than %d bytes", markerFile, maxMarker)
	}
	m := newMarker()
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: %w", markerFile, err)
	}
	if m.Version != markerVersion {
		return nil, fmt.Errorf("%s: version %d is not known, this release writes %d", markerFile, m.Version, markerVersion)
	}
	for name := range m.Files {
		if !ownable(name) {
			return nil, fmt.Errorf("%s: %q cannot have been written by causeway", markerFile, name)
		}
	}
	return m, nil
}

// ownable reports whether name is one that layout can produce.
func ownable(name string) bool {
	if name == kustomization {
		return true
	}
	dir, file, ok := strings.Cut(name, "/")
	return ok && filepath.IsLocal(name) && !strings.HasPrefix(dir, ".") && !strings.HasPrefix(file, ".") &&
		!strings.ContainsAny(file, `/\`) && (strings.HasSuffix(file, "."+YAML) || strings.HasSuffix(file, "."+JSON))
}

func (m *marker) encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	return append(b, '\n'), err
}

func checksum(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// checksumFile returns the checksum of a regular file, and "" when nothing
// stands there.
func checksumFile(root *os.Root, name string) (string, error) {
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: %w", name, errNotRegular)
	}
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// errNotRegular: a folder, link or device stands where a file belongs. It is
// never replaced, not even by force.
var errNotRegular = errors.New("is no regular file")

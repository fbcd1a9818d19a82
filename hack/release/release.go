// Package release is what generators share that read releases of the Gateway
// API: the files of one, and writing or checking what was made of it.
package release

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
)

const module = "sigs.k8s.io/gateway-api"

// Files returns the files of a release such as v1.6.3, to be closed by done. It
// reads the module's zip, which go fetches even where the module asks for a
// newer Go than this one.
func Files(version string) (files fs.FS, done func() error, err error) {
	raw, runErr := exec.Command("go", "mod", "download", "-json", module+"@"+version).Output()
	var info struct{ Zip, Error string }
	if err := json.Unmarshal(raw, &info); err != nil || info.Zip == "" {
		return nil, nil, fmt.Errorf("downloading %s %s: %w %s", module, version, errors.Join(runErr, err), info.Error)
	}
	z, err := zip.OpenReader(info.Zip)
	if err != nil {
		return nil, nil, err
	}
	root, err := fs.Sub(z, module+"@"+version)
	return root, z.Close, err
}

// Settle writes a file compressed, or with check returns an error that names the
// command to run where the file is not current. It compares contents rather than
// compressed bytes, which depend on the toolchain.
func Settle(path string, plain []byte, check bool, command string) error {
	if old, err := inflate(path); err == nil && bytes.Equal(old, plain) {
		return nil
	}
	if check {
		return fmt.Errorf("%s is not current: run %s", path, command)
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func inflate(path string) ([]byte, error) {
	have, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(have))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

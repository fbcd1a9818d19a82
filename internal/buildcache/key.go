package buildcache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// hashInputs is a hash of everything that decides what a component becomes: its
// name, the platform, the salt, and names and content of the inputs.
func hashInputs(c Component) (string, error) {
	h := sha256.New()
	add(h, "component", c.Name, runtime.GOOS, runtime.GOARCH)
	add(h, c.Salt...)
	for _, in := range c.Inputs {
		if !filepath.IsLocal(in) {
			return "", fmt.Errorf("input %q leaves %s", in, c.Dir)
		}
		// WalkDir visits in lexical order, so the hash does not depend on the disk.
		err := filepath.WalkDir(filepath.Join(c.Dir, in), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return addFile(h, c.Dir, path)
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:24], nil
}

// add hashes strings with their lengths, so that ("ab", "c") is not ("a", "bc").
func add(h hash.Hash, parts ...string) {
	fmt.Fprintf(h, "%d\n", len(parts))
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s\n", len(p), p)
	}
}

func addFile(h hash.Hash, dir, path string) error {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	add(h, filepath.ToSlash(rel), fmt.Sprint(info.Size()))
	_, err = io.Copy(h, f)
	return err
}

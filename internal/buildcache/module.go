package buildcache

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// hashModule writes names and contents of a module's files, leaving out tests
// and modules nested in it that it does not take in by a replace directive.
func hashModule(h io.Writer, dir string) error {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	files := os.DirFS(dir)
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, err := fs.Stat(files, path.Join(name, "go.mod"))
			if name != "." && err == nil && !bytes.Contains(mod, []byte("=> ./"+name+"\n")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(content))
		_, err = h.Write(content)
		return err
	})
}

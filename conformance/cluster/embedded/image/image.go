// Package image maps container images to programs of this machine. An embedded
// cluster pulls nothing: a pod's image names what to run, and the table says
// which local file that is. It neither looks for the files nor starts them.
package image

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Program is what an image stands for.
type Program struct {
	// Path is the absolute path of the executable on this machine.
	Path string `json:"path"`
	// Args come before the container's args, as those of an image's entrypoint do.
	Args []string `json:"args,omitempty"`
	// Env are variables that the image sets, in the form NAME=value.
	Env []string `json:"env,omitempty"`
	// Name is what the program is called in the container, and what it finds
	// in its argument zero; empty for the base name of Path.
	Name string `json:"name,omitempty"`
	// Files are further files and folders of the image: absolute path in the
	// container to absolute path on this machine, mounted read-only.
	Files map[string]string `json:"files,omitempty"`
}

// EntryPoint is the absolute path of the program in its container.
func (p Program) EntryPoint() string {
	if p.Name != "" {
		return "/" + p.Name
	}
	return "/" + filepath.Base(p.Path)
}

// Validate says what is wrong with a program, if anything.
func (p Program) Validate() error {
	if !filepath.IsAbs(p.Path) {
		return fmt.Errorf("path %q of the program is not absolute", p.Path)
	}
	if p.Name != "" && p.Name != path.Base(p.Name) {
		return fmt.Errorf("name %q of the program has a slash", p.Name)
	}
	for in, on := range p.Files {
		if !path.IsAbs(in) || path.Clean(in) != in || in == "/" {
			return fmt.Errorf("path %q in the container is not a clean absolute path", in)
		}
		if !filepath.IsAbs(on) {
			return fmt.Errorf("path %q on this machine is not absolute", on)
		}
	}
	return nil
}

// ErrUnknown is wrapped by the error of an image that the table lacks.
var ErrUnknown = errors.New("no local program stands for this image")

// Table maps images to programs. It is safe for use by several goroutines.
type Table struct {
	mu   sync.RWMutex
	rows map[string]Program
}

// NewTable returns a table with the given rows; see [Table.Set] for the keys.
func NewTable(rows map[string]Program) (*Table, error) {
	t := &Table{rows: map[string]Program{}}
	for image, p := range rows {
		if err := t.Set(image, p); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Set adds or replaces a row. An image with a tag or digest is that one image;
// without, it is every version of the repository that has no row of its own.
func (t *Table) Set(image string, p Program) error {
	if image == "" || strings.ContainsAny(image, " \t\n") {
		return fmt.Errorf("%q is no image", image)
	}
	if err := p.Validate(); err != nil {
		return fmt.Errorf("image %s: %w", image, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[normalize(image)] = p
	return nil
}

// Lookup returns the program of an image. Its error wraps [ErrUnknown] and
// lists what the table has.
func (t *Table) Lookup(image string) (Program, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	full := normalize(image)
	for _, key := range []string{full, repository(full)} {
		if p, ok := t.rows[key]; ok {
			return p, nil
		}
	}
	return Program{}, fmt.Errorf("image %q: %w; it has programs for %s",
		image, ErrUnknown, strings.Join(slices.Sorted(maps.Keys(t.rows)), ", "))
}

// normalize writes out the registry and folder that a short name leaves out
// (https://github.com/distribution/reference, ParseNormalizedNamed).
func normalize(image string) string {
	first, rest, slash := strings.Cut(image, "/")
	switch {
	case !slash:
		return "docker.io/library/" + image
	case first != "localhost" && !strings.ContainsAny(first, ".:"):
		return "docker.io/" + image
	case first == "docker.io" && !strings.Contains(rest, "/"):
		return "docker.io/library/" + rest
	}
	return image
}

// repository is an image without its tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		return image[:i]
	}
	return image
}

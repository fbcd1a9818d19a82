// Package archive builds container images from files of this machine, without
// a daemon and without a registry, and writes them as archives that `docker
// load` and `ctr images import` read. It owns the form of layers; what goes
// into them is the caller's.
package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
)

// Entry is one file of a layer. It has exactly one of From, Content and Link;
// none for an empty file.
type Entry struct {
	// Name is the clean absolute path in the image. Folders above it are made.
	Name string
	// Mode are the permissions; zero for 0644, which a link has no use for.
	Mode int64
	// From is the path of a file on this machine.
	From string
	// Content is the file's content.
	Content []byte
	// Link is the target of a symbolic link.
	Link string
}

// Layer is a layer of the entries, which belong to root. The same entries make
// the same layer. The files named by From are read each time the layer is.
func Layer(entries []Entry) (v1.Layer, error) {
	for _, e := range entries {
		if !path.IsAbs(e.Name) || path.Clean(e.Name) != e.Name || e.Name == "/" {
			return nil, fmt.Errorf("%q is no clean absolute path in an image", e.Name)
		}
	}
	return newPlain(func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() { w.CloseWithError(writeLayer(w, entries)) }()
		return r, nil
	})
}

func writeLayer(w io.Writer, entries []Entry) error {
	out := tar.NewWriter(w)
	made := map[string]bool{"/": true}
	for _, e := range entries {
		if err := writeFolders(out, path.Dir(e.Name), made); err != nil {
			return err
		}
		if err := e.write(out); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return out.Close()
}

func writeFolders(out *tar.Writer, dir string, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	if err := writeFolders(out, path.Dir(dir), made); err != nil {
		return err
	}
	made[dir] = true
	return out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: 0o755})
}

func (e Entry) write(out *tar.Writer) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(e.Name, "/"), Mode: e.Mode}
	if h.Mode == 0 {
		h.Mode = 0o644
	}
	var content io.Reader = bytes.NewReader(e.Content)
	switch {
	case e.Link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.Link, 0o777
		return out.WriteHeader(h)
	case e.From != "":
		f, err := os.Open(e.From)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", e.From)
		}
		h.Size, content = info.Size(), f
	default:
		h.Size = int64(len(e.Content))
	}
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.CopyN(out, content, h.Size)
	return err
}

// Image is an image for the platform of this program: Linux, and the processor
// of this machine.
func Image(config v1.Config, layers ...v1.Layer) (v1.Image, error) {
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", runtime.GOARCH, config
	return mutate.ConfigFile(img, file)
}

// FromProgram is an image of one program and its files, as an embedded cluster
// would run it. Folders among the files are an error, and so is a program that
// needs libraries, which the image would not have.
func FromProgram(p image.Program) (v1.Image, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := static(p.Path); err != nil {
		return nil, err
	}
	entries := []Entry{
		{Name: p.EntryPoint(), Mode: 0o755, From: p.Path},
		{Name: "/etc/passwd", Content: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{Name: "/etc/group", Content: []byte("root:x:0:\nnonroot:x:65532:\n")},
	}
	for in, on := range p.Files {
		entries = append(entries, Entry{Name: in, From: on})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	layer, err := Layer(entries)
	if err != nil {
		return nil, err
	}
	return Image(v1.Config{
		Entrypoint: append([]string{p.EntryPoint()}, p.Args...),
		Env:        append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, p.Env...),
		WorkingDir: "/",
	}, layer)
}

// Write writes images, by their names with tag, as one archive.
func Write(w io.Writer, images map[string]v1.Image) error {
	tagged := map[name.Tag]v1.Image{}
	for ref, img := range images {
		tag, err := name.NewTag(ref)
		if err != nil {
			return fmt.Errorf("image %q: %w", ref, err)
		}
		tagged[tag] = img
	}
	return tarball.MultiWrite(tagged, w)
}

// WriteFile is [Write] to a file, which is whole or not there.
func WriteFile(file string, images map[string]v1.Image) error {
	tmp, err := os.Create(file + ".tmp")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := Write(tmp, images); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

package kind

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
	"sigs.k8s.io/kind/pkg/errors"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/image"
	"github.com/causeway-gateway/causeway/conformance/cluster/kind/archive"
)

// loadPrograms builds the images of the options and loads them into the nodes.
func (p *Provider) loadPrograms(ctx context.Context) error {
	if len(p.options.Images) == 0 {
		return nil
	}
	start := time.Now()
	images := map[string]v1.Image{}
	built := map[string]v1.Image{} // the same program may stand for several images
	for name, program := range p.options.Images {
		key := fmt.Sprintf("%q", program)
		if built[key] == nil {
			img, err := archive.FromProgram(program)
			if err != nil {
				return fmt.Errorf("image %s: %w", name, err)
			}
			built[key] = img
		}
		images[name] = built[key]
	}
	err := p.load(ctx, func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() { w.CloseWithError(archive.Write(w, images)) }()
		return r, nil
	})
	if err != nil {
		return fmt.Errorf("loading images: %w", err)
	}
	p.options.Logf("loaded %d images in %s", len(images), time.Since(start).Round(100*time.Millisecond))
	return nil
}

// load imports an archive into every node, all at once.
func (p *Provider) load(_ context.Context, open func() (io.ReadCloser, error)) error {
	all, err := p.nodes()
	if err != nil {
		return err
	}
	var each []func() error
	for _, n := range all {
		each = append(each, func() error { return loadInto(n, open) })
	}
	return explained(errors.UntilErrorConcurrent(each))
}

func loadInto(n nodes.Node, open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	return nodeutils.LoadImageArchive(n, r)
}

// LoadImage loads an image into every node: one that the Docker engine has, or,
// with an argument, one that is built from the program of that path; further
// arguments come before the container's own.
func (p *Provider) LoadImage(ctx context.Context, name string, args ...string) error {
	if len(args) > 0 {
		path, err := filepath.Abs(args[0])
		if err != nil {
			return err
		}
		img, err := archive.FromProgram(image.Program{Path: path, Args: args[1:]})
		if err != nil {
			return fmt.Errorf("image %s: %w", name, err)
		}
		return p.load(ctx, func() (io.ReadCloser, error) {
			r, w := io.Pipe()
			go func() { w.CloseWithError(archive.Write(w, map[string]v1.Image{name: img})) }()
			return r, nil
		})
	}
	dir, err := os.MkdirTemp("", "causeway-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "image.tar")
	if _, err := docker(ctx, "save", "--output", file, "--", name); err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	return p.LoadImageArchive(ctx, file)
}

// LoadImageArchive loads an archive of images, as `docker save` writes it, into
// every node.
func (p *Provider) LoadImageArchive(ctx context.Context, file string, _ ...string) error {
	if err := p.load(ctx, func() (io.ReadCloser, error) { return os.Open(file) }); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

package archive

import (
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// plain is a layer that is kept unpacked: it is read again on this machine
// within seconds, and packing it would take longer than that.
type plain struct {
	hash v1.Hash
	size int64
	open func() (io.ReadCloser, error)
}

// newPlain reads a layer once for its hash and size.
func newPlain(open func() (io.ReadCloser, error)) (v1.Layer, error) {
	r, err := open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	hash, size, err := v1.SHA256(r)
	if err != nil {
		return nil, err
	}
	return plain{hash: hash, size: size, open: open}, nil
}

// LayerFile is the layer of a tar file, which has to stay while it is used.
func LayerFile(path string) (v1.Layer, error) {
	return newPlain(func() (io.ReadCloser, error) { return os.Open(path) })
}

// Digest is the hash of the tar file.
func (p plain) Digest() (v1.Hash, error) { return p.hash, nil }

// DiffID is the same hash, since nothing is compressed.
func (p plain) DiffID() (v1.Hash, error) { return p.hash, nil }

// Compressed is the tar file as it is.
func (p plain) Compressed() (io.ReadCloser, error) { return p.open() }

// Uncompressed is the tar file.
func (p plain) Uncompressed() (io.ReadCloser, error) { return p.open() }

// Size is that of the tar file in bytes.
func (p plain) Size() (int64, error) { return p.size, nil }

// MediaType says that nothing is compressed.
func (p plain) MediaType() (types.MediaType, error) { return types.DockerUncompressedLayer, nil }

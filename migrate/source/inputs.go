package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// extensions are the files taken from folders, as kubectl does
// (k8s.io/cli-runtime pkg/resource FileExtensions).
var extensions = []string{".json", ".yaml", ".yml"}

// kustomizationFiles are the names kustomize looks for (konfig
// RecognizedKustomizationFileNames).
var kustomizationFiles = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// stateFile is where package output remembers what it wrote to a folder.
const stateFile = ".causeway.json"

const fetchTimeout = 30 * time.Second

// file is one input with its content.
type file struct {
	name     string
	content  []byte
	rendered bool // one document that stands in no file
}

// gatherer collects the content of all inputs under one size limit.
type gatherer struct {
	*Options
	left     int64
	files    []file
	problems []*DocumentError
}

func gather(ctx context.Context, o *Options) ([]file, []*DocumentError, error) {
	g := &gatherer{Options: o, left: o.MaxBytes}
	if g.left <= 0 {
		g.left = DefaultMaxBytes
	}
	for _, name := range o.Files {
		if err := g.add(ctx, name); err != nil {
			return nil, g.problems, err
		}
	}
	if o.Kustomize != "" {
		if err := g.kustomize(o.Kustomize); err != nil {
			return nil, g.problems, err
		}
	}
	return g.files, g.problems, nil
}

func (g *gatherer) add(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	switch {
	case name == "-":
		if g.Stdin == nil {
			return errors.New("standard input was asked for, but there is none")
		}
		return g.take(name, g.Stdin)
	case isURL(name):
		return g.fetch(ctx, name)
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(name, "*?[") {
		return g.glob(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if info.IsDir() {
		return g.folder(ctx, name)
	}
	return g.open(name)
}

func (g *gatherer) glob(ctx context.Context, pattern string) error {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("the pattern %s: %w", pattern, err)
	}
	if len(names) == 0 {
		return fmt.Errorf("no file fits the pattern %s: %w", pattern, fs.ErrNotExist)
	}
	for _, n := range names {
		if err := g.add(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// folder reads the manifests of a folder in the order of their names. Links to
// folders are not followed, as with kubectl, so there are no loops; links to
// files are.
func (g *gatherer) folder(ctx context.Context, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fmt.Errorf("reading %s: %w", root, ctx.Err())
		}
		if err != nil {
			g.problems = append(g.problems, &DocumentError{File: path, Err: fmt.Errorf("cannot be read: %w", err)})
			return nil
		}
		if d.IsDir() {
			if path != root && !g.Recursive {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains(extensions, filepath.Ext(path)) {
			return nil
		}
		if d.Name() == stateFile {
			return nil
		}
		if slices.Contains(kustomizationFiles, d.Name()) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), stateFile)); err == nil {
				return nil // it only lists the files beside it
			}
			g.problems = append(g.problems, &DocumentError{File: path, Line: 1, Warning: true,
				Err: errors.New("a kustomization is not read as a manifest"), Remedy: "build it with -k " + filepath.Dir(path)})
			return nil
		}
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() {
			return nil // a link to a folder, a socket, a device
		}
		if err == nil {
			err = g.open(path)
		}
		var tooBig *sizeError
		if errors.As(err, &tooBig) {
			return err
		}
		if err != nil {
			g.problems = append(g.problems, &DocumentError{File: path, Err: fmt.Errorf("cannot be read: %w", err)})
		}
		return nil
	})
}

func (g *gatherer) open(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() <= g.left {
		// One allocation of the right size.
		content := make([]byte, info.Size())
		n, err := io.ReadFull(f, content)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		return g.keep(name, content[:n])
	}
	return g.take(name, f)
}

// sizeError says that the input as a whole is too big.
type sizeError struct{ name string }

func (e *sizeError) Error() string {
	return "the input is too big at " + e.name + ": read fewer files at a time"
}

func (g *gatherer) take(name string, r io.Reader) error {
	content, err := io.ReadAll(io.LimitReader(r, g.left+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return g.keep(name, content)
}

func (g *gatherer) keep(name string, content []byte) error {
	if g.left -= int64(len(content)); g.left < 0 {
		return &sizeError{name}
	}
	g.files = append(g.files, file{name: name, content: content})
	return nil
}

func isURL(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}

// fetch reads a URL, when the user allows the network.
func (g *gatherer) fetch(ctx context.Context, url string) error {
	if !g.AllowURLs {
		return fmt.Errorf("%s is a URL and the network is not used unless asked: download it, or allow URLs", url)
	}
	client := g.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: fetchTimeout}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("reading %s: %w", url, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("reading %s: %w", url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("reading %s: the server answers %s", url, resp.Status)
	}
	return g.take(url, resp.Body)
}

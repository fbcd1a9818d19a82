package output

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/routing"
)

// Summary says what WriteDir did, or with DryRun would do; slash-separated
// paths below Dir, sorted.
type Summary struct {
	Written   []string
	Unchanged []string
	// Removed are files of an earlier run that are no longer produced.
	Removed []string
	// Kept are files that would be removed had they not been edited since.
	Kept []string
}

// ConflictError names the files that WriteDir refused to overwrite. Nothing
// was written.
type ConflictError struct {
	Dir   string
	Files []string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s holds files that causeway did not write or that were edited since: %s; nothing was written: "+
		"move them, choose another folder, or overwrite them with --force", e.Dir, strings.Join(e.Files, ", "))
}

// WriteDir writes the objects to o.Dir: one file per namespace and kind,
// cluster-scoped ones (no namespace) below _cluster, a kustomization.yaml that lists
// them, and .causeway.json, which remembers what was written. Files that
// neither an earlier run wrote nor equal the new content, or that were edited
// since, are a [ConflictError] unless o.Force, and then nothing is written.
// Files of an earlier run that are no longer produced are removed if unedited.
// Every file is replaced whole or not at all.
func WriteDir(ctx context.Context, objs []client.Object, o Options, from func(client.Object) []routing.ObjectRef) (*Summary, error) {
	if o.Dir == "" {
		return nil, errors.New("write: no output folder given")
	}
	p, err := layout(objs, o, from)
	if err != nil {
		return nil, err
	}
	if !o.DryRun {
		if err := os.MkdirAll(o.Dir, 0o755); err != nil {
			return nil, fmt.Errorf("create output folder: %w", err)
		}
	}
	root, err := os.OpenRoot(o.Dir)
	if o.DryRun && errors.Is(err, fs.ErrNotExist) {
		return &Summary{Written: p.names}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open output folder: %w", err)
	}
	defer func() { _ = root.Close() }() // opened for reading

	d := &folder{root: root, opts: o, plan: p}
	s, err := d.compare(ctx)
	if err == nil && !o.DryRun {
		err = d.apply(ctx, s)
	}
	if err != nil {
		var conflict *ConflictError
		if errors.As(err, &conflict) {
			return nil, err
		}
		return nil, fmt.Errorf("write to %s: %w", o.Dir, err)
	}
	return s, nil
}

// folder is one run of WriteDir.
type folder struct {
	root *os.Root
	opts Options
	plan *plan
	next *marker // what the folder will hold
}

// compare decides the fate of every file without changing anything.
func (d *folder) compare(ctx context.Context) (*Summary, error) {
	s := &Summary{}
	prev, err := readMarker(d.root)
	if err != nil {
		if !d.opts.Force {
			return nil, fmt.Errorf("%w; remove it or use --force", err)
		}
		prev = newMarker()
	}
	d.next = newMarker()
	conflict := &ConflictError{Dir: d.opts.Dir}
	for _, name := range d.plan.names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := d.checkDir(path.Dir(name)); err != nil {
			return nil, err
		}
		now, err := checksumFile(d.root, name)
		if err != nil {
			return nil, err
		}
		want := checksum(d.plan.files[name])
		d.next.Files[name] = want
		switch {
		case now == want:
			s.Unchanged = append(s.Unchanged, name)
			continue
		case now != "" && now != prev.Files[name] && !d.opts.Force:
			conflict.Files = append(conflict.Files, name)
		}
		s.Written = append(s.Written, name)
	}
	if len(conflict.Files) > 0 {
		return nil, conflict
	}
	d.stale(prev, s)
	return s, nil
}

// stale finds the files of an earlier run that are no longer produced. Edited
// ones stay, and stay in the marker so that the next run reports them too.
func (d *folder) stale(prev *marker, s *Summary) {
	for name, was := range prev.Files {
		if _, produced := d.plan.files[name]; produced {
			continue
		}
		now, err := checksumFile(d.root, name)
		switch {
		case err == nil && now == "":
		case err == nil && now == was:
			s.Removed = append(s.Removed, name)
		default: // edited, no regular file, or out of reach
			s.Kept = append(s.Kept, name)
			d.next.Files[name] = was
		}
	}
	slices.Sort(s.Removed)
	slices.Sort(s.Kept)
}

// checkDir refuses links and files where a folder belongs.
func (d *folder) checkDir(dir string) error {
	if dir == "." {
		return nil
	}
	info, err := d.root.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder: move it away", dir)
	}
	return nil
}

// apply writes every new content beside its place first, so that a full disk
// leaves the folder as it was, then renames, then removes.
func (d *folder) apply(ctx context.Context, s *Summary) (err error) {
	staged := map[string]string{} // temporary name by final name
	defer func() {
		for _, tmp := range staged {
			err = errors.Join(err, ignoreMissing(d.root.Remove(tmp)))
		}
	}()
	stage := func(name string, content []byte) error {
		tmp := path.Join(path.Dir(name), ".causeway-"+path.Base(name)+".tmp")
		if path.Base(name) == markerFile {
			tmp = markerFile + ".tmp"
		}
		// A leftover of an interrupted run would block the exclusive creation.
		if err := ignoreMissing(d.root.Remove(tmp)); err != nil {
			return err
		}
		f, err := d.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		staged[name] = tmp
		_, err = f.Write(content)
		return errors.Join(err, f.Close())
	}
	for _, name := range s.Written {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := stage(name, d.plan.files[name]); err != nil {
			return err
		}
	}
	mark, err := d.next.encode()
	if err != nil {
		return err
	}
	if err := stage(markerFile, mark); err != nil {
		return err
	}
	for _, name := range append(slices.Clone(s.Written), markerFile) {
		if err := d.root.Rename(staged[name], name); err != nil {
			return err
		}
		delete(staged, name)
	}
	return d.remove(s.Removed)
}

// remove deletes stale files and the namespace folders this leaves empty.
func (d *folder) remove(names []string) error {
	for _, name := range names {
		if err := ignoreMissing(d.root.Remove(name)); err != nil {
			return err
		}
		if dir := path.Dir(name); dir != "." {
			// Fails, as it should, while the folder holds anything else.
			_ = d.root.Remove(dir)
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Package matrix runs the suite several times: over implementations, versions of
// Kubernetes, channels of the Gateway API and suites, each cell in a cluster and
// a folder of its own. It owns which cells there are, how many run at a time, and
// the summary. What a cell does is the caller's; one that fails does not keep the
// others from running.
package matrix

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/causeway-gateway/causeway/conformance/run"
)

// Version is the version of the form of matrix.json. It changes when a field
// changes its meaning or goes away.
const Version = 1

// File is the summary in the folder of a matrix.
const File = "matrix.json"

// Cell is one combination. Empty fields leave it to the implementation's
// descriptor (Channel) or to the provider of clusters (Kubernetes).
type Cell struct {
	// Implementation is its name, and Source what the caller finds it by.
	Implementation string `json:"implementation"`
	Source         string `json:"source"`
	Kubernetes     string `json:"kubernetes,omitempty"`
	Channel        string `json:"channel,omitempty"`
	Suite          string `json:"suite"`
}

// Folder is the name of the cell's folder.
func (c Cell) Folder() string {
	var parts []string
	for _, p := range []string{c.Implementation, c.Kubernetes, c.Channel, filepath.Base(c.Suite)} {
		if p != "" {
			parts = append(parts, plain(p))
		}
	}
	return strings.Join(parts, "_")
}

// plain is text as part of the name of a folder on any system.
func plain(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-", r) {
			return r
		}
		return '-'
	}, s), ".")
}

// Axes are the values of each dimension; an empty one has one empty value.
type Axes struct{ Implementations, Kubernetes, Channels, Suites []string }

// Cells are all combinations, the suite changing fastest.
func (a Axes) Cells() []Cell {
	one := func(list []string) []string {
		if len(list) == 0 {
			return []string{""}
		}
		return list
	}
	var out []Cell
	for _, i := range one(a.Implementations) {
		for _, k := range one(a.Kubernetes) {
			for _, c := range one(a.Channels) {
				for _, s := range one(a.Suites) {
					out = append(out, Cell{Implementation: i, Source: i, Kubernetes: k, Channel: c, Suite: s})
				}
			}
		}
	}
	return out
}

// Status of a cell beyond those of a run.
const (
	Waiting run.Status = "waiting" // its turn never came
	Broken  run.Status = "broken"  // the machinery failed: no cluster, no suite
)

// Result is what became of a cell.
type Result struct {
	Cell
	Folder     string      `json:"folder"` // below that of the matrix
	Status     run.Status  `json:"status"`
	Verdict    string      `json:"verdict,omitempty"`
	GatewayAPI string      `json:"gatewayAPIVersion,omitempty"` // "v1.6.3"
	Version    string      `json:"version,omitempty"`           // of the implementation
	Cluster    string      `json:"cluster,omitempty"`
	Ran        string      `json:"kubernetesVersion,omitempty"` // that the API server named
	Report     string      `json:"report,omitempty"`            // the official one, below that of the matrix
	Seconds    float64     `json:"seconds,omitempty"`
	Summary    run.Summary `json:"summary"`
}

// Matrix is the summary.
type Matrix struct {
	Version int       `json:"version"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Cells   []Result  `json:"cells"`
	// Request is what was asked for, to go on after an interrupt; its keys are
	// the caller's.
	Request map[string][]string `json:"request,omitempty"`
}

// Options say what to run and how.
type Options struct {
	Cells    []Cell
	Parallel int // cells at a time; 1 when less
	// Out is the folder of the matrix, made if need be.
	Out string
	// Resume keeps what is finished in Out, and goes on with the rest.
	Resume  bool
	Request map[string][]string
	// Run runs a cell into a folder. resume says that the folder holds a run that
	// did not come to its end. The results may be there beside an error.
	Run func(ctx context.Context, number int, c Cell, dir string, resume bool) (*run.Results, error)
	// Progress is told of cells that begin and end, a line at a time; nil for none.
	Progress func(line string)
}

// ErrOptions marks options that make no sense.
var ErrOptions = run.ErrOptions

// Run runs all cells. The error is of the machinery around them, or that the
// context ended; how cells ended is in the matrix, which is in o.Out as well.
func Run(ctx context.Context, o Options) (*Matrix, error) {
	m := &Matrix{Version: Version, Started: time.Now().UTC(), Request: o.Request}
	seen := map[string]bool{}
	for _, c := range o.Cells {
		folder := c.Folder()
		if seen[strings.ToLower(folder)] {
			return nil, fmt.Errorf("%w: %s is asked for twice", ErrOptions, folder)
		}
		seen[strings.ToLower(folder)] = true
		m.Cells = append(m.Cells, Result{Cell: c, Folder: folder, Status: Waiting})
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, fmt.Errorf("folder of the matrix: %w", err)
	}
	lock := flock.New(filepath.Join(o.Out, ".lock"))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("folder of the matrix: another run writes to %s", o.Out), err)
	}
	defer func() { _ = lock.Close() }()
	if _, err := os.Stat(filepath.Join(o.Out, File)); err == nil && !o.Resume {
		return nil, fmt.Errorf("%w: %s holds another matrix: name another folder, or --resume it", ErrOptions, o.Out)
	}
	r := &runner{o: o, m: m}
	if err := r.save(); err != nil {
		return nil, err
	}
	r.all(ctx)
	m.Ended = time.Now().UTC()
	return m, errors.Join(r.failed, ctx.Err(), r.save())
}

type runner struct {
	o  Options
	mu sync.Mutex // guards what follows
	m  *Matrix
	// failed is that the summary could not be written while cells ran.
	failed error
}

func (r *runner) all(ctx context.Context) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(max(1, r.o.Parallel), len(r.m.Cells)) {
		workers.Go(func() {
			for i := range next {
				r.cell(ctx, i)
			}
		})
	}
	for i := range r.m.Cells {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
}

func (r *runner) cell(ctx context.Context, i int) {
	r.mu.Lock()
	cell := r.m.Cells[i]
	r.mu.Unlock()
	dir := filepath.Join(r.o.Out, cell.Folder)
	old, err := run.ReadResults(dir)
	resume := err == nil
	if resume && r.o.Resume && finished(old.Status) {
		cell.take(old)
		r.done(i, cell, "kept")
		return
	}
	if ctx.Err() != nil {
		return
	}
	r.say("cell %d of %d: %s begins", i+1, len(r.m.Cells), cell.Folder)
	cell.Status = run.StatusRunning
	r.set(i, cell)
	begun := time.Now()
	results, err := r.o.Run(ctx, i, cell.Cell, dir, resume && r.o.Resume)
	switch {
	case results != nil:
		cell.take(results)
		if err != nil && ctx.Err() == nil {
			cell.Status, cell.Verdict = Broken, err.Error()
		}
	case ctx.Err() != nil:
		cell.Status, cell.Verdict = run.StatusInterrupted, "interrupted"
	default:
		cell.Status, cell.Verdict, cell.Seconds = Broken, fmt.Sprint(err), time.Since(begun).Seconds()
	}
	r.done(i, cell, string(cell.Status))
}

// finished reports whether a run came to an end that running it again would not
// take further.
func finished(s run.Status) bool { return s == run.StatusPassed || s.Nonconformant() }

// take takes over what a run came to.
func (c *Result) take(r *run.Results) {
	c.Status, c.Verdict, c.GatewayAPI, c.Version, c.Cluster, c.Ran = r.Status, r.Verdict, r.Suite, r.Implementation.Version, r.Cluster, r.Kubernetes
	c.Summary, c.Seconds = r.Summary, r.Seconds
	if r.Report.Path != "" {
		c.Report = filepath.ToSlash(filepath.Join(c.Folder, r.Report.Path))
	}
}

func (r *runner) done(i int, cell Result, how string) {
	r.set(i, cell)
	verdict, _, _ := strings.Cut(cell.Verdict, "\n")
	r.say("cell %d of %d: %s: %s: %s", i+1, len(r.m.Cells), cell.Folder, how, verdict)
}

func (r *runner) set(i int, cell Result) {
	r.mu.Lock()
	r.m.Cells[i] = cell
	r.mu.Unlock()
	if err := r.save(); err != nil {
		r.mu.Lock()
		r.failed = err
		r.mu.Unlock()
	}
}

func (r *runner) say(format string, args ...any) {
	if r.o.Progress != nil {
		r.o.Progress(fmt.Sprintf(format, args...))
	}
}

func (r *runner) save() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, err := json.MarshalIndent(r.m, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	if err := run.ReplaceFile(filepath.Join(r.o.Out, File), append(data, '\n')); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// Read reads the summary in the folder of a matrix.
func Read(dir string) (*Matrix, error) {
	data, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		return nil, err
	}
	var m Matrix
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, File), err)
	}
	if m.Version != Version {
		return nil, fmt.Errorf("%s has version %d of the form, this causeway reads %d", filepath.Join(dir, File), m.Version, Version)
	}
	return &m, nil
}

// Nonconformant are the folders of cells in which the implementation failed.
func (m *Matrix) Nonconformant() []string {
	return m.folders(func(s run.Status) bool { return s.Nonconformant() })
}

// Unfinished are the cells that say nothing of their implementation.
func (m *Matrix) Unfinished() []string {
	return m.folders(func(s run.Status) bool { return !finished(s) })
}

func (m *Matrix) folders(which func(run.Status) bool) []string {
	var out []string
	for _, c := range m.Cells {
		if which(c.Status) {
			out = append(out, c.Folder)
		}
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxBytes bounds each file that is read.
const maxBytes = 16 << 20

// Set is what was read from files and folders.
type Set struct {
	Reports []*Report
	// Runs are those without an official report beside them: they failed early.
	Runs []*Run
}

// Gather reads files, folders with everything below them, and "-" for standard
// input. A file that is named must be a report or the results of a run; of a
// folder only such files are taken. All mistakes are returned together with
// what could be read.
func Gather(paths []string, stdin io.Reader) (*Set, error) {
	g := gatherer{runs: map[string]*Run{}}
	for _, p := range paths {
		g.path(p, stdin)
	}
	set := &Set{Reports: g.reports}
	for _, r := range g.reports {
		if run := g.runs[filepath.Clean(r.File)]; run != nil {
			r.Run = run
			run.Report.Path = "" // found
		}
	}
	for _, run := range g.order {
		if !paired(set.Reports, run) {
			set.Runs = append(set.Runs, run)
		}
	}
	return set, errors.Join(g.errs...)
}

func paired(reports []*Report, run *Run) bool {
	for _, r := range reports {
		if r.Run == run {
			return true
		}
	}
	return false
}

type gatherer struct {
	reports []*Report
	runs    map[string]*Run // by the path of their official report
	order   []*Run
	errs    []error
}

func (g *gatherer) path(path string, stdin io.Reader) {
	if path == "-" {
		data, err := io.ReadAll(io.LimitReader(stdin, maxBytes+1))
		if err == nil && len(data) > maxBytes {
			err = errors.New("standard input is too large for a report")
		}
		g.add("standard input", data, err, true)
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		g.errs = append(g.errs, err)
		return
	}
	if !info.IsDir() {
		g.file(path, info.Size(), true)
		return
	}
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		// A run's folder also keeps what each attempt wrote; the results say
		// which report is the one.
		if results := filepath.Join(p, runFile); d.IsDir() && isFile(results) {
			g.path(results, nil)
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || !mayBeReport(p) {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		g.file(p, info.Size(), false)
		return nil
	})
	if err != nil {
		g.errs = append(g.errs, err)
	}
}

// runFile is where a run of Causeway leaves its results.
const runFile = "results.json"

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func mayBeReport(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return true
	}
	return false
}

func (g *gatherer) file(path string, size int64, named bool) {
	if size > maxBytes {
		if named {
			g.errs = append(g.errs, fmt.Errorf("%s: %d bytes are too many for a report", path, size))
		}
		return
	}
	data, err := os.ReadFile(path)
	g.add(path, data, err, named)
}

func (g *gatherer) add(name string, data []byte, err error, named bool) {
	switch {
	case err != nil:
	case looksLikeRun(data):
		var run *Run
		if run, err = ReadRun(name, data); err == nil {
			g.order = append(g.order, run)
			if run.Report.Path != "" && filepath.IsLocal(run.Report.Path) {
				g.runs[filepath.Join(filepath.Dir(name), run.Report.Path)] = run
				g.beside(filepath.Join(filepath.Dir(name), run.Report.Path))
			}
			return
		}
	case !named && !bytes.Contains(data, []byte("ConformanceReport")):
		return // something else that is YAML
	default:
		var r *Report
		if r, err = Read(name, data); err == nil {
			g.take(r)
			return
		}
	}
	g.errs = append(g.errs, err)
}

// beside reads the official report of a run.
func (g *gatherer) beside(path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return // the run is shown without it
	}
	if r, err := Read(path, data); err == nil {
		g.take(r)
	} else {
		g.errs = append(g.errs, err)
	}
}

// take adds a report once, however often it is named.
func (g *gatherer) take(r *Report) {
	for _, have := range g.reports {
		if have.File == r.File {
			return
		}
	}
	g.reports = append(g.reports, r)
}

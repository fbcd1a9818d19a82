package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/causeway-gateway/causeway/conformance/cluster/clustername"
	"github.com/causeway-gateway/causeway/internal/buildcache"
)

// prefix begins the names that clusters have in Docker.
const prefix = "causeway-"

// inDocker is a cluster's name in Docker.
func inDocker(name string) string {
	if name == DefaultName {
		return DefaultName
	}
	return prefix + name
}

// ours is the name of a cluster by its name in Docker, if it is one of ours.
func ours(name string) (string, bool) {
	if name == DefaultName {
		return DefaultName, true
	}
	return strings.CutPrefix(name, prefix)
}

// state is the folder of one cluster: kubeconfig, the lock of the process that
// keeps it, and the log of the one in the background.
type state struct{ dir string }

// stateBase is $XDG_RUNTIME_DIR/causeway-kind, or kind in the cache. It is
// private: it has the kubeconfigs.
func stateBase() (string, error) {
	base := os.Getenv("XDG_RUNTIME_DIR")
	if info, err := os.Stat(base); err == nil && info.IsDir() {
		base = filepath.Join(base, "causeway-kind")
	} else {
		cache, err := buildcache.Dir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(cache, "kind")
	}
	return base, os.MkdirAll(base, 0o700)
}

func stateOf(name string) (state, error) {
	if err := clustername.Check(name); err != nil {
		return state{}, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	base, err := stateBase()
	return state{dir: filepath.Join(base, name)}, err
}

func (s state) kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }
func (s state) log() string        { return filepath.Join(s.dir, "causeway.log") }
func (s state) info() string       { return filepath.Join(s.dir, "info.json") }
func (s state) remove() error      { return os.RemoveAll(s.dir) }

// details are written down for the commands that come later.
type details struct {
	Created      time.Time `json:"created"`
	LoadBalancer string    `json:"loadBalancer"`
}

func (s state) write(d details) error {
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return os.WriteFile(s.info(), data, 0o600)
}

func (s state) read() (d details, err error) {
	data, err := os.ReadFile(s.info())
	if err != nil {
		return d, err
	}
	err = json.Unmarshal(data, &d)
	return d, err
}

// keeping is the lock of the process that keeps a cluster: its run, or the
// controller in the background. The system drops it when the process ends.
func (s state) keeping() *flock.Flock { return flock.New(s.dir + ".lock") }

// kept reports whether a process keeps the cluster.
func (s state) kept() bool {
	l := s.keeping()
	ok, err := l.TryLock()
	if ok {
		_ = l.Unlock()
	}
	return err == nil && !ok
}

// State is what can be said of a cluster.
type State string

// States of a cluster.
const (
	Running State = "Running" // its nodes run
	Stopped State = "Stopped" // some node does not run
	Gone    State = "Gone"    // only its folder is left
)

// Status is a cluster of this package.
type Status struct {
	Name       string    `json:"name"`
	State      State     `json:"state"`
	Kept       bool      `json:"kept"` // a process gives its Services addresses
	Nodes      int       `json:"nodes"`
	Since      time.Time `json:"since,omitzero"`
	Kubeconfig string    `json:"kubeconfig,omitempty"`
	Logs       string    `json:"logs"`

	loadBalancer string
}

// Unattended reports whether its Services wait for addresses in vain: the
// process that gives them has ended.
func (s Status) Unattended() bool { return !s.Kept && s.loadBalancer == BuiltIn }

// List returns the clusters of this package in the engine, and those that left
// only a folder, by name.
func List(ctx context.Context) ([]Status, error) {
	found := map[string]*Status{}
	out, err := docker(ctx, "ps", "--all", "--filter", "label="+clusterLabel, "--format", "{{.Label \""+clusterLabel+"\"}}\t{{.State}}")
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNoDocker, err)
	}
	for line := range strings.Lines(string(out)) {
		cluster, running, _ := strings.Cut(strings.TrimSpace(line), "\t")
		name, ok := ours(cluster)
		if !ok {
			continue
		}
		s := found[name]
		if s == nil {
			s = &Status{Name: name, State: Running}
			found[name] = s
		}
		s.Nodes++
		if running != "running" {
			s.State = Stopped
		}
	}
	base, err := stateBase()
	if err != nil {
		return nil, err
	}
	folders, err := os.ReadDir(base)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if f.IsDir() && found[f.Name()] == nil {
			found[f.Name()] = &Status{Name: f.Name(), State: Gone}
		}
	}
	var all []Status
	for name, s := range found {
		st, err := stateOf(name)
		if err != nil { // a container that only looks like one of ours
			continue
		}
		s.Kept, s.Logs = st.kept(), st.dir
		if d, err := st.read(); err == nil {
			s.Since, s.loadBalancer = d.Created, d.LoadBalancer
		}
		if _, err := os.Stat(st.kubeconfig()); err == nil && s.State != Gone {
			s.Kubeconfig = st.kubeconfig()
		}
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// clusterLabel is how kind labels the containers of a cluster
// (pkg/cluster/internal/providers/docker/constants.go of v0.33.0).
const clusterLabel = "io.x-k8s.kind.cluster"

// Kubeconfig is the path of a running cluster's kubeconfig.
func Kubeconfig(name string) (string, error) {
	s, err := stateOf(name)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(s.kubeconfig()); err != nil {
		return "", fmt.Errorf("there is no kind cluster %q: start it with `causeway cluster up --provider kind --name %s`", name, name)
	}
	return s.kubeconfig(), nil
}

// Down deletes the cluster of that name, in whatever state it is, and removes
// what it left. It reports whether there was anything.
func Down(ctx context.Context, name string) (found bool, err error) {
	all, err := List(ctx)
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(all, func(s Status) bool { return s.Name == name }) {
		return false, nil
	}
	if err := remove(ctx, name, func(string, ...any) {}); err != nil {
		return true, err
	}
	return true, left(ctx, name)
}

// left waits until the process that keeps a cluster has seen that it is gone.
func left(ctx context.Context, name string) error {
	s, err := stateOf(name)
	if err != nil {
		return err
	}
	lock := s.keeping()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if ok, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil || !ok {
		return fmt.Errorf("the process that keeps cluster %q does not end: %w", name, err)
	}
	return errors.Join(os.RemoveAll(lock.Path()), lock.Unlock())
}

// Reap deletes the clusters whose names begin with a prefix and that no process
// keeps any more: it has crashed.
func Reap(ctx context.Context, prefix string) (reaped []string, err error) {
	all, err := List(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Kept || !strings.HasPrefix(s.Name, prefix) {
			continue
		}
		if rerr := remove(ctx, s.Name, func(string, ...any) {}); rerr != nil {
			err = errors.Join(err, rerr)
			continue
		}
		reaped = append(reaped, s.Name)
	}
	return reaped, err
}

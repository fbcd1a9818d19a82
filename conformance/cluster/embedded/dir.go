//go:build linux

package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dir is where the state of one cluster lies: sockets, kubeconfig and logs. It
// is private to the user.
type dir struct {
	base, name string
}

func (d dir) path() string       { return filepath.Join(d.base, d.name) }
func (d dir) socket() string     { return filepath.Join(d.path(), "control.sock") }
func (d dir) kubeconfig() string { return filepath.Join(d.path(), "kubeconfig") }
func (d dir) logs() string       { return filepath.Join(d.path(), "logs") }
func (d dir) lockFile() string   { return filepath.Join(d.base, d.name+".lock") }
func (d dir) info() string       { return filepath.Join(d.path(), "info.json") }

// socketLimit is the longest path of a Unix socket on Linux, see unix(7).
const socketLimit = 107

// base returns the user's own folder for clusters, making it if need be:
// $XDG_RUNTIME_DIR/causeway, or causeway-UID among the temporary files.
func base() (string, error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("causeway-%d", os.Getuid()))
	if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" {
		if info, err := os.Stat(run); err == nil && info.IsDir() {
			path = filepath.Join(run, "causeway")
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("folder of clusters: %w", err)
	}
	// Others may write to the folder of temporary files, too.
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !ok || int(owner.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s is not a folder that only you can use; remove it or set XDG_RUNTIME_DIR", path)
	}
	return filepath.EvalSymlinks(path)
}

func dirOf(name string) (dir, error) {
	if err := CheckName(name); err != nil {
		return dir{}, err
	}
	b, err := base()
	if err != nil {
		return dir{}, err
	}
	d := dir{base: b, name: name}
	if len(d.socket()) > socketLimit {
		return dir{}, fmt.Errorf("%s is too long for a socket; set XDG_RUNTIME_DIR to a shorter folder", d.socket())
	}
	return d, nil
}

// create makes the folder anew. The caller holds the lock.
func (d dir) create() error {
	if err := os.RemoveAll(d.path()); err != nil {
		return err
	}
	return os.MkdirAll(d.logs(), 0o700)
}

// errLocked says that a cluster runs.
var errLocked = errors.New("it is running")

// lock takes the cluster's lock without waiting; its error is errLocked while
// the cluster runs. The lock belongs to the open file: it is free once this
// process and those that it passed the file on to have closed it.
func (d dir) lock() (*os.File, error) {
	for {
		f, err := os.OpenFile(d.lockFile(), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, errLocked
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", d.lockFile(), err)
		}
		// Whoever held the lock before may have removed the file.
		mine, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		if there, err := os.Stat(d.lockFile()); err == nil && os.SameFile(mine, there) {
			return f, nil
		}
		f.Close()
	}
}

// remove deletes all that is left of a cluster. The caller holds the lock.
func (d dir) remove() error {
	return errors.Join(os.RemoveAll(d.path()), os.Remove(d.lockFile()))
}

// process names a process for sure: a number alone may be another's by now.
type process struct {
	PID     int       `json:"pid"`
	Start   string    `json:"start"` // in clock ticks since boot, see proc(5)
	Started time.Time `json:"started"`
}

// self is the calling process.
func self() (process, error) {
	start, err := startOf(os.Getpid())
	return process{PID: os.Getpid(), Start: start, Started: time.Now().UTC()}, err
}

// startOf reads field 22 of /proc/PID/stat, which follows the name in
// parentheses that may hold anything.
func startOf(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const starttime = 22 - 3 // the first field here is the third
	if len(fields) <= starttime {
		return "", fmt.Errorf("/proc/%d/stat has only %d fields", pid, len(fields))
	}
	return fields[starttime], nil
}

// kill ends the process if it still is the one that was written down.
func (p process) kill() error {
	found, err := os.FindProcess(p.PID) // holds on to the process, not the number
	if err != nil {
		return err
	}
	defer func() { _ = found.Release() }()
	if start, err := startOf(p.PID); err != nil || start != p.Start {
		return nil // it is gone, which is what was asked for
	}
	return found.Kill()
}

func (d dir) writeInfo(p process) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(d.info(), data, 0o600)
}

func (d dir) readInfo() (p process, err error) {
	data, err := os.ReadFile(d.info())
	if err != nil {
		return p, err
	}
	err = json.Unmarshal(data, &p)
	return p, err
}

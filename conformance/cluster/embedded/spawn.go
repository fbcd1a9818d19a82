//go:build linux

package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/causeway-gateway/causeway/conformance/cluster/embedded/node"
)

// The files that the first process of the namespaces gets, after the three
// standard ones. It keeps the lock and passes on what the node needs.
const (
	fdLifeline = 3 + iota // reads the end of the holder
	fdLock                // the cluster's lock
	fdLink                // configuration in, reports out
	fdOutside             // listens for the API server, outside
)

// instead is what helps where an embedded cluster cannot run.
const instead = "use a cluster of another provider (--cluster kind, --cluster existing)"

// supported says early and with a remedy why namespaces cannot be made here.
func supported() error {
	for _, limit := range []struct {
		file, bad, remedy string
	}{
		{"/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
	} {
		value, err := os.ReadFile(limit.file)
		if err != nil || strings.TrimSpace(string(value)) != limit.bad {
			continue
		}
		if limit.file != "/proc/sys/user/max_user_namespaces" && os.Geteuid() == 0 {
			continue // binds other users only
		}
		return fmt.Errorf("an embedded cluster needs user namespaces, and %s is %s: as root run `%s`, or %s",
			limit.file, limit.bad, limit.remedy, instead)
	}
	return nil
}

// spawn starts the first process of new namespaces. It dies with this process,
// and all others in the namespaces die with it.
func spawn(config node.Config, outside, lock *os.File) (*held, io.ReadCloser, error) {
	theirLifeline, lifeline, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer theirLifeline.Close()
	link, theirLink, err := socketPair()
	if err != nil {
		lifeline.Close()
		return nil, nil, err
	}
	defer theirLink.Close()

	cmd := exec.Command(executable, reexecArg, roleInit)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "PATH="+path())
	cmd.ExtraFiles = []*os.File{theirLifeline, lock, theirLink, outside}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	uids, gids, err := mappings()
	if err != nil {
		return nil, nil, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		UidMappings: uids,
		GidMappings: gids,
		Setsid:      true, // an interrupt at the terminal is for causeway, which ends the cluster in order
		Pdeathsig:   syscall.SIGKILL,
	}
	h := &held{lifeline: lifeline, lock: lock, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Pdeathsig is about the thread that starts the child, see prctl(2).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			h.err = cmd.Wait()
			close(h.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, nil, errors.Join(explain(err), lifeline.Close(), link.Close())
	}
	if err := json.NewEncoder(link).Encode(config); err != nil {
		h.end()
		return nil, nil, errors.Join(fmt.Errorf("configure the node: %w", err), link.Close())
	}
	return h, link, nil
}

// path makes sure that programs of the system are found, as some users' PATH
// lacks sbin.
func path() string {
	return os.Getenv("PATH") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// explain adds a remedy to the errors of clone(2) that say little.
func explain(err error) error {
	why := map[syscall.Errno]string{
		syscall.EPERM:  "this system does not let you make user namespaces (in a container: its seccomp profile)",
		syscall.ENOSPC: "the limit of user namespaces is reached (sysctl user.max_user_namespaces), or they are nested too deep",
		syscall.EINVAL: "the kernel is built without namespaces",
		syscall.EUSERS: "user namespaces are nested too deep",
	}
	var errno syscall.Errno
	if errors.As(err, &errno) && why[errno] != "" {
		return fmt.Errorf("start an embedded cluster: %w: %s; %s", err, why[errno], instead)
	}
	return fmt.Errorf("start an embedded cluster: %w", err)
}

// mappings say who is who in the user namespace. Root keeps all its users, so
// that it can still read what belongs to them; anyone else is root inside and
// there is nobody else.
func mappings() (uids, gids []syscall.SysProcIDMap, err error) {
	if os.Geteuid() != 0 {
		return []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}, nil
	}
	if uids, err = identity("/proc/self/uid_map"); err != nil {
		return nil, nil, err
	}
	gids, err = identity("/proc/self/gid_map")
	return uids, gids, err
}

// identity maps each user or group that exists here to itself.
func identity(file string) ([]syscall.SysProcIDMap, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []syscall.SysProcIDMap
	for line := range strings.Lines(string(data)) {
		var inside, outside, size int
		if _, err := fmt.Sscan(line, &inside, &outside, &size); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, syscall.SysProcIDMap{ContainerID: inside, HostID: inside, Size: size})
	}
	return out, nil
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link"), nil
}

//go:build linux

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const planVariable = "CAUSEWAY_AIRGAP_PLAN"

// inner is process 1 of the namespaces.
func inner() int {
	var p plan
	data, err := os.ReadFile(os.Getenv(planVariable))
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return fail(err)
	}
	if err := errors.Join(os.Unsetenv(roleVariable), os.Unsetenv(planVariable)); err != nil {
		return fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = p.run(ctx)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

func (p plan) run(ctx context.Context) error {
	if err := p.mounts(); err != nil {
		return err
	}
	if err := loopback(); err != nil {
		return fmt.Errorf("loopback device: %w", err)
	}
	if err := serveDNS(); err != nil {
		return fmt.Errorf("DNS: %w", err)
	}
	stop, err := p.startEngine(ctx)
	if err != nil {
		return err
	}
	defer stop()
	docker, err := program(p.Programs, "docker")
	if err != nil {
		return err
	}
	for _, image := range p.Images {
		cmd := exec.CommandContext(ctx, docker, "load", "--quiet", "--input", image)
		cmd.Env = environment(p.Programs)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("loading %s: %w: %s", image, err, out)
		}
	}
	// What the command finds running there is of these namespaces and of no others.
	runtimeDir := filepath.Join(p.Dir, "run")
	if err := os.Mkdir(runtimeDir, 0o700); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
	// The client of the engine comes first, but none of its libraries: the
	// command is the machine's own.
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(p.Dir, "bin")+":"+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+runtimeDir, "DOCKER_HOST="+socket)
	cmd.Env = append(cmd.Env, p.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 50 * time.Second
	return cmd.Run()
}

// mounts gives the namespaces file systems that show them and not the machine.
func (p plan) mounts() error {
	steps := []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
	}
	if len(p.Hierarchies) > 0 { // sysfs shows this network namespace's devices; groups are mounted anew
		steps = append(steps, struct {
			source, target, kind string
			flags                uintptr
			data                 string
		}{"sysfs", "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
			struct {
				source, target, kind string
				flags                uintptr
				data                 string
			}{"tmpfs", "/sys/fs/cgroup", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "mode=755"})
	}
	for _, s := range steps {
		if err := unix.Mount(s.source, s.target, s.kind, s.flags, s.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", s.kind, s.target, err)
		}
	}
	for _, h := range p.Hierarchies {
		if err := os.MkdirAll(h.Mount, 0o755); err != nil {
			return err
		}
		options := h.Options
		if len(options) > 5 && options[:5] == "name=" {
			options = "none," + options
		}
		if err := unix.Mount("cgroup", h.Mount, "cgroup", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
			return fmt.Errorf("mount control groups %s: %w", h.Options, err)
		}
	}
	return nil
}

func loopback() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

const socket = "unix:///run/docker.sock"

// startEngine starts dockerd and waits until it answers.
func (p plan) startEngine(ctx context.Context) (stop func(), err error) {
	found := map[string]string{}
	for _, name := range []string{"docker", "dockerd", "docker-proxy", "runc"} {
		if found[name], err = program(p.Programs, name); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(p.Dir, "bin"), 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink(found["docker"], filepath.Join(p.Dir, "bin", "docker")); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(p.Dir, "dockerd.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	config, err := json.Marshal(map[string]any{
		"hosts": []string{socket}, "data-root": filepath.Join(p.Dir, "data"), "exec-root": "/run/docker", "pidfile": "/run/docker.pid",
		"storage-driver": "overlay2", "default-cgroupns-mode": "private", "oom-score-adjust": 0,
		"exec-opts":       []string{"native.cgroupdriver=cgroupfs"},
		"runtimes":        map[string]any{runtimeName: map[string]string{"path": p.Runtime}},
		"default-runtime": runtimeName,
		"dns":             []string{dnsAddress.String()},
		"userland-proxy":  true, "userland-proxy-path": found["docker-proxy"], // ports on ::1 need it
		"max-download-attempts": 1,
	})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(p.Dir, "daemon.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(found["dockerd"], "--config-file", file)
	cmd.Env = append(environment(p.Programs), realRuntimeVariable+"="+found["runc"])
	cmd.Stdout, cmd.Stderr = log, log
	// An interrupt at the terminal is for the command: it has clusters to delete.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; {
		ping := exec.CommandContext(ctx, found["docker"], "version")
		ping.Env = append(environment(p.Programs), "DOCKER_HOST="+socket)
		if ping.Run() == nil {
			return func() { p.stopEngine(cmd, ended) }, nil
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("the engine ended: %w; its last words:\n%s", err, tail(log.Name()))
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the engine does not answer; its last words:\n%s", tail(log.Name()))
		}
	}
}

// stopEngine lets the engine end its containers and unmount their files, which
// would otherwise stay busy in the folder of the run.
func (p plan) stopEngine(cmd *exec.Cmd, ended <-chan error) {
	kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	_ = cmd.Process.Signal(unix.SIGTERM)
	if err := <-ended; err != nil {
		fmt.Fprintf(os.Stderr, "airgap: the engine ended: %v; its last words:\n%s\n", err, tail(filepath.Join(p.Dir, "dockerd.log")))
	}
}

// tail is the end of a log.
func tail(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	if len(data) > 4000 {
		data = data[len(data)-4000:]
	}
	return bytes.TrimSpace(data)
}

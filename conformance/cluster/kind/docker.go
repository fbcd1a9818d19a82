package kind

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
)

// engine is what matters of `docker info`.
type engine struct {
	CgroupVersion string
	ServerErrors  []string
}

// docker runs the docker command and returns what it printed.
func docker(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("docker %s: %w: %s", args[0], err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

func engineInfo(ctx context.Context) (e engine, err error) {
	out, err := docker(ctx, "info", "--format", "{{json .}}")
	if err != nil {
		return e, fmt.Errorf("%w (%w)", ErrNoDocker, err)
	}
	if err := json.Unmarshal(out, &e); err != nil {
		return e, fmt.Errorf("docker info: %w", err)
	}
	if len(e.ServerErrors) > 0 { // the exit code is zero all the same in some versions
		return e, fmt.Errorf("%w (%s)", ErrNoDocker, e.ServerErrors[0])
	}
	return e, nil
}

// address is a node's in the network that it shares with the others.
type address struct {
	netip.Prefix // the node's own address, with the length of the network's
}

// addresses are the container's, IPv4 first.
func addresses(ctx context.Context, container string) ([]address, error) {
	out, err := docker(ctx, "inspect", "--format", "{{json .NetworkSettings.Networks}}", container)
	if err != nil {
		return nil, err
	}
	return parseAddresses(out)
}

func parseAddresses(networks []byte) ([]address, error) {
	var all map[string]struct {
		IPAddress, GlobalIPv6Address     string
		IPPrefixLen, GlobalIPv6PrefixLen int
	}
	if err := json.Unmarshal(networks, &all); err != nil {
		return nil, fmt.Errorf("docker inspect: %w", err)
	}
	var out []address
	for _, n := range all {
		for _, a := range []struct {
			ip   string
			bits int
		}{{n.IPAddress, n.IPPrefixLen}, {n.GlobalIPv6Address, n.GlobalIPv6PrefixLen}} {
			if a.ip == "" {
				continue
			}
			ip, err := netip.ParseAddr(a.ip)
			if err != nil {
				return nil, fmt.Errorf("docker inspect: %w", err)
			}
			p := netip.PrefixFrom(ip, a.bits)
			if !p.IsValid() {
				return nil, fmt.Errorf("docker inspect: %s/%d is no network", a.ip, a.bits)
			}
			out = append(out, address{p})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the node has no address; it has stopped")
	}
	return out, nil
}

//go:build linux

package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// realRuntimeVariable is the path of the OCI runtime that the wrapper starts.
const realRuntimeVariable = "CAUSEWAY_AIRGAP_RUNTIME"

// wrapRuntime acts as an OCI runtime: it takes from the container's
// configuration what this process may not give away, and becomes the real one.
func wrapRuntime() int {
	runtime := os.Getenv(realRuntimeVariable)
	if runtime == "" {
		runtime = "runc"
	}
	for _, file := range configurations(os.Args[1:]) {
		if err := limitFile(file); err != nil {
			return fail(fmt.Errorf("%s: %w", file, err))
		}
	}
	args := append([]string{runtime}, os.Args[1:]...)
	return fail(fmt.Errorf("%s: %w", runtime, unix.Exec(runtime, args, os.Environ())))
}

// configurations are the files that a runtime's arguments name: config.json of
// `create` and `run`, and the process of `exec`.
func configurations(args []string) []string {
	var out []string
	var verb, bundle string
	for i, a := range args {
		name, value, joined := strings.Cut(a, "=")
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		if verb == "" && slices.Contains(verbs, name) {
			verb = name
		}
		switch name {
		case "--bundle", "-b":
			bundle = value
		case "--process", "-p":
			if verb == "exec" {
				out = append(out, value)
			}
		}
	}
	if verb == "create" || verb == "run" {
		out = append(out, filepath.Join(bundle, "config.json"))
	}
	return out
}

// verbs are the runtime's, see runc(8).
var verbs = []string{
	"checkpoint", "create", "delete", "events", "exec", "features", "kill", "list", "pause", "ps", "restore", "resume", "run", "spec",
	"start", "state", "update",
}

// limitFile applies the limits to a configuration or a process.
func limitFile(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		return err
	}
	process, ok := config["process"].(map[string]any)
	if !ok {
		process = config
	}
	own, err := ownLimits()
	if err != nil {
		return err
	}
	own.apply(process)
	if data, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// limits are what a process may hand on to its children.
type limits struct {
	capabilities uint64 // bit N is capability N
	files        uint64 // hard limit of open files
	oomScore     float64
}

// resource is CAP_SYS_RESOURCE: who has it may raise limits and lower scores.
const resource = unix.CAP_SYS_RESOURCE

func ownLimits() (limits, error) {
	var l limits
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return l, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			if _, err := fmt.Sscanf(strings.TrimSpace(value), "%x", &l.capabilities); err != nil {
				return l, err
			}
		}
	}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return l, err
	}
	l.files = files.Max
	score, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return l, err
	}
	_, err = fmt.Sscanf(string(score), "%f", &l.oomScore)
	return l, err
}

// apply limits a process of an OCI configuration
// (https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md#process).
func (l limits) apply(process map[string]any) {
	if sets, ok := process["capabilities"].(map[string]any); ok {
		for name, set := range sets {
			if list, ok := set.([]any); ok {
				sets[name] = slices.DeleteFunc(list, func(c any) bool { return !l.has(c) })
			}
		}
	}
	if l.capabilities&(1<<resource) != 0 {
		return
	}
	if list, ok := process["rlimits"].([]any); ok {
		for _, r := range list {
			limit, ok := r.(map[string]any)
			if !ok || limit["type"] != "RLIMIT_NOFILE" {
				continue
			}
			for _, which := range []string{"hard", "soft"} {
				if v, ok := limit[which].(float64); ok {
					limit[which] = min(v, float64(l.files))
				}
			}
		}
	}
	if score, ok := process["oomScoreAdj"].(float64); ok {
		process["oomScoreAdj"] = max(score, l.oomScore)
	}
}

func (l limits) has(name any) bool {
	s, _ := name.(string)
	n, ok := capabilities[s]
	return !ok || l.capabilities&(1<<n) != 0
}

// capabilities are those that containers are known to be denied; one that is
// not here is left as it is.
var capabilities = map[string]uint{"CAP_SYS_RESOURCE": resource}

//go:build linux

package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigurations(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"Create": {args: []string{"--root", "/r", "--log", "/l", "create", "--bundle", "/b", "--pid-file", "/p", "id"}, want: []string{"/b/config.json"}},
		"Run":    {args: []string{"run", "-b", "/b", "id"}, want: []string{"/b/config.json"}},
		"Joined": {args: []string{"create", "--bundle=/b", "id"}, want: []string{"/b/config.json"}},
		"Here":   {args: []string{"create", "id"}, want: []string{"config.json"}},
		"Exec":   {args: []string{"exec", "--process", "/p.json", "--detach", "id"}, want: []string{"/p.json"}},
		"Delete": {args: []string{"delete", "--force", "id"}},
		"State":  {args: []string{"state", "create"}, want: nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, configurations(tc.args)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const without = ^uint64(1 << resource)

func TestLimits(t *testing.T) {
	const config = `{"ociVersion":"1.0.2","process":{"oomScoreAdj":-999,
		"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"ambient":["CAP_SYS_RESOURCE"]},
		"rlimits":[{"type":"RLIMIT_NOFILE","hard":1048576,"soft":1024},{"type":"RLIMIT_CORE","hard":9999999,"soft":1}]},"linux":{"x":1}}`
	for name, tc := range map[string]struct {
		reason string
		own    limits
		want   string
	}{
		"Less": {reason: "what root lacks is taken out", own: limits{capabilities: without, files: 4096, oomScore: 0},
			want: `{"ociVersion":"1.0.2","process":{"oomScoreAdj":0,
			"capabilities":{"bounding":["CAP_CHOWN"],"ambient":[]},
			"rlimits":[{"type":"RLIMIT_NOFILE","hard":4096,"soft":1024},{"type":"RLIMIT_CORE","hard":9999999,"soft":1}]},"linux":{"x":1}}`},
		"All": {reason: "with the capability nothing changes", own: limits{capabilities: ^uint64(0), files: 4096}, want: config},
	} {
		t.Run(name, func(t *testing.T) {
			var got, want map[string]any
			if err := json.Unmarshal([]byte(config), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			tc.own.apply(got["process"].(map[string]any))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

// TestLimitFile changes a process of `exec`, which has no configuration around it.
func TestLimitFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "process.json")
	if err := os.WriteFile(file, []byte(`{"args":["true"],"cwd":"/"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := limitFile(file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || string(data) != `{"args":["true"],"cwd":"/"}` {
		t.Errorf("%s, %v", data, err)
	}
	if err := os.WriteFile(file, []byte(`no`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := limitFile(file); err == nil {
		t.Error("a broken file is taken")
	}
}

func TestControllers(t *testing.T) {
	for in, want := range map[string]string{
		"rw,relatime,cpu,cpuacct":                                   "cpu,cpuacct",
		"rw,nosuid,nodev,noexec,relatime,xattr,name=systemd":        "name=systemd",
		"rw,cpuset,clone_children,release_agent=/lib/systemd/agent": "cpuset",
	} {
		if got := controllers(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestNameError(t *testing.T) {
	// A query for the address of example.com, made by hand (RFC 1035, section 4).
	query := append([]byte{0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7}, "example\x03com\x00\x00\x01\x00\x01"...)
	answer, ok := nameError(query)
	if !ok {
		t.Fatal("no answer")
	}
	if answer[0] != 0xab || answer[1] != 0xcd || answer[2]&0x80 == 0 || answer[3]&0xf != 3 {
		t.Errorf("answer % x is not that the name does not exist", answer)
	}
	for _, bad := range [][]byte{nil, {1}, answer} { // an answer to an answer would never end
		if _, ok := nameError(bad); ok {
			t.Errorf("% x is answered", bad)
		}
	}
}

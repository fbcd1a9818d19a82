//go:build linux

package embedded

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, name string
		ok           bool
	}{
		"Plain":     {"letters, digits and hyphens", "run-1", true},
		"Empty":     {"there is a default for that", "", false},
		"Path":      {"a name is no path", "../x", false},
		"Slash":     {"a name is no path", "a/b", false},
		"Upper":     {"some file systems do not tell them apart", "A", false},
		"Hyphen":    {"it would look like a flag", "-a", false},
		"TooLong":   {"the socket's path has a limit", strings.Repeat("a", 41), false},
		"OneLetter": {"short is fine", "a", true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := CheckName(tc.name); (err == nil) != tc.ok || err != nil && !errors.Is(err, ErrOptions) {
				t.Errorf("%s: %v", tc.reason, err)
			}
		})
	}
}

func TestBase(t *testing.T) {
	run := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", run)
	if _, err := base(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(run+"/causeway", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := base(); err == nil {
		t.Error("a folder that others can read is not used")
	}
	if err := errors.Join(os.Remove(run+"/causeway"), os.Symlink("/tmp", run+"/causeway")); err != nil {
		t.Fatal(err)
	}
	if _, err := base(); err == nil {
		t.Error("a link that somebody has left is not followed")
	}
}

func TestLock(t *testing.T) {
	d := dir{base: t.TempDir(), name: "x"}
	first, err := d.lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.lock(); !errors.Is(err, errLocked) {
		t.Errorf("a second one got %v", err)
	}
	if err := errors.Join(d.create(), d.remove()); err != nil {
		t.Fatal(err)
	}
	again, err := d.lock()
	if err != nil {
		t.Errorf("a lock whose file was removed is nobody's: %v", err)
	}
	first.Close()
	again.Close()
}

func TestKillOnlyTheOne(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, err := startOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	other := process{PID: cmd.Process.Pid, Start: start + "0"}
	if err := other.kill(); err != nil {
		t.Fatal(err)
	}
	if now, err := startOf(cmd.Process.Pid); err != nil || now != start {
		t.Fatal("a process of the same number that started at another time was killed")
	}
	if err := (process{PID: cmd.Process.Pid, Start: start}).kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process was not killed")
	}
}

func TestOptions(t *testing.T) {
	o := Options{}
	if err := o.complete(); err != nil || o.Name != DefaultName {
		t.Errorf("got %q, %v", o.Name, err)
	}
}

package buildcache

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test be the process that is killed during a build.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BUILD_UNTIL_KILLED"); dir != "" {
		_ = GoCommand{Dir: dir, Args: []string{"build"}}.Run(context.Background(), io.Discard)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestABuildEndsWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	id := filepath.Join(dir, "id")
	write(t, filepath.Join(dir, "go"), "#!/bin/sh\necho $$ > "+id+".new; mv "+id+".new "+id+"; exec sleep 1000\n")
	if err := os.Chmod(filepath.Join(dir, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "BUILD_UNTIL_KILLED="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the build starts", func() bool { _, err := os.Stat(id); return err == nil })
	pid, err := os.ReadFile(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	until(t, "the go command is gone", func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ") // its new parent may not have noticed
	})
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 seconds: %s", what)
		}
	}
}

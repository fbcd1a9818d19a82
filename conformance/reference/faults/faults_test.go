//go:build faults

package faults

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	descriptors "github.com/causeway-gateway/causeway/conformance/implementation"
)

// judges are the packages whose tests must find mistakes in them.
var judges = []string{"./routing", "./gatewayapi/compile"}

// TestUnitTestsFindEachFault plants every mistake and runs the unit tests.
func TestUnitTestsFindEachFault(t *testing.T) {
	root := moduleRoot(t)
	for _, f := range Table {
		t.Run(f.Name, func(t *testing.T) {
			overlay := plant(t, &f, root)
			args := append([]string{"test", "-json", "-overlay", overlay}, judges...)
			out, err := goCommand(root, args...)
			if err == nil {
				t.Fatalf("no unit test fails: %s", f.Rule)
			}
			failed := failures(out)
			if len(failed) == 0 {
				t.Fatalf("go test failed without a failing test, so that nothing is shown:\n%s", tail(out))
			}
			t.Logf("found by %s", strings.Join(failed, ", "))
		})
	}
}

// TestSuiteFindsEachFault plants every mistake and runs the conformance tests
// that it must fail against the reference implementation.
func TestSuiteFindsEachFault(t *testing.T) {
	root := moduleRoot(t)
	for _, f := range Table {
		t.Run(f.Name, func(t *testing.T) {
			if (f.Unseen == "") == (len(f.Tests) == 0) {
				t.Fatal("a fault has either tests that find it or a reason why none does")
			}
			if f.Unseen != "" {
				t.Logf("left to the unit tests: %s", f.Unseen)
				return
			}
			overlay := plant(t, &f, root)
			program := filepath.Join(t.TempDir(), "causeway")
			if out, err := goCommand(root, "build", "-trimpath", "-overlay", overlay, "-o", program, "."); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			implementation := "reference"
			if strings.HasPrefix(f.Tests[0], "Mesh") {
				implementation = "reference-mesh"
			}
			results := t.TempDir()
			impatient := filepath.Join(results, "implementation.yaml")
			if err := os.WriteFile(impatient, hurried(t, implementation), 0o600); err != nil {
				t.Fatal(err)
			}
			// 5 is "conformance failed"; anything else is no verdict.
			c := exec.Command(program, "conformance", "run", "--implementation", impatient, "--rerun-failed", "0",
				"--focus", "^("+strings.Join(f.Tests, "|")+")$", "--out", filepath.Join(results, "run"))
			c.Dir = root
			out, err := c.CombinedOutput()
			if c.ProcessState == nil || c.ProcessState.ExitCode() != 5 {
				t.Fatalf("the suite does not fail: %v\n%s", err, tail(out))
			}
			for _, name := range f.Tests {
				if !bytes.Contains(out, []byte("fail "+name+"\n")) {
					t.Errorf("%s does not fail", name)
				}
			}
			t.Logf("found by %s", strings.Join(f.Tests, ", "))
		})
	}
}

// hurried is a descriptor of the catalogue with short limits: what the reference
// does right it does at once, and a test that fails waits for all of its limit.
func hurried(t *testing.T, name string) []byte {
	t.Helper()
	text, err := descriptors.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	const timeouts = "\ntimeouts: {"
	if !bytes.Contains(text, []byte(timeouts)) {
		t.Fatalf("the descriptor %s has no timeouts to add to", name)
	}
	limits := timeouts
	for _, limit := range []string{
		"maxTimeToConsistency", "gatewayMustHaveCondition", "gatewayStatusMustHaveListeners", "gatewayListenersMustHaveConditions",
		"httpRouteMustHaveCondition", "tcpRouteMustHaveCondition", "routeMustHaveParents", "defaultTestTimeout",
	} {
		limits += limit + ": 10s, "
	}
	return bytes.Replace(text, []byte(timeouts), []byte(limits), 1)
}

// plant returns the overlay of a mistake after a look whether it compiles.
func plant(t *testing.T, f *Fault, root string) string {
	t.Helper()
	overlay, err := f.Overlay(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := goCommand(root, append([]string{"build", "-overlay", overlay}, judges...)...); err != nil {
		t.Fatalf("the mistake does not compile: %v\n%s", err, out)
	}
	return overlay
}

func goCommand(dir string, args ...string) ([]byte, error) {
	c := exec.Command("go", args...)
	c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0") // the program runs where no library is
	return c.CombinedOutput()
}

// failures are the tests that `go test -json` says failed, without those that
// failed for one of their subtests.
func failures(out []byte) []string {
	var names []string
	for line := range bytes.Lines(out) {
		var e struct{ Action, Test string }
		if json.Unmarshal(line, &e) != nil || e.Action != "fail" || e.Test == "" {
			continue
		}
		part := false
		for _, n := range names {
			part = part || strings.HasPrefix(n, e.Test+"/")
		}
		if !part {
			names = append(names, e.Test)
		}
	}
	return names
}

func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }

func moduleRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(out))
	if _, err := os.Stat(filepath.Join(root, "routing")); err != nil {
		t.Fatal(err)
	}
	return root
}

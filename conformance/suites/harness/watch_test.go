package harness

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// childEnv names the behaviour of TestConformance, when the binary is run as a
// suite by the tests here.
const childEnv = "CAUSEWAY_HARNESS_CHILD"

// TestConformance fails on purpose, as a child of the tests below.
func TestConformance(t *testing.T) {
	behaviour := os.Getenv(childEnv)
	if behaviour == "" {
		t.Skip("it is the child of other tests")
	}
	driven = true
	w := newWatch()
	w.failFast = behaviour == "fail fast"
	w.exchanges = newExchanges(answer{})
	go w.obey(os.Stdin, os.Stdout, func() { os.Exit(exitStopped) })
	w.whole(t)
	remove := func() {
		fmt.Println("DELETE")
		r, _ := http.NewRequest(http.MethodDelete, "https://192.0.2.1/", nil)
		_, _ = w.beforeDelete(answer{}).RoundTrip(r)
		fmt.Println("deleted")
	}
	switch behaviour {
	case "set-up":
		t.Cleanup(remove)
		t.Fatal("not ready")
	case "set-up without objects":
		t.Fatal("no such class")
	}
	for _, name := range []string{"First", "Second"} {
		test := w.wrap(suite.ConformanceTest{ShortName: name, Test: func(t *testing.T, _ *suite.ConformanceTestSuite) {
			if name == "Second" {
				return
			}
			_, _, _ = w.exchanges.CaptureRoundTrip(roundtripper.Request{T: t, Method: "GET", URL: url.URL{Scheme: "http", Host: "192.0.2.1"}})
			t.Run("sub", func(t *testing.T) {
				switch behaviour {
				case "subtest cleans up":
					t.Cleanup(remove)
				case "parallel subtest":
					t.Parallel()
				}
				t.Error("wrong answer")
			})
		}})
		t.Run(name, func(t *testing.T) {
			t.Cleanup(remove) // the manifests, applied before the test begins
			test.Test(t, nil)
		})
	}
}

// answer answers everything with 503.
type answer struct{}

func (answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func (answer) CaptureRoundTrip(roundtripper.Request) (*roundtripper.CapturedRequest, *roundtripper.CapturedResponse, error) {
	return &roundtripper.CapturedRequest{Path: "/"}, &roundtripper.CapturedResponse{StatusCode: 503}, nil
}

// child runs TestConformance and answers each failure. It returns what happened,
// in order.
func child(t *testing.T, behaviour string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestConformance$", "-test.v=test2json")
	cmd.Env = append(os.Environ(), childEnv+"="+behaviour)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var happened []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := strings.TrimLeft(lines.Text(), "\x16")
		switch {
		case strings.Contains(line, attrFailed):
			name := strings.Fields(line)[2]
			happened = append(happened, "failed "+name, "ack")
			fmt.Fprintf(in, "ack %s\n", name)
		case strings.Contains(line, attrExchanges):
			happened = append(happened, "exchanges "+strings.Fields(line)[2])
			if !strings.Contains(line, `"status":503`) {
				t.Errorf("exchange %s", line)
			}
		case line == "DELETE", line == "deleted", strings.HasPrefix(line, "--- "):
			line, _, _ = strings.Cut(line, " (")
			happened = append(happened, line)
		}
	}
	_ = cmd.Wait()
	return happened
}

func TestAFailedTestIsToldBeforeItsObjectsAreDeleted(t *testing.T) {
	told := []string{"exchanges TestConformance/First", "failed TestConformance/First", "ack"}
	for behaviour, tc := range map[string]struct {
		reason string
		want   []string
	}{
		"plain": {
			reason: "once, at the end of the test and before its manifests go",
			want: slices.Concat([]string{"--- FAIL: TestConformance/First/sub"}, told, []string{
				"DELETE", "deleted", "--- FAIL: TestConformance/First",
				"DELETE", "deleted", "--- PASS: TestConformance/Second", "--- FAIL: TestConformance"}),
		},
		"parallel subtest": {
			reason: "not before parallel subtests ended, which is after the test's function did",
			want: slices.Concat([]string{"--- FAIL: TestConformance/First/sub"}, told, []string{
				"DELETE", "deleted", "--- FAIL: TestConformance/First",
				"DELETE", "deleted", "--- PASS: TestConformance/Second", "--- FAIL: TestConformance"}),
		},
		"subtest cleans up": {
			reason: "what a subtest deletes itself is looked at before, too",
			want: slices.Concat([]string{"DELETE"}, told, []string{"deleted", "--- FAIL: TestConformance/First/sub",
				"DELETE", "deleted", "--- FAIL: TestConformance/First",
				"DELETE", "deleted", "--- PASS: TestConformance/Second", "--- FAIL: TestConformance"}),
		},
		"set-up": {
			reason: "a set-up that fails has objects worth looking at",
			want:   []string{"DELETE", "failed TestConformance", "ack", "deleted", "--- FAIL: TestConformance"},
		},
		"set-up without objects": {
			reason: "the GatewayClass itself is worth looking at",
			want:   []string{"failed TestConformance", "ack", "--- FAIL: TestConformance"},
		},
		"fail fast": {
			reason: "the suite's own fail-fast overlooks parallel tests",
			want: slices.Concat([]string{"--- FAIL: TestConformance/First/sub"}, told, []string{
				"DELETE", "deleted", "--- FAIL: TestConformance/First",
				"DELETE", "deleted", "--- SKIP: TestConformance/Second", "--- FAIL: TestConformance"}),
		},
	} {
		t.Run(behaviour, func(t *testing.T) {
			if got := child(t, behaviour); !slices.Equal(got, tc.want) {
				t.Errorf("%s:\n got %s\nwant %s", tc.reason, strings.Join(got, "\n     "), strings.Join(tc.want, "\n     "))
			}
		})
	}
}

func TestTheRunEndsWithItsDriver(t *testing.T) {
	stopped := false
	newWatch().obey(strings.NewReader("ack nobody\nwhat?\n"), io.Discard, func() { stopped = true })
	if !stopped {
		t.Error("input closed, and the run goes on")
	}
}

func TestOnlyTheLastExchangesAreKept(t *testing.T) {
	e := newExchanges(answer{})
	for i := range remembered + 3 {
		_, _, _ = e.CaptureRoundTrip(roundtripper.Request{T: t, Method: fmt.Sprint(i)})
	}
	if kept := e.last[t]; len(kept) != remembered || kept[0].Method != "3" {
		t.Errorf("kept %d, the first %v", len(kept), kept[0])
	}
	if got := e.of(t); len(got) != 0 || len(e.last) != 0 {
		t.Errorf("%d exchanges of a test that did not fail, %d remembered", len(got), len(e.last))
	}
}

func TestManifestsAreSearched(t *testing.T) {
	images, namespaces, classes, err := manifests(fstest.MapFS{
		"base/a.yaml": {Data: []byte("apiVersion: v1\nkind: Namespace\nmetadata:\n  labels: {a: b}\n  name: one\n---\nspec:\n  containers:\n  - image: r/a:v1\n  - name: x\n    image: \"r/b:v1\" # comment\n")},
		"base/b.yaml": {Data: []byte("kind: GatewayClass\nmetadata:\n  name: class\n---\n# kind: Namespace\nkind: Deployment\nspec: {image: no}\n")},
		"base/c.go":   {Data: []byte("image: no\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want []string }{{images, []string{"r/a:v1", "r/b:v1"}}, {namespaces, []string{"one"}}, {classes, []string{"class"}}} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
}

package harness

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestTestsWaitBehindTheGate reads manifests as the suite does: set-up passes,
// what is of a test waits for the driver's order.
func TestTestsWaitBehindTheGate(t *testing.T) {
	w := newWatch()
	w.gate = newGate(t)
	manifests := gated{fstest.MapFS{"base/manifests.yaml": {Data: []byte("a")}, "mesh/manifests.yaml": {Data: []byte("b")}, "tests/x.yaml": {Data: []byte("c")}}, w.gate}
	for _, name := range []string{"base/manifests.yaml", "mesh/manifests.yaml"} {
		if _, err := fs.ReadFile(manifests, name); err != nil {
			t.Fatal(err)
		}
	}
	read := make(chan string, 2)
	for range 2 {
		go func() {
			data, err := fs.ReadFile(manifests, "tests/x.yaml")
			if err != nil {
				t.Error(err)
			}
			read <- string(data)
		}()
	}
	select {
	case <-read:
		t.Fatal("a manifest of a test was read before the order")
	case <-time.After(50 * time.Millisecond):
	}
	stopped := make(chan struct{})
	w.obey(strings.NewReader("go\ngo\n"), nil, func() { close(stopped) })
	<-stopped
	for range 2 {
		select {
		case got := <-read:
			if got != "c" {
				t.Errorf("got %q", got)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the order was not heard")
		}
	}
}

package serve

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// trickle returns a body in pieces of the given sizes.
type trickle struct {
	body   []byte
	pieces []int
}

func (s *trickle) Read(b []byte) (int, error) {
	if len(s.body) == 0 {
		return 0, io.EOF
	}
	n := min(len(b), len(s.body))
	if len(s.pieces) > 0 {
		n, s.pieces = min(n, s.pieces[0]), s.pieces[1:]
	}
	copy(b, s.body[:n])
	s.body = s.body[n:]
	return n, nil
}

// However attempts end and the source delivers, the last reader gets the whole
// body, and whole is told it once.
func TestReplayGivesTheWholeBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 4000).Draw(t, "body")
		p := newReplay(&trickle{bytes.Clone(body), rapid.SliceOfN(rapid.IntRange(1, 700), 0, 10).Draw(t, "pieces")})
		told := 0
		p.whole = func(b []byte) {
			if told++; !bytes.Equal(b, body) {
				t.Fatalf("whole got %d of %d bytes", len(b), len(body))
			}
		}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 4100), 0, 4).Draw(t, "read by failed attempts") {
			r := p.reader()
			got, _ := io.ReadAll(io.LimitReader(r, int64(n)))
			if !bytes.HasPrefix(body, got) {
				t.Fatal("a failed attempt read something else")
			}
			p.reader()
			if _, err := r.Read(make([]byte, 1)); err != errSuperseded { //nolint:errorlint // it is returned itself
				t.Fatalf("a superseded reader reads on: %v", err)
			}
		}
		got, err := io.ReadAll(p.reader())
		if err != nil || !bytes.Equal(got, body) || told != 1 {
			t.Fatalf("%d of %d bytes, %v; told %d times", len(got), len(body), err, told)
		}
	})
}

// A reader that is superseded while it waits for the client does not keep the
// next attempt from starting, and what it reads late is not lost.
func TestReplaySupersededWhileReading(t *testing.T) {
	source, client := io.Pipe()
	p := newReplay(source)
	first := p.reader()
	waiting := make(chan error, 1)
	go func() {
		_, err := io.ReadAll(first)
		waiting <- err
	}()
	if _, err := client.Write([]byte("one ")); err != nil {
		t.Fatal(err)
	}
	second := p.reader() // must not block
	got := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(second)
		got <- string(b)
	}()
	for _, part := range []string{"two ", "three"} {
		if _, err := client.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	client.Close()
	select {
	case b := <-got:
		if b != "one two three" {
			t.Errorf("the second attempt got %q", b)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the second attempt hangs")
	}
	if err := <-waiting; err != errSuperseded { //nolint:errorlint // it is returned itself
		t.Errorf("the first attempt ended by %v", err)
	}
}

// What a superseded reader reads is kept even beyond the bound: the next attempt
// has not seen it.
func TestReplaySupersededAtTheBound(t *testing.T) {
	source, client := io.Pipe()
	p := newReplay(source)
	first := p.reader()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, first)
	}()
	start := bytes.Repeat([]byte("x"), maxReplay)
	if _, err := client.Write(start); err != nil {
		t.Fatal(err)
	}
	// The first reader waits for more once it has kept what was written.
	gomega.NewWithT(t).Eventually(func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.reading && len(p.kept) == maxReplay
	}).WithTimeout(5 * time.Second).Should(gomega.BeTrue())
	second := p.reader()
	go func() {
		_, _ = client.Write([]byte("the end"))
		client.Close()
	}()
	got, err := io.ReadAll(second)
	if err != nil || len(got) != maxReplay+7 || !bytes.HasSuffix(got, []byte("xthe end")) {
		t.Errorf("%d bytes, want %d: %v", len(got), maxReplay+7, err)
	}
	<-done
}

// A body beyond the bound passes once, and is not kept.
func TestReplayBound(t *testing.T) {
	body := bytes.Repeat([]byte("x"), maxReplay+1000)
	p := newReplay(bytes.NewReader(body))
	p.whole = func([]byte) { t.Error("whole was told a part") }
	got, err := io.ReadAll(p.reader())
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d of %d bytes, %v", len(got), len(body), err)
	}
	if p.replayable() || p.kept != nil {
		t.Errorf("replayable %v, %d bytes kept", p.replayable(), len(p.kept))
	}
}

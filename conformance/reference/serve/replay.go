package serve

import (
	"errors"
	"io"
	"sync"
)

// maxReplay bounds the bodies that are kept to be sent again or mirrored, in
// bytes. Longer ones are forwarded once and not mirrored.
const maxReplay = 1 << 20

var errSuperseded = errors.New("the body is sent by a later attempt")

// replay keeps a body while it is read, so that it can be read from its start
// again. Nothing is read ahead: a stream flows as if it were not kept.
type replay struct {
	source io.Reader

	mu      sync.Mutex
	changed sync.Cond // kept grew, err is set, or another reader became the current one
	kept    []byte
	err     error // of source; io.EOF at its end
	long    bool  // kept is not all that was read
	reading bool
	current *replayReader
	whole   func(body []byte) // is told the body once it is complete
}

func newReplay(source io.Reader) *replay {
	p := &replay{source: source}
	p.changed.L = &p.mu
	return p
}

// replayable reports whether the body can be read again; a request without a
// replay has none.
func (p *replay) replayable() bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.long && (p.err == nil || p.err == io.EOF) //nolint:errorlint // readers return io.EOF itself
}

// reader returns the body from its start. Earlier readers fail from now on.
func (p *replay) reader() io.ReadCloser {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = &replayReader{p: p}
	p.changed.Broadcast()
	return p.current
}

type replayReader struct {
	p   *replay
	off int
}

// Read implements [io.Reader].
func (r *replayReader) Read(b []byte) (int, error) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.current != r:
			return 0, errSuperseded
		case r.off < len(p.kept):
			n := copy(b, p.kept[r.off:])
			r.off += n
			return n, nil
		case p.err != nil:
			return 0, p.err
		case p.reading:
			p.changed.Wait()
			continue
		}
		p.reading = true
		p.mu.Unlock()
		n, err := p.source.Read(b)
		p.mu.Lock()
		p.reading, p.err = false, err
		r.keep(b[:n])
		p.changed.Broadcast()
		if err == io.EOF && !p.long && p.whole != nil {
			p.whole(p.kept)
			p.whole = nil
		}
		if p.current == r {
			return n, err
		}
	}
}

// keep stores what was read. What a superseded reader read is always kept: the
// current one has not seen it.
func (r *replayReader) keep(b []byte) {
	p := r.p
	if p.long {
		return
	}
	if p.current == r && len(p.kept)+len(b) > maxReplay {
		p.long, p.kept, r.off = true, nil, 0
		return
	}
	p.kept = append(p.kept, b...)
	if p.current == r {
		r.off += len(b)
	}
}

// Close implements [io.Closer]; the server closes the source.
func (r *replayReader) Close() error { return nil }

// drain reads what no backend has read, within the bound.
func (p *replay) drain() {
	_, _ = io.CopyN(io.Discard, p.reader(), maxReplay+1) // whole tells how it ended
}

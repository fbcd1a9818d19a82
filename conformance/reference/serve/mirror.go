package serve

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

const (
	maxMirrors    = 256 // in flight; more are left out
	mirrorTimeout = 30 * time.Second
)

// mirrorsOf rolls which mirrors get a copy of the request
// (HTTPRequestMirrorFilter.Percent and Fraction).
func (v *view) mirrorsOf(d *routing.Decision) []destination {
	var out []destination
	for i := range d.Mirrors {
		m := &d.Mirrors[i]
		if m.URL != "" || rand.Float64()*100 >= m.Percent { //nolint:gosec // shares of requests are no secret
			continue
		}
		to, f := v.endpointOf(&m.Backend, m.Backend.Key())
		if f != nil {
			v.server.log.Debug("a request is not mirrored", "socket", v.bind, "reason", f.reason)
			continue
		}
		out = append(out, to)
	}
	return out
}

// mirror has the copies sent when the body is known. "Requests are sent to the
// specified destination, but responses from that destination are ignored"
// (HTTPRouteFilter.RequestMirror).
func (x *exchange) mirror(out *http.Request) {
	if len(x.mirrors) == 0 {
		return
	}
	header, host, hasBody := out.Header.Clone(), out.Host, out.Body != nil
	send := func(body []byte) {
		for _, to := range x.mirrors {
			x.view.sendMirror(to, x.in, out.URL.RequestURI(), host, header, body, wireOf(to.backend, x.in, x.view.mesh != nil))
		}
	}
	if !hasBody {
		send(nil)
		return
	}
	x.body.mu.Lock()
	x.body.whole = send
	x.body.mu.Unlock()
}

// finishMirrors reads the rest of a body that the backend did not ask for. A
// stream is not waited for: its client may wait for the end of the response.
func (x *exchange) finishMirrors() {
	if x.in.ContentLength < 0 {
		return
	}
	x.body.mu.Lock()
	waiting := x.body.whole != nil
	x.body.mu.Unlock()
	if waiting && x.in.Context().Err() == nil {
		x.body.drain()
	}
}

func (v *view) sendMirror(to destination, in *http.Request, target, host string, header http.Header, body []byte, w wire) {
	s := v.server
	select {
	case s.mirroring <- struct{}{}:
	default:
		s.log.Debug("a request is not mirrored: too many are under way", "socket", v.bind)
		return
	}
	s.tracks.do(func(ctx context.Context) {
		defer func() { <-s.mirroring }()
		ctx, cancel := context.WithTimeout(ctx, mirrorTimeout)
		defer cancel()
		if err := v.roundTripMirror(ctx, to, in.Method, target, host, header, body, w); err != nil {
			s.log.Debug("a mirrored request failed", "socket", v.bind, "backend", to.key, "error", err)
		}
	})
}

func (v *view) roundTripMirror(ctx context.Context, to destination, method, target, host string, header http.Header, body []byte, w wire) error {
	transport, err := v.transport(to.backend, w)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, w.scheme()+"://"+to.endpoint.String()+target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header, r.Host = header.Clone(), host
	change(r.Header, &to.backend.RequestHeaders)
	res, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.CopyN(io.Discard, res.Body, maxReplay)
	if err == io.EOF { //nolint:errorlint // readers return io.EOF itself
		return nil
	}
	return err
}

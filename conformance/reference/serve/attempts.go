package serve

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// attempts sends a request to its backend, again where the rule says so.
type attempts struct{}

// Backoff where the route says none: "the time to wait between retry attempts
// is implementation-specific" (HTTPRouteRetry.Backoff). It doubles each time.
const (
	defaultBackoff = 25 * time.Millisecond
	maxDoublings   = 4
)

// RoundTrip implements [http.RoundTripper].
func (attempts) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r.Context())
	for n := 0; ; n++ {
		res, err := x.attempt(r)
		if !x.again(r.Context(), n, res, err) {
			return res, err
		}
		if err != nil {
			x.to = x.view.another(x.to)
		} else {
			_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
			_ = res.Body.Close()
		}
		if err := wait(r.Context(), x.backoff(n)); err != nil {
			return nil, err
		}
	}
}

// again reports whether the n-th attempt, counted from 0, is followed by
// another (HTTPRouteRetry, GEP-1731): its status is one of Codes, or there is
// none, "Implementations SHOULD retry on connection errors (disconnect, reset,
// timeout, TCP failure) if a retry stanza is configured".
func (x *exchange) again(ctx context.Context, n int, res *http.Response, err error) bool {
	t := x.decision.Retry
	if t == nil || n >= t.Attempts || ctx.Err() != nil || !x.body.replayable() {
		return false
	}
	return err != nil || slices.Contains(t.On, strconv.Itoa(res.StatusCode))
}

func (x *exchange) backoff(n int) time.Duration {
	least := x.decision.Retry.Backoff
	if least <= 0 {
		least = defaultBackoff
	}
	d := least << min(n, maxDoublings)
	return d + rand.N(d/4+1) //nolint:gosec // jitter is no secret
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt sends the request once. Its timeout covers "the time from when the
// request first starts being sent from the gateway to when the full response
// has been received from the backend" (HTTPRouteTimeouts.BackendRequest).
func (x *exchange) attempt(r *http.Request) (*http.Response, error) {
	transport, err := x.view.transport(x.to.backend, x.wire)
	if err != nil {
		return nil, err
	}
	limit := x.decision.Timeouts.BackendRequest
	if t := x.decision.Retry; t != nil && t.PerTry > 0 && (limit == 0 || t.PerTry < limit) {
		limit = t.PerTry
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := func() bool { return true }
	if limit > 0 {
		stop = time.AfterFunc(limit, func() { cancel(errTimeout) }).Stop
	}
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host = x.wire.scheme(), x.to.endpoint.String()
	if x.body != nil && out.Body != nil {
		out.Body = x.body.reader()
		out.GetBody = func() (io.ReadCloser, error) {
			if !x.body.replayable() {
				return nil, errors.New("the body is too long to be sent again")
			}
			return x.body.reader(), nil
		}
	}
	res, err := transport.RoundTrip(out)
	if err != nil {
		stop()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return nil, err
	}
	res.Request = r
	if res.StatusCode == http.StatusSwitchingProtocols {
		stop() // the tunnel has no limit but the end of the exchange
		context.AfterFunc(r.Context(), func() { cancel(nil) })
		return res, nil
	}
	res.Body = &limitedBody{res.Body, func() { stop(); cancel(nil) }}
	return res, nil
}

// limitedBody ends the timeout of an attempt when its response was read.
type limitedBody struct {
	io.ReadCloser
	done func()
}

// Close implements [io.Closer].
func (b *limitedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/causeway-gateway/causeway/routing"
)

// serveHTTP carries out the decision about one request.
func (x *tcpSocket) serveHTTP(w http.ResponseWriter, r *http.Request) {
	v, in := x.view.Load(), inboundOf(r.Context())
	d := v.table.Route(v.requestOf(r, in))
	switch {
	case d.CORS != nil && d.Status == http.StatusNoContent && d.Location == "" && len(d.Backends) == 0:
		answerPreflight(d.CORS, r.Header, w.Header())
		w.WriteHeader(d.Status)
	case enforced(d.Guards) != "":
		v.answer(w, r, &d, http.StatusInternalServerError, "the policy "+enforced(d.Guards)+" is not served")
	case d.Location != "":
		w.Header().Set("Location", d.Location)
		v.answer(w, r, &d, d.Status, d.Reason)
	case len(d.Backends) == 0:
		v.answer(w, r, &d, d.Status, d.Reason)
	default:
		v.forward(w, r, in, d)
	}
}

// enforced names a policy that this data plane would have to enforce and does
// not: its requests are refused rather than let through. Source addresses were
// judged by the table.
func enforced(guards []routing.Guard) string {
	for _, g := range guards {
		if g.Kind != routing.GuardAllow && g.Kind != routing.GuardDeny {
			return g.Kind
		}
	}
	return ""
}

// answer responds itself. The status 0 of a decision means that no listener
// takes the request: 404, "If no Listener matches … the Gateway must return a
// 404" (Listener, "HTTP listeners").
func (v *view) answer(w http.ResponseWriter, r *http.Request, d *routing.Decision, status int, reason string) {
	if status == 0 {
		status = http.StatusNotFound
	}
	if d.CORS != nil {
		shareResponse(d.CORS, r.Header, w.Header())
	}
	change(w.Header(), &d.ResponseHeaders)
	if status >= 400 && answersGRPC(r, d) {
		answerGRPC(w, status, reason)
		return
	}
	if status >= 500 {
		v.debugRequest(r, status, reason)
	}
	body := ""
	if d.Why != nil && d.Why.Action.Respond != nil && d.Why.Action.Respond.Status == status {
		body = d.Why.Action.Respond.Body
	} else if status >= 400 {
		body = http.StatusText(status) + "\n"
	}
	if body != "" && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) //nolint:gosec // a text of the route or of the status, none of the request; the client may be gone
}

// errTimeout ends what took longer than HTTPRouteTimeouts allow.
var errTimeout = &failure{http.StatusGatewayTimeout, "the request took longer than its timeout"}

// exchange is one request on its way.
type exchange struct {
	view     *view
	in       *http.Request
	out      http.ResponseWriter
	decision routing.Decision
	to       destination
	wire     wire
	uri      *url.URL // by the rule
	toURI    *url.URL // by the rule and its backend
	toHost   string
	sticky   bool // the client brought its session
	body     *replay
	mirrors  []destination
	upgraded func() // what happens when the protocol is switched
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// forward sends the request to a backend.
func (v *view) forward(w http.ResponseWriter, r *http.Request, in *inbound, d routing.Decision) {
	x := &exchange{view: v, in: r, out: w, decision: d}
	to, ok := v.persisted(d.Affinity, &d, r.Header)
	if x.sticky = ok; !ok {
		var f *failure
		if to, f = v.choose(&d); f != nil {
			v.answer(w, r, &d, f.status, f.reason)
			return
		}
	}
	x.to, x.wire = to, wireOf(to.backend, r, v.mesh != nil)
	var err error
	up := d.Upstream(to.backend)
	x.toHost = up.Host
	if x.uri, err = url.ParseRequestURI(d.URI); err == nil {
		x.toURI, err = url.ParseRequestURI(up.URI)
	}
	if err != nil {
		v.answer(w, r, &d, http.StatusInternalServerError, "the rewritten target is no URI: "+err.Error())
		return
	}
	ctx, cancel := context.WithCancelCause(context.WithValue(r.Context(), exchangeKey{}, x))
	defer cancel(nil)
	x.upgraded = func() {}
	if t := d.Timeouts.Request; t > 0 {
		// "This timeout is intended to cover as close to the whole
		// request-response transaction as possible" (HTTPRouteTimeouts.Request).
		timer := time.AfterFunc(t, func() { cancel(errTimeout) })
		defer timer.Stop()
		x.upgraded = func() { timer.Stop() }
	}
	if r.Header.Get("Upgrade") != "" {
		// net/http forgets connections that are hijacked.
		v.server.tracks.begin()
		defer v.server.tracks.end()
		if in != nil {
			defer v.server.tracks.hold(in)()
		}
	} else {
		x.mirrors = v.mirrorsOf(&d)
	}
	r = r.WithContext(ctx)
	if d.Retry != nil || len(x.mirrors) > 0 {
		x.body = newReplay(r.Body)
		r.Body = x.body.reader()
		defer x.finishMirrors()
	}
	v.server.proxy.ServeHTTP(w, r)
}

// statusOf is the status of a request that could not be forwarded.
func statusOf(ctx context.Context, err error) (int, string) {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f.status, f.reason
	case errors.As(context.Cause(ctx), &f):
		return f.status, f.reason
	}
	return http.StatusBadGateway, err.Error()
}

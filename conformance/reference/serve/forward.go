package serve

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync"
)

// newProxy moves requests and responses; what is done to them stands in the
// exchange of each.
func newProxy(log *slog.Logger) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        rewrite,
		Transport:      attempts{},
		ModifyResponse: modifyResponse,
		ErrorHandler:   answerError,
		BufferPool:     &buffers{},
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// rewrite makes the request that the backend gets: first what the rule changes,
// then what its backend does (HTTPBackendRef.Filters).
func rewrite(p *httputil.ProxyRequest) {
	x := exchangeOf(p.In.Context())
	p.Out.URL = x.uri
	p.Out.Host = x.decision.UpstreamHost
	h := p.Out.Header
	if x.view.mesh == nil {
		h["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
		p.SetXForwarded()
	} else {
		// A mesh is no hop that a backend should see.
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
			if v := p.In.Header[name]; v != nil {
				h[name] = v
			}
		}
	}
	change(h, &x.decision.RequestHeaders)
	if host, ok := hostOf(&x.decision.RequestHeaders); ok {
		p.Out.Host = host
	}
	x.mirror(p.Out)
	p.Out.URL = x.toURI
	if x.toHost != x.decision.UpstreamHost {
		p.Out.Host = x.toHost
	}
	change(h, &x.to.backend.RequestHeaders)
	if host, ok := hostOf(&x.to.backend.RequestHeaders); ok {
		p.Out.Host = host
	}
	h.Del("Host")
}

func modifyResponse(res *http.Response) error {
	x := exchangeOf(res.Request.Context())
	if res.ContentLength != 0 {
		// ReverseProxy flushes bodies of unknown length as they come, and all
		// of them are to be. FlushInterval would flush the header of an empty
		// one too, which parts the header from the end of the stream: a gRPC
		// response of trailers only would then lack its trailers
		// (PROTOCOL-HTTP2.md, "Trailers-Only"). The header field stays.
		res.ContentLength = -1
	}
	// A type that the backend did not give is not guessed.
	x.out.Header()["Content-Type"] = nil
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.upgraded()
	}
	if x.decision.CORS != nil {
		shareResponse(x.decision.CORS, x.in.Header, res.Header)
	}
	change(res.Header, &x.to.backend.ResponseHeaders)
	change(res.Header, &x.decision.ResponseHeaders)
	if a := x.decision.Affinity; a != nil && !x.sticky {
		persist(a, x.to, res.Header)
	}
	return nil
}

func answerError(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	status, reason := statusOf(r.Context(), err)
	x.view.answer(w, x.in, &x.decision, status, reason)
}

// buffers are what bodies are copied through.
type buffers struct{ pool sync.Pool }

// Get implements [httputil.BufferPool].
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

// Put implements [httputil.BufferPool].
func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

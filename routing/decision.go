package routing

import (
	"encoding/json"
	"time"
)

// Decision is what happens to one request: what the client sees and what the
// backend gets. Its JSON form is public (`causeway route -o json`).
type Decision struct {
	Status       int                // what the client sees; a forward is 200
	Backends     map[string]float64 // "namespace/name:port" to its share, 0-1; not to be changed
	URI          string             // path and query the backend gets
	UpstreamHost string             // Host header the backend gets
	// Upstreams are what each backend of the rule gets in place of URI and
	// UpstreamHost, in the rule's order; nil when all get the same.
	Upstreams       []Upstream
	RequestHeaders  HeaderChange
	ResponseHeaders HeaderChange
	Location        string // of a redirect
	Mirrors         []Mirror
	Timeouts        Timeouts
	Retry           *Retry
	CORS            *CORS
	Affinity        *Affinity
	Guards          []Guard
	Fault           *Fault
	// Why is the rule that decided; nil when none matched.
	Why *Rule
	// Near is a rule of the mesh for the host of a request that none matched.
	Near *Rule
	// Reason explains a status that no rule sets.
	Reason string
}

// Upstream is the target of a request as a backend gets it.
type Upstream struct {
	URI  string // path and query
	Host string
}

// Upstream returns what one of the backends of the deciding rule gets.
func (d *Decision) Upstream(b *Backend) Upstream {
	if d.Upstreams != nil {
		for i := range d.Why.Action.Backends {
			if b == &d.Why.Action.Backends[i] {
				return d.Upstreams[i]
			}
		}
	}
	return Upstream{d.URI, d.UpstreamHost}
}

type headersJSON struct {
	Set    map[string]string `json:"set,omitempty"`
	Add    map[string]string `json:"add,omitempty"`
	Remove []string          `json:"remove,omitempty"`
}

func (h HeaderChange) json() *headersJSON {
	if h.Empty() {
		return nil
	}
	j := &headersJSON{Remove: h.Remove}
	for _, x := range h.Set {
		if j.Set == nil {
			j.Set = map[string]string{}
		}
		j.Set[x.Name] = x.Value
	}
	for _, x := range h.Add {
		if j.Add == nil {
			j.Add = map[string]string{}
		}
		j.Add[x.Name] = x.Value
	}
	return j
}

type mirrorJSON struct {
	Backend string  `json:"backend"`
	Percent float64 `json:"percent"`
}

type guardJSON struct {
	Kind   string            `json:"kind"`
	Detail map[string]string `json:"detail,omitempty"`
	AnyOf  []guardJSON       `json:"anyOf,omitempty"`
}

func guardsJSON(gs []Guard) []guardJSON {
	var out []guardJSON
	for _, g := range gs {
		out = append(out, guardJSON{g.Kind, g.Detail, guardsJSON(g.AnyOf)})
	}
	return out
}

type corsJSON struct {
	AllowOrigins     []string `json:"allowOrigins"`
	AllowMethods     []string `json:"allowMethods,omitempty"`
	AllowHeaders     []string `json:"allowHeaders,omitempty"`
	ExposeHeaders    []string `json:"exposeHeaders,omitempty"`
	MaxAge           float64  `json:"maxAge,omitempty"` // seconds
	AllowCredentials bool     `json:"allowCredentials,omitempty"`
}

type whyJSON struct {
	Object string `json:"object"`
	Path   string `json:"path,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
}

type retryJSON struct {
	Attempts int      `json:"attempts,omitempty"`
	On       []string `json:"on,omitempty"`
	Backoff  string   `json:"backoff,omitempty"`
	PerTry   string   `json:"perTry,omitempty"`
}

type affinityJSON struct {
	Kind     string  `json:"kind"`
	Name     string  `json:"name,omitempty"`
	Path     string  `json:"path,omitempty"`
	Domain   string  `json:"domain,omitempty"`
	SameSite string  `json:"sameSite,omitempty"`
	Secure   bool    `json:"secure,omitempty"`
	MaxAge   float64 `json:"maxAge,omitempty"` // seconds
}

type upstreamJSON struct {
	Backend      string `json:"backend"`
	URI          string `json:"uri"`
	UpstreamHost string `json:"upstreamHost"`
}

type decisionJSON struct {
	Status          int                `json:"status"`
	Backends        map[string]float64 `json:"backends,omitempty"`
	URI             string             `json:"uri,omitempty"`
	UpstreamHost    string             `json:"upstreamHost,omitempty"`
	Upstreams       []upstreamJSON     `json:"upstreams,omitempty"`
	RequestHeaders  *headersJSON       `json:"requestHeaders,omitempty"`
	Location        string             `json:"location,omitempty"`
	ResponseHeaders *headersJSON       `json:"responseHeaders,omitempty"`
	Mirrors         []mirrorJSON       `json:"mirrors,omitempty"`
	Timeouts        map[string]string  `json:"timeouts,omitempty"`
	Retry           *retryJSON         `json:"retry,omitempty"`
	CORS            *corsJSON          `json:"cors,omitempty"`
	Affinity        *affinityJSON      `json:"affinity,omitempty"`
	Guards          []guardJSON        `json:"guards,omitempty"`
	Reason          string             `json:"reason,omitempty"`
	Why             *whyJSON           `json:"why,omitempty"`
}

// MarshalJSON writes the public form; durations are Go duration strings.
func (d Decision) MarshalJSON() ([]byte, error) {
	j := decisionJSON{
		Status: d.Status, Backends: d.Backends, URI: d.URI, UpstreamHost: d.UpstreamHost,
		RequestHeaders: d.RequestHeaders.json(), ResponseHeaders: d.ResponseHeaders.json(),
		Location: d.Location, Timeouts: d.Timeouts.json(), Guards: guardsJSON(d.Guards), Reason: d.Reason,
	}
	for i, u := range d.Upstreams {
		j.Upstreams = append(j.Upstreams, upstreamJSON{d.Why.Action.Backends[i].Key(), u.URI, u.Host})
	}
	for _, m := range d.Mirrors {
		b := m.URL
		if b == "" {
			b = m.Backend.Key()
		}
		j.Mirrors = append(j.Mirrors, mirrorJSON{b, m.Percent})
	}
	if r := d.Retry; r != nil {
		j.Retry = &retryJSON{r.Attempts, r.On, durationJSON(r.Backoff), durationJSON(r.PerTry)}
	}
	if c := d.CORS; c != nil {
		j.CORS = &corsJSON{c.AllowOrigins, c.AllowMethods, c.AllowHeaders, c.ExposeHeaders, c.MaxAge.Seconds(), c.AllowCredentials}
	}
	if a := d.Affinity; a != nil {
		j.Affinity = &affinityJSON{a.Kind, a.Name, a.Path, a.Domain, a.SameSite, a.Secure, a.MaxAge.Seconds()}
	}
	if d.Why != nil {
		o := d.Why.Origin
		j.Why = &whyJSON{o.Object.String(), o.Path, o.File, o.Line}
	}
	return json.Marshal(j)
}

func durationJSON(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (t Timeouts) json() map[string]string {
	var m map[string]string
	for _, x := range []struct {
		name string
		d    time.Duration
	}{{"request", t.Request}, {"backendRequest", t.BackendRequest}, {"connect", t.Connect}, {"read", t.Read}, {"send", t.Send}} {
		if x.d != 0 {
			if m == nil {
				m = map[string]string{}
			}
			m[x.name] = x.d.String()
		}
	}
	return m
}

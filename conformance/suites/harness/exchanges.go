package harness

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
)

// remembered is how many exchanges of a test, and of each subtest, are kept.
const remembered = 5

// exchange is a request that a test sent and what came back. Certificates and
// keys are left out.
type exchange struct {
	Time       time.Time           `json:"time"`
	Test       string              `json:"test"` // the subtest that sent it
	Method     string              `json:"method"`
	URL        string              `json:"url"`
	Host       string              `json:"host,omitempty"`
	ServerName string              `json:"serverName,omitempty"`
	Protocol   string              `json:"protocol,omitempty"`
	Headers    map[string][]string `json:"headers,omitempty"`
	Error      string              `json:"error,omitempty"`
	Status     int                 `json:"status,omitempty"`
	Response   map[string][]string `json:"response,omitempty"` // its headers
	// Echo is the request as the backend saw it.
	Echo *roundtripper.CapturedRequest `json:"echo,omitempty"`
}

// exchanges remembers the last requests of each test, which the suite logs at
// length or not at all.
type exchanges struct {
	next roundtripper.RoundTripper
	mu   sync.Mutex
	last map[*testing.T][]exchange
}

func newExchanges(next roundtripper.RoundTripper) *exchanges {
	return &exchanges{next: next, last: map[*testing.T][]exchange{}}
}

// CaptureRoundTrip implements the suite's RoundTripper.
func (e *exchanges) CaptureRoundTrip(r roundtripper.Request) (*roundtripper.CapturedRequest, *roundtripper.CapturedResponse, error) {
	x := exchange{
		Time: time.Now().UTC(), Method: r.Method, URL: r.URL.String(), Host: r.Host,
		ServerName: r.ServerName, Protocol: r.Protocol, Headers: r.Headers,
	}
	request, response, err := e.next.CaptureRoundTrip(r)
	if err != nil {
		x.Error = err.Error()
	}
	if response != nil {
		x.Status, x.Response = response.StatusCode, response.Headers
	}
	if request != nil {
		copied := *request // the suite rewrites the headers of its own
		copied.Headers = nil
		x.Echo = &copied
	}
	if r.T != nil {
		x.Test = r.T.Name()
		e.remember(r.T, x)
	}
	return request, response, err
}

func (e *exchanges) remember(t *testing.T, x exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := append(e.last[t], x)
	e.last[t] = last[max(0, len(last)-remembered):]
}

// of returns the last exchanges of a test and those of its subtests that failed,
// oldest first, and forgets them.
func (e *exchanges) of(test *testing.T) []exchange {
	e.mu.Lock()
	defer e.mu.Unlock()
	var failed []exchange
	for t, last := range e.last {
		if t != test && !strings.HasPrefix(t.Name(), test.Name()+"/") {
			continue
		}
		delete(e.last, t)
		if t.Failed() {
			failed = append(failed, last...)
		}
	}
	slices.SortFunc(failed, func(a, b exchange) int { return a.Time.Compare(b.Time) })
	return failed
}
